//! Copies bytes both ways between two connections.
//!
//! Nothing is buffered but what the other side has no room for, 64 KiB in each direction at most:
//! who reads slowly slows down who writes.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::task::coop::consume_budget;

use super::{idle::Movement, scratch::Scratch};
use crate::{socket::Stream, telemetry::metrics::StreamEnd};

/// What passed, in bytes.
#[derive(Debug, Default)]
pub(super) struct Passed {
    pub(super) from_client: AtomicU64,
    pub(super) to_client: AtomicU64,
}

/// Which side of a copy broke.
#[derive(Clone, Copy)]
pub(super) enum Broken {
    Reading,
    Writing,
}

/// Copies until both sides have said that no more will come, one has broken, or nothing has passed
/// for `idle`. `first` goes to the upstream before anything else.
pub(super) async fn both_ways(
    client: &Stream,
    upstream: &Stream,
    first: Vec<u8>,
    scratch: &Scratch,
    passed: &Passed,
    idle: Option<Duration>,
) -> StreamEnd {
    let movement = Movement::default();
    let up = OneWay { from: client, to: upstream, scratch, movement: &movement };
    let down = OneWay { from: upstream, to: client, scratch, movement: &movement };
    let copying = copy(up.run(first, &passed.from_client), down.run(Vec::new(), &passed.to_client));
    tokio::select! {
        biased;
        end = copying => end,
        // While the upstream has no room nobody reads from the client.
        () = client.broken() => StreamEnd::ClientReset,
        () = movement.ceased(idle) => StreamEnd::Idle,
    }
}

/// Runs both directions to their end. One that cannot write any more leaves the other to deliver
/// what its side still sent; one that cannot read any more has nobody left to talk to.
pub(super) async fn copy(
    up: impl Future<Output = Result<(), Broken>>,
    down: impl Future<Output = Result<(), Broken>>,
) -> StreamEnd {
    let mut up = std::pin::pin!(up);
    let mut down = std::pin::pin!(down);
    let (first, upwards) = tokio::select! {
        end = &mut up => (end, true),
        end = &mut down => (end, false),
    };
    if let Err(Broken::Reading) = first {
        return blame(Broken::Reading, upwards);
    }
    let last = if upwards { down.await } else { up.await };
    match (first, last) {
        (Err(broken), _) => blame(broken, upwards),
        (Ok(()), Err(broken)) => blame(broken, !upwards),
        (Ok(()), Ok(())) => StreamEnd::Closed,
    }
}

/// Whose fault a break is: `upwards` is from the client to the upstream.
fn blame(broken: Broken, upwards: bool) -> StreamEnd {
    match (broken, upwards) {
        (Broken::Reading, true) | (Broken::Writing, false) => StreamEnd::ClientReset,
        (Broken::Reading, false) | (Broken::Writing, true) => StreamEnd::UpstreamReset,
    }
}

/// One of the two directions.
struct OneWay<'a> {
    from: &'a Stream,
    to: &'a Stream,
    scratch: &'a Scratch,
    movement: &'a Movement,
}

impl OneWay<'_> {
    /// Copies to the end of what comes, and passes that end on. `count` counts what was read.
    async fn run(&self, first: Vec<u8>, count: &AtomicU64) -> Result<(), Broken> {
        let mut held = first;
        loop {
            if !held.is_empty() {
                let held = std::mem::take(&mut held);
                write_all(self.to, &held, self.movement).await.map_err(|_| Broken::Writing)?;
            }
            // Two peers that are faster than this core would leave it no time for others.
            consume_budget().await;
            self.from.readable().await.map_err(|_| Broken::Reading)?;
            let moved = self.scratch.with(|buffer| {
                let read = match self.from.try_read(buffer) {
                    Ok(read) => read,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                    Err(_) => return Err(Broken::Reading),
                };
                let written = self.write_now(&buffer[..read])?;
                held = buffer[written..read].to_vec();
                Ok(Some(read))
            });
            if let Err(Broken::Reading) = moved {
                // What came so far is not the whole.
                self.to.break_off();
            }
            match moved? {
                None => {}
                Some(0) => {
                    self.to.close_writing();
                    return Ok(());
                }
                Some(read) => {
                    count.fetch_add(read as u64, Relaxed);
                    self.movement.note();
                }
            }
        }
    }

    fn write_now(&self, bytes: &[u8]) -> Result<usize, Broken> {
        if bytes.is_empty() {
            return Ok(0);
        }
        match self.to.try_write(bytes) {
            Ok(written) => Ok(written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(_) => Err(Broken::Writing),
        }
    }
}

