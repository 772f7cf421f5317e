//! One stream of a client's connection: a request in, its answer out.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream, server::SendResponse};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body::Body as _;
use pin_project_lite::pin_project;
use portway_plugin::Body;
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep},
};

use super::{
    outgoing::{Broken, Outgoing},
    pace::Pace,
    tunnel::Awaited,
};

/// Interim answers to one request. More than these are a flood.
const INTERIM: u16 = 200;

/// What is read of a request behind its answer, and for how long. Beyond it the stream is reset
/// without an error (RFC 9113 section 8.1), which older clients (curl before 8) do not understand.
const DRAIN_BYTES: usize = 4 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// A request's line to its stream.
pub(crate) struct StreamLine {
    pace: Arc<Pace>,
    /// When its request came.
    began: Instant,
    /// Milliseconds for which the client may make no room for the answer; 0 for ever.
    patience: AtomicU64,
    state: Mutex<State>,
}

struct State {
    respond: SendResponse<Bytes>,
    interim: u16,
    /// What the client sends behind an extended CONNECT (RFC 8441), until somebody takes it.
    tunnel: Option<RecvStream>,
    /// Who waits for the other direction of it.
    awaited: Option<oneshot::Sender<SendStream<Bytes>>>,
    /// What nobody has read of the request.
    rest: Option<RecvStream>,
}

impl StreamLine {
    pub(super) fn new(pace: Arc<Pace>, respond: SendResponse<Bytes>) -> Arc<Self> {
        let state = State { respond, interim: 0, tunnel: None, awaited: None, rest: None };
        let began = pace.heard();
        Arc::new(Self { pace, began, patience: AtomicU64::new(0), state: Mutex::new(state) })
    }

    /// The request is served from now on.
    pub(in crate::driver) fn begin(&self) {
        self.pace.begin();
    }

    /// The request was served, at `now`.
    pub(in crate::driver) fn end(&self, now: Instant) {
        self.pace.end(now);
    }

    /// The connection takes no further request.
    pub(in crate::driver) fn last(&self) {
        self.pace.retire();
    }

    /// The client may make no room for the answer for so long.
    pub(in crate::driver) fn limit(&self, patience: Option<Duration>) {
        self.pace.wait_for_client(patience);
        let millis = patience.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        self.patience.store(millis, Relaxed);
    }

    fn patience(&self) -> Option<Duration> {
        let millis = self.patience.load(Relaxed);
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    /// Sends an interim answer ahead of the final one.
    pub(in crate::driver) fn interim(&self, status: StatusCode, headers: &HeaderMap) {
        let mut state = self.state();
        if state.interim >= INTERIM {
            return;
        }
        state.interim += 1;
        let mut head = Response::new(());
        *head.status_mut() = status;
        *head.headers_mut() = headers.clone();
        // Whoever has left needs none.
        let _ = state.respond.send_informational(head);
    }

    /// The client asks for a tunnel, and `received` is what it sends there.
    pub(super) fn offer_tunnel(&self, received: RecvStream) {
        self.state().tunnel = Some(received);
    }

    /// Nobody reads the rest of the request.
    pub(super) fn leave(&self, rest: RecvStream) {
        self.state().rest = Some(rest);
    }

    /// Both directions of a tunnel, if the client has asked for one. The second one comes once
    /// the request was answered.
    pub(in crate::driver) fn tunnel(&self) -> Option<Awaited> {
        let mut state = self.state();
        let received = state.tunnel.take()?;
        let (awaited, waiting) = oneshot::channel();
        state.awaited = Some(awaited);
        Some(Awaited::new(received, waiting))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for StreamLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StreamLine")
    }
}

pin_project! {
    /// A request that is served, and its answer on its way.
    pub(super) struct Stream<F> {
        #[pin]
        answer: F,
        method: Method,
        line: Arc<StreamLine>,
        outgoing: Option<Outgoing>,
        rest: Option<Rest>,
    }
}

/// The rest of a request whose answer has gone. A client that is cut off in the middle of it may
/// take the answer for lost, so a little of it is read and thrown away.
struct Rest {
    stream: RecvStream,
    bytes: usize,
    over: Pin<Box<Sleep>>,
}

impl Rest {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        while self.bytes > 0 {
            let Some(Ok(data)) = ready!(self.stream.poll_data(cx)) else { return Poll::Ready(()) };
            self.bytes = self.bytes.saturating_sub(data.len());
            let _ = self.stream.flow_control().release_capacity(data.len());
        }
        Poll::Ready(())
    }
}

