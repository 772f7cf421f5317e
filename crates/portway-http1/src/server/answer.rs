//! Answers on their way out.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Response, Version};
use http_body::Body as HttpBody;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::{connection::Connection, line::Upgrade, upload::Holder};
use crate::{
    body::Framing,
    head::{self, encode_response_with, has_no_body, says_close},
    limits::Pace,
    transport::{Feed, HIGH_WATER, Progress},
};

/// What an answer has to fit.
pub(super) struct Answer<'a> {
    pub(super) method: &'a Method,
    pub(super) version: Version,
    /// Whether there may be another request behind it.
    pub(super) keep_alive: bool,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Whole {
        keep_alive: bool,
    },
    /// The client left, or does not take it.
    Left,
    /// Its body failed.
    Broken,
}

/// How far an answer has come.
struct Sending {
    feed: Feed,
    broken: bool,
    progress: Progress,
}

impl<Io> Connection<Io>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// Writes an answer to its end.
    pub(super) async fn answer<B>(&mut self, response: Response<B>, answer: Answer<'_>) -> Answered
    where
        B: HttpBody<Data = Bytes>,
    {
        let framing = framing(&response, &answer);
        let keep_alive =
            answer.keep_alive && framing != Framing::UntilClose && !says_close(response.headers());
        let connection = match answer.version {
            _ if !keep_alive => head::Connection::Close,
            Version::HTTP_10 => head::Connection::KeepAlive,
            _ => head::Connection::Default,
        };
        {
            let (mut line, outbox) = (self.link.lock(), &mut self.outbox);
            line.end_interim(outbox);
            let more = line.fields.as_bytes();
            let method = answer.method;
            encode_response_with(&response, method, framing, connection, more, outbox.flat());
        }
        let (feed, progress) = (Feed::new(framing), Progress::default());
        let mut sending = Sending { feed, broken: false, progress };
        // Dropped only when all is written: what counts its bytes waits for that.
        let mut body = pin!(response.into_body());
        let answered =
            poll_fn(|cx| self.poll_answer(&mut sending, body.as_mut(), keep_alive, cx)).await;
        if framing == Framing::UntilClose && matches!(answered, Answered::Left | Answered::Broken) {
            self.break_off();
        }
        answered
    }

    fn poll_answer<B>(
        &mut self,
        sending: &mut Sending,
        mut body: Pin<&mut B>,
        keep_alive: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Answered>
    where
        B: HttpBody<Data = Bytes>,
    {
        self.link.lock().enter(cx);
        loop {
            // Not under the lock: it may be the request's own body.
            let fed = sending.feed.poll(body.as_mut(), &mut self.outbox, cx);
            sending.broken |= fed.is_err();
            let mut line = self.link.lock();
            let Ok(flushed) = line.flush(&mut self.outbox, cx) else {
                return Poll::Ready(Answered::Left);
            };
            if flushed.bytes > 0 {
                sending.progress.moved(flushed.bytes);
            }
            if flushed.all {
                if sending.broken {
                    return Poll::Ready(Answered::Broken);
                }
                if sending.feed.is_ended() {
                    return Poll::Ready(Answered::Whole { keep_alive });
                }
                // There is room again.
                if flushed.bytes >= HIGH_WATER {
                    continue;
                }
            }
            line.leave();
            if line.upload.holder == Holder::Service {
                // Somebody reads the request's body, and will notice. The answer may wait for it.
                line.watch_upload(self.options.upload, &mut self.clock, cx);
            } else if line.has_left(self.options.half_close, cx) {
                return Poll::Ready(Answered::Left);
            }
            if !flushed.all {
                sending.progress.wait();
            }
            let limits = (line.stall, line.cut);
            drop(line);
            return self.poll_patience(sending, limits, cx);
        }
    }

    /// Waits for the client, or the body, no longer than is allowed.
    fn poll_patience(
        &mut self,
        sending: &mut Sending,
        (stall, cut): (Option<Option<Duration>>, Option<Instant>),
        cx: &mut Context<'_>,
    ) -> Poll<Answered> {
        let pace =
            stall.map_or(self.options.download, |idle| Pace { idle, ..self.options.download });
        loop {
            let deadline = sending.progress.deadline(pace).into_iter().chain(cut).min();
            if !self.clock.is_past(deadline, cx) {
                return Poll::Pending;
            }
            let is_cut = cut.is_some_and(|cut| cut <= Instant::now());
            if is_cut || sending.progress.is_too_slow(pace) {
                return Poll::Ready(Answered::Left);
            }
        }
    }

    /// Writes the head of a 101, and says that the connection is handed over.
    pub(super) fn poll_switch<B>(
        &mut self,
        response: &Response<B>,
        cx: &mut Context<'_>,
    ) -> Poll<bool> {
        let mut line = self.link.lock();
        line.enter(cx);
        if line.is_interim_open() {
            line.end_interim(&mut self.outbox);
            let connection = head::Connection::Default;
            let framing = Framing::None;
            let (more, out) = (line.fields.as_bytes(), self.outbox.flat());
            encode_response_with(response, &Method::GET, framing, connection, more, out);
        }
        let flushed = line.flush(&mut self.outbox, cx);
        line.leave();
        match flushed {
            Err(_) => Poll::Ready(false),
            Ok(flushed) if !flushed.all => Poll::Pending,
            Ok(_) => {
                if let Upgrade::Not(Some(waiting)) =
                    std::mem::replace(&mut line.upgrade, Upgrade::Done)
                {
                    waiting.wake();
                }
                Poll::Ready(true)
            }
        }
    }
}

/// How an answer's body is sent.
fn framing<B: HttpBody>(response: &Response<B>, answer: &Answer<'_>) -> Framing {
    if has_no_body(answer.method, response.status()) {
        return Framing::None;
    }
    let body = response.body();
    match Framing::of(body.is_end_stream(), &body.size_hint()) {
        Framing::Chunked if answer.version == Version::HTTP_10 => Framing::UntilClose,
        framing => framing,
    }
}
