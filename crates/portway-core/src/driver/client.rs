//! A connection to an upstream, driven by whoever waits for the answer.
//!
//! There is no task and no lock of its own: the request's task polls the connection while it
//! waits for the head, and the answer's body polls it while it is read. The body gives the
//! connection back in the poll that yields the last byte, since servers drop a body without
//! polling it to the end. Only an upload that is still running when the answer's head comes is
//! moved to a task: driven from the answer's poll it would stall a client that writes before it
//! reads.

use std::{
    fmt,
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header, response::Parts};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http1},
};
use hyper_util::rt::TokioIo;
use portway_plugin::{Body, Error};
use tokio::{
    net::TcpStream,
    task::JoinHandle,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    body::{Progress, Upload},
    socket::UpstreamSocket,
    tunnel::UpstreamUpgrade,
};

/// Where interim answers (100, 102, 103) of an upstream go. hyper's server cannot write them, so
/// its side of the door passes none.
pub(crate) type Interim = Arc<dyn Fn(Response<()>) + Send + Sync>;

/// Where a connection goes when its exchange is over and it is clean.
pub(crate) trait Home: Send + Unpin + 'static {
    /// Takes the connection back.
    fn give_back(self, connection: Connection);
}

/// A connection to an upstream on which one exchange at a time can run.
pub(crate) struct Connection {
    sender: http1::SendRequest<Upload>,
    wire: Box<http1::Connection<TokioIo<UpstreamSocket>, Upload>>,
    /// Re-armed only when it fires: deadlines of consecutive requests move forward, so an early
    /// alarm costs one wake-up in the time of many requests.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

/// The head of an answer, and how to read the rest.
pub(crate) struct Answer {
    pub(crate) head: Parts,
    incoming: Incoming,
    wire: Wire<Connection>,
}

/// What drives the rest of an answer.
enum Wire<C> {
    /// Whoever reads the answer.
    Kept(C),
    /// A task, since the request is not sent to its end.
    Uploading(Uploading),
    /// Nobody: all of it is there, or there will be no more.
    Ended,
}

/// An upload that goes on behind the answer's head, and ends with the answer.
struct Uploading(JoinHandle<()>);

impl Drop for Uploading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An exchange that gave no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// The request, when not one byte of it can have been seen.
    pub(crate) unsent: Option<Box<Request<Body>>>,
    cause: Option<hyper::Error>,
    upload: Option<Arc<Progress>>,
}

/// Why an exchange gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The upstream closed or reset the connection before the head of an answer.
    Closed,
    /// The client's request body failed.
    Upload,
    /// What came back is not an answer.
    Malformed,
    /// The head did not come in time.
    TimedOut,
}

impl FailureKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "connection closed before an answer",
            Self::Upload => "request body failed",
            Self::Malformed => "malformed answer",
            Self::TimedOut => "no answer in time",
        }
    }
}

impl Connection {
    /// Prepares a fresh socket. `max_head` bounds the bytes of an answer's head.
    pub(crate) async fn new(socket: TcpStream, max_head: Option<u64>) -> Result<Self, Failure> {
        let mut builder = http1::Builder::new();
        if let Some(bytes) = max_head.and_then(|bytes| usize::try_from(bytes).ok()) {
            builder.max_header_size(bytes).max_buf_size(bytes.max(64 * 1024));
        }
        match builder.handshake(TokioIo::new(UpstreamSocket::new(socket))).await {
            Ok((sender, wire)) => Ok(Self { sender, wire: Box::new(wire), alarm: None }),
            Err(error) => Err(Failure::of(error, None)),
        }
    }

    /// Whether an idle connection can take another request: the peer has neither closed it nor
    /// spoken.
    pub(crate) fn poll_usable(&mut self, cx: &mut Context<'_>) -> bool {
        self.wire.poll_without_shutdown(cx).is_pending() && self.sender.is_ready()
    }

    /// Sends a request and waits for the head of the answer, `wait` long after the request's last
    /// byte.
    pub(crate) async fn exchange(
        mut self,
        request: Request<Body>,
        wait: Option<Duration>,
        interim: Option<Interim>,
    ) -> Result<Answer, Failure> {
        let mut request = request.map(Upload::new);
        let uploaded = request.body().progress();
        if let Some(interim) = interim {
            hyper::ext::on_informational(&mut request, move |answer| {
                let mut head = Response::new(());
                *head.status_mut() = answer.status();
                *head.headers_mut() = answer.headers().clone();
                interim(head);
            });
        }
        let mut answer = pin!(self.sender.try_send_request(request));
        let mut deadline = wait.map(|wait| Instant::now() + wait);
        let mut ended = false;
        let outcome = poll_fn(|cx| {
            if !ended {
                ended = self.wire.poll_without_shutdown(cx).is_ready();
            }
            match answer.as_mut().poll(cx) {
                Poll::Ready(Ok(answer)) => return Poll::Ready(Ok(answer)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Failure::unanswered(error))),
                Poll::Pending => {}
            }
            // The clock starts with the request's last byte; before that, it runs while the
            // upstream takes nothing.
            if let (Some(uploaded), Some(wait)) = (&uploaded, wait)
                && uploaded.was_asked()
            {
                deadline = Some(Instant::now() + wait);
            }
            match deadline {
                Some(deadline) if poll_alarm(&mut self.alarm, deadline, cx) => {
                    Poll::Ready(Err(Failure::bare(FailureKind::TimedOut)))
                }
                _ => Poll::Pending,
            }
        })
        .await
        .map_err(|failure: Failure| Failure { upload: uploaded.clone(), ..failure })?;
        let (head, incoming) = outcome.into_parts();
        if is_framed_twice(&head.headers) {
            return Err(Failure::bare(FailureKind::Malformed));
        }
        let wire = self.after_head(uploaded.as_deref(), ended, head.status);
        Ok(Answer { head, incoming, wire })
    }

    /// Keeps the connection for the answer's body, or lets a task go on with an upload that still
    /// runs.
    fn after_head(
        self,
        uploaded: Option<&Progress>,
        ended: bool,
        status: StatusCode,
    ) -> Wire<Self> {
        if ended && status != StatusCode::SWITCHING_PROTOCOLS {
            return Wire::Ended;
        }
        if uploaded.is_none_or(Progress::is_done) {
            return Wire::Kept(self);
        }
        Wire::Uploading(Uploading(tokio::spawn(async move {
            // Its errors reach the answer's body; nobody else has a use for them.
            let _ = self.wire.await;
        })))
    }
}