impl<F> Stream<F> {
    pub(super) fn new(answer: F, method: Method, line: Arc<StreamLine>) -> Self {
        Self { answer, method, line, outgoing: None, rest: None }
    }
}

impl<F: Future<Output = Response<Body>>> Future for Stream<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if let Some(rest) = this.rest {
            return rest.poll(cx);
        }
        if this.outgoing.is_none() {
            let Poll::Ready(response) = this.answer.poll(cx) else {
                // A client that resets its stream has left: whatever is done for it ends here.
                let _ = ready!(this.line.state().respond.poll_reset(cx));
                this.line.pace.takes_back(this.line.began);
                return Poll::Ready(());
            };
            this.line.pace.lets_answer();
            match begin(this.line, response, this.method) {
                Some(mut outgoing) => {
                    outgoing.limit(this.line.patience());
                    *this.outgoing = Some(outgoing);
                }
                None => return drain(this.line, this.rest, cx),
            }
        }
        let Some(outgoing) = this.outgoing else { return Poll::Ready(()) };
        match ready!(outgoing.poll(cx)) {
            Ok(()) => return drain(this.line, this.rest, cx),
            Err(Broken::Refused) => {}
            Err(Broken::Body(_)) => outgoing.reset(Reason::INTERNAL_ERROR),
            Err(Broken::Stalled) => outgoing.reset(Reason::CANCEL),
        }
        Poll::Ready(())
    }
}

fn drain(line: &StreamLine, rest: &mut Option<Rest>, cx: &mut Context<'_>) -> Poll<()> {
    let Some(stream) = line.state().rest.take() else { return Poll::Ready(()) };
    let over = Box::pin(sleep(DRAIN_TIME));
    rest.insert(Rest { stream, bytes: DRAIN_BYTES, over }).poll(cx)
}

/// Sends the head of an answer. `None`: there is nothing behind it, or nobody to take it.
fn begin(line: &StreamLine, response: Response<Body>, method: &Method) -> Option<Outgoing> {
    let (mut parts, body) = response.into_parts();
    let status = parts.status;
    let mut state = line.state();
    let tunnel = state.awaited.take().filter(|_| parts.extensions.get::<Tunnelled>().is_some());
    tidy(&mut parts.headers);
    let has_no_body = *method == Method::HEAD
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED;
    let ended = tunnel.is_none() && (has_no_body || body.is_end_stream());
    if tunnel.is_none() && !has_no_body {
        state_length(&mut parts.headers, &body);
    }
    let mut head = Response::new(());
    *head.status_mut() = status;
    *head.headers_mut() = parts.headers;
    let Ok(stream) = state.respond.send_response(head, ended) else {
        state.respond.send_reset(Reason::INTERNAL_ERROR);
        return None;
    };
    drop(state);
    match tunnel {
        Some(awaited) => {
            // Whoever waits no more lets the stream end.
            let _ = awaited.send(stream);
            None
        }
        None => (!ended).then(|| Outgoing::new(stream, body)),
    }
}

/// Marks the answer to an extended CONNECT that was accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tunnelled;

/// What concerns one connection of HTTP/1.1 has no place here (RFC 9113 section 8.2.2); an origin
/// server says what time it is (RFC 9110 section 6.6.1).
fn tidy(headers: &mut HeaderMap) {
    for name in [
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ] {
        headers.remove(name);
    }
    if !headers.contains_key(header::DATE)
        && let Ok(now) = HeaderValue::try_from(httpdate::fmt_http_date(SystemTime::now()))
    {
        headers.insert(header::DATE, now);
    }
}

fn state_length(headers: &mut HeaderMap, body: &Body) {
    if let Some(length) = body.size_hint().exact() {
        headers.insert(header::CONTENT_LENGTH, length.into());
    } else {
        headers.remove(header::CONTENT_LENGTH);
    }
}
