//! The task of a connection: heads in, answers out.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::BytesMut;
use http::{Method, Request, Response, StatusCode, Version};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::{
    Body, Continue, Control, Options, Service,
    answer::{Answer, Answered},
    line::Line,
    link::Link,
    upload::Holder,
};
use crate::{
    body::Decoder,
    error::HeadError,
    head::{RequestHead, Scan, Spelling, parse_request},
    limits::HeadLimits,
    transport::{Clock, Outbox},
};

/// Empty lines before a request line that are overlooked (RFC 9112 section 2.2).
const BLANK_LINES: u8 = 4;

/// A connection that is idle for longer gives its buffers back. A busy one is spared the effort.
const SHORT_PAUSE: Duration = Duration::from_secs(1);

/// A connection from a client.
pub struct Connection<Io> {
    pub(super) link: Arc<Link<Io>>,
    pub(super) options: Options,
    pub(super) clock: Clock,
    pub(super) outbox: Outbox,
    /// What the alarm was last armed for while the connection was idle: a short pause at most.
    pause: Option<Instant>,
    /// Whether a request was served already.
    served: bool,
    handed_over: bool,
    /// Makes of the end of a socket a break.
    pub(super) break_off: Option<fn(&mut Io)>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Between two requests, or as the last answer said.
    Closed,
    /// With a head that is no request.
    Refused(HeadError),
    /// The client left, or took too long, in the middle of an exchange.
    Left,
    /// An answer could not be completed.
    Broken,
    /// It speaks another protocol now, and belongs to whoever waited for that.
    Upgraded,
}

/// What became of the wait for a request.
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
enum Next {
    Request(RequestHead),
    Refused(HeadError),
    Closed,
}

/// Whether the connection is told to go.
pub(super) struct Leaving<'a, F> {
    future: Pin<&'a mut F>,
    told: bool,
}

impl<F: Future<Output = ()>> Leaving<'_, F> {
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        self.told = self.told || self.future.as_mut().poll(cx).is_ready();
        self.told
    }
}

