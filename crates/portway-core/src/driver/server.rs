//! A connection from a client: HTTP/1.1, or HTTP/2 when it begins with its preface.

use std::{
    future::Future,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::BytesMut;
use http::{Request, Response};
use portway_http1::limits::HeadLimits;
use portway_plugin::{Body, Error};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::{ClientLine, http1, http2};
use crate::socket::{Stream, Wire};

/// RFC 9113 section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The room for the bytes that tell the protocol, and usually a whole head.
const FIRST_READ: usize = 8 * 1024;

/// How long a client has for its part when its connection is to be closed: a new one to begin its
/// request, an idle one to take note. HTTP/2 says goodbye, and what is left of an answer may still
/// be on its way.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);

/// How a client connection is served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerOptions {
    /// The time for a head, and for the first byte of a connection.
    pub(crate) header_read: Option<Duration>,
    /// The time between two requests.
    pub(crate) idle: Option<Duration>,
    /// The slowest a request's body may come, in bytes a second.
    pub(crate) min_rate: Option<u32>,
    pub(crate) head: HeadLimits,
    /// Whether header names are passed on as they are spelled.
    pub(crate) keep_spelling: bool,
    /// Whether HTTP/2 is spoken.
    pub(crate) http2: bool,
    /// The HTTP/2 requests a client may have in flight.
    pub(crate) max_streams: u32,
    /// How often a silent HTTP/2 client is asked whether it is there.
    pub(crate) ping: Option<Duration>,
}

/// What answers the requests of a connection. It never fails.
pub(crate) trait Serve: Clone + Send + Sync + 'static {
    type Answer: Future<Output = Response<Body>> + Send + 'static;

    /// Answers a request.
    fn serve(&self, request: Request<Body>, line: ClientLine) -> Self::Answer;

    /// Answers a head that is no request. The connection is closed behind it.
    fn refuse(&self, error: &Error) -> Response<Body>;

    /// Hears that the client was sent away because it floods the connection.
    fn flooded(&self);

    /// The bounds on a head, as they are now. `None`: the listener is gone.
    fn head_limits(&self) -> Option<HeadLimits>;
}

/// Tells connections to finish what they are doing and leave.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    closed: AtomicBool,
    pub(super) notify: Notify,
}

impl Closing {
    /// Tells them, now and for ever.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Waits until they are told.
    pub(crate) async fn told(&self) {
        let mut told = pin!(self.notify.notified());
        told.as_mut().enable();
        if !self.is_closed() {
            told.await;
        }
    }
}

/// Which HTTP is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Serves one connection to its end. `read` has come of it already; without an agreement about
/// the `protocol`, the client's first bytes tell.
pub(crate) async fn serve(
    wire: Wire,
    read: BytesMut,
    protocol: Option<Protocol>,
    options: ServerOptions,
    closing: &Closing,
    service: impl Serve,
) {
    let known = match (protocol, &wire) {
        (Some(protocol), _) => Some((read, protocol)),
        // What is agreed on with nobody is HTTP/1.1: HTTP/2 over TLS is agreed on (RFC 9113
        // section 3.2).
        (None, Wire::Tls(_)) => Some((read, Protocol::Http1)),
        // No client comes by such a one.
        (None, Wire::Own(_)) => Some((read, Protocol::Http1)),
        (None, Wire::Plain(_)) if !options.http2 => Some((read, Protocol::Http1)),
        (None, Wire::Plain(stream)) => {
            let first = options.header_read.unwrap_or(Duration::MAX);
            tokio::select! {
                known = timeout(first, sniff(stream, read)) => known.ok().flatten(),
                () = async { closing.told().await; sleep(FAREWELL).await } => None,
            }
        }
    };
    match known {
        Some((read, Protocol::Http1)) => {
            http1::serve(wire, read, options, closing, service).await;
        }
        // On the heap: few connections are, and each would carry its weight.
        Some((read, Protocol::Http2)) => {
            Box::pin(http2::serve(wire, read.freeze(), options, closing, service)).await;
        }
        None => {}
    }
}

/// Reads until it is clear which protocol the client speaks. `None`: it left without a word.
async fn sniff(stream: &Stream, mut read: BytesMut) -> Option<(BytesMut, Protocol)> {
    loop {
        let known = read.len().min(PREFACE.len());
        if read[..known] != PREFACE[..known] {
            return Some((read, Protocol::Http1));
        }
        if known == PREFACE.len() {
            return Some((read, Protocol::Http2));
        }
        stream.readable().await.ok()?;
        // Not before: a connection that says nothing holds no buffer.
        read.reserve(FIRST_READ);
        match stream.try_read_buf(&mut read) {
            // What is left of a head is the wire's to refuse.
            Ok(0) => return (!read.is_empty()).then_some((read, Protocol::Http1)),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
    }
}
