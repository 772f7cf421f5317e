//! The listener of the echo upstream and its connections.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::listener::Listener;
use super::{respond, upgrade};
use crate::process::free_addr;
use crate::task::Task;
use crate::wire::{NO_ADDR, Secured, Security, Stream};

/// What is under way when the upstream is asked to stop has this long to finish.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// An echo upstream that has its port and does not serve yet.
///
/// It runs on any tokio runtime.
#[derive(Debug)]
pub struct Echo {
    listener: Listener,
    security: Security,
    addr: SocketAddr,
    name: Option<String>,
    counts: Arc<Counts>,
}

/// An echo upstream at work. It stops, with its connections, on drop.
#[derive(Debug)]
pub struct RunningEcho {
    addr: SocketAddr,
    url: String,
    counts: Arc<Counts>,
    task: Task,
}

impl Echo {
    /// Takes the port; port 0 takes a free one.
    pub async fn bind(addr: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        Ok(Self::new(Listener::Tcp(listener), addr))
    }

    /// Takes a loopback port that no other server is given ([`free_addr`]).
    pub async fn anywhere() -> io::Result<Self> {
        Self::bind(free_addr()?).await
    }

    /// Takes a path as a Unix domain socket. The file must not be there; it goes when the
    /// upstream stops.
    pub fn bind_unix(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::new(Listener::bind_unix(path.as_ref())?, NO_ADDR))
    }

    /// Serves on a loopback port that no other server is given.
    pub async fn start() -> io::Result<RunningEcho> {
        Ok(Self::anywhere().await?.spawn())
    }

    /// Gives it a name, which each answer tells: in its JSON and in the header `x-echo-name`.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Speaks TLS. What ALPN agrees on is the client's choice and no command: HTTP/2 begins with
    /// its preface, and everything else is HTTP/1.1.
    #[cfg(feature = "tls")]
    pub fn tls(self, tls: &crate::tls::ServerTls) -> io::Result<Self> {
        Ok(Self { security: Security::new(tls)?, ..self })
    }

    /// Where it listens; `0.0.0.0:0` for a Unix domain socket.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The same as an `http` or `https` URL without a path.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.security.is_secure() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// Serves in a task of its own.
    #[must_use = "it stops on drop"]
    pub fn spawn(self) -> RunningEcho {
        let (addr, url, counts) = (self.addr, self.url(), Arc::clone(&self.counts));
        let task = Task::spawn(self.serve_until(std::future::pending()));
        RunningEcho { addr, url, counts, task }
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
                (stream, peer_addr) = self.listener.accept() => {
                    let connection = self.connection(&stream, peer_addr, stopping.clone());
                    connections.spawn(serve(stream, self.security.clone(), connection));
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

    fn new(listener: Listener, addr: SocketAddr) -> Self {
        let (security, name, counts) = (Security::default(), None, Arc::default());
        Self { listener, security, addr, name, counts }
    }

    fn connection(
        &self,
        stream: &Stream,
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
            secured: None,
            stopping,
            upgrade: Mutex::default(),
            tunnels: Mutex::default(),
        }
    }
}

impl RunningEcho {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The same as an `http` or `https` URL without a path.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
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
    pub(super) secured: Option<Secured>,
    pub(super) stopping: watch::Receiver<bool>,
    /// Left here by the request that asked for it: after it, the connection is a WebSocket.
    pub(super) upgrade: Mutex<Option<OnUpgrade>>,
    /// Streams of HTTP/2 that became a WebSocket, beside which the connection goes on.
    pub(super) tunnels: Mutex<JoinSet<()>>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.counts.open.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve(stream: Stream, security: Security, mut connection: Connection) {
    // A handshake that fails is the client's business, which has seen it.
    let Ok(stream) = security.secure(stream).await else { return };
    connection.secured = stream.secured();
    let connection = Arc::new(connection);
    let mut stopping = connection.stopping.clone();

    let service = service_fn(|request| respond::respond(Arc::clone(&connection), request));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // WebSockets over HTTP/2 (RFC 8441).
    builder.http2().enable_connect_protocol();
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
