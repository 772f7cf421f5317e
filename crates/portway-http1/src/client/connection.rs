//! One exchange: a request out, the head of its answer in.

use std::{
    fmt,
    future::poll_fn,
    io, mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body::Body;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf, split},
    time::Instant,
};

use super::{Download, Failure, Home, Reason, Upload, download::Source};
use crate::{
    body::{Decoder, Framing},
    error::HeadError,
    head::{MoreFields, ResponseHead, Scan, Spelling, encode_request_with, parse_response},
    limits::HeadLimits,
    transport::{Broken, Clock, Feed, Inbox, Outbox},
};

/// Interim answers to one request. More than these are a flood.
const INTERIM: u16 = 200;

/// A connection to an upstream. It is handed from hand to hand with every exchange, so what it is
/// made of lies on the heap.
pub struct Connection<Io>(Box<Parts<Io>>);

struct Parts<Io> {
    io: Io,
    inbox: Inbox,
    outbox: Outbox,
    clock: Clock,
    limits: HeadLimits,
}

/// Takes an interim answer.
pub type Interim<'a> = &'a (dyn Fn(StatusCode, &HeaderMap) + Send + Sync);

/// How one exchange is run.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// What time it is, for those who have just looked.
    pub now: Option<Instant>,
    /// The time the head of the answer may take behind the request's last byte, or behind the
    /// last one that the upstream took.
    pub wait: Option<Duration>,
    /// For a request that says `Expect: 100-continue`: how long its body waits for that. `None`
    /// sends the body at once.
    pub expect: Option<Duration>,
    /// Where interim answers go.
    pub interim: Option<Interim<'a>>,
    /// Header lines that the request's map does not have.
    pub fields: Option<MoreFields<'a>>,
    /// Whether the head of the answer tells its [`Spelling`].
    pub keep_spelling: bool,
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("wait", &self.wait).finish_non_exhaustive()
    }
}

/// The head of an answer, and how to read the rest.
#[derive(Debug)]
pub struct Answer<Io, B> {
    /// The head of the final answer.
    pub head: ResponseHead,
    source: Source<Connection<Io>, Io>,
    upload: Option<Box<Upload<Io, B>>>,
}

/// An answer taken apart: its head, its body, and an upload that still runs.
pub type AnswerParts<Io, H, B> = (ResponseHead, Download<Io, H>, Option<Box<Upload<Io, B>>>);

/// A request on its way out.
struct Sending<'a, B> {
    request: &'a mut Request<B>,
    feed: Feed,
    /// The body waits for `100 Continue`, or this instant.
    held: Option<Instant>,
    written: u64,
    /// The upstream had to be waited for when it was last given something.
    blocked: bool,
    /// The upstream takes no more. It may have answered all the same.
    deaf: Option<io::Error>,
    deadline: Option<Instant>,
    interim: u16,
}

