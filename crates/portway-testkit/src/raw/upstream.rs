//! The listener that runs a script for each connection.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::RawConnection;
use crate::process::free_addr;
use crate::task::Task;
use crate::wire::{Record, Security, Stream, accept};

/// An upstream that does what a script says. It ends, with its connections, on drop.
pub struct RawUpstream {
    addr: SocketAddr,
    seen: Arc<Seen>,
    _task: Task,
}

/// What an upstream has seen so far.
#[derive(Default)]
struct Seen {
    records: Mutex<Vec<Record>>,
    errors: Mutex<Vec<String>>,
}

impl RawUpstream {
    /// Listens on a loopback port and runs `script` for each connection.
    ///
    /// A script that returns drops its connection, which closes it.
    pub async fn start<S, F>(script: S) -> io::Result<Self>
    where
        S: Fn(RawConnection) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        Self::start_with(Security::default(), script).await
    }

    /// The same over TLS: the handshake comes first, the script sees the bytes inside.
    ///
    /// A handshake that fails is one of the [`script_errors`](Self::script_errors). An upstream
    /// that never answers the handshake is one without TLS whose script is
    /// [`never_answers`](super::script::never_answers).
    #[cfg(feature = "tls")]
    pub async fn start_tls<S, F>(tls: &crate::tls::ServerTls, script: S) -> io::Result<Self>
    where
        S: Fn(RawConnection) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        Self::start_with(Security::new(tls)?, script).await
    }

    async fn start_with<S, F>(security: Security, script: S) -> io::Result<Self>
    where
        S: Fn(RawConnection) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind(free_addr()?).await?;
        let addr = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let script = Arc::new(script);
        let task = Task::spawn(serve(listener, security, Arc::clone(&seen), script));
        Ok(Self { addr, seen, _task: task })
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

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.seen.records().len()
    }

    /// What each connection has received and its script has read, in the order of accepting.
    #[must_use]
    pub fn received(&self) -> Vec<Bytes> {
        self.seen.records().iter().map(Record::bytes).collect()
    }

    /// How often `text` stands in what was received, over all connections.
    #[must_use]
    pub fn count_of(&self, text: &str) -> usize {
        let received = self.received();
        received.iter().map(|bytes| String::from_utf8_lossy(bytes).matches(text).count()).sum()
    }

    /// The errors with which scripts ended. A peer that left is one of them.
    #[must_use]
    pub fn script_errors(&self) -> Vec<String> {
        lock(&self.seen.errors).clone()
    }
}

impl Seen {
    fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        lock(&self.records)
    }
}

/// A test that panicked while it looked has changed nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve<S, F>(listener: TcpListener, security: Security, seen: Arc<Seen>, script: Arc<S>)
where
    S: Fn(RawConnection) -> F + Send + Sync + 'static,
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    // Owns the scripts: they end with the upstream.
    let mut scripts = JoinSet::new();
    loop {
        let (stream, _) = accept(&listener).await;
        while scripts.try_join_next().is_some() {}
        let record = Record::default();
        let index = {
            let mut records = seen.records();
            records.push(record.clone());
            records.len() - 1
        };
        let (security, seen, script) = (security.clone(), Arc::clone(&seen), Arc::clone(&script));
        scripts.spawn(async move {
            let run = async {
                let stream = security.secure(Stream::Tcp(stream)).await?;
                script(RawConnection::new(stream, index, record)).await
            };
            if let Err(error) = run.await {
                lock(&seen.errors).push(format!("connection {index}: {error}"));
            }
        });
    }
}