impl<Io> Connection<Io>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// A connection on which `read` has come already.
    #[must_use]
    pub fn new(io: Io, read: BytesMut, options: Options) -> Self {
        let link = Arc::new(Link::new(Line::new(io, read)));
        let (clock, outbox) = (Clock::default(), Outbox::new());
        let (pause, served, handed_over, break_off) = (None, false, false, None);
        Self { link, options, clock, outbox, pause, served, handed_over, break_off }
    }

    /// Lets `how` see to it that dropping the socket is no orderly end. It is called when an
    /// answer that ends with its connection (RFC 9112 section 6.3) does not come to its end: the
    /// client could not tell otherwise.
    #[must_use]
    pub fn breaking_off(mut self, how: fn(&mut Io)) -> Self {
        self.break_off = Some(how);
        self
    }

    /// The service's line to this connection.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.link) as _)
    }

    /// Serves requests until the connection ends. Once `leave` resolves, an idle connection is
    /// closed and a busy one says `close` in its answer.
    pub async fn serve<S, L>(mut self, service: S, leave: L) -> End
    where
        S: Service,
        L: Future<Output = ()>,
    {
        let mut leaving = Leaving { future: pin!(leave), told: false };
        loop {
            match self.next(&service, &mut leaving).await {
                Next::Request(head) => {
                    if let Some(end) = self.exchange(&service, head, &mut leaving).await {
                        return end;
                    }
                }
                Next::Refused(error) => {
                    let refusal = service.refuse(error);
                    self.refuse(refusal).await;
                    return End::Refused(error);
                }
                Next::Closed => {
                    // Over TLS the client is told.
                    self.linger(false).await;
                    return End::Closed;
                }
            }
            self.served = true;
        }
    }

    /// Waits for the next head.
    async fn next<S: Service>(
        &mut self,
        service: &S,
        leaving: &mut Leaving<'_, impl Future<Output = ()>>,
    ) -> Next {
        let keep_spelling = self.options.keep_spelling;
        let mut reading = Reading { keep_spelling, ..Reading::default() };
        poll_fn(|cx| {
            let mut line = self.link.lock();
            line.enter(cx);
            let mut next = reading.poll(&mut line, &self.options.head, cx);
            if let Poll::Ready(Next::Refused(error)) = &next
                && error.is_limit()
            {
                let limits = service.head_limits(self.options.head);
                if limits != self.options.head {
                    self.options.head = limits;
                    reading.scan = Scan::default();
                    next = reading.poll(&mut line, &limits, cx);
                }
            }
            line.leave();
            drop(line);
            if next.is_ready() {
                return next;
            }
            let Some(begun) = reading.begun else {
                return self.poll_idle(&mut reading, leaving, cx);
            };
            let deadline = self.options.head_time.map(|time| begun + time);
            if self.clock.is_past(deadline, cx) {
                return Poll::Ready(Next::Refused(HeadError::TimedOut));
            }
            Poll::Pending
        })
        .await
    }

    /// Waits for a head's first byte.
    fn poll_idle(
        &mut self,
        reading: &mut Reading,
        leaving: &mut Leaving<'_, impl Future<Output = ()>>,
        cx: &mut Context<'_>,
    ) -> Poll<Next> {
        let told = leaving.poll(cx);
        if told && self.served {
            return Poll::Ready(Next::Closed);
        }
        let limit = if self.served { self.options.idle } else { self.options.head_time };
        // A new connection is not sent away before it has said a word.
        let farewell = told.then_some(self.options.drain.time);
        let limit = limit.into_iter().chain(farewell).min();
        if reading.idle.is_none() && self.pause.is_some() && self.pause == self.clock.armed_for() {
            // The alarm wakes this task within a short pause: soon enough to ask what time it is.
            return Poll::Pending;
        }
        let since = *reading.idle.get_or_insert_with(Instant::now);
        if !reading.rests && self.clock.is_past(Some(since + SHORT_PAUSE), cx) {
            reading.rests = true;
            self.link.lock().inbox.rest();
            self.outbox.rest();
        }
        if self.clock.is_past(limit.map(|limit| since + limit), cx) {
            return Poll::Ready(Next::Closed);
        }
        self.pause = self.clock.armed_for().filter(|_| self.served && !reading.rests);
        Poll::Pending
    }

    /// Serves one request. Returns how the connection ended, if it did.
    async fn exchange<S: Service>(
        &mut self,
        service: &S,
        head: RequestHead,
        leaving: &mut Leaving<'_, impl Future<Output = ()>>,
    ) -> Option<End> {
        let (method, version) = (head.method.clone(), head.version);
        let (keep_alive, upgrades) = (head.keep_alive, head.upgrades);
        let request = self.begin(head);
        let response = {
            let mut serving = pin!(service.call(request));
            match poll_fn(|cx| self.poll_serving(serving.as_mut(), cx)).await {
                Some(response) => response,
                None => return Some(End::Left),
            }
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Some(if upgrades { self.upgrade(response).await } else { End::Broken });
        }
        let told = poll_fn(|cx| Poll::Ready(leaving.poll(cx))).await;
        let keep_alive = keep_alive && !told && self.can_go_on();
        match self.answer(response, Answer { method: &method, version, keep_alive }).await {
            Answered::Left => Some(End::Left),
            Answered::Broken => Some(End::Broken),
            Answered::Whole { keep_alive } => {
                if keep_alive && self.drain().await {
                    return None;
                }
                self.close().await;
                Some(End::Closed)
            }
        }
    }

    fn begin(&mut self, head: RequestHead) -> Request<Body> {
        let RequestHead {
            method, uri, version, headers, framing, expects_continue, spelling, ..
        } = head;
        let decoder = Decoder::new(framing);
        let left = decoder.left();
        let mut line = self.link.lock();
        line.begin(version == Version::HTTP_11);
        line.upload.begin(decoder, expects_continue, self.options.expect == Continue::Here);
        let (number, holder) = (line.upload.number, line.upload.holder);
        drop(line);
        let body = match holder {
            Holder::Service => Body::new(Arc::clone(&self.link) as _, number, left),
            Holder::Ended | Holder::Dropped => Body::empty(),
        };
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.version_mut() = version;
        *request.headers_mut() = headers;
        if let Some(spelling) = spelling {
            request.extensions_mut().insert(spelling);
        }
        request
    }

    /// Polls the service, and looks after the client meanwhile. `None`: the client left.
    fn poll_serving<B>(
        &mut self,
        serving: Pin<&mut impl Future<Output = Response<B>>>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Response<B>>> {
        self.link.lock().enter(cx);
        let response = serving.poll(cx);
        let mut line = self.link.lock();
        line.leave();
        if let Poll::Ready(response) = response {
            return Poll::Ready(Some(response));
        }
        if line.flush_interim(cx).is_err() {
            return Poll::Ready(None);
        }
        if line.upload.holder == Holder::Service {
            line.watch_upload(self.options.upload, &mut self.clock, cx);
        } else if line.has_left(self.options.half_close, cx) {
            return Poll::Ready(None);
        }
        Poll::Pending
    }

    /// Whether another request can be read behind this one: what nobody has read of it is known
    /// to be little.
    fn can_go_on(&mut self) -> bool {
        let mut line = self.link.lock();
        if line.last {
            return false;
        }
        let holder = line.upload.holder;
        match holder {
            Holder::Ended => return true,
            // Told to go on or not, the client may or may not send what it announced.
            _ if line.upload.expects => return false,
            Holder::Service => return true,
            Holder::Dropped if line.discard().is_err() => return false,
            Holder::Dropped => {}
        }
        line.upload.decoder.left().is_some_and(|left| left <= self.options.drain.bytes)
    }

    /// Answers a head that is no request, and closes.
    async fn refuse<B: http_body::Body<Data = bytes::Bytes>>(&mut self, refusal: Response<B>) {
        self.link.lock().begin(false);
        let answer = Answer { method: &Method::GET, version: Version::HTTP_11, keep_alive: false };
        if let Answered::Whole { .. } = self.answer(refusal, answer).await {
            self.linger(true).await;
        }
    }

    /// Writes a 101 and hands the connection over.
    async fn upgrade<B>(&mut self, response: Response<B>) -> End {
        let response = response.map(drop);
        let written = poll_fn(|cx| self.poll_switch(&response, cx)).await;
        if !written {
            return End::Left;
        }
        self.handed_over = true;
        End::Upgraded
    }
}

