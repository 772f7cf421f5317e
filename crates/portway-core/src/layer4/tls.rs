//! TLS that is passed on unopened, by the name the client asks for.

use std::{fmt, io, sync::Arc, time::Duration};

use bytes::BytesMut;
use portway_config::ListenerProtocol;
use tokio::time::{sleep, timeout};

use super::{
    Account, Caller, Hello, NotTls,
    hello::{MOST_BYTES, peek},
    tcp, unrecognized_name,
};
use crate::{
    snapshot::View,
    socket::{Prefixed, Stream},
    telemetry::metrics::Refusal,
};

/// How long a client has for its first message where the listener sets no limit.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may still begin when its listener closes: it may have been queued until now.
const FAREWELL: Duration = Duration::from_secs(1);

/// Room for a usual first message.
const ROOM: usize = 2048;

/// Why it is not known what a client wants.
#[derive(Debug)]
pub(crate) enum Unheard {
    /// It left without a word.
    Left,
    /// It left, or the connection broke, in the middle of its first message.
    Broken(io::Error),
    /// What came is not TLS.
    NotTls(NotTls),
}

impl fmt::Display for Unheard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left => f.write_str("the client left without a word"),
            Self::Broken(error) => write!(f, "the client left in the middle of its hello: {error}"),
            Self::NotTls(reason) => reason.fmt(f),
        }
    }
}

/// Reads until it is known what a client says first. All that was read is in `read`, to be passed
/// on or to be read again. There is no deadline but the caller's.
pub(crate) async fn hear(stream: &Stream, read: &mut BytesMut) -> Result<Hello, Unheard> {
    loop {
        if let Some(hello) = peek(read).map_err(Unheard::NotTls)? {
            return Ok(hello);
        }
        debug_assert!(read.len() < MOST_BYTES, "a peek decides in time");
        match more(stream, read).await {
            Ok(0) if read.is_empty() => return Err(Unheard::Left),
            Ok(0) => return Err(Unheard::Broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => {}
            Err(_) if read.is_empty() => return Err(Unheard::Left),
            Err(error) => return Err(Unheard::Broken(error)),
        }
    }
}

/// Serves a connection to a listener of the protocol `tls`.
pub(super) async fn serve(mut caller: Caller, view: Arc<View>) {
    let Some(listener) = view.snapshot.listener(caller.listener) else { return };
    let mut account = Account::new(&caller, ListenerProtocol::Tls, listener);
    let patience = listener.server.header_read.unwrap_or(PATIENCE);
    // A revision is not held by clients that say nothing.
    drop(view);
    let heard = tokio::select! {
        heard = timeout(patience, hear(&caller.stream, &mut caller.read)) => heard,
        () = async { caller.closing.told().await; sleep(FAREWELL).await } => {
            return account.silent();
        }
    };
    let name = match heard {
        Ok(Ok(hello)) => hello.name,
        Ok(Err(Unheard::Left)) => return account.silent(),
        Ok(Err(unheard)) => {
            account.because(&unheard);
            return account.refuse(Refusal::NotTls);
        }
        Err(_) => return account.refuse(Refusal::FirstBytesTimeout),
    };
    let view = caller.shard.view();
    let plan = view.passthrough(caller.listener, name.as_deref());
    account.name(name);
    if let Some(plan) = plan {
        account.take(&view, plan);
        drop(view);
        return tcp::pass_on(caller, account).await;
    }
    let routed = view.snapshot.streams.has_any(caller.listener);
    account.refuse(if routed { Refusal::UnknownName } else { Refusal::NoRoute });
    unrecognized_name(Prefixed::new(caller.read.freeze(), caller.stream)).await;
}

async fn more(stream: &Stream, read: &mut BytesMut) -> io::Result<usize> {
    loop {
        stream.readable().await?;
        read.reserve(ROOM);
        match stream.try_read_buf(read) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::AsyncWriteExt,
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::layer4::hello::tests::asking_for;

    async fn heard(pieces: &[&[u8]]) -> (Result<Hello, Unheard>, BytesMut) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let stream = Stream::Tcp(listener.accept().await.unwrap().0);
        let mut read = BytesMut::new();
        let writing = async {
            for piece in pieces {
                client.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(client);
        };
        let (heard, ()) = tokio::join!(hear(&stream, &mut read), writing);
        (heard, read)
    }

    #[tokio::test]
    async fn all_that_was_read_is_kept_for_whoever_is_to_read_it() {
        let hello = asking_for(Some("a.example"));
        let (said, read) = heard(&[&hello[..3], &hello[3..40], &hello[40..], b"more"]).await;
        assert_eq!(said.unwrap().name.as_deref(), Some("a.example"));
        assert!([&hello, &b"more"[..]].concat().starts_with(&read) && read.starts_with(&hello));
    }

    #[tokio::test]
    async fn who_leaves_early_is_told_apart_from_who_talks_nonsense() {
        assert!(matches!(heard(&[]).await.0, Err(Unheard::Left)));
        let hello = asking_for(None);
        assert!(matches!(heard(&[&hello[..9]]).await.0, Err(Unheard::Broken(_))));
        assert!(matches!(heard(&[b"SSH-2.0-x\r\n"]).await.0, Err(Unheard::NotTls(_))));
    }
}
