//! One client's datagrams and the answers to them.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use socket2::SockRef;
use tokio::{io::Interest, net::UdpSocket, sync::Notify, task::coop::consume_budget};

use super::{Home, ROW};
use crate::{
    layer4::{Account, both_ways::Passed, idle::Movement, scratch::Scratch},
    listen::Presence,
    telemetry::metrics::{DatagramLoss, StreamEnd},
    upstream::{Held, Lane},
};

/// A client, and the socket by which an endpoint hears of it.
pub(super) struct Session {
    pub(super) client: SocketAddr,
    /// The service it goes to.
    pub(super) lane: Arc<Lane>,
    upstream: UdpSocket,
    home: Arc<Home>,
    passed: Arc<Passed>,
    movement: Movement,
    /// Whether anything has passed since somebody looked for a session to end.
    used: AtomicBool,
    /// Whether the client was the last one to say something.
    unanswered: AtomicBool,
    /// How it is to end, or has.
    verdict: OnceLock<StreamEnd>,
    told: Notify,
}

/// The endpoint takes no datagrams of this session any more.
pub(super) struct SessionGone;

impl Session {
    pub(super) fn new(
        client: SocketAddr,
        lane: Arc<Lane>,
        upstream: UdpSocket,
        home: Arc<Home>,
        passed: Arc<Passed>,
    ) -> Self {
        home.cells.opened();
        Self {
            client,
            lane,
            upstream,
            home,
            passed,
            movement: Movement::default(),
            used: AtomicBool::new(true),
            unanswered: AtomicBool::new(false),
            verdict: OnceLock::new(),
            told: Notify::new(),
        }
    }

    /// Passes a datagram of the client on. It is sent at once or not at all: the runtime is not
    /// asked whether there is room, because it does not know new sockets yet.
    pub(super) fn send(&self, datagram: &[u8]) -> Result<(), SessionGone> {
        if self.verdict.get().is_some() {
            return Err(SessionGone);
        }
        self.note();
        match SockRef::from(&self.upstream).send(datagram) {
            Ok(length) => {
                self.passed.from_client.fetch_add(length as u64, Relaxed);
                if !self.unanswered.swap(true, Relaxed) {
                    self.home.unanswered.add();
                }
            }
            Err(error) if is_gone(&error) => {
                self.end(StreamEnd::UpstreamReset);
                return Err(SessionGone);
            }
            Err(error) => self.home.cells.lost(loss(&error)),
        }
        Ok(())
    }

    /// Ends it. What was said first counts.
    pub(super) fn end(&self, end: StreamEnd) {
        let _ = self.verdict.set(end);
        self.told.notify_one();
    }

    /// Ends it because its listener closes.
    pub(super) fn leave(&self) {
        let cut = self.unanswered.load(Relaxed);
        self.end(if cut { StreamEnd::Cut } else { StreamEnd::Closed });
    }

    /// Whether nothing has passed since this was asked last.
    pub(super) fn is_quiet(&self) -> bool {
        !self.used.swap(false, Relaxed)
    }

    pub(super) fn is_over(&self) -> bool {
        self.verdict.get().is_some()
    }

    /// Passes answers back until it ends. `_held` is let go then.
    pub(super) async fn run(
        self: Arc<Self>,
        mut account: Account,
        idle: Option<Duration>,
        _held: (Held, Presence),
    ) -> Arc<Self> {
        let removed = account.removed();
        let end = self.answers(&account.shard.scratch, idle, removed).await;
        account.end(*self.verdict.get_or_init(|| end));
        if self.unanswered.swap(false, Relaxed) {
            self.home.unanswered.sub();
        }
        self
    }

    async fn answers(
        &self,
        scratch: &Scratch,
        idle: Option<Duration>,
        removed: impl Future<Output = ()>,
    ) -> StreamEnd {
        let mut removed = std::pin::pin!(removed);
        let mut quiet = std::pin::pin!(self.movement.ceased(idle));
        loop {
            tokio::select! {
                biased;
                // What it was told stands in the verdict.
                () = self.told.notified() => return StreamEnd::Cut,
                () = &mut removed => return StreamEnd::Cut,
                ready = self.upstream.ready(Interest::READABLE | Interest::ERROR) => {
                    if ready.is_err() || self.has_failed() || self.answer(scratch).is_err() {
                        return StreamEnd::UpstreamReset;
                    }
                }
                () = &mut quiet => return StreamEnd::Idle,
            }
            consume_budget().await;
        }
    }

    /// Whether an ICMP message says that the endpoint is gone. It makes nothing readable, and
    /// counts as told once it was looked at.
    fn has_failed(&self) -> bool {
        let told = self.upstream.try_io(Interest::ERROR, || {
            let error = SockRef::from(&self.upstream).take_error()?;
            error.filter(is_gone).ok_or_else(|| io::ErrorKind::WouldBlock.into())
        });
        told.is_ok()
    }

    /// Passes back what has come. An error says that the endpoint is gone.
    fn answer(&self, scratch: &Scratch) -> Result<(), SessionGone> {
        for _ in 0..ROW {
            let more = scratch.with(|buffer| match self.upstream.try_recv(buffer) {
                Ok(length) => {
                    self.send_back(&buffer[..length]);
                    Ok(true)
                }
                Err(error) if is_gone(&error) => Err(SessionGone),
                Err(error) => Ok(error.kind() != io::ErrorKind::WouldBlock),
            });
            if !more? {
                break;
            }
        }
        Ok(())
    }

    fn send_back(&self, datagram: &[u8]) {
        self.note();
        if self.unanswered.swap(false, Relaxed) {
            self.home.unanswered.sub();
        }
        match SockRef::from(&self.home.socket).send_to(datagram, &self.client.into()) {
            Ok(length) => {
                self.passed.to_client.fetch_add(length as u64, Relaxed);
            }
            Err(error) => self.home.cells.lost(loss(&error)),
        }
    }

    fn note(&self) {
        self.movement.note();
        self.used.store(true, Relaxed);
    }
}

#[cfg(test)]
use crate::upstream::Upstream;

#[cfg(test)]
impl Session {
    /// A session that talks to nobody who would answer.
    pub(super) async fn for_tests(client: SocketAddr) -> Self {
        let [socket, upstream, other] = [
            UdpSocket::bind("127.0.0.1:0").await.expect("loopback can be bound"),
            UdpSocket::bind("127.0.0.1:0").await.expect("loopback can be bound"),
            UdpSocket::bind("127.0.0.1:0").await.expect("loopback can be bound"),
        ];
        upstream.connect(other.local_addr().expect("bound")).await.expect("an address");
        let home = Home { socket, cells: Arc::default(), unanswered: super::Unanswered::default() };
        let service = portway_config::Service::new("up".parse().expect("a name"), Vec::new());
        let resolver = crate::resolve::Resolver::new(
            &portway_config::Config::default().resolver,
            tokio::runtime::Handle::current(),
        );
        let balancers = portway_config::balance::Balancers::default();
        let upstream_of = Upstream::new(&service, None, &resolver, (&balancers, None), None);
        let lane = Lane::new(upstream_of, Arc::default());
        Self::new(client, lane, upstream, home.into(), Arc::default())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.home.cells.closed();
    }
}

/// Whether an ICMP message has told that nobody takes what was sent.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
    )
}

fn loss(error: &io::Error) -> DatagramLoss {
    match error.raw_os_error() {
        // EMSGSIZE
        Some(90) => DatagramLoss::TooLong,
        // EAGAIN, ENOBUFS
        Some(11 | 105) => DatagramLoss::QueueFull,
        _ => DatagramLoss::Unsent,
    }
}