impl<Io> Drop for Connection<Io> {
    fn drop(&mut self) {
        if self.handed_over {
            return;
        }
        let mut line = self.link.lock();
        line.io = None;
        line.inbox.eof = true;
        line.upload.revoke();
        if let super::line::Upgrade::Not(Some(waiting)) =
            std::mem::replace(&mut line.upgrade, super::line::Upgrade::Not(None))
        {
            waiting.wake();
        }
    }
}

impl<Io> std::fmt::Debug for Connection<Io> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

/// A head on its way in.
#[derive(Default)]
struct Reading {
    scan: Scan,
    blank_lines: u8,
    /// When its first byte came, if its last one did not come along.
    begun: Option<Instant>,
    /// Since when nothing has come.
    idle: Option<Instant>,
    /// Whether the buffers were given back meanwhile.
    rests: bool,
    keep_spelling: bool,
}

impl Reading {
    fn poll<Io>(
        &mut self,
        line: &mut Line<Io>,
        limits: &HeadLimits,
        cx: &mut Context<'_>,
    ) -> Poll<Next>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            if !line.inbox.bytes.is_empty() {
                match self.head(&mut line.inbox.bytes, limits) {
                    Ok(Some(head)) => return Poll::Ready(Next::Request(head)),
                    Ok(None) => {}
                    Err(error) => return Poll::Ready(Next::Refused(error)),
                }
            }
            let is_empty = line.inbox.bytes.is_empty();
            if line.inbox.eof {
                let cut_off = Next::Refused(HeadError::StartLine);
                return Poll::Ready(if is_empty { Next::Closed } else { cut_off });
            }
            let Some(io) = &mut line.io else { return Poll::Ready(Next::Closed) };
            match line.inbox.poll_fill(io, cx) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Next::Closed),
                Poll::Pending if is_empty => {
                    // An empty line has begun nothing, also when it came in two pieces.
                    self.begun = None;
                    return Poll::Pending;
                }
                Poll::Pending => {
                    self.begun.get_or_insert_with(Instant::now);
                    return Poll::Pending;
                }
            }
        }
    }

    /// The head, once it is whole.
    fn head(
        &mut self,
        bytes: &mut BytesMut,
        limits: &HeadLimits,
    ) -> Result<Option<RequestHead>, HeadError> {
        while self.scan.is_at_start() && bytes.starts_with(b"\r\n") {
            if self.blank_lines == BLANK_LINES {
                return Err(HeadError::StartLine);
            }
            self.blank_lines += 1;
            let _ = bytes.split_to(2);
        }
        if bytes.is_empty() || bytes[..] == b"\r"[..] {
            return Ok(None);
        }
        let Some(end) = self.scan.advance(bytes, limits)? else { return Ok(None) };
        let head = bytes.split_to(end).freeze();
        let mut parsed = parse_request(&head, &self.scan)?;
        parsed.spelling = self.keep_spelling.then(|| Spelling::of(&head));
        Ok(Some(parsed))
    }
}
