//! The listener of the echo upstream and its connections.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{respond, upgrade};
use crate::task::Task;
use crate::wire::accept;

/// What is under way when the upstream is asked to stop has this long to finish.
const GRACE: Duration = Duration::from_secs(2);

/// An echo upstream that has its port and does not serve yet.
///
/// It runs on any tokio runtime.
#[derive(Debug)]
pub struct Echo {
    listener: TcpListener,
    addr: SocketAddr,
    name: Option<String>,
    counts: Arc<Counts>,
}

/// An echo upstream at work. It stops, with its connections, on drop.
#[derive(Debug)]
pub struct RunningEcho {
    addr: SocketAddr,
    counts: Arc<Counts>,
    task: Task,
}

impl Echo {
    /// Takes the port; port 0 takes a free one.
    pub async fn bind(addr: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        Ok(Self { listener, addr, name: None, counts: Arc::default() })
    }

    /// Serves on a free loopback port.
    pub async fn start() -> io::Result<RunningEcho> {
        Ok(Self::bind("127.0.0.1:0").await?.spawn())
    }

    /// Gives it a name, which each answer tells: in its JSON and in the header `x-echo-name`.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The same as an `http` URL without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Serves in a task of its own.
    #[must_use = "it stops on drop"]
    pub fn spawn(self) -> RunningEcho {
        let (addr, counts) = (self.addr, Arc::clone(&self.counts));
        let task = Task::spawn(self.serve_until(std::future::pending()));
        RunningEcho { addr, counts, task }
    }

    /// Serves until `shutdown` is ready, then lets go of the port and finishes what is under way.
    ///
    /// Dropping the future ends everything at once.
    pub async fn serve_until(self, shutdown: impl Future<Output = ()>) {
        let (stop, stopping) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                (stream, peer_addr) = accept(&self.listener) => {
                    let connection = self.connection(&stream, peer_addr, stopping.clone());
                    connections.spawn(serve(stream, connection));
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        stop.send_replace(true);
        let finished = async { while connections.join_next().await.is_some() {} };
        // What is not finished in time ends when `connections` is dropped.
        let _ = tokio::time::timeout(GRACE, finished).await;
    }

    fn connection(
        &self,
        stream: &TcpStream,
        peer_addr: SocketAddr,
        stopping: watch::Receiver<bool>,
    ) -> Connection {
        self.counts.connections.fetch_add(1, Ordering::Relaxed);
        self.counts.open.fetch_add(1, Ordering::Relaxed);
        Connection {
            name: self.name.clone(),
            counts: Arc::clone(&self.counts),
            local_addr: stream.local_addr().unwrap_or(self.addr),
            peer_addr,
            stopping,
            upgrade: Mutex::default(),
        }
    }
}

impl RunningEcho {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The same as an `http` URL without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// How many requests arrived.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.counts.requests.load(Ordering::Relaxed)
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.counts.connections.load(Ordering::Relaxed)
    }

    /// How many connections are open now.
    #[must_use]
    pub fn open_connections(&self) -> u64 {
        self.counts.open.load(Ordering::Relaxed)
    }

    /// How many requests were given up by the client before their answer's last byte was taken.
    #[must_use]
    pub fn abandoned(&self) -> u64 {
        self.counts.abandoned.load(Ordering::Relaxed)
    }

    /// Ends it at once, as a crash would. When this returns, its port is free.
    pub async fn stop(self) {
        self.task.stop().await;
    }
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) requests: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) open: AtomicU64,
    pub(super) abandoned: Arc<AtomicU64>,
}

/// What the requests of one connection share.
pub(super) struct Connection {
    pub(super) name: Option<String>,
    pub(super) counts: Arc<Counts>,
    pub(super) local_addr: SocketAddr,
    pub(super) peer_addr: SocketAddr,
    pub(super) stopping: watch::Receiver<bool>,
    /// Left here by the request that asked for it: after it, the connection is a WebSocket.
    pub(super) upgrade: Mutex<Option<OnUpgrade>>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.counts.open.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve(stream: TcpStream, connection: Connection) {
    // Each event leaves in a packet of its own. It fails only on a connection already gone.
    let _ = stream.set_nodelay(true);
    let connection = Arc::new(connection);
    let mut stopping = connection.stopping.clone();

    let service = service_fn(|request| respond::respond(Arc::clone(&connection), request));
    let builder = auto::Builder::new(TokioExecutor::new());
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut serving = pin!(serving);
    // How a connection ended is the client's business; it has seen it.
    tokio::select! {
        _ = serving.as_mut() => {}
        () = stopped(&mut stopping) => {
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        }
    }

    let upgraded = connection.upgrade.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(upgraded) = upgraded {
        upgrade::echo(upgraded, stopping).await;
    }
}

/// Waits until the upstream stops, or is gone.
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}
