//! A gateway that was put together: checked, served, changed, nested.

mod follow;
mod handle;
mod service;

use std::{
    fmt,
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use portway_config::{Catalog, Config, Listener, Loaded, Problem};
use portway_core::{
    Changes, Options, Proposals, Server, Stop,
    connect::Connectors,
    observe::{Observer, Renderer},
    protocol::Protocols,
    telemetry::{BuildInfo, log},
};
use tokio::{
    sync::{Notify, oneshot},
    task::JoinSet,
};

use crate::{
    Builder, Problems, admin,
    signals::Signals,
    source::Own,
    usual::{Asked, listener},
};

pub use handle::Handle;
pub use service::GatewayService;
use service::Serving;

/// A gateway that was put together, and is not served yet.
///
/// ```
/// use portway::{Gateway, plugin::Response};
///
/// #[portway::service]
/// mod hello {
///     #[portway::get("/hello", handler)]
///     async fn hello() -> &'static str { "hello" }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_service::Service;
///
/// let gateway = Gateway::builder().mount(hello::routes()).build()?;
/// // To serve it: gateway.run("127.0.0.1:8080").await?;
/// let mut service = gateway.into_service().await?;
/// let request = http::Request::get("/hello").header("host", "a.example");
/// let request = request.body(http_body_util::Empty::<bytes::Bytes>::new())?;
/// let answer: Response = service.call(request).await?;
/// assert_eq!(answer.status(), 200);
/// # Ok(())
/// # }
/// ```
pub struct Gateway {
    catalog: Catalog,
    part: Loaded,
    files: Vec<PathBuf>,
    sources: Vec<Own>,
    process: Process,
    changes: Changes,
    proposals: Proposals,
    /// Whether somebody may change it while it runs.
    is_handed_out: AtomicBool,
}

/// How a process serves.
#[derive(Clone, Default)]
pub(crate) struct Process {
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) renderer: Option<Renderer>,
    pub(crate) cores: Option<usize>,
    pub(crate) build: BuildInfo,
    pub(crate) log: bool,
    pub(crate) connectors: Connectors,
    pub(crate) protocols: Protocols,
    pub(crate) extensions: admin::Extensions,
    pub(crate) asked: Asked,
}

