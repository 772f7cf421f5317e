//! The answer's body on its way out: counted, and given up when it stalls or must end.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use portway_plugin::{Body, Error, Response};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::Exchange;
use crate::driver::{TunnelEnd, TunnelEndReason};

/// The limits on an answer's body.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AnswerLimits {
    /// How long nothing may come.
    pub(crate) idle: Option<Duration>,
    /// When the whole exchange must be over.
    pub(crate) deadline: Option<Instant>,
}

/// Ties the exchange to the answer's last byte.
pub(crate) fn track(
    response: Response,
    mut exchange: Box<Exchange>,
    limits: AnswerLimits,
) -> Response {
    exchange.status = Some(response.status().as_u16());
    // A body that is not sent ends with the head.
    if response.body().is_end_stream() || exchange.method == Method::HEAD {
        return response;
    }
    response.map(|body| Body::stream(Tracked { body, exchange, limits, wait: None, ended: false }))
}

struct Tracked {
    body: Body,
    exchange: Box<Exchange>,
    limits: AnswerLimits,
    /// Made when the answer first keeps us waiting: most never do.
    wait: Option<Box<Wait>>,
    ended: bool,
}

/// What may end an answer that keeps us waiting.
struct Wait {
    moved: bool,
    idle: Option<(Duration, Pin<Box<Sleep>>)>,
    deadline: Option<Pin<Box<Sleep>>>,
    removed: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Wait {
    fn new(exchange: &Exchange, limits: AnswerLimits) -> Box<Self> {
        Box::new(Self {
            moved: false,
            idle: limits.idle.map(|idle| (idle, Box::pin(sleep(idle)))),
            deadline: limits.deadline.map(|deadline| Box::pin(sleep_until(deadline))),
            removed: Box::pin(exchange.removed()),
        })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if self.removed.as_mut().poll(cx).is_ready() {
            return Poll::Ready(End::Removed);
        }
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(End::TimedOut("request_timeout"));
        }
        // A period in which something came is followed by a whole new one, so that bytes cost no
        // clock: a stall is noticed after one to two periods.
        while let Some((period, sleep)) = &mut self.idle {
            ready!(sleep.as_mut().poll(cx));
            if !std::mem::take(&mut self.moved) {
                return Poll::Ready(End::TimedOut("idle_timeout"));
            }
            sleep.as_mut().reset(Instant::now() + *period);
        }
        Poll::Pending
    }
}

#[derive(Clone, Copy)]
enum End {
    /// The configuration no longer has the route or the listener.
    Removed,
    /// A stage took too long.
    TimedOut(&'static str),
}

impl Exchange {
    /// Resolves when a stream of this exchange must end: the configuration no longer has its
    /// route or its listener, and the time to drain is over.
    pub(crate) fn removed(&self) -> impl Future<Output = ()> + Send + use<> {
        let route = self.plan().map(|plan| plan.life.ended());
        let listener = self.view.snapshot.listener(self.listener).map(|l| l.life.ended());
        async move {
            tokio::select! {
                () = or_never(route) => {}
                () = or_never(listener) => {}
            }
        }
    }

    /// Resolves when a tunnel of this exchange must end: as [`removed`](Self::removed) says, or
    /// because the process is about to end.
    pub(crate) fn leaving(&self) -> impl Future<Output = ()> + Send + use<> {
        let (removed, ending) = (self.removed(), self.shard.tunnels.ended());
        async move {
            tokio::select! {
                () = removed => {}
                () = ending => {}
            }
        }
    }

    /// The exchange was a tunnel, and it has ended.
    pub(crate) fn tunnelled(&mut self, end: &TunnelEnd) {
        self.bytes_in = Some(Arc::new(end.from_client.into()));
        self.bytes_out = end.from_upstream;
        match end.reason {
            TunnelEndReason::Closed => {}
            TunnelEndReason::Idle => self.blame(&stalled("idle_timeout")),
            TunnelEndReason::Cut => self.cut(),
        }
    }

    /// A stream of this exchange was ended by a change of the configuration.
    fn cut(&mut self) {
        self.blame(&Error::gateway("route_removed", "the route was removed"));
        self.view.cells(self.matched, self.listener, &self.shard.cells).stream_cut();
    }
}

fn stalled(code: &'static str) -> Error {
    let message = "the upstream did not finish its answer in time";
    Error::upstream(StatusCode::GATEWAY_TIMEOUT, code, message)
}

async fn or_never(life: Option<impl Future<Output = ()>>) {
    match life {
        Some(life) => life.await,
        None => std::future::pending().await,
    }
}

impl Tracked {
    fn give_up(&mut self, end: End) -> Error {
        match end {
            End::Removed => {
                self.exchange.cut();
                Error::gateway("route_removed", "the route was removed")
            }
            End::TimedOut(code) => stalled(code),
        }
    }
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            let wait = this.wait.get_or_insert_with(|| Wait::new(&this.exchange, this.limits));
            let end = ready!(wait.poll(cx));
            let error = this.give_up(end);
            this.exchange.blame(&error);
            return Poll::Ready(Some(Err(error)));
        };
        match &frame {
            Some(Ok(frame)) => {
                this.exchange.bytes_out += frame.data_ref().map_or(0, |data| data.len() as u64);
                this.ended = this.body.is_end_stream();
                if let Some(wait) = &mut this.wait {
                    wait.moved = true;
                }
            }
            Some(Err(error)) => this.exchange.blame(error),
            None => this.ended = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        if !self.ended {
            self.exchange.client_left();
        }
    }
}
