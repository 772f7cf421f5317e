//! One core's idle connections to one upstream.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use smallvec::SmallVec;
use tokio::time::Instant;

use super::{Upstream, endpoint::Address};
use crate::{
    driver::{Connection, Home, Multiplexed},
    socket::Wire,
    telemetry::metrics::ServiceCells,
};

/// POST and its like prefer connections that were idle for less than this: on an older one the
/// upstream is likelier to be just closing it, and they cannot be sent again.
const FRESH: Duration = Duration::from_secs(1);

/// A core's way to an upstream. Its lock is taken by its own core and, once a second, by that
/// core's sweeper: never by another core.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) cells: Arc<ServiceCells>,
    endpoints: Box<[Arc<Idle>]>,
    turn: AtomicUsize,
}

/// The idle connections to one endpoint, by address.
#[derive(Debug)]
pub(super) struct Idle {
    parked: Mutex<SmallVec<[Stack; 1]>>,
    /// Connections that many exchanges share.
    shared: Mutex<Vec<Shared>>,
    /// Held by whoever opens a connection that others are going to share.
    pub(super) dialing: tokio::sync::Mutex<()>,
    /// Nothing but HTTP/1.1 was agreed on when it was last asked.
    pub(super) agreed_on_http1: AtomicBool,
    max_idle: usize,
    keep: Option<Duration>,
    cells: Arc<ServiceCells>,
}

#[derive(Debug)]
struct Stack {
    address: Address,
    /// The newest last: taking the newest lets the others grow old and be closed.
    connections: VecDeque<Parked>,
}

#[derive(Debug)]
struct Parked {
    connection: Counted,
    since: Instant,
}

/// A connection that many exchanges share.
#[derive(Debug)]
struct Shared {
    address: Address,
    connection: Multiplexed,
    /// When an exchange last ended or began, as far as the sweeper knows.
    used: Instant,
    _open: Open,
}

/// A connection that counts as open for as long as it lives.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) connection: Connection,
    open: Open,
}

/// See [`Counted`].
#[derive(Debug)]
pub(super) struct Open(Arc<ServiceCells>);

/// Where a connection returns to.
pub(super) struct Berth {
    idle: Arc<Idle>,
    address: Address,
    open: Open,
}

impl Lane {
    pub(crate) fn new(upstream: Arc<Upstream>, cells: Arc<ServiceCells>) -> Arc<Self> {
        let pool = upstream.pool();
        let idle = || {
            Arc::new(Idle {
                parked: Mutex::default(),
                shared: Mutex::default(),
                dialing: tokio::sync::Mutex::default(),
                agreed_on_http1: AtomicBool::new(false),
                max_idle: upstream.max_idle(),
                keep: pool.idle.limit(),
                cells: Arc::clone(&cells),
            })
        };
        let endpoints = upstream.endpoints.iter().map(|_| idle()).collect();
        Arc::new(Self { endpoints, cells, turn: AtomicUsize::new(0), upstream })
    }

    pub(super) fn idle(&self, endpoint: usize) -> &Arc<Idle> {
        &self.endpoints[endpoint]
    }

    /// Where to begin among an endpoint's addresses, so that all of them are used.
    pub(super) fn turn(&self) -> usize {
        self.turn.fetch_add(1, Relaxed)
    }

    /// Closes connections that have been idle for too long, or that the peer has closed.
    pub(crate) fn sweep(&self, now: Instant) {
        for idle in &self.endpoints {
            idle.sweep(now);
        }
    }
}

impl Idle {
    /// An idle connection to `address` that can take a request.
    pub(super) async fn take(&self, address: Address, repeatable: bool) -> Option<Counted> {
        loop {
            let mut parked = self.newest(address, repeatable)?;
            if poll_fn(|cx| Poll::Ready(parked.connection.is_usable(cx))).await {
                return Some(parked);
            }
        }
    }

    fn newest(&self, address: Address, repeatable: bool) -> Option<Counted> {
        let mut parked = self.lock();
        let stack = parked.iter_mut().find(|stack| stack.address == address)?;
        if !repeatable && stack.connections.back()?.since.elapsed() >= FRESH {
            return None;
        }
        stack.connections.pop_back().map(|parked| parked.connection)
    }

    fn park(&self, address: Address, connection: Counted) {
        if self.max_idle == 0 {
            return;
        }
        let mut all = self.lock();
        let index = all.iter().position(|stack| stack.address == address).unwrap_or_else(|| {
            all.push(Stack { address, connections: VecDeque::new() });
            all.len() - 1
        });
        let connections = &mut all[index].connections;
        // Where there is no room, the oldest goes: were it the one that returns, a crowd that has
        // left its connections behind would make every POST open one of its own (`FRESH`).
        let oldest = match connections.len() < self.max_idle {
            true => None,
            false => connections.pop_front(),
        };
        connections.push_back(Parked { connection, since: Instant::now() });
        drop(all);
        drop(oldest);
    }

