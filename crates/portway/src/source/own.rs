//! Sources that a program brings. Nothing they do harms what is served.

use std::{fmt, future::poll_fn, sync::Arc, task::Poll, time::Duration};

use portway_config::{Catalog, Loaded, Origin, Outcome, Problem, Revision, Source};
use portway_plugin::{
    BoxFuture,
    panics::{Caught, caught},
};
use tokio::sync::Notify;

/// After how long it is said who is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A source whose type nobody has to name, and whose first state is known before the start.
pub(crate) struct Own {
    source: Box<dyn Erased>,
    origin: Origin,
    catalog: Catalog,
    number: u64,
    first: Option<Revision>,
    is_over: bool,
}

impl Own {
    pub(crate) fn new(source: impl Source + 'static) -> Self {
        Self::knowing(source, &Catalog::default())
    }

    /// One that may name what `catalog` has.
    pub(crate) fn knowing(source: impl Source + 'static, catalog: &Catalog) -> Self {
        let (origin, catalog) = (source.origin().clone(), catalog.clone());
        Self { source: Box::new(source), origin, catalog, number: 0, first: None, is_over: false }
    }

    /// Waits for its first state. What it says may name what `catalog` has.
    pub(crate) async fn begin(&mut self, catalog: &Catalog) {
        self.catalog = catalog.clone();
        let origin = self.origin.clone();
        let mut next = Box::pin(self.told());
        let first = match tokio::time::timeout(PATIENCE, next.as_mut()).await {
            Ok(first) => first,
            Err(_) => {
                tracing::warn!(%origin, "waiting for the first state of a source");
                next.as_mut().await
            }
        };
        drop(next);
        self.first = first;
    }

    /// What it says first, if there is anything to be served.
    pub(crate) fn first(&self) -> Option<&Loaded> {
        self.first.as_ref()?.content.as_ref().ok()
    }

    /// What it says next, under its own name whatever it says.
    async fn told(&mut self) -> Option<Revision> {
        if self.is_over {
            return None;
        }
        let (origin, told) = (self.origin.clone(), Caught(self.source.next()).await);
        match told {
            Ok(Some(revision)) => {
                let Revision { number, content, .. } = revision;
                self.number = number;
                let content = content.map(|loaded| loaded.of(&origin, &self.catalog));
                Some(Revision { origin, number, content })
            }
            Ok(None) => {
                // Many a stream panics when it is asked after its end.
                self.is_over = true;
                tracing::info!(%origin, "the source has nothing more to say");
                None
            }
            Err(cause) => {
                self.is_over = true;
                let message = format!("the source {origin} has failed: {cause}");
                let problem = Problem::new("source_failed", message);
                let problem = problem.hint("it is not asked again; what it said before is kept");
                Some(Revision { origin, number: self.number + 1, content: Err(vec![problem]) })
            }
        }
    }
}

impl Source for Own {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    async fn next(&mut self) -> Option<Revision> {
        match self.first.take() {
            Some(first) => Some(first),
            None => self.told().await,
        }
    }

    fn learn(&mut self, outcome: &Outcome) {
        if self.is_over {
            return;
        }
        if let Err(cause) = caught(|| self.source.learn(outcome)) {
            let origin = &self.origin;
            tracing::error!(%origin, cause, "the source cannot learn what became of it");
        }
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Own").field(&self.origin).finish()
    }
}

/// Sources that go by the name of another owner: what they say would take its place.
pub(crate) fn confused(sources: &[Own]) -> impl Iterator<Item = Problem> {
    let taken = [Origin::code(), Origin::store()];
    sources.iter().enumerate().filter_map(move |(at, Own { origin, .. })| {
        let message = if taken.contains(origin) {
            format!("no source can be called {origin}: the gateway calls one of its own that")
        } else if sources[..at].iter().any(|other| other.origin == *origin) {
            format!("there are two sources called {origin}")
        } else {
            return None;
        };
        Some(Problem::new("duplicate_source", message).hint("give each a name of its own"))
    })
}

/// Waits for the first states of all of them at once. `false` when it was all over `early`.
pub(crate) async fn begun(
    sources: &mut [Own],
    catalog: &Catalog,
    early: Option<Arc<Notify>>,
) -> bool {
    if sources.is_empty() {
        return true;
    }
    let mut waiting: Vec<_> =
        sources.iter_mut().map(|source| Box::pin(source.begin(catalog))).collect();
    let all = poll_fn(|cx| {
        waiting.retain_mut(|one| one.as_mut().poll(cx).is_pending());
        if waiting.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    });
    let Some(early) = early else {
        all.await;
        return true;
    };
    tokio::select! {
        () = all => true,
        () = early.notified() => false,
    }
}

trait Erased: Send {
    fn next(&mut self) -> BoxFuture<'_, Option<Revision>>;

    fn learn(&mut self, outcome: &Outcome);
}

impl<S: Source> Erased for S {
    fn next(&mut self) -> BoxFuture<'_, Option<Revision>> {
        // Also what it does before it has a future is caught.
        Box::pin(async { Source::next(self).await })
    }

    fn learn(&mut self, outcome: &Outcome) {
        Source::learn(self, outcome);
    }
}
