//! What a chain asks for when it has come to its end.
//!
//! The end of a chain does no work. It lays down an [`Errand`] and waits; whoever polls the chain
//! does the work beside it and lays down what came of it. So sending a request to an upstream has one
//! place in the future of a request, whether there are plugins or not: no future of that size is
//! moved to the heap, and none of the plugins' futures contains it.

use std::{
    mem,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use http::Request;
use portway_plugin::{Body, BoxFuture, Error, Response, Result};

use crate::balance::Permit;

/// A request that has passed the plugins.
pub(super) struct Errand {
    pub(super) request: Request<Body>,
    /// The endpoint it is for and no other, where it was chosen before.
    pub(super) only: Only,
}

/// An endpoint, and its permit.
pub(super) type Only = Option<(usize, Option<Permit>)>;

/// Where errands are laid down, one after the other.
#[derive(Default)]
pub(super) struct Desk(Mutex<State>);

#[derive(Default)]
struct State {
    stage: Stage,
    errand: Option<Errand>,
    answer: Option<Result<Response>>,
    /// Who waits for the answer.
    waiting: Option<Waker>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Free,
    /// There is an errand that nobody has taken up.
    Asked,
    /// It was taken up.
    Working,
    /// Whoever asked is gone: the work is to be given up.
    Left,
    /// There is an answer that nobody has taken.
    Answered,
}

/// A step of whoever polls the chain.
pub(super) enum Turn {
    /// The chain is over.
    Ended(Result<Response>),
    /// The chain waits for somebody to look at the desk.
    Desk,
}

impl Desk {
    /// Lays down an errand when it is first polled, and brings the answer.
    pub(super) fn ask(&self, errand: Errand) -> Asking<'_> {
        Asking { desk: self, errand: Some(errand), waits: false }
    }

    /// Takes up the errand: its request, and the endpoint it is for.
    pub(super) fn take(&self, request: &mut Request<Body>) -> Only {
        let mut state = self.lock();
        let errand = state.errand.as_mut()?;
        mem::swap(request, &mut errand.request);
        let only = errand.only.take();
        state.stage = Stage::Working;
        only
    }

    /// Polls the chain until it is over or there is an errand.
    pub(super) fn turn(
        &self,
        chain: &mut BoxFuture<'_, Result<Response>>,
        cx: &mut Context<'_>,
    ) -> Poll<Turn> {
        match chain.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Turn::Ended(result)),
            Poll::Pending if self.lock().stage == Stage::Asked => Poll::Ready(Turn::Desk),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Does the work of an errand that was taken up, while the plugins wait for it, and perhaps for
    /// something else. Ready when the answer lies on the desk, when nobody wants it any more, and
    /// when the chain is over without it.
    pub(super) fn work(
        &self,
        mut work: Pin<&mut impl Future<Output = Result<Response>>>,
        chain: &mut BoxFuture<'_, Result<Response>>,
        begun: &mut bool,
        cx: &mut Context<'_>,
    ) -> Poll<Turn> {
        if let Poll::Ready(answer) = work.as_mut().poll(cx) {
            self.answer(answer, cx);
            return Poll::Ready(Turn::Desk);
        }
        // The chain has just been polled when work begins.
        if !mem::replace(begun, true) {
            return Poll::Pending;
        }
        match chain.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Turn::Ended(result)),
            Poll::Pending if self.lock().stage == Stage::Working => Poll::Pending,
            Poll::Pending => {
                let mut state = self.lock();
                if state.stage == Stage::Left {
                    state.stage = Stage::Free;
                }
                Poll::Ready(Turn::Desk)
            }
        }
    }

    fn answer(&self, answer: Result<Response>, cx: &Context<'_>) {
        let mut state = self.lock();
        if state.stage != Stage::Working {
            return;
        }
        state.stage = Stage::Answered;
        state.answer = Some(answer);
        // The chain is polled next. A plugin that polls by itself, and only when it was woken, has
        // to be told.
        let told = state.waiting.take().filter(|waiting| !waiting.will_wake(cx.waker()));
        drop(state);
        if let Some(waiting) = told {
            waiting.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request at the end of its chain.
pub(super) struct Asking<'a> {
    desk: &'a Desk,
    /// `None` when it lies on the desk.
    errand: Option<Errand>,
    /// Whether the errand on the desk is this one.
    waits: bool,
}

impl Future for Asking<'_> {
    type Output = Result<Response>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Response>> {
        let this = self.get_mut();
        let mut state = this.desk.lock();
        if this.errand.is_some() {
            if !matches!(state.stage, Stage::Free | Stage::Left) {
                return Poll::Ready(Err(busy()));
            }
            state.errand = this.errand.take();
            state.stage = Stage::Asked;
            this.waits = true;
        } else if state.stage == Stage::Answered
            && let Some(answer) = state.answer.take()
        {
            state.stage = Stage::Free;
            this.waits = false;
            return Poll::Ready(answer);
        }
        match &mut state.waiting {
            Some(waiting) => waiting.clone_from(cx.waker()),
            None => state.waiting = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.waits {
            return;
        }
        let mut state = self.desk.lock();
        let (errand, answer) = (state.errand.take(), state.answer.take());
        state.stage = if state.stage == Stage::Working { Stage::Left } else { Stage::Free };
        drop(state);
        drop((errand, answer));
    }
}

pub(super) fn busy() -> Error {
    Error::gateway("chain_busy", "the request is on its way already")
}
