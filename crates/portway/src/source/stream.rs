//! A stream of configurations as a source.

use std::{fmt, future::poll_fn, pin::Pin};

use futures_core::Stream;
use portway_config::{Catalog, Config, Loaded, Origin, Outcome, Problem, Revision, Source};

use crate::Problems;

/// What a stream says each time: a [`Config`], a document that was [loaded](crate::config::load), or
/// either of them or why there is none.
pub trait State: Send {
    /// The state of the source, as a whole.
    ///
    /// # Errors
    /// Why that cannot be told.
    fn state(self) -> Result<Loaded, Vec<Problem>>;
}

impl State for Config {
    fn state(self) -> Result<Loaded, Vec<Problem>> {
        // The gateway puts its own catalog in the place of this one.
        Ok(Loaded::made(self, &Catalog::default()))
    }
}

impl State for Loaded {
    fn state(self) -> Result<Loaded, Vec<Problem>> {
        Ok(self)
    }
}

impl<S: State, E: Into<Problems> + Send> State for Result<S, E> {
    fn state(self) -> Result<Loaded, Vec<Problem>> {
        match self {
            Ok(state) => state.state(),
            Err(problems) => {
                let problems: Problems = problems.into();
                Err(problems.into())
            }
        }
    }
}

/// A stream as a [`Source`]. Each item is all that the source says from then on; an error leaves
/// what is served as it is.
pub struct StreamSource<S> {
    origin: Origin,
    number: u64,
    stream: Pin<Box<S>>,
    learn: Option<Learn>,
}

/// Hears what became of each item.
type Learn = Box<dyn FnMut(&Outcome) + Send>;

/// A source called `name`, by which its resources are known as somebody's own, and which says what
/// `stream` does.
///
/// ```
/// use portway::{Gateway, build::{Route, Service}, config::Config, source};
///
/// # fn streams() -> impl futures_core::Stream<Item = Config> + Send + 'static {
/// #     futures_util::stream::empty()
/// # }
/// // From a database, a message queue, a control plane …
/// let configurations = streams();
/// let source = source::stream("registry", configurations).on_outcome(|outcome| {
///     println!("served: {}", outcome.is_applied());
/// });
/// let gateway = Gateway::builder().source(source).build();
/// # drop(gateway);
/// ```
pub fn stream<S>(name: &str, stream: S) -> StreamSource<S>
where
    S: Stream<Item: State> + Send + 'static,
{
    StreamSource { origin: Origin::new(name), number: 0, stream: Box::pin(stream), learn: None }
}

impl<S> StreamSource<S> {
    /// Calls `learn` with what became of each item.
    #[must_use]
    pub fn on_outcome(mut self, learn: impl FnMut(&Outcome) + Send + 'static) -> Self {
        self.learn = Some(Box::new(learn));
        self
    }
}

impl<S: Stream<Item: State> + Send + 'static> Source for StreamSource<S> {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    async fn next(&mut self) -> Option<Revision> {
        let content = poll_fn(|cx| self.stream.as_mut().poll_next(cx)).await?.state();
        self.number += 1;
        Some(Revision { origin: self.origin.clone(), number: self.number, content })
    }

    fn learn(&mut self, outcome: &Outcome) {
        if let Some(learn) = &mut self.learn {
            learn(outcome);
        }
    }
}

impl<S> fmt::Debug for StreamSource<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSource").field("origin", &self.origin).finish_non_exhaustive()
    }
}