/// A length and chunks: two readers could see two answers (RFC 9112 section 6.3). hyper would
/// read the chunks.
fn is_framed_twice(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH)
}

impl Answer {
    /// Whether the answer came before the request was sent to its end.
    pub(crate) fn is_early(&self) -> bool {
        matches!(self.wire, Wire::Uploading(_))
    }

    /// The answer with its body, which gives the connection to `home` when it has been read.
    pub(crate) async fn into_response<H: Home>(self, home: H) -> Response<Body> {
        let Self { head, incoming, wire } = self;
        let wire = match wire {
            Wire::Kept(connection) => Wire::Kept((connection, home)),
            Wire::Uploading(task) => Wire::Uploading(task),
            Wire::Ended => Wire::Ended,
        };
        let mut download = Download { incoming, wire };
        if download.incoming.is_end_stream() {
            poll_fn(|cx| {
                download.settle(cx);
                Poll::Ready(())
            })
            .await;
            return Response::from_parts(head, Body::empty());
        }
        Response::from_parts(head, Body::stream(download))
    }

    /// The socket behind a 101, with what was read beyond the head.
    pub(crate) async fn into_upgrade(self) -> Option<UpstreamUpgrade> {
        let Wire::Kept(Connection { mut wire, .. }) = self.wire else { return None };
        poll_fn(|cx| wire.poll_without_shutdown(cx)).await.ok()?;
        let parts = wire.into_parts();
        Some(UpstreamUpgrade { socket: parts.io.into_inner().socket, read: parts.read_buf })
    }
}

impl Failure {
    fn bare(kind: FailureKind) -> Self {
        Self { kind, unsent: None, cause: None, upload: None }
    }

    fn unanswered(mut error: TrySendError<Request<Upload>>) -> Self {
        let unsent = error.take_message().map(|request| Box::new(request.map(Upload::into_body)));
        Self::of(error.into_error(), unsent)
    }

    fn of(error: hyper::Error, unsent: Option<Box<Request<Body>>>) -> Self {
        let kind = if error.is_user() {
            FailureKind::Upload
        } else if error.is_parse() || error.is_parse_too_large() {
            FailureKind::Malformed
        } else {
            FailureKind::Closed
        };
        Self { kind, unsent, cause: Some(error), upload: None }
    }

    /// What led to it, for the log.
    pub(crate) fn into_cause(self) -> Box<dyn std::error::Error + Send + Sync> {
        match self.cause {
            Some(cause) => cause.into(),
            None => self.kind.as_str().into(),
        }
    }

    /// The request body's own error, when that was the cause.
    pub(crate) fn take_upload_error(&mut self) -> Error {
        self.upload.take().and_then(|upload| upload.take_error()).unwrap_or_else(|| {
            Error::client(
                StatusCode::BAD_REQUEST,
                "bad_request_body",
                "the request body could not be read",
            )
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// Whether `deadline` has passed; otherwise sees to it that the task is woken when it does.
fn poll_alarm(
    alarm: &mut Option<Pin<Box<Sleep>>>,
    deadline: Instant,
    cx: &mut Context<'_>,
) -> bool {
    let alarm = alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
    if alarm.deadline() > deadline {
        alarm.as_mut().reset(deadline);
    }
    while alarm.as_mut().poll(cx).is_ready() {
        if alarm.deadline() >= deadline {
            return true;
        }
        alarm.as_mut().reset(deadline);
    }
    false
}

/// The body of an answer, which drives the connection it comes from.
struct Download<H: Home> {
    incoming: Incoming,
    wire: Wire<(Connection, H)>,
}

impl<H: Home> Download<H> {
    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        if let Wire::Kept((connection, _)) = &mut self.wire
            && connection.wire.poll_without_shutdown(cx).is_ready()
        {
            self.wire = Wire::Ended;
        }
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    /// The body is over: gives the connection back if it is clean, else closes it. An upload that
    /// still runs is broken off: its answer is complete.
    fn settle(&mut self, cx: &mut Context<'_>) {
        if let Wire::Kept((mut connection, home)) = mem::replace(&mut self.wire, Wire::Ended)
            && connection.poll_usable(cx)
        {
            home.give_back(connection);
        }
    }
}

impl<H: Home> HttpBody for Download<H> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let frame = std::task::ready!(this.poll_incoming(cx));
        match &frame {
            Some(Err(_)) => this.wire = Wire::Ended,
            None => this.settle(cx),
            Some(Ok(_)) if this.incoming.is_end_stream() => this.settle(cx),
            Some(Ok(_)) => {}
        }
        Poll::Ready(frame.map(|frame| frame.map_err(broken_answer)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

fn broken_answer(error: hyper::Error) -> Error {
    Error::upstream(StatusCode::BAD_GATEWAY, "upstream_reset", "the upstream broke off its answer")
        .because(error)
}