impl Gateway {
    /// Begins to put one together.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn new(
        catalog: Catalog,
        part: Loaded,
        (files, sources): (Vec<PathBuf>, Vec<Own>),
        process: Process,
    ) -> Self {
        let (changes, proposals) = Changes::new(&catalog);
        let is_handed_out = AtomicBool::new(false);
        Self { catalog, part, files, sources, process, changes, proposals, is_handed_out }
    }

    /// The configuration as the program has declared it, for `portway::explain` and for export.
    #[must_use]
    pub fn declared(&self) -> &Config {
        &self.part.config
    }

    /// Changes what the program has declared while the gateway runs: take it before the gateway is
    /// served.
    #[must_use]
    pub fn handle(&self) -> Handle {
        let is_alone = self.files.is_empty() && self.sources.is_empty();
        let (changes, catalog) = (self.changes.clone(), self.catalog.clone());
        self.is_handed_out.store(true, Ordering::Relaxed);
        Handle { changes, catalog, is_alone, asked: self.process.asked }
    }

    /// Serves on one listener for plain HTTP besides those of the builder, until SIGTERM or SIGINT;
    /// then finishes what is in flight. SIGHUP reads files again; a second SIGTERM ends at once.
    /// Must be called on a tokio runtime, which does the control work. Returns whether everything in
    /// flight could finish.
    ///
    /// # Errors
    /// All that is wrong at the start. Then nothing was opened.
    pub async fn run(mut self, bind: &str) -> Result<bool, Problems> {
        let others = &self.part.config.listeners;
        let listener = listener(bind, others).map_err(|problem| vec![problem])?;
        self.part.config.listeners.push(listener);
        self.run_all().await
    }

    /// The same on the listeners that the builder and the files have.
    ///
    /// # Errors
    /// All that is wrong at the start. Then nothing was opened.
    pub async fn run_all(self) -> Result<bool, Problems> {
        let listen = |reread| {
            let signals = Signals::listen(reread).map_err(|error| {
                Problem::new("no_signals", format!("cannot hear signals: {error}"))
            })?;
            Ok(move || signals.stop())
        };
        // On the heap: it is large, and whoever waits for it would carry it.
        Box::pin(self.follow(None, false, listen, |_| {})).await
    }

    /// Serves on these listeners and those of the builder and the files, until `shutdown` is over;
    /// then finishes what is in flight. Returns whether everything could.
    ///
    /// # Errors
    /// All that is wrong at the start. Then nothing was opened.
    pub async fn serve(
        mut self,
        listeners: impl IntoIterator<Item = Listener>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<bool, Problems> {
        listeners.into_iter().for_each(|listener| self.part.config.listeners.push(listener));
        let over = Arc::new(Notify::new());
        let tell = Arc::clone(&over);
        // Ends with the gateway.
        let mut waiting = JoinSet::new();
        waiting.spawn(async move {
            shutdown.await;
            tell.notify_one();
        });
        let early = Arc::clone(&over);
        Box::pin(self.follow(Some(early), false, |_| Ok(until(over)), |_| {})).await
    }

    /// Serves whatever is given to it as a tower service: nest it in an axum router, put tower
    /// layers around it. It answers as the configuration's first listener would, and opens none, nor
    /// that of the admin API. It needs a tokio runtime with I/O and time, on which it follows files
    /// and changes until its last copy is dropped.
    ///
    /// Who hosts it puts a [`Peer`](crate::Peer) into the extensions of each request. Without one
    /// the client's address is unknown, and rules about addresses fail closed.
    ///
    /// # Errors
    /// All that is wrong at the start.
    pub async fn into_service(self) -> Result<GatewayService, Problems> {
        let over = Arc::new(Notify::new());
        let (stop, early) = (until(Arc::clone(&over)), Arc::clone(&over));
        // Whoever does not wait for it any more does not want it.
        let serving_until = Serving::until(over);
        let (tell, told) = oneshot::channel();
        let started = |server: &Server| {
            // Whoever asked has given up.
            let _ = tell.send(server.gateway());
        };
        let serving = tokio::spawn(self.follow(Some(early), true, |_| Ok(stop), started));
        match told.await {
            Ok(inner) => Ok(GatewayService::new(inner, serving_until)),
            Err(_) => Err(match serving.await {
                Ok(Err(problems)) => problems,
                Ok(Ok(_)) | Err(_) => Problem::new("not_started", "it did not start").into(),
            }),
        }
    }

    /// That nobody could ever ask it anything.
    fn deaf(&self) -> Option<Problem> {
        let config = &self.part.config;
        let may_change = !self.files.is_empty()
            || !self.sources.is_empty()
            || self.is_handed_out.load(Ordering::Relaxed);
        let listens = !config.listeners.is_empty() || config.probes.enabled || config.admin.enabled;
        (!may_change && !listens).then(|| {
            let problem = Problem::new("no_listener", "there is nothing to listen on");
            problem.hint("give it an address: .listen(\"[::]:8080\"), or run(\"[::]:8080\")")
        })
    }
}

/// Ends when it is told to.
fn until(over: Arc<Notify>) -> impl FnMut() -> Pin<Box<dyn Future<Output = Stop> + Send>> {
    move || {
        let over = Arc::clone(&over);
        Box::pin(async move {
            over.notified().await;
            Stop::Drain
        })
    }
}

/// All that is wrong with what a program has declared, where it is alone.
pub(crate) fn problems(part: &Loaded) -> Problems {
    let problems = part.clone().check().err().unwrap_or_default();
    named(problems, part)
}

/// Problems of what a program has declared name the route or the service, where paths in a
/// document have lines.
fn named(problems: Vec<Problem>, part: &Loaded) -> Problems {
    let name = |mut problem: Problem| {
        // Nobody else will bring it: the program is alone.
        if problem.code == "unknown_service" && problem.hint.is_none() {
            problem = problem.hint("give it endpoints: .backend(…), or .mount_service(…)");
        }
        let found = problem.place.is_none().then(|| part.config.named_path(&problem.path));
        match found.flatten() {
            Some(path) => Problem { path, ..problem },
            None => problem,
        }
    };
    problems.into_iter().map(name).collect::<Vec<_>>().into()
}

impl Process {
    pub(crate) fn options(self, config: &Config) -> Result<Options, Problems> {
        let log = if self.log {
            let started = log::init(&config.log);
            Some(started.map_err(|error| {
                Problem::new("no_log", format!("the log cannot be started: {error}"))
            })?)
        } else {
            None
        };
        Ok(Options {
            cores: self.cores,
            build: self.build,
            log,
            observer: self.observer,
            renderer: self.renderer,
            connectors: self.connectors,
            protocols: self.protocols,
            ..Options::default()
        })
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("files", &self.files).finish_non_exhaustive()
    }
}
