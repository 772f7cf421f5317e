//! One request's way through its chain.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use portway_plugin::{
    BoxFuture, Chain as Steps, Exchange, Host, Next, Request, Response, Result, Side,
};
use smallvec::SmallVec;

use super::{Chain, Link, RequestFacts, dry_run};
use crate::{
    route::Certificate,
    telemetry::metrics::{PluginCells, PluginOutcome},
};

/// What stands at the end of a chain.
pub(crate) trait End: Send + Sync {
    /// Brings the head of the answer.
    fn serve(
        &self,
        request: Request,
        exchange: &Exchange<'_>,
    ) -> impl Future<Output = Result<Response>> + Send;
}

/// One request on its way.
pub(crate) struct Walk<'a, E> {
    chain: &'a Chain,
    facts: &'a RequestFacts,
    /// In the order of the links.
    cells: &'a [Arc<PluginCells>],
    end: E,
    began: Instant,
    steps: SmallVec<[StepState; 6]>,
    /// Whether an error is on its way up already.
    failed: AtomicBool,
}

/// How one step stands. Only one task works on a request: the atomics are never fought over.
#[derive(Default)]
struct StepState {
    /// When it began, in nanoseconds since the walk did.
    began: AtomicU64,
    /// The step it was entered by: those between are not for this request.
    entry: AtomicUsize,
    /// What took place from here on, in nanoseconds: not the time of the plugin before.
    inner: AtomicU64,
    /// Whether the plugin before has sent the request on.
    entered: AtomicBool,
}

impl<'a, E: End> Walk<'a, E> {
    pub(crate) fn new(
        chain: &'a Chain,
        facts: &'a RequestFacts,
        cells: &'a [Arc<PluginCells>],
        end: E,
    ) -> Self {
        let steps = (0..=chain.links.len()).map(|_| StepState::default()).collect();
        let (began, failed) = (Instant::now(), AtomicBool::new(false));
        Self { chain, facts, cells, end, began, steps, failed }
    }

    pub(crate) fn end(&self) -> &E {
        &self.end
    }

    pub(super) fn link(&self, at: usize) -> &Link {
        &self.chain.links[at]
    }

    pub(super) fn facts(&self) -> &RequestFacts {
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
        self.steps[entry].entered.store(true, Relaxed);
        self.steps[at].entry.store(entry, Relaxed);
        self.steps[at].began.store(self.elapsed(), Relaxed);
    }

    /// The time step `at` took, with all that follows it.
    fn leave(&self, at: usize) -> u64 {
        let step = &self.steps[at];
        let took = self.elapsed().saturating_sub(step.began.load(Relaxed));
        self.steps[step.entry.load(Relaxed)].inner.fetch_add(took, Relaxed);
        took
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl<E: End> Steps for Walk<'_, E> {
    fn run<'s>(
        &'s self,
        entry: usize,
        request: Request,
        exchange: &'s Exchange<'s>,
    ) -> BoxFuture<'s, Result<Response>> {
        let at = self.next_for(entry, &request, exchange);
        self.enter(entry, at);
        let Some(link) = self.chain.links.get(at) else {
            return Box::pin(async move {
                let result = self.end.serve(request, exchange).await;
                self.leave(at);
                if result.is_err() {
                    self.failed.store(true, Relaxed);
                }
                result
            });
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
        let after = &self.steps[at + 1];
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
        self.cells[at].called(outcome, own);
    }
}

impl<E> fmt::Debug for Walk<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk").field("chain", &self.chain).finish_non_exhaustive()
    }
}