impl<Io> Connection<Io>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    /// A fresh connection. `limits` bound the heads of answers.
    #[must_use]
    pub fn new(io: Io, limits: HeadLimits) -> Self {
        let (inbox, outbox) = (Inbox::new(BytesMut::new()), Outbox::new());
        Self(Box::new(Parts { io, inbox, outbox, clock: Clock::default(), limits }))
    }

    /// Whether an idle connection can take another request: the peer has neither closed it nor
    /// spoken unasked (RFC 9112 section 9.3).
    pub fn is_usable(&mut self, cx: &mut Context<'_>) -> bool {
        let mut space = [0; 1];
        Pin::new(&mut self.0.io).poll_read(cx, &mut ReadBuf::new(&mut space)).is_pending()
    }

    /// Gives the buffers of an idle connection back. One that is used again soon is better off
    /// with them.
    pub fn rest(&mut self) {
        self.0.inbox.rest();
        self.0.outbox.rest();
    }

    /// Sends a request and waits for the head of its answer. The body's framing is what the body
    /// says of itself; what the header map says about framing is not sent. The body is read where
    /// it is, and taken away only by an [`Upload`].
    ///
    /// # Errors
    /// A [`Failure`], which says whether `request` may be sent again. The connection is gone.
    pub async fn exchange<B>(
        mut self,
        request: &mut Request<B>,
        options: Options<'_>,
    ) -> Result<Answer<Io, B>, Box<Failure<B::Error>>>
    where
        B: Body<Data = Bytes> + Default + Unpin,
    {
        let framing = Framing::of(request.body().is_end_stream(), &request.body().size_hint());
        encode_request_with(request, framing, options.fields, self.0.outbox.flat());
        self.0.clock.change_task();
        let timed = options.wait.is_some() || options.expect.is_some();
        let now = timed.then(|| options.now.unwrap_or_else(Instant::now));
        let after = |time: Option<Duration>| now.zip(time).map(|(now, time)| now + time);
        let mut sending = Sending {
            feed: Feed::new(framing),
            blocked: false,
            held: after(options.expect).filter(|_| request.headers().contains_key(header::EXPECT)),
            written: 0,
            deaf: None,
            deadline: after(options.wait),
            interim: 0,
            request,
        };
        let mut scan = Scan::default();
        let outcome =
            poll_fn(|cx| self.0.poll_exchange(&mut sending, &mut scan, options, cx)).await;
        match outcome {
            Ok(head) => Ok(self.answer(head, sending)),
            Err(reason) => Err(Box::new(Failure {
                reason,
                written: sending.written,
                touched: sending.feed.has_taken(),
            })),
        }
    }

    /// Keeps the connection for the answer's body, or parts it from an upload that still runs.
    fn answer<B: Default>(self, head: ResponseHead, sending: Sending<'_, B>) -> Answer<Io, B> {
        let is_sent = sending.feed.is_ended() && self.0.outbox.is_empty();
        if is_sent || head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Answer { head, source: Source::Whole(self), upload: None };
        }
        if sending.deaf.is_some() || sending.held.is_some() || head.framing == Framing::None {
            // Nobody takes the rest, nobody has asked for it, or the answer is complete.
            return Answer { head, source: Source::Last(self), upload: None };
        }
        let Parts { io, inbox, outbox, .. } = *self.0;
        let (read, write) = split(io);
        let body = mem::take(sending.request.body_mut());
        let upload = Upload::new(write, body, sending.feed, outbox);
        Answer { head, source: Source::Half(read, Box::new(inbox)), upload: Some(Box::new(upload)) }
    }

    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.0.inbox.poll_fill(&mut self.0.io, cx)
    }

    pub(super) fn inbox(&mut self) -> &mut Inbox {
        &mut self.0.inbox
    }

    /// Whether nothing has come that belongs to no exchange.
    pub(super) fn is_clean(&self) -> bool {
        self.0.inbox.bytes.is_empty() && !self.0.inbox.eof
    }
}

