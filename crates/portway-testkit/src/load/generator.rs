//! The connections and what they ask.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Tally;
use crate::client::{Client, Response};
use crate::deadline::{DEADLINE, eventually, within};

/// After a failure a connection rests, so that a server that is gone is not asked in a spin.
const REST: Duration = Duration::from_millis(5);

type MakeRequest = dyn Fn(u64) -> Request<Full<Bytes>> + Send + Sync;
type Check = dyn Fn(&Response) -> Result<(), String> + Send + Sync;

/// A load that has not started.
pub struct Load {
    addr: SocketAddr,
    connections: usize,
    request: Box<MakeRequest>,
    check: Box<Check>,
}

/// A load that is under way. It ends on drop, in the middle of its requests.
pub struct RunningLoad {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    connections: JoinSet<()>,
}

struct Shared {
    load: Load,
    asked: AtomicU64,
    tally: Mutex<Tally>,
}

impl Load {
    /// One connection to an address that gets `/` and expects a status of 2xx.
    #[must_use]
    pub fn on(addr: SocketAddr) -> Self {
        let request = Box::new(|_| Request::new(Full::default()));
        Self { addr, connections: 1, request, check: Box::new(succeeded) }
    }

    /// So many connections at a time.
    #[must_use]
    pub fn connections(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    /// What to ask; the number counts the requests of all connections from 0.
    #[must_use]
    pub fn request(
        self,
        request: impl Fn(u64) -> Request<Full<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        Self { request: Box::new(request), ..self }
    }

    /// What to expect of an answer, in the place of a status of 2xx. The error names what is
    /// wrong; failures are counted by it.
    #[must_use]
    pub fn check(
        self,
        check: impl Fn(&Response) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self { check: Box::new(check), ..self }
    }

    /// Starts asking.
    #[must_use = "it ends on drop"]
    pub fn start(self) -> RunningLoad {
        let (stop, stopping) = watch::channel(false);
        let mut connections = JoinSet::new();
        let (asked, tally) = (AtomicU64::new(0), Mutex::default());
        let shared = Arc::new(Shared { load: self, asked, tally });
        for _ in 0..shared.load.connections {
            connections.spawn(ask(Arc::clone(&shared), stopping.clone()));
        }
        RunningLoad { shared, stop, connections }
    }
}

impl RunningLoad {
    /// The tally so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.shared.with_tally(|tally| tally.clone())
    }

    /// Waits until so many requests more have come to an end, well or not.
    pub async fn wait_for(&self, requests: u64) -> io::Result<()> {
        let ended = || self.shared.with_tally(|tally| tally.ok + tally.failed());
        let goal = ended() + requests;
        eventually(&format!("{requests} requests more came to an end"), || ended() >= goal).await
    }

    /// Lets each connection finish its request, then stops and counts.
    pub async fn stop(mut self) -> io::Result<Tally> {
        self.stop.send_replace(true);
        let finished = async {
            while let Some(result) = self.connections.join_next().await {
                // A panic in the closures of a test is the test's.
                result.map_err(io::Error::other)?;
            }
            Ok(())
        };
        // A request may take its own deadline to fail.
        within(DEADLINE * 2, "end of the load", finished).await?;
        Ok(self.tally())
    }
}

impl Shared {
    fn with_tally<T>(&self, look: impl FnOnce(&mut Tally) -> T) -> T {
        look(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One connection.
async fn ask(shared: Arc<Shared>, stopping: watch::Receiver<bool>) {
    let client = Client::h1(shared.load.addr);
    let mut made = 1;
    while !*stopping.borrow() {
        let number = shared.asked.fetch_add(1, Ordering::Relaxed);
        let result = match client.request((shared.load.request)(number)).await {
            Ok(response) => (shared.load.check)(&response),
            Err(error) => Err(reason(&error)),
        };
        let failed = result.is_err();
        let again = client.connections().max(1) - made;
        made += again;
        shared.with_tally(|tally| {
            tally.count(result);
            tally.closed_connections += again;
        });
        if failed {
            tokio::time::sleep(REST).await;
        }
    }
}

fn succeeded(response: &Response) -> Result<(), String> {
    if response.status.is_success() { Ok(()) } else { Err(format!("status {}", response.status)) }
}

/// An error with all its causes, and without what differs from one request to the next.
fn reason(error: &io::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.get_ref().and_then(|inner| inner.source());
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = Error::source(error);
    }
    text
}
