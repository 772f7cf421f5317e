//! Changes of what a program has declared, while it is served.

use std::sync::Arc;

use portway_config::{Catalog, Config, Loaded, Origin, Outcome, Problem};
use portway_core::{Changes, Intent, Part, Running};

use super::named;
use crate::{
    Problems,
    usual::{Asked, quiet},
};

/// Changes what a program has declared. Copies lead to the same gateway.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(super) changes: Changes,
    pub(super) catalog: Catalog,
    /// Whether nobody else says anything.
    pub(super) is_alone: bool,
    pub(super) asked: Asked,
}

impl Handle {
    /// Puts these resources in the place of all that the program has declared. When it returns,
    /// every core serves them. Gives back what is worth saying.
    ///
    /// # Errors
    /// They contradict each other or what others declare. Nothing has changed then.
    pub async fn update(&self, mut config: Config) -> Result<Vec<Problem>, Problems> {
        if self.is_alone {
            quiet(&mut config, self.asked);
        }
        let part = Loaded::made(config, &self.catalog);
        let content = Ok(Part::Loaded(Arc::new(part.clone())));
        let number = self.running().map_or(0, |running| running.revision());
        let outcome = self.changes.propose(Origin::code(), number, content, Intent::Apply).await;
        match outcome {
            Outcome::Applied { warnings, .. } => Ok(warnings),
            Outcome::Rejected { problems, .. } => Err(named(problems, &part)),
        }
    }

    /// Waits until it is served, and gives what is served then. `None` when it never will be.
    pub async fn started(&mut self) -> Option<Arc<Running>> {
        loop {
            if let Some(running) = self.changes.running() {
                return Some(running);
            }
            self.changes.changed().await?;
        }
    }

    /// Waits until something else is served, or something was refused: by whoever proposed it.
    /// `None` when nothing will be any more.
    pub async fn changed(&mut self) -> Option<Arc<Running>> {
        self.changes.changed().await
    }

    /// What is served now. `None` before the start.
    #[must_use]
    pub fn running(&self) -> Option<Arc<Running>> {
        self.changes.running()
    }
}
