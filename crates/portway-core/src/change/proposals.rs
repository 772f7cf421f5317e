//! Changes that are asked for, one after the other.
//!
//! Every owner of resources proposes through one queue, so that each change is checked against
//! what is served then. Who proposes learns what became of it when every core serves it.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::SystemTime};

use portway_config::{Catalog, Checked, Config, InstanceId, Origin, Outcome, Problem, value::Name};
use portway_plugin::{BoxFuture, Request, Response, Result as Answered};
use tokio::sync::{mpsc, oneshot, watch};

use super::{OriginStatus, Part};
use crate::{
    probe::Readiness,
    snapshot::Snapshot,
    telemetry::metrics::{Metrics, Traffic},
};

/// How many changes may wait. Who proposes one more waits as well.
const WAITING: usize = 64;

/// What is to become of a proposal that is good.
pub enum Intent {
    /// Nothing: somebody wants to know what would.
    DryRun,
    /// It is served.
    Apply,
    /// It is served if this succeeds, which is asked when all else has.
    Commit(Commit),
}

/// Makes a change last.
pub type Commit = Box<dyn FnOnce() -> Committing + Send>;
type Committing = Pin<Box<dyn Future<Output = Result<(), Vec<Problem>>> + Send>>;

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DryRun => "DryRun",
            Self::Apply => "Apply",
            Self::Commit(_) => "Commit",
        })
    }
}

/// What somebody says from now on, and what is to become of it.
pub(crate) struct Proposal {
    pub(crate) origin: Origin,
    pub(crate) number: u64,
    pub(crate) content: Result<Part, Vec<Problem>>,
    pub(crate) intent: Intent,
    pub(crate) reply: oneshot::Sender<Outcome>,
}

/// Where changes are proposed. Clones lead to the same gateway.
#[derive(Clone)]
pub struct Changes {
    queue: mpsc::Sender<Proposal>,
    running: watch::Receiver<Option<Arc<Running>>>,
}

impl Changes {
    /// A way to propose changes to a gateway, and the gateway's end of it. What configurations
    /// may say is in `catalog`.
    #[must_use]
    pub fn new(catalog: &Catalog) -> (Self, Proposals) {
        let (sender, queue) = mpsc::channel(WAITING);
        let (tell, running) = watch::channel(None);
        let proposals = Proposals {
            queue,
            tell,
            catalog: catalog.clone(),
            changes: Self { queue: sender.clone(), running: running.clone() },
        };
        (Self { queue: sender, running }, proposals)
    }

    /// Proposes that `origin` says `content` from now on. The answer comes when every core serves
    /// it, or when it is clear that none will.
    pub async fn propose(
        &self,
        origin: Origin,
        number: u64,
        content: Result<Part, Vec<Problem>>,
        intent: Intent,
    ) -> Outcome {
        let (reply, answer) = oneshot::channel();
        let proposal = Proposal { origin, number, content, intent, reply };
        let gone = || {
            let problem = Problem::new("draining", "the gateway is going away");
            Outcome::Rejected { number, problems: vec![problem] }
        };
        match self.queue.send(proposal).await {
            Ok(()) => answer.await.unwrap_or_else(|_| gone()),
            Err(_) => gone(),
        }
    }

    /// What is served now; `None` before the start.
    #[must_use]
    pub fn running(&self) -> Option<Arc<Running>> {
        self.running.borrow().clone()
    }

    /// Waits until something else is served, or something was refused.
    pub async fn changed(&mut self) -> Option<Arc<Running>> {
        self.running.changed().await.ok()?;
        self.running.borrow_and_update().clone()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}

/// The gateway's end of a way to propose changes.
pub struct Proposals {
    pub(crate) queue: mpsc::Receiver<Proposal>,
    pub(crate) tell: watch::Sender<Option<Arc<Running>>>,
    pub(crate) catalog: Catalog,
    /// For sources, which propose as anybody does.
    pub(crate) changes: Changes,
}

impl fmt::Debug for Proposals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proposals").finish_non_exhaustive()
    }
}

/// What a gateway serves at one moment, and whose it is.
#[derive(Clone)]
pub struct Running {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) parts: Vec<(Origin, Part)>,
    pub(crate) origins: Vec<OriginStatus>,
    pub(crate) addresses: Vec<(String, std::net::SocketAddr)>,
    pub(crate) started: SystemTime,
    pub(crate) cores: usize,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) readiness: Arc<Readiness>,
}

impl Running {
    /// The number of what is served, from 1.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.snapshot.revision
    }

    /// What is served, in its lowered form.
    #[must_use]
    pub fn config(&self) -> &Checked<Config> {
        &self.snapshot.config
    }

    /// What each owner says of it.
    #[must_use]
    pub fn parts(&self) -> &[(Origin, Part)] {
        &self.parts
    }

    /// What became of the last thing each owner said.
    #[must_use]
    pub fn origins(&self) -> &[OriginStatus] {
        &self.origins
    }

    /// The shared instances of plugins that answer in the admin API, each with its namespace, its
    /// name and its plugin, in no order.
    #[must_use]
    pub fn administered(&self) -> Vec<(Name, Name, &'static str)> {
        let all = self.snapshot.instances.administered();
        all.map(|(namespace, name, plugin)| (namespace.clone(), name.clone(), plugin)).collect()
    }

    /// What one of them answers. `None` where there is no such instance, or nothing that it
    /// answers. The instance lives until it has, also when it is taken away meanwhile.
    #[must_use]
    pub fn administer(
        &self,
        namespace: &Name,
        name: &Name,
        request: Request,
    ) -> Option<BoxFuture<'static, Answered<Response>>> {
        let id = InstanceId::Shared(namespace.clone(), name.clone());
        self.snapshot.instances.administer(&id, request)
    }

    /// The addresses that are listened on, by the names of their listeners.
    #[must_use]
    pub fn addresses(&self) -> &[(String, std::net::SocketAddr)] {
        &self.addresses
    }

    /// When the gateway started.
    #[must_use]
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// What was counted, by route.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.metrics.traffic()
    }

    /// Whether traffic may come now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.readiness.is_ready()
    }

    /// How many cores serve.
    #[must_use]
    pub fn cores(&self) -> usize {
        self.cores
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("revision", &self.revision()).finish_non_exhaustive()
    }
}
