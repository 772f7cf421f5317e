//! Datagrams that are passed on: one socket per core, and a session for each client's address.
//!
//! A session has a socket of its own towards the endpoint, so that answers find their way back,
//! and ends when it was quiet for a while: nobody says good-bye over UDP. The kernel sends the
//! datagrams of one client to one core; when listeners come or go it may choose another one, where
//! a session begins anew. Nothing is queued here: what the kernel has no room for is dropped and
//! counted, as it is on the way.

mod session;
mod table;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use portway_config::ListenerProtocol;
use tokio::{
    net::UdpSocket,
    sync::{Notify, watch},
    task::{JoinSet, coop::consume_budget},
    time::{Instant, timeout_at},
};

use self::{
    session::{Session, SessionGone},
    table::Table,
};
use super::Account;
use crate::{
    listen::Crowd,
    server::Shard,
    snapshot::{ListenerId, Plan, View},
    telemetry::metrics::{ListenerCells, Refusal, StreamEnd},
    upstream::Dialled,
};

/// The most sessions of one listener, over all cores.
const MOST_SESSIONS: u32 = 65_536;

/// The most datagrams that are taken in a row before others have their turn.
const ROW: usize = 64;

/// How long a listener that closes waits for answers that are on their way.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// What receiving for one listener on one core needs.
pub(crate) struct Receiving {
    pub(crate) shard: Arc<Shard>,
    pub(crate) listener: ListenerId,
    pub(crate) crowd: Arc<Crowd>,
    pub(crate) core: usize,
}

/// Passes on what comes to `socket`, until `stop` says so; then answers may still come for a
/// moment, and the socket is closed with all its sessions.
pub(crate) async fn datagrams(this: Receiving, socket: UdpSocket, mut stop: watch::Receiver<bool>) {
    let cells = match this.shard.view().snapshot.listener(this.listener) {
        Some(listener) => this.shard.cells.listener(&listener.name),
        None => return,
    };
    let home = Arc::new(Home { socket, cells, unanswered: Unanswered::default() });
    let mut desk = Desk { this, home, table: Table::default(), tasks: JoinSet::new(), revision: 0 };
    loop {
        tokio::select! {
            biased;
            // An error means that the core has forgotten the listener.
            _ = stop.wait_for(|stop| *stop) => break,
            Some(ended) = desk.tasks.join_next() => desk.table.forget(ended.ok().as_ref()),
            ready = desk.home.socket.readable() => desk.receive(&ready, true),
        }
        consume_budget().await;
    }
    desk.close().await;
}

/// What the sessions of one socket share.
struct Home {
    socket: UdpSocket,
    cells: Arc<ListenerCells>,
    unanswered: Unanswered,
}

/// How many sessions wait for an answer.
#[derive(Default)]
struct Unanswered {
    count: AtomicUsize,
    none: Notify,
}

/// One core's sessions of one listener.
struct Desk {
    this: Receiving,
    home: Arc<Home>,
    table: Table,
    tasks: JoinSet<Arc<Session>>,
    /// The revision by which the sessions were begun, or looked through.
    revision: u64,
}

impl Desk {
    /// Passes on what has come. `fresh` says whether sessions are begun.
    fn receive(&mut self, ready: &io::Result<()>, fresh: bool) {
        if ready.is_err() {
            return;
        }
        let shard = Arc::clone(&self.this.shard);
        self.look_through(&shard.view());
        for _ in 0..ROW {
            let more = shard.scratch.with(|buffer| match self.home.socket.try_recv_from(buffer) {
                Ok((length, client)) => {
                    self.pass_on(client, &buffer[..length], fresh);
                    true
                }
                Err(_) => false,
            });
            if !more {
                return;
            }
        }
    }

    /// After a change of the configuration, clients whose route goes elsewhere begin anew with
    /// their next datagram. Answers to what they said before still find their way.
    fn look_through(&mut self, view: &View) {
        let snapshot = &view.snapshot;
        if snapshot.revision == self.revision {
            return;
        }
        self.revision = snapshot.revision;
        let plan = snapshot.streams.unnamed(self.this.listener).map(|plan| &snapshot.plans[plan]);
        let destinations = plan.map(Plan::destinations).unwrap_or_default();
        self.table.retain(|session| {
            destinations.iter().any(|to| Arc::ptr_eq(&view.lanes[to.upstream], &session.lane))
        });
    }

    fn pass_on(&mut self, client: SocketAddr, datagram: &[u8], fresh: bool) {
        if let Some(session) = self.table.get(client) {
            match session.send(datagram) {
                Ok(()) => return,
                // What was sent before has come back: this one may have more luck elsewhere.
                Err(SessionGone) => self.table.remove(client),
            }
        }
        if !fresh {
            return;
        }
        if let Some(session) = self.begin(client) {
            // A session that has just begun has heard of no failure.
            let _ = session.send(datagram);
        }
    }

    /// Begins a session, if there may be one more.
    fn begin(&mut self, client: SocketAddr) -> Option<Arc<Session>> {
        let Receiving { shard, listener, crowd, core } = &self.this;
        let view = shard.view();
        let cells = &self.home.cells;
        let plan = view.snapshot.listener(*listener).zip(view.snapshot.streams.unnamed(*listener));
        let Some((listener, plan)) = plan else {
            cells.refused(Refusal::NoRoute);
            return None;
        };
        let most = listener.max_connections.unwrap_or(MOST_SESSIONS).min(MOST_SESSIONS);
        if crowd.open() >= most {
            let Some(quiet) = self.table.quiet() else {
                cells.refused(Refusal::TooManySessions);
                return None;
            };
            quiet.end(StreamEnd::Evicted);
            self.table.forget(Some(&quiet));
        }
        let mut account = Account::begun(shard, client, ListenerProtocol::Udp, listener);
        account.take(&view, plan);
        let Some((lane, stages)) = account.destination() else {
            account.unreachable(None);
            return None;
        };
        let Dialled { socket, held } = match lane.dial_datagrams(client.ip(), &mut account.tries) {
            Ok(dialled) => dialled,
            Err(error) => {
                account.unreachable(Some(&error));
                return None;
            }
        };
        let passed = Arc::clone(&account.passed);
        let home = Arc::clone(&self.home);
        let session = Arc::new(Session::new(client, lane, socket, home, passed));
        let presence = crowd.enter(*core);
        let run = Arc::clone(&session).run(account, stages.idle, (held, presence));
        self.tasks.spawn(run);
        self.table.insert(&session);
        Some(session)
    }

    /// Ends all sessions, after a moment for the answers that are on their way.
    async fn close(mut self) {
        let deadline = Instant::now() + LAST_ANSWERS;
        while self.home.unanswered.count.load(Relaxed) > 0 {
            let home = Arc::clone(&self.home);
            let next = async {
                tokio::select! {
                    () = home.unanswered.none.notified() => None,
                    ready = home.socket.readable() => Some(ready),
                }
            };
            match timeout_at(deadline, next).await {
                Ok(None) => {}
                Ok(Some(ready)) => self.receive(&ready, false),
                Err(_) => break,
            }
            consume_budget().await;
        }
        self.table.all().for_each(|session| session.leave());
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Unanswered {
    fn add(&self) {
        self.count.fetch_add(1, Relaxed);
    }

    fn sub(&self) {
        if self.count.fetch_sub(1, Relaxed) == 1 {
            self.none.notify_one();
        }
    }
}
