//! The listener of the interoperability server and its connections.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::task::JoinSet;

use super::call::{self, Counts};
use crate::process::free_addr;
use crate::task::Task;
use crate::wire::accept;

/// A server of `grpc.testing.TestService` that has its port and does not serve yet.
#[derive(Debug)]
pub struct Interop {
    listener: TcpListener,
    addr: SocketAddr,
}

/// A server of `grpc.testing.TestService` at work. It stops, with its connections, on drop.
#[derive(Debug)]
pub struct RunningInterop {
    addr: SocketAddr,
    counts: Arc<Counts>,
    task: Task,
}

impl Interop {
    /// Takes the port; port 0 takes a free one.
    pub async fn bind(addr: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        Ok(Self { listener, addr })
    }

    /// Serves h2c on a loopback port that no other server is given.
    pub async fn start() -> io::Result<RunningInterop> {
        Ok(Self::bind(free_addr()?).await?.spawn())
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves in a task of its own, HTTP/2 in the clear.
    #[must_use = "it stops on drop"]
    pub fn spawn(self) -> RunningInterop {
        self.spawn_over(|stream| async { Ok(stream) })
    }

    /// Serves in a task of its own; `secure` makes of an accepted connection the one on which
    /// HTTP/2 is spoken, such as a TLS acceptor that agrees on `h2`.
    ///
    /// A connection for which it fails is closed.
    #[must_use = "it stops on drop"]
    pub fn spawn_over<S, F>(
        self,
        secure: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> RunningInterop
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
    {
        let (addr, counts) = (self.addr, Arc::<Counts>::default());
        let shared = Arc::clone(&counts);
        let task = Task::spawn(async move {
            // Dropped with the task, and the connections with it.
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    (stream, _) = accept(&self.listener) => {
                        // It fails only on a connection already gone.
                        let _ = stream.set_nodelay(true);
                        connections.spawn(connection(secure(stream), Arc::clone(&shared)));
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        RunningInterop { addr, counts, task }
    }
}

impl RunningInterop {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many calls arrived, of whatever method.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.counts.calls.load(Ordering::Relaxed)
    }

    /// How many calls are under way now.
    #[must_use]
    pub fn open_calls(&self) -> u64 {
        self.counts.open.load(Ordering::Relaxed)
    }

    /// How many calls were given up by the client, or lost with its connection, before this server
    /// had said how they end.
    #[must_use]
    pub fn cancelled(&self) -> u64 {
        self.counts.cancelled.load(Ordering::Relaxed)
    }

    /// Ends it at once, as a crash would. When this returns, its port is free.
    pub async fn stop(self) {
        self.task.stop().await;
    }
}

async fn connection<S>(stream: impl Future<Output = io::Result<S>>, counts: Arc<Counts>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ok(stream) = stream.await else { return };
    let service = service_fn(move |request| {
        let counts = Arc::clone(&counts);
        async move { Ok::<_, Infallible>(call::serve(counts, request).await) }
    });
    let builder = http2::Builder::new(TokioExecutor::new());
    // How a connection ended is the client's business; it has seen it.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}
