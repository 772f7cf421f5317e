//! What the task of a connection and the request's body share: the socket and what lies around it.

use std::{
    io,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::upload::{Holder, Upload};
use crate::{
    body::Decoded,
    error::BodyError,
    head::{FieldLines, encode_interim},
    limits::Pace,
    transport::{Clock, Inbox, Outbox},
};

/// What is read of later requests while one is served.
const PIPELINED: usize = 16 * 1024;

/// Interim answers to one request. More than these are a flood.
const INTERIM: u16 = 200;

/// The state of a connection, under its lock.
#[derive(Debug)]
pub(super) struct Line<Io> {
    /// `None` when the connection is over.
    pub(super) io: Option<Io>,
    pub(super) inbox: Inbox,
    /// Interim answers to go.
    outbox: Outbox,
    pub(super) upload: Upload,
    /// The connection's task.
    task: Option<Waker>,
    /// The task is at work, and looks at everything here before it rests.
    awake: bool,
    /// The interim answers that may still be sent; none once the final one has begun.
    interim: u16,
    /// Lines that the answer has beside those of its map.
    pub(super) fields: FieldLines,
    /// No request after this one.
    pub(super) last: bool,
    /// The client's patience with the answer, where the service has set it.
    pub(super) stall: Option<Option<Duration>>,
    /// When the exchange must be over.
    pub(super) cut: Option<Instant>,
    pub(super) upgrade: Upgrade,
}

/// Whether the connection was handed over after a 101.
#[derive(Debug)]
pub(super) enum Upgrade {
    Not(Option<Waker>),
    Done,
}

/// One step of a body.
pub(super) struct Step {
    pub(super) frame: Option<Result<Frame<Bytes>, BodyError>>,
    pub(super) is_end: bool,
    pub(super) left: Option<u64>,
}

impl<Io> Line<Io> {
    pub(super) fn new(io: Io, read: BytesMut) -> Self {
        Self {
            io: Some(io),
            inbox: Inbox::new(read),
            outbox: Outbox::new(),
            upload: Upload::none(),
            task: None,
            awake: false,
            interim: 0,
            fields: FieldLines::default(),
            last: false,
            stall: None,
            cut: None,
            upgrade: Upgrade::Not(None),
        }
    }

    /// The task begins to work.
    pub(super) fn enter(&mut self, cx: &Context<'_>) {
        self.awake = true;
        if !self.task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
            self.task = Some(cx.waker().clone());
        }
    }

    /// The task is about to rest; it looks at everything behind this.
    pub(super) fn leave(&mut self) {
        self.awake = false;
    }

    /// Has the task look at what changed here.
    pub(super) fn call(&self) {
        if !self.awake
            && let Some(task) = &self.task
        {
            task.wake_by_ref();
        }
    }

    /// A request begins.
    pub(super) fn begin(&mut self, is_11: bool) {
        self.interim = if is_11 { INTERIM } else { 0 };
        self.fields.clear();
        self.stall = None;
        self.cut = None;
    }

    /// Whether interim answers may still be sent.
    pub(super) fn is_interim_open(&self) -> bool {
        self.interim > 0
    }

    /// The final answer begins.
    pub(super) fn end_interim(&mut self, outbox: &mut Outbox) {
        self.interim = 0;
        self.upload.expects = false;
        if !self.outbox.is_empty() {
            *outbox = std::mem::take(&mut self.outbox);
        }
    }

    /// Ends an upload that is too slow.
    pub(super) fn watch_upload(&mut self, pace: Pace, clock: &mut Clock, cx: &mut Context<'_>) {
        while clock.is_past(self.upload.progress.deadline(pace), cx) {
            if self.upload.progress.is_too_slow(pace) {
                self.upload.late = true;
                if let Some(reader) = self.upload.reader.take() {
                    reader.wake();
                }
                return;
            }
        }
    }

    /// Sends an interim answer. Returns whether it will be sent.
    pub(super) fn interim(&mut self, status: StatusCode, headers: &HeaderMap) -> bool {
        if self.interim == 0 {
            return false;
        }
        if status == StatusCode::CONTINUE {
            self.upload.expects = false;
        }
        self.interim -= 1;
        encode_interim(status, headers, self.outbox.flat());
        self.call();
        true
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Line<Io> {
    /// Reads what the client sends while its request is served. Returns whether it has left.
    pub(super) fn has_left(&mut self, half_close: bool, cx: &mut Context<'_>) -> bool {
        let Some(io) = &mut self.io else { return true };
        while self.inbox.bytes.len() < PIPELINED {
            if self.inbox.eof {
                return !half_close;
            }
            match self.inbox.poll_fill(io, cx) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return true,
                Poll::Pending => return false,
            }
        }
        false
    }

    /// Writes interim answers, as far as the client takes them.
    pub(super) fn flush_interim(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        let mut outbox = std::mem::take(&mut self.outbox);
        let flushed = self.flush(&mut outbox, cx);
        self.outbox = outbox;
        flushed.map(drop)
    }

    /// Writes what is to go, as far as the client takes it.
    pub(super) fn flush(
        &mut self,
        outbox: &mut Outbox,
        cx: &mut Context<'_>,
    ) -> io::Result<Flushed> {
        let Some(io) = &mut self.io else { return Err(io::ErrorKind::NotConnected.into()) };
        let mut bytes = 0;
        while !outbox.is_empty() {
            match outbox.poll_write(io, cx) {
                Poll::Ready(written) => bytes += written?,
                Poll::Pending => return Ok(Flushed { bytes, all: false }),
            }
        }
        Ok(Flushed { bytes, all: true })
    }

    /// The next part of request `number`'s body.
    pub(super) fn poll_body(&mut self, number: u64, cx: &mut Context<'_>) -> Poll<Step> {
        if self.upload.number != number {
            return Poll::Ready(self.body_failed(BodyError::Over));
        }
        loop {
            let decoded = self.upload.decoder.decode(&mut self.inbox.bytes, self.inbox.eof);
            let frame = match decoded {
                Ok(Decoded::Data(data)) => {
                    self.upload.progress.moved(data.len());
                    if let Err(error) = self.upload.decoder.settle(&mut self.inbox.bytes) {
                        return Poll::Ready(self.body_failed(error));
                    }
                    Some(Frame::data(data))
                }
                Ok(Decoded::Trailers(trailers)) => Some(Frame::trailers(trailers)),
                Ok(Decoded::End) => None,
                Ok(Decoded::More) => {
                    if let Poll::Ready(error) = self.poll_more(cx) {
                        match error {
                            None => continue,
                            Some(error) => return Poll::Ready(self.body_failed(error)),
                        }
                    }
                    return Poll::Pending;
                }
                Err(error) => return Poll::Ready(self.body_failed(error)),
            };
            let is_end = self.upload.decoder.is_done();
            if is_end && self.upload.holder == Holder::Service {
                self.upload.holder = Holder::Ended;
                self.call();
            }
            let left = self.upload.decoder.left();
            return Poll::Ready(Step { frame: frame.map(Ok), is_end, left });
        }
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Option<BodyError>> {
        if self.upload.late {
            return Poll::Ready(Some(BodyError::TimedOut));
        }
        if self.upload.expects && self.upload.prompts {
            self.interim(StatusCode::CONTINUE, &HeaderMap::new());
        }
        let Some(io) = &mut self.io else { return Poll::Ready(Some(BodyError::Incomplete)) };
        match self.inbox.poll_fill(io, cx) {
            Poll::Ready(Ok(_)) => Poll::Ready(None),
            Poll::Ready(Err(error)) => Poll::Ready(Some(BodyError::Io(error))),
            Poll::Pending => {
                self.upload.progress.wait();
                self.upload.reader = Some(cx.waker().clone());
                // The clock has something to watch.
                self.call();
                Poll::Pending
            }
        }
    }

    /// Where this request ends is not known any more: the connection cannot go on behind it.
    fn body_failed(&mut self, error: BodyError) -> Step {
        if !matches!(error, BodyError::Over) {
            self.last = true;
        }
        Step { frame: Some(Err(error)), is_end: false, left: None }
    }

    /// The body of request `number` is not wanted any more.
    pub(super) fn drop_body(&mut self, number: u64) {
        if self.upload.number == number && self.upload.holder == Holder::Service {
            self.upload.holder = Holder::Dropped;
            self.upload.reader = None;
            self.call();
        }
    }

    /// Throws away what has come of a body that nobody wants. Returns how many bytes that was.
    pub(super) fn discard(&mut self) -> Result<u64, BodyError> {
        let mut bytes = 0;
        loop {
            match self.upload.decoder.decode(&mut self.inbox.bytes, self.inbox.eof)? {
                Decoded::Data(data) => bytes += data.len() as u64,
                Decoded::Trailers(_) => {}
                Decoded::End => {
                    self.upload.holder = Holder::Ended;
                    return Ok(bytes);
                }
                Decoded::More => return Ok(bytes),
            }
        }
    }
}

/// What a flush has done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flushed {
    pub(super) bytes: usize,
    pub(super) all: bool,
}
