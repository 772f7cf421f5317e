//! One request's way through its chain.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use portway_plugin::{
    BoxFuture, Chain as Rest, Exchange, Host, Next, Request, Response, Result, Side,
};
use smallvec::SmallVec;

use super::{Chain, Link, RequestFacts, dry_run};
use crate::{
    explain::Step,
    route::Certificate,
    telemetry::metrics::{PluginCells, PluginOutcome},
};

/// What stands at the end of a chain.
pub(crate) trait End: Send + Sync {
    /// Brings the head of the answer.
    fn serve<'s>(
        &'s self,
        request: Request,
        exchange: &'s Exchange<'s>,
    ) -> impl Future<Output = Result<Response>> + Send + 's;
}

/// One request on its way.
pub(crate) struct Walk<'a, E> {
    chain: &'a Chain,
    facts: &'a RequestFacts<'a>,
    /// In the order of the links.
    cells: &'a [Arc<PluginCells>],
    end: E,
    steps: &'a Steps,
    /// Whether an error is on its way up already.
    failed: AtomicBool,
}

/// How the steps of a chain stand, for one request. Apart from the walk, which is carried by the
/// future of every request.
pub(crate) struct Steps(SmallVec<[StepState; 5]>);

/// How one step stands. Only one task works on a request: the atomics are never fought over.
#[derive(Default)]
struct StepState {
    /// When it began, in nanoseconds since the request did.
    began: AtomicU64,
    /// The step it was entered by: those between are not for this request.
    entry: AtomicUsize,
    /// What took place from here on, in nanoseconds: not the time of the plugin before.
    inner: AtomicU64,
    /// Whether the plugin before has sent the request on.
    entered: AtomicBool,
}

impl Steps {
    /// Those of a walk through `chain` that has not begun.
    pub(crate) fn of(chain: &Chain) -> Self {
        Self((0..=chain.links.len()).map(|_| StepState::default()).collect())
    }
}

impl<'a, E: End> Walk<'a, E> {
    pub(crate) fn new(
        chain: &'a Chain,
        facts: &'a RequestFacts<'a>,
        cells: &'a [Arc<PluginCells>],
        end: E,
        steps: &'a Steps,
    ) -> Self {
        Self { chain, facts, cells, end, steps, failed: AtomicBool::new(false) }
    }

    pub(super) fn link(&self, at: usize) -> &Link {
        &self.chain.links[at]
    }

    pub(super) fn facts(&self) -> &RequestFacts<'a> {
        self.facts
    }

    pub(super) fn cells(&self, at: usize) -> &PluginCells {
        &self.cells[at]
    }

    /// The first step from `at` on that is for this request.
    fn next_for(&self, at: usize, request: &Request, exchange: &Exchange<'_>) -> usize {
        let certificate = || self.facts.peer.certificate().map(|one| one as &dyn Certificate);
        let is_for = |link: &Link| {
            link.when.as_ref().is_none_or(|when| when.holds(request, exchange, certificate()))
        };
        let rest = &self.chain.links[at..];
        rest.iter().position(|link| is_for(link)).map_or(self.chain.links.len(), |n| at + n)
    }

    fn enter(&self, entry: usize, at: usize) {
        self.steps.0[entry].entered.store(true, Relaxed);
        self.steps.0[at].entry.store(entry, Relaxed);
        self.steps.0[at].began.store(self.elapsed(), Relaxed);
    }

    /// The time step `at` took, with all that follows it.
    fn leave(&self, at: usize) -> u64 {
        let step = &self.steps.0[at];
        let took = self.elapsed().saturating_sub(step.began.load(Relaxed));
        self.steps.0[step.entry.load(Relaxed)].inner.fetch_add(took, Relaxed);
        took
    }

    /// Tells whoever watches the request what a plugin has done.
    pub(super) fn tell(&self, at: usize, outcome: PluginOutcome, took: Duration) {
        let Some(watched) = &self.facts.watched else { return };
        let link = self.link(at);
        watched.step(Step {
            plugin: link.running.instance.name(),
            called: link.called.clone(),
            decision: outcome.as_str(),
            began: Duration::from_nanos(self.steps.0[at].began.load(Relaxed)),
            took,
        });
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.facts.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl<E: End> Rest for Walk<'_, E> {
    fn run<'s>(
        &'s self,
        entry: usize,
        request: Request,
        exchange: &'s Exchange<'s>,
    ) -> BoxFuture<'s, Result<Response>> {
        let at = self.next_for(entry, &request, exchange);
        self.enter(entry, at);
        let Some(link) = self.chain.links.get(at) else {
            return Box::pin(AtEnd { work: self.end.serve(request, exchange), walk: self });
        };
        if link.dry_run {
            return dry_run::run(self, at, request, exchange);
        }
        link.running.instance.call(request, Next::new(self, exchange, at + 1))
    }

    fn host(&self, at: usize) -> &Host {
        &self.link(at).running.host
    }

    fn ended(&self, at: usize, result: &Result<Response>, panicked: bool) {
        let took = self.leave(at);
        let after = &self.steps.0[at + 1];
        let own = took.saturating_sub(after.inner.swap(0, Relaxed));
        let passed_on = after.entered.swap(false, Relaxed);
        let outcome = match result {
            Ok(_) if passed_on => PluginOutcome::Passed,
            Ok(_) => PluginOutcome::Answered,
            Err(_) if panicked => PluginOutcome::Panicked,
            // An error that comes from further in only passes by.
            Err(_) if self.failed.load(Relaxed) => PluginOutcome::Passed,
            Err(error) if error.side() == Side::Client => PluginOutcome::Refused,
            Err(_) => PluginOutcome::Failed,
        };
        if result.is_err() {
            self.failed.store(true, Relaxed);
        }
        self.tell(at, outcome, Duration::from_nanos(own));
        self.cells[at].called(outcome, own);
    }
}

pin_project! {
    /// The end of a chain at work. Not an async block, which would hold what it awaits twice.
    struct AtEnd<'s, 'a, E, F> {
        #[pin]
        work: F,
        walk: &'s Walk<'a, E>,
    }
}

impl<E: End, F: Future<Output = Result<Response>>> Future for AtEnd<'_, '_, E, F> {
    type Output = Result<Response>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Response>> {
        let this = self.project();
        let result = ready!(this.work.poll(cx));
        this.walk.leave(this.walk.chain.links.len());
        if result.is_err() {
            this.walk.failed.store(true, Relaxed);
        }
        Poll::Ready(result)
    }
}

impl<E> fmt::Debug for Walk<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk").field("chain", &self.chain).finish_non_exhaustive()
    }
}
