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
enum Broken {
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
async fn copy(
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
                self.write_all(&std::mem::take(&mut held)).await.map_err(|_| Broken::Writing)?;
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

    async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.to.writable().await?;
            match self.to.try_write(bytes) {
                Ok(written) => {
                    bytes = &bytes[written..];
                    self.movement.note();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
