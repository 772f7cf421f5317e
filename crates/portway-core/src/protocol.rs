//! Protocols that the program speaks itself, on a port where HTTP and TLS are spoken as well.
//!
//! Only connections to listeners that name one (`protocols: [my-echo]`) are looked at.

use std::{
    fmt,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use portway_config::value::Name;
use portway_plugin::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    driver::Closing,
    layer4::Movement,
    socket::{Prefixed, Stream},
};

pub use crate::connect::Cause;

/// A protocol of the program's own.
///
/// ```
/// use portway_core::protocol::{Cause, Look, Protocol, Visitor};
/// use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
///
/// /// `shout WORDS` says them back, louder.
/// struct Shout;
///
/// impl Protocol for Shout {
///     fn recognise(&self, first: &[u8]) -> Look {
///         Look::starts_with(first, b"shout ")
///     }
///
///     async fn serve(&self, visitor: Visitor) -> Result<(), Cause> {
///         let Visitor { stream, leaving, .. } = visitor;
///         let mut lines = BufReader::new(stream).lines();
///         loop {
///             let line = tokio::select! {
///                 line = lines.next_line() => line?,
///                 // The listener closes: a good moment to go.
///                 () = leaving.told() => return Ok(()),
///             };
///             let Some(line) = line else { return Ok(()) };
///             let louder = line.trim_start_matches("shout ").to_uppercase() + "\n";
///             lines.get_mut().write_all(louder.as_bytes()).await?;
///         }
///     }
/// }
/// # let _ = Shout;
/// ```
pub trait Protocol: Send + Sync + 'static {
    /// Whether a connection that begins so is for it. It is asked again with all that has come
    /// whenever more has, beginning with nothing at all: who says [`Look::Yes`] to that speaks first,
    /// and leaves nobody for others. It must not block.
    fn recognise(&self, first: &[u8]) -> Look;

    /// Serves a connection to its end, on the thread that has accepted it: it must not block. The
    /// connection counts, for limits and for the end of the gateway, until this is over. An error is
    /// for the log. The future is dropped when nothing has passed either way for the listener's
    /// `limits.idle`, or twice that at the latest, and when the listener is no longer part of the
    /// configuration and `stream_drain` is over.
    fn serve(&self, visitor: Visitor) -> impl Future<Output = Result<(), Cause>> + Send;
}

/// What a protocol says of a connection by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It is for this one.
    Yes,
    /// It is for another one.
    No,
    /// More bytes have to come. Who leaves it at that is closed when the listener's
    /// `limits.header_read` is over; after 4 KiB it means `No`.
    More,
}

impl Look {
    /// For protocols that begin with the same bytes always.
    #[must_use]
    pub fn starts_with(first: &[u8], opening: &[u8]) -> Self {
        let known = first.len().min(opening.len());
        match first[..known] == opening[..known] {
            false => Self::No,
            true if known == opening.len() => Self::Yes,
            true => Self::More,
        }
    }
}

/// A connection that a protocol has taken.
#[derive(Debug)]
#[non_exhaustive]
pub struct Visitor {
    /// The connection, from its first byte.
    pub stream: VisitorStream,
    /// Who is at the other end, by the socket or by a trusted proxy's word. Who comes by a Unix
    /// domain socket counts as 127.0.0.1.
    pub client: SocketAddr,
    /// The address it came to.
    pub local: SocketAddr,
    /// The listener, as metrics call it.
    pub listener: Box<str>,
    /// Tells when the listener closes.
    pub leaving: Leaving,
}

impl Visitor {
    pub(crate) fn new(
        (stream, read): (Stream, Bytes),
        (client, local): (SocketAddr, SocketAddr),
        listener: &str,
        closing: Arc<Closing>,
        passed: Arc<Passed>,
    ) -> Self {
        let stream = VisitorStream { stream: Prefixed::new(read, stream), passed };
        Self { stream, client, local, listener: listener.into(), leaving: Leaving(closing) }
    }
}

