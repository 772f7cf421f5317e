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
    net::TcpStream,
    sync::Notify,
    time::{sleep, timeout},
};

use super::{ClientLine, http1, http2};

/// RFC 9113 section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The room for the bytes that tell the protocol, and usually a whole head.
const FIRST_READ: usize = 8 * 1024;

/// How long a client has for its part when its connection is to be closed: a new one to begin its
/// request, an idle one to take note. HTTP/2 says goodbye, and what is left of an answer may still
/// be on its way.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);

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
}

/// What answers the requests of a connection. It never fails.
pub(crate) trait Serve: Clone + Send + Sync + 'static {
    type Answer: Future<Output = Response<Body>> + Send + 'static;

    /// Answers a request.
    fn serve(&self, request: Request<Body>, line: ClientLine) -> Self::Answer;

    /// Answers a head that is no request. The connection is closed behind it.
    fn refuse(&self, error: &Error) -> Response<Body>;

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
    pub(super) async fn told(&self) {
        let mut told = pin!(self.notify.notified());
        told.as_mut().enable();
        if !self.is_closed() {
            told.await;
        }
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve(
    socket: TcpStream,
    options: ServerOptions,
    closing: &Closing,
    service: impl Serve,
) {
    let first = options.header_read.unwrap_or(Duration::MAX);
    let begun = tokio::select! {
        begun = timeout(first, sniff(&socket)) => begun.ok().flatten(),
        () = async { closing.told().await; sleep(FAREWELL).await } => None,
    };
    match begun {
        Some((read, Protocol::Http1)) => {
            http1::serve(socket, read, options, closing, service).await;
        }
        // On the heap: few connections are, and each would carry its weight.
        Some((read, Protocol::Http2)) => {
            Box::pin(http2::serve(socket, read.freeze(), options, closing, service)).await;
        }
        None => {}
    }
}

enum Protocol {
    Http1,
    Http2,
}

/// Reads until it is clear which protocol the client speaks. `None`: it left without a word.
async fn sniff(socket: &TcpStream) -> Option<(BytesMut, Protocol)> {
    let mut read = BytesMut::new();
    loop {
        socket.readable().await.ok()?;
        // Not before: a connection that says nothing holds no buffer.
        read.reserve(FIRST_READ);
        match socket.try_read_buf(&mut read) {
            // What is left of a head is the wire's to refuse.
            Ok(0) => return (!read.is_empty()).then_some((read, Protocol::Http1)),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(_) => return None,
        }
        let known = read.len().min(PREFACE.len());
        if read[..known] != PREFACE[..known] {
            return Some((read, Protocol::Http1));
        }
        if known == PREFACE.len() {
            return Some((read, Protocol::Http2));
        }
    }
}
