//! hyper's request body as ours, and ours as the upload hyper sends.

use std::{
    error::Error as StdError,
    fmt, io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use portway_plugin::{Body, Error};

use super::pace::Pace;

/// A client's request body. One that is empty costs nothing.
pub(super) fn from_client(incoming: Incoming, pace: &Arc<Pace>) -> Body {
    if incoming.is_end_stream() {
        return Body::empty();
    }
    Body::stream(ClientBody { incoming, ended: false, pace: Arc::clone(pace) })
}

struct ClientBody {
    incoming: Incoming,
    ended: bool,
    pace: Arc<Pace>,
}

impl HttpBody for ClientBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        self.ended = frame.is_none() || self.incoming.is_end_stream();
        Poll::Ready(frame.map(|frame| frame.map_err(broken_request)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for ClientBody {
    fn drop(&mut self) {
        if !self.ended {
            self.pace.leave_unread();
        }
    }
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

/// The status that logs have for a client that left. Nobody reads the answer.
fn client_closed_request() -> StatusCode {
    StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST)
}

/// A request body on its way to the upstream, which says how far it has come.
pub(super) struct Upload {
    body: Body,
    /// `None` for a body that was empty from the start.
    progress: Option<Arc<Progress>>,
}

/// How far an upload has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    done: AtomicBool,
    asked: AtomicBool,
    /// hyper hides a body's error inside its own: here it is kept whole.
    error: Mutex<Option<Error>>,
}

impl Progress {
    /// Whether the last byte was handed over.
    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Whether more of the body was asked for since the last look: then the upstream takes what
    /// it is sent, and it is the client that is waited for.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }

    /// What broke the upload off.
    pub(super) fn take_error(&self) -> Option<Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Upload {
    pub(super) fn new(body: Body) -> Self {
        let progress = (!body.is_end_stream()).then(Arc::default);
        Self { body, progress }
    }

    /// How far it has come. `None`: there is no body.
    pub(super) fn progress(&self) -> Option<Arc<Progress>> {
        self.progress.clone()
    }

    pub(super) fn into_body(self) -> Body {
        self.body
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Self { body, progress } = self.get_mut();
        let Some(progress) = progress else { return Poll::Ready(None) };
        progress.asked.store(true, Ordering::Relaxed);
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        if frame.is_none() || body.is_end_stream() {
            progress.done.store(true, Ordering::Release);
        }
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|error| {
                *progress.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Broken
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Tells hyper to give the upload up; the reason is in its [`Progress`].
#[derive(Debug)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request body broke off")
    }
}

impl std::error::Error for Broken {}