    fn sweep(&self, now: Instant) {
        // Nobody is to be woken: a connection that is taken again is polled by its new owner.
        let mut cx = Context::from_waker(Waker::noop());
        let mut parked = self.lock();
        for stack in parked.iter_mut() {
            stack.connections.retain_mut(|parked| {
                let idle = now.saturating_duration_since(parked.since);
                let connection = &mut parked.connection.connection;
                if idle >= FRESH {
                    connection.rest();
                }
                self.keep.is_none_or(|keep| idle < keep) && connection.is_usable(&mut cx)
            });
        }
        parked.retain(|stack| !stack.connections.is_empty());
        drop(parked);
        self.shared().retain_mut(|shared| {
            if shared.connection.active() > 0 {
                shared.used = now;
            }
            let idle = now.saturating_duration_since(shared.used);
            shared.connection.is_open() && self.keep.is_none_or(|keep| idle < keep)
        });
    }

    /// A shared connection to `address` that can take one more exchange.
    pub(super) fn join(&self, address: Address) -> Option<Multiplexed> {
        let mut shared = self.shared();
        shared.retain(|shared| shared.connection.is_open());
        let has_room = |shared: &&Shared| shared.address == address && shared.connection.has_room();
        shared.iter().find(has_room).map(|shared| shared.connection.clone())
    }

    /// Lets others share a connection that was just opened.
    pub(super) fn share(&self, address: Address, connection: Multiplexed) {
        self.cells.opened();
        let _open = Open(Arc::clone(&self.cells));
        self.shared().push(Shared { address, connection, used: Instant::now(), _open });
    }

    /// A shared connection takes no more: the upstream wants it to end.
    pub(super) fn part(&self, connection: &Multiplexed) {
        self.shared().retain(|shared| !shared.connection.is_same(connection));
    }

    fn shared(&self) -> MutexGuard<'_, Vec<Shared>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, SmallVec<[Stack; 1]>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a connection that was just opened.
    pub(super) fn counted(&self, connection: Connection) -> Counted {
        self.cells.opened();
        Counted { connection, open: Open(Arc::clone(&self.cells)) }
    }
}

impl Counted {
    /// The connection, and the place it returns to after its exchange.
    pub(super) fn berth(self, idle: &Arc<Idle>, address: Address) -> (Connection, Berth) {
        (self.connection, Berth { idle: Arc::clone(idle), address, open: self.open })
    }
}

impl std::ops::Deref for Counted {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl std::ops::DerefMut for Counted {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Home<Wire> for Berth {
    fn give_back(self, connection: Connection) {
        let Self { idle, address, open } = self;
        idle.park(address, Counted { connection, open });
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.closed();
    }
}

#[cfg(test)]
mod tests {
    use portway_http1::limits::HeadLimits;
    use tokio::{
        net::{TcpListener, TcpStream},
        time::advance,
    };

    use super::*;
    use crate::socket::Stream;

    /// What a crowd leaves behind must not keep others from using each other's connections.
    #[tokio::test]
    async fn a_pool_full_of_old_connections_takes_new_ones() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let idle = Arc::new(Idle {
            parked: Mutex::default(),
            shared: Mutex::default(),
            dialing: tokio::sync::Mutex::default(),
            agreed_on_http1: AtomicBool::new(false),
            max_idle: 2,
            keep: None,
            cells: Arc::default(),
        });
        let mut accepted = Vec::new();
        let mut open = async || {
            let stream = TcpStream::connect(address).await.unwrap();
            accepted.push(listener.accept().await.unwrap());
            let wire = Wire::Plain(Stream::Tcp(stream));
            idle.counted(Connection::new(wire, HeadLimits::default()))
        };
        let address = Address::Inet(address);
        let (first, second, third) = (open().await, open().await, open().await);
        tokio::time::pause();
        idle.park(address, first);
        idle.park(address, second);
        assert!(idle.take(address, false).await.is_some_and(|taken| {
            idle.park(address, taken);
            true
        }));
        advance(FRESH).await;
        assert!(idle.take(address, false).await.is_none(), "all of them are old");
        idle.park(address, third);
        assert!(idle.take(address, false).await.is_some(), "the one that returned is there");
        assert!(idle.take(address, false).await.is_none(), "the other is old");
        assert!(idle.take(address, true).await.is_some());
        assert!(idle.take(address, true).await.is_none(), "there is room for two");
    }
}
