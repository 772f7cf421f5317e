//! The listener that runs a script for each connection.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::RawConnection;
use crate::task::Task;
use crate::wire::{Record, accept};

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
        S: Fn(RawConnection) -> F + Send + 'static,
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let task = Task::spawn(serve(listener, Arc::clone(&seen), script));
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

async fn serve<S, F>(listener: TcpListener, seen: Arc<Seen>, script: S)
where
    S: Fn(RawConnection) -> F,
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
        let run = script(RawConnection::new(stream, index, record));
        let seen = Arc::clone(&seen);
        scripts.spawn(async move {
            if let Err(error) = run.await {
                lock(&seen.errors).push(format!("connection {index}: {error}"));
            }
        });
    }
}
