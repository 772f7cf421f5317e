//! HTTP/2 from clients, by hyper.

use std::{
    convert::Infallible,
    error::Error as StdError,
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::Body as HttpBody;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use pin_project_lite::pin_project;
use portway_plugin::Error;
use tokio::time::{Instant, Sleep, sleep};

use super::{
    ClientLine, Serve, ServerOptions,
    body::ours,
    http1::client_closed_request,
    pace::{Overdue, Pace, Watchdog},
    server::{Closing, FAREWELL},
    socket::ClientSocket,
    stall::Streams,
};
use crate::socket::Wire;

/// Serves one connection, of which `read` has come already.
pub(super) async fn serve(
    socket: Wire,
    read: Bytes,
    options: ServerOptions,
    closing: &Closing,
    service: impl Serve,
) {
    let pace = Pace::new(Instant::now());
    let line = ClientLine::Http2(Arc::clone(&pace));
    let service = service_fn(move |request: Request<Incoming>| Unfailing {
        answer: service.serve(request.map(|body| ours(body, broken_request, ())), line.clone()),
    });
    let io = TokioIo::new(ClientSocket::new(socket, Arc::clone(&pace), read));
    let connection = builder(options).serve_connection(io, service);
    drive(pin!(connection), &pace, options.idle, closing).await;
}

fn builder(options: ServerOptions) -> http2::Builder<Streams> {
    let mut builder = http2::Builder::new(Streams);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(options.max_streams)
        .max_header_list_size(u32::try_from(options.head.field_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(100)
        .keep_alive_interval(options.ping)
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

type Connection<S> = http2::Connection<TokioIo<ClientSocket>, S, Streams>;

/// Polls the connection until it ends by itself, is told to leave, or takes too long.
async fn drive<S, B>(
    mut connection: Pin<&mut Connection<S>>,
    pace: &Pace,
    idle: Option<Duration>,
    closing: &Closing,
) where
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: HttpBody + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    Streams: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
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
                // A connection that broke has told its client why.
                drop(ended);
                return Poll::Ready(());
            }
            if leaving || !(closing.is_closed() || pace.is_retired()) {
                break;
            }
            // Not before the first poll: hyper would close without a look at the request that
            // was read already. And right after each: the one that came now may be the last.
            leaving = true;
            connection.as_mut().graceful_shutdown();
        }
        if let Some(time) = &mut farewell {
            ready!(time.as_mut().poll(cx));
            farewell = None;
        }
        match ready!(watchdog.poll(pace, idle, cx)) {
            Overdue::Idle if !leaving => {
                leaving = true;
                connection.as_mut().graceful_shutdown();
                if connection.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                farewell.insert(Box::pin(sleep(FAREWELL))).as_mut().poll(cx)
            }
            Overdue::Idle | Overdue::Stuck => Poll::Ready(()),
        }
    })
    .await;
}

/// hyper tells what is malformed from what merely ended by the error below its own.
fn broken_request(error: hyper::Error) -> Error {
    let cause = StdError::source(&error).and_then(|cause| cause.downcast_ref::<io::Error>());
    let is_malformed = cause.is_some_and(|cause| {
        matches!(cause.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
    });
    if !is_malformed {
        return Error::client(client_closed_request(), "client_closed_request", "the client left")
            .because(error)
            .closing();
    }
    Error::client(StatusCode::BAD_REQUEST, "bad_request_body", "the request body is malformed")
        .because(error)
        .closing()
}