/// Tells when a listener closes, because the configuration no longer has it or the gateway ends.
/// Copies tell the same.
#[derive(Clone)]
pub struct Leaving(Arc<Closing>);

impl Leaving {
    /// Waits until it does. It may be asked again.
    pub async fn told(&self) {
        self.0.told().await;
    }

    /// Whether it has.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.0.is_closed()
    }
}

impl fmt::Debug for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Leaving").field(&self.is_told()).finish()
    }
}

/// The bytes that have passed.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    pub(crate) from_client: AtomicU64,
    pub(crate) to_client: AtomicU64,
    pub(crate) movement: Movement,
}

/// The stream of a [`Visitor`].
#[derive(Debug)]
pub struct VisitorStream {
    stream: Prefixed<Stream>,
    passed: Arc<Passed>,
}

impl AsyncRead for VisitorStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.passed.from_client.fetch_add((buf.filled().len() - before) as u64, Relaxed);
        self.passed.movement.note();
        Poll::Ready(Ok(()))
    }
}

impl VisitorStream {
    fn count(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(written)) = written {
            self.passed.to_client.fetch_add(written as u64, Relaxed);
            self.passed.movement.note();
        }
        written
    }
}

impl AsyncWrite for VisitorStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The protocols that a program brings along, by name.
#[derive(Clone, Debug, Default)]
pub struct Protocols(Vec<Spoken>);

impl Protocols {
    /// With one more. One of the same name takes the place of the other.
    pub fn add(&mut self, name: Name, protocol: impl Protocol) {
        let spoken = Spoken { name, protocol: Arc::new(protocol) };
        match self.0.iter_mut().find(|other| other.name == spoken.name) {
            Some(other) => *other = spoken,
            None => self.0.push(spoken),
        }
    }

    /// Their names, for [`Catalog::with_protocols`](portway_config::Catalog::with_protocols).
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().map(|spoken| &spoken.name)
    }

    /// Those of these names, in this order.
    pub(crate) fn of(&self, names: &[Name]) -> Box<[Spoken]> {
        let one = |name: &Name| self.0.iter().find(|spoken| spoken.name == *name).cloned();
        names.iter().filter_map(one).collect()
    }
}

/// A protocol and its name.
#[derive(Clone)]
pub(crate) struct Spoken {
    pub(crate) name: Name,
    protocol: Arc<dyn Serving>,
}

impl Spoken {
    pub(crate) fn recognise(&self, first: &[u8]) -> Look {
        Serving::recognise(&*self.protocol, first)
    }

    pub(crate) fn serve(&self, visitor: Visitor) -> BoxFuture<'_, Result<(), Cause>> {
        Serving::serve(&*self.protocol, visitor)
    }
}

impl fmt::Debug for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spoken").field(&self.name).finish()
    }
}

/// A [`Protocol`] whose future has no type.
trait Serving: Send + Sync {
    fn recognise(&self, first: &[u8]) -> Look;
    fn serve(&self, visitor: Visitor) -> BoxFuture<'_, Result<(), Cause>>;
}

impl<P: Protocol> Serving for P {
    fn recognise(&self, first: &[u8]) -> Look {
        Protocol::recognise(self, first)
    }

    fn serve(&self, visitor: Visitor) -> BoxFuture<'_, Result<(), Cause>> {
        Box::pin(Protocol::serve(self, visitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_is_known_as_soon_as_it_can_be() {
        for (first, look) in [
            (&b""[..], Look::More),
            (b"sho", Look::More),
            (b"sht", Look::No),
            (b"shout", Look::Yes),
            (b"shout it", Look::Yes),
            (b"GET / HTTP/1.1", Look::No),
        ] {
            assert_eq!(Look::starts_with(first, b"shout"), look, "{}", first.escape_ascii());
        }
    }
}