/// Writes all of it, waiting for room.
pub(super) async fn write_all(
    to: &Stream,
    mut bytes: &[u8],
    movement: &Movement,
) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(written) => {
                bytes = &bytes[written..];
                movement.note();
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        task::JoinHandle,
        time::Instant,
    };

    use super::*;

    /// A copy at work, and the two ends that others hold.
    struct Copied {
        client: TcpStream,
        upstream: TcpStream,
        passed: Arc<Passed>,
        task: JoinHandle<StreamEnd>,
    }

    async fn pair() -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Stream::Tcp(listener.accept().await.unwrap().0), theirs)
    }

    async fn copied(first: &[u8], idle: Option<Duration>) -> Copied {
        let ((ours, client), (other, upstream)) = (pair().await, pair().await);
        let passed = Arc::<Passed>::default();
        let (first, counts) = (first.to_vec(), Arc::clone(&passed));
        let task = tokio::spawn(async move {
            let scratch = Scratch::default();
            both_ways(&ours, &other, first, &scratch, &counts, idle).await
        });
        Copied { client, upstream, passed, task }
    }

    #[tokio::test]
    async fn what_was_read_before_comes_first_and_each_end_ends_for_itself() {
        let Copied { mut client, mut upstream, passed, task } = copied(b"hello", None).await;
        client.write_all(b" world").await.unwrap();
        client.shutdown().await.unwrap();
        let mut text = String::new();
        upstream.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello world");
        upstream.write_all(b"good-bye").await.unwrap();
        upstream.shutdown().await.unwrap();
        text.clear();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "good-bye");
        assert_eq!(task.await.unwrap(), StreamEnd::Closed);
        // What was read before is counted by whoever read it.
        assert_eq!(passed.from_client.load(Relaxed), 6);
        assert_eq!(passed.to_client.load(Relaxed), 8);
    }

    #[tokio::test]
    async fn quiet_is_counted_from_the_last_byte() {
        let idle = Duration::from_secs(60);
        let Copied { mut client, mut upstream, task, .. } = copied(b"", Some(idle)).await;
        tokio::time::pause();
        let mut byte = [0];
        for _ in 0..5 {
            tokio::time::advance(idle / 2).await;
            client.write_all(b"x").await.unwrap();
            upstream.read_exact(&mut byte).await.unwrap();
        }
        let last = Instant::now();
        assert_eq!(task.await.unwrap(), StreamEnd::Idle);
        let quiet = last.elapsed();
        assert!(quiet > idle / 2 && quiet <= 2 * idle + idle / 2, "{quiet:?}");
    }

    #[tokio::test]
    async fn a_client_that_breaks_off_is_noticed_while_nobody_reads_from_it() {
        let Copied { mut client, upstream, task, .. } = copied(b"", None).await;
        let chunk = vec![0; 1 << 20];
        // Until nobody has room: the upstream reads nothing.
        while tokio::time::timeout(Duration::from_millis(100), client.write(&chunk)).await.is_ok() {
        }
        assert!(!task.is_finished());
        client.set_zero_linger().unwrap();
        drop(client);
        assert_eq!(task.await.unwrap(), StreamEnd::ClientReset);
        drop(upstream);
    }

    #[tokio::test]
    async fn what_an_upstream_still_said_arrives_though_it_takes_no_more() {
        let Copied { mut client, mut upstream, task, .. } = copied(b"", None).await;
        upstream.write_all(b"enough").await.unwrap();
        let mut text = [0; 6];
        client.read_exact(&mut text).await.unwrap();
        drop(upstream);
        let mut rest = Vec::new();
        // The answer's end is an end, whatever becomes of what is still written.
        client.read_to_end(&mut rest).await.unwrap();
        assert_eq!((&text, rest.as_slice()), (b"enough", &b""[..]));
        while client.write_all(b"more").await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert_eq!(task.await.unwrap(), StreamEnd::UpstreamReset);
    }
}
