//! A connection from a client: HTTP/1.1, or HTTP/2 when it begins with its preface.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pin_project_lite::pin_project;
use portway_plugin::{Body, Error};
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    sync::Notify,
    time::{Sleep, sleep, timeout},
};

use super::{
    body::from_client,
    pace::{Overdue, Pace, PaceLimits, Watchdog},
    socket::ClientSocket,
};

/// RFC 9113 section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The longest head hyper buffers. Limits of the listener below it are enforced, and answered,
/// by the gateway; beyond it hyper answers 431 by itself.
const MAX_HEAD: usize = 128 * 1024;

/// How long a client has for its part when its connection is to be closed: a new one to begin its
/// request, an idle one to take note. HTTP/2 says goodbye, and what is left of an answer may still
/// be on its way.
const FAREWELL: Duration = Duration::from_secs(2);

/// How a client connection is served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerOptions {
    pub(crate) pace: PaceLimits,
    /// The number of header fields beyond which 431 is answered.
    pub(crate) max_headers: u16,
    /// The bytes of all header fields (HTTP/2's `SETTINGS_MAX_HEADER_LIST_SIZE`).
    pub(crate) max_header_bytes: u32,
}

/// Tells connections to finish what they are doing and leave.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    closed: AtomicBool,
    notify: Notify,
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
    async fn told(&self) {
        let mut told = pin!(self.notify.notified());
        told.as_mut().enable();
        if !self.is_closed() {
            told.await;
        }
    }
}

/// Serves one connection to its end. `service` is called for each request and must not fail.
/// Returns what was answered to a head that is no request, if that was the end.
pub(crate) async fn serve<S, F>(
    mut socket: TcpStream,
    pace: Arc<Pace>,
    options: ServerOptions,
    closing: &Closing,
    service: S,
) -> Option<Error>
where
    S: Fn(Request<Body>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let first = options.pace.header_read.unwrap_or(Duration::MAX);
    let (read, is_h2) = tokio::select! {
        begun = timeout(first, sniff(&mut socket)) => begun.ok().flatten()?,
        () = async { closing.told().await; sleep(FAREWELL).await } => return None,
    };
    let told = Arc::clone(&pace);
    let service = service_fn(move |request: Request<Incoming>| Unfailing {
        answer: service(request.map(|body| from_client(body, &told))),
    });
    let io = TokioIo::new(ClientSocket::new(socket, Arc::clone(&pace), is_h2, read));
    if is_h2 {
        let connection = h2_builder(options).serve_connection(io, service);
        drive(pin!(connection), &pace, options.pace, closing).await;
        None
    } else {
        let connection = h1_builder(options).serve_connection(io, service).with_upgrades();
        drive(pin!(connection), &pace, options.pace, closing).await.and_then(refused_head)
    }
}

/// What hyper has answered to a head that it could not read.
fn refused_head(error: hyper::Error) -> Option<Error> {
    if !error.is_parse() {
        return None;
    }
    let (status, code) = if !error.is_parse_too_large() {
        (StatusCode::BAD_REQUEST, "bad_request")
    } else if error.to_string().contains("URI") {
        (StatusCode::URI_TOO_LONG, "uri_too_long")
    } else {
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large")
    };
    Some(Error::client(status, code, "the request is not valid HTTP").because(error))
}

/// Reads until it is clear which protocol the client speaks. `None`: it left without a word.
async fn sniff(socket: &mut TcpStream) -> Option<(Bytes, bool)> {
    let mut read = BytesMut::with_capacity(4096);
    loop {
        if socket.read_buf(&mut read).await.ok()? == 0 {
            // What is left of a head is hyper's to refuse.
            return (!read.is_empty()).then(|| (read.freeze(), false));
        }
        let known = read.len().min(PREFACE.len());
        if read[..known] != PREFACE[..known] {
            return Some((read.freeze(), false));
        }
        if known == PREFACE.len() {
            return Some((read.freeze(), true));
        }
    }
}

fn h1_builder(options: ServerOptions) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // The pace measures heads and idleness apart, which hyper's one timer cannot.
    builder.header_read_timeout(None).max_header_size(MAX_HEAD).max_buf_size(MAX_HEAD * 2);
    // hyper keeps 100 fields on the stack; any other number costs an allocation per request.
    if options.max_headers != 100 {
        builder.max_headers(options.max_headers.into());
    }
    builder
}

fn h2_builder(options: ServerOptions) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(128)
        .max_header_list_size(options.max_header_bytes)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(100)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

pin_project! {
    /// A service's future as hyper wants it. An async block around it would weigh twice as much,
    /// and hyper moves it into its connection with every request.
    struct Unfailing<F> {
        #[pin]
        answer: F,
    }
}

impl<F: Future> Future for Unfailing<F> {
    type Output = Result<F::Output, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().answer.poll(cx).map(Ok)
    }
}

/// What both of hyper's connections offer.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn leave(self: Pin<&mut Self>);
}

impl<S, B> Graceful for http1::UpgradeableConnection<TokioIo<ClientSocket>, S>
where
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn leave(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<S, B> Graceful for http2::Connection<TokioIo<ClientSocket>, S, TokioExecutor>
where
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    TokioExecutor: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn leave(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Polls the connection until it ends by itself, is told to leave, or takes too long. Returns the
/// error it ended with.
async fn drive(
    mut connection: Pin<&mut impl Graceful>,
    pace: &Pace,
    limits: PaceLimits,
    closing: &Closing,
) -> Option<hyper::Error> {
    let mut told = pin!(closing.notify.notified());
    let mut watchdog = Watchdog::new();
    let (mut listening, mut leaving) = (false, false);
    let mut farewell: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx: &mut Context<'_>| {
        if !listening {
            listening = true;
            let _ = told.as_mut().poll(cx);
        }
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended.err());
            }
            if leaving || !(closing.is_closed() || pace.is_retired()) {
                break;
            }
            // Not before the first poll: hyper would close without a look at the request that
            // was read already. And right after each: the one that came now may be the last.
            leaving = true;
            connection.as_mut().leave();
        }
        if let Some(time) = &mut farewell {
            ready!(time.as_mut().poll(cx));
            farewell = None;
        }
        match ready!(watchdog.poll(pace, limits, cx)) {
            Overdue::Idle if !leaving => {
                leaving = true;
                connection.as_mut().leave();
                if connection.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                farewell.insert(Box::pin(sleep(FAREWELL))).as_mut().poll(cx).map(|()| None)
            }
            Overdue::Idle | Overdue::Stuck => Poll::Ready(None),
        }
    })
    .await
}