impl<Io> Parts<Io>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    fn poll_exchange<B>(
        &mut self,
        sending: &mut Sending<'_, B>,
        scan: &mut Scan,
        options: Options<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, Reason<B::Error>>>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        loop {
            if let Err(reason) = self.send(sending, options.wait, cx) {
                return Poll::Ready(Err(reason));
            }
            match self.poll_head(sending.request.method(), scan, options.keep_spelling, cx) {
                Poll::Ready(Ok(head)) => match sending.take_interim(head, options) {
                    Some(outcome) => return Poll::Ready(outcome),
                    None => *scan = Scan::default(),
                },
                Poll::Ready(Err(reason)) => return Poll::Ready(Err(sending.blame(reason))),
                Poll::Pending => break,
            }
        }
        if let Some(held) = sending.held
            && self.clock.is_past(Some(held), cx)
        {
            sending.held = None;
            cx.waker().wake_by_ref();
        }
        if self.clock.is_past(sending.deadline, cx) {
            return Poll::Ready(Err(Reason::TimedOut));
        }
        Poll::Pending
    }

    /// Writes what there is of the request, as far as the upstream takes it.
    fn send<B>(
        &mut self,
        sending: &mut Sending<'_, B>,
        wait: Option<Duration>,
        cx: &mut Context<'_>,
    ) -> Result<(), Reason<B::Error>>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        while sending.deaf.is_none() {
            if !sending.feed.is_ended() && sending.held.is_none() {
                let body = Pin::new(sending.request.body_mut());
                let asked = sending.feed.poll(body, &mut self.outbox, cx).map_err(broken)?;
                // The clock runs while the upstream takes nothing, not while the client sends
                // nothing.
                if asked {
                    sending.wait_anew(wait);
                }
            }
            if self.outbox.is_empty() {
                break;
            }
            match self.outbox.poll_write(&mut self.io, cx) {
                Poll::Ready(Ok(written)) => {
                    sending.written += written as u64;
                    if mem::take(&mut sending.blocked) {
                        sending.wait_anew(wait);
                    }
                }
                Poll::Ready(Err(error)) if sending.written == 0 => return Err(Reason::Io(error)),
                Poll::Ready(Err(error)) => sending.deaf = Some(error),
                Poll::Pending => {
                    sending.blocked = true;
                    break;
                }
            }
        }
        Ok(())
    }

    /// The next head, interim or final.
    fn poll_head<E>(
        &mut self,
        method: &Method,
        scan: &mut Scan,
        keep_spelling: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, Reason<E>>> {
        loop {
            let found = scan.advance(&self.inbox.bytes, &self.limits);
            match found.map_err(|error| Reason::Malformed(as_field_limit(error)))? {
                Some(end) => {
                    let head = self.inbox.bytes.split_to(end).freeze();
                    let mut parsed =
                        parse_response(&head, scan, method).map_err(Reason::Malformed)?;
                    parsed.spelling = keep_spelling.then(|| Spelling::of(&head));
                    return Poll::Ready(Ok(parsed));
                }
                None if self.inbox.eof => return Poll::Ready(Err(Reason::Closed)),
                None => {}
            }
            match self.inbox.poll_fill(&mut self.io, cx) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Reason::Io(error))),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<Io> fmt::Debug for Connection<Io> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl<B: Body> Sending<'_, B> {
    /// The upstream has done something: it is waited for from now on.
    fn wait_anew(&mut self, wait: Option<Duration>) {
        if self.deadline.is_some() {
            self.deadline = wait.map(|wait| Instant::now() + wait);
        }
    }

    /// Passes an interim answer on. Returns what is final.
    fn take_interim(
        &mut self,
        head: ResponseHead,
        options: Options<'_>,
    ) -> Option<Result<ResponseHead, Reason<B::Error>>> {
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            let asked = self.request.headers().contains_key(header::UPGRADE);
            return Some(if asked { Ok(head) } else { Err(Reason::Unasked) });
        }
        if !head.status.is_informational() {
            return Some(Ok(head));
        }
        self.interim += 1;
        if self.interim > INTERIM {
            return Some(Err(Reason::Unasked));
        }
        if head.status == StatusCode::CONTINUE {
            self.held = None;
        }
        if let Some(pass_on) = options.interim {
            pass_on(head.status, &head.headers);
        }
        None
    }

    /// An upstream that takes nothing more and does not answer has failed when it stopped taking.
    fn blame(&mut self, reason: Reason<B::Error>) -> Reason<B::Error> {
        match (reason, self.deaf.take()) {
            (Reason::Closed, Some(error)) => Reason::Io(error),
            (reason, _) => reason,
        }
    }
}

impl<Io, B> Answer<Io, B>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    /// Whether it came before the request was sent to its end.
    #[must_use]
    pub fn is_early(&self) -> bool {
        !matches!(self.source, Source::Whole(_))
    }

    /// The head, the body, and an upload that still runs: it is to be driven in a task of its own
    /// and dropped with the body. The connection goes to `home` when the body was read and
    /// another request may follow.
    pub fn into_parts<H: Home<Io>>(self, home: H) -> AnswerParts<Io, H, B> {
        let Self { head, source, upload } = self;
        let source = match source {
            Source::Whole(connection) if head.keep_alive => Source::Whole((connection, home)),
            Source::Whole(connection) | Source::Last(connection) => Source::Last(connection),
            Source::Half(io, inbox) => Source::Half(io, inbox),
            Source::Over => Source::Over,
        };
        let download = Download::new(source, Decoder::new(head.framing));
        (head, download, upload)
    }

    /// The connection behind a 101, and what was read beyond its head.
    #[must_use]
    pub fn into_upgraded(self) -> Option<(Io, Bytes)> {
        match self.source {
            Source::Whole(Connection(parts)) => Some((parts.io, parts.inbox.bytes.freeze())),
            _ => None,
        }
    }
}

fn broken<E>(broken: Broken<E>) -> Reason<E> {
    match broken {
        Broken::Body(error) => Reason::Upload(error),
        Broken::Mismatch => Reason::UploadLength,
    }
}

/// Answers have no target: a first line that is too long is one of the fields that are.
fn as_field_limit(error: HeadError) -> HeadError {
    match error {
        HeadError::TargetTooLong => HeadError::FieldsTooLarge,
        error => error,
    }
}
