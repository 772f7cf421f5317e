//! One core accepting from its socket of one listener.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::BytesMut;
use http::Request;
use portway_http1::limits::HeadLimits;
use portway_plugin::{Body, Error, Response, Side};
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use super::{
    Acceptor, Crowd, Passed, Presence,
    greet::{Guest, Newcomer},
    visit::{Whose, visit},
};
use crate::{
    descriptors,
    driver::{ClientLine, Closing, Serve, ServerOptions, serve},
    exchange::refused,
    forward::Peer,
    gateway::{self, Arrival},
    layer4::{self, Caller},
    server::Shard,
    snapshot::{ListenerId, ListenerPlan, View},
    socket::Stream,
    telemetry::metrics::{ListenerCells, Refusal},
};

/// How long accepting rests when the process has no file descriptors left.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

/// What accepting for one listener on one core needs.
pub(crate) struct Accepting {
    pub(crate) shard: Arc<Shard>,
    pub(crate) listener: ListenerId,
    pub(crate) port: u16,
    pub(crate) crowd: Arc<Crowd>,
    pub(crate) core: usize,
    /// Tells this core's connections of the listener to leave.
    pub(crate) closing: Arc<Closing>,
}

/// Accepts from `socket`, and what other cores pass on through `doors`, until `stop` says so; then
/// what the socket's queue still holds is accepted and served, and the socket is closed.
pub(crate) async fn accept(
    this: Accepting,
    socket: Acceptor,
    mut doors: mpsc::UnboundedReceiver<Passed>,
    mut stop: watch::Receiver<bool>,
) {
    // What was accepted and still waits for room: other cores may have been faster.
    let mut waiting = None;
    loop {
        let next = async {
            if waiting.is_none() {
                this.room().await;
                waiting = Some(socket.accept().await?);
            }
            this.room().await;
            if let Some((stream, _)) = &mut waiting {
                spared(stream).await?;
            }
            io::Result::Ok(())
        };
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(passed) = doors.recv() => this.take_over(passed),
            came = next => match came {
                Ok(()) => waiting.take().into_iter().for_each(|(s, peer)| this.place(s, peer)),
                Err(error) => this.failed(&error).await,
            },
        }
    }
    if let Some((stream, peer)) = waiting {
        this.spawn(stream, peer, this.crowd.enter(this.core));
    }
    this.empty(socket);
    doors.close();
    while let Some(passed) = doors.recv().await {
        this.take_over(passed);
    }
    this.closing.close();
}

impl Accepting {
    /// Waits until the listener may have one more connection.
    async fn room(&self) {
        let limit = || self.shard.view().snapshot.listener(self.listener)?.max_connections;
        self.crowd.below(limit).await;
    }

    /// Serves a new connection here, or passes it on.
    fn place(&self, stream: Stream, peer: SocketAddr) {
        let core = self.crowd.place_for(self.core);
        if core == self.core {
            self.spawn(stream, peer, self.crowd.enter(core));
            return;
        }
        match stream.into_std().and_then(|stream| match self.crowd.pass(core, stream) {
            Ok(()) => Ok(None),
            Err(refused) => refused.into_tokio().map(Some),
        }) {
            Ok(None) => {}
            Ok(Some(stream)) => self.spawn(stream, peer, self.crowd.enter(self.core)),
            Err(error) => tracing::warn!(%error, "a connection could not be passed on"),
        }
    }

    /// Serves what the queue of a socket still holds, and closes the socket.
    fn empty(&self, socket: Acceptor) {
        for stream in socket.into_queue() {
            self.take_over((stream, self.crowd.enter(self.core)));
        }
    }

    fn take_over(&self, (stream, presence): Passed) {
        let stream = stream.into_tokio();
        match stream.and_then(|stream| Ok((stream.peer_addr()?, stream))) {
            Ok((peer, stream)) => self.spawn(stream, peer, presence),
            Err(error) => tracing::debug!(%error, "a connection left before it was served"),
        }
    }

    fn spawn(&self, stream: Stream, peer: SocketAddr, presence: Presence) {
        let view = self.shard.view();
        let Some(listener) = view.snapshot.listener(self.listener) else { return };
        // A peer that is gone already is noticed at the first read.
        let _ = stream.set_nodelay(listener.nodelay);
        let cells = self.shard.cells.listener(&listener.name);
        let door = Door {
            shard: Arc::clone(&self.shard),
            listener: self.listener,
            closing: Arc::clone(&self.closing),
            counted: Counted::new(cells),
        };
        let unknown = (Ipv4Addr::UNSPECIFIED, self.port).into();
        let local = stream.local_addr().unwrap_or(unknown);
        let newcomer = Newcomer { stream, peer, local, presence };
        if listener.is_greeted() {
            tokio::spawn(door.greet(newcomer, view));
        } else {
            let guest = newcomer.plain(BytesMut::new());
            tokio::spawn(door.serve(guest, listener.server, listener.max_requests, false));
        }
    }

    async fn failed(&self, error: &io::Error) {
        match error.raw_os_error() {
            // EMFILE, ENFILE, ENOBUFS, ENOMEM: it will not get better by asking again at once.
            Some(24 | 23 | 105 | 12) => {
                tracing::warn!(%error, "accepting rests");
                sleep(OUT_OF_DESCRIPTORS).await;
            }
            // The peer left while it was queued.
            _ => tracing::debug!(%error, "a connection could not be accepted"),
        }
    }
}

/// What becomes of a TLS client.
enum Heard {
    /// Its TLS is ended here.
    Ours,
    /// It is passed on by this plan, for this name.
    Passed(usize, Option<Box<str>>),
    /// It is over, and was counted.
    Nothing,
}

/// The way from a listener to the requests of one connection.
struct Door {
    shard: Arc<Shard>,
    listener: ListenerId,
    closing: Arc<Closing>,
    counted: Counted,
}

impl Door {
    /// Takes a newcomer as far as what its listener speaks, and serves it.
    async fn greet(self, mut newcomer: Newcomer, view: Arc<View>) {
        let Some(listener) = view.snapshot.listener(self.listener) else { return };
        let cells = &self.counted.0;
        let introduced = tokio::select! {
            introduced = newcomer.introduce(listener, cells) => introduced,
            () = self.closing.told() => return,
        };
        let Some(mut read) = introduced else { return };
        if !listener.protocol.is_http() {
            drop(view);
            return layer4::serve(self.caller(newcomer, read)).await;
        }
        if !listener.protocols.is_empty() {
            match newcomer.look(&mut read, listener, cells, &self.closing).await {
                Whose::Gateway => {}
                Whose::Nobody => return,
                Whose::Program(protocol) => {
                    let (name, life) = (listener.name.clone(), Arc::clone(&listener.life));
                    let idle = listener.server.idle;
                    // The connection may outlive many revisions.
                    drop(view);
                    let core = (Arc::clone(&self.shard), Arc::clone(&self.closing));
                    let visiting = visit(newcomer, read, protocol, core, (name, life), idle);
                    // On the heap: others would carry its weight.
                    return Box::pin(visiting).await;
                }
            }
        }
        if listener.tls.is_some() && view.snapshot.streams.has_any(self.listener) {
            match self.heard(&newcomer, &mut read, listener, &view).await {
                Heard::Ours => {}
                Heard::Nothing => return,
                Heard::Passed(plan, name) => {
                    let caller = self.caller(newcomer, read);
                    return Box::pin(layer4::pass_through(caller, view, plan, name)).await;
                }
            }
        }
        let greeting = newcomer.greet(read, listener, &view, cells);
        let guest = tokio::select! {
            // On the heap: a handshake weighs much and is soon over.
            guest = Box::pin(greeting) => guest,
            () = self.closing.told() => return,
        };
        let Some(guest) = guest else { return };
        let (options, max_requests) = (listener.server, listener.max_requests);
        let strict = listener.strict;
        // The connection may outlive many revisions.
        drop(view);
        self.serve(guest, options, max_requests, strict).await;
    }

    /// Whether a client asks for a name whose TLS is passed on unopened.
    async fn heard(
        &self,
        newcomer: &Newcomer,
        read: &mut BytesMut,
        listener: &ListenerPlan,
        view: &View,
    ) -> Heard {
        let patience = listener.server.header_read.unwrap_or(Duration::MAX);
        let heard = tokio::select! {
            heard = timeout(patience, layer4::hear(&newcomer.stream, read)) => heard,
            () = self.closing.told() => return Heard::Nothing,
        };
        match heard {
            Err(_) => {
                self.counted.0.refused(Refusal::FirstBytesTimeout);
                Heard::Nothing
            }
            // What is no TLS is told so by who ends it.
            Ok(Err(_)) => Heard::Ours,
            Ok(Ok(hello)) => {
                let name = hello.name;
                match view.passthrough(self.listener, name.as_deref()) {
                    Some(plan) => Heard::Passed(plan, name),
                    None => Heard::Ours,
                }
            }
        }
    }

    fn caller(&self, newcomer: Newcomer, read: BytesMut) -> Caller {
        let Newcomer { stream, peer, local, presence } = newcomer;
        Caller {
            shard: Arc::clone(&self.shard),
            listener: self.listener,
            stream,
            client: peer,
            local,
            read,
            closing: Arc::clone(&self.closing),
            presence,
        }
    }

    async fn serve(
        self,
        guest: Guest,
        options: ServerOptions,
        max_requests: Option<u32>,
        strict: bool,
    ) {
        let Guest { wire, read, protocol, peer } = guest;
        let connection = Connection {
            shard: self.shard,
            listener: self.listener,
            peer: Arc::clone(&peer),
            closing: Arc::clone(&self.closing),
            left: max_requests.map(|max| Arc::new(max.into())),
        };
        let serving = serve(wire, read, protocol, options, &self.closing, connection);
        if strict {
            peer.can_hang_up();
            tokio::select! {
                () = serving => {}
                () = peer.hung_up() => {}
            }
        } else {
            drop(peer);
            serving.await;
        }
    }
}

/// What each request of a connection is served with.
#[derive(Clone)]
struct Connection {
    shard: Arc<Shard>,
    listener: ListenerId,
    peer: Arc<Peer>,
    closing: Arc<Closing>,
    /// The requests left before it is closed, where there is a limit.
    left: Option<Arc<AtomicU32>>,
}

impl Serve for Connection {
    type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn serve(&self, request: Request<Body>, line: ClientLine) -> Self::Answer {
        let used_up = self.left.as_ref().is_some_and(|left| left.fetch_sub(1, Relaxed) <= 1);
        if used_up || self.closing.is_closed() || self.shard.is_draining() {
            line.last();
        }
        let arrival = Arrival { peer: Arc::clone(&self.peer), listener: self.listener, line };
        Box::pin(gateway::serve(Arc::clone(&self.shard), arrival, request))
    }

    fn refuse(&self, error: &Error) -> Response {
        refused(&self.shard, self.listener, &self.peer, error)
    }

    fn flooded(&self) {
        self.shard.cells.error("http2_flood", Side::Client);
    }

    fn head_limits(&self) -> Option<HeadLimits> {
        Some(self.shard.view().snapshot.listener(self.listener)?.server.head)
    }
}

/// Counts a connection in the metrics.
struct Counted(Arc<ListenerCells>);

impl Counted {
    fn new(cells: Arc<ListenerCells>) -> Self {
        cells.opened();
        Self(cells)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.closed();
    }
}

/// Waits until traffic may have a descriptor, and gives it to the connection.
async fn spared(stream: &mut Stream) -> io::Result<()> {
    while descriptors::is_reserved(stream) {
        tracing::warn!("few file descriptors are left: accepting rests");
        sleep(OUT_OF_DESCRIPTORS).await;
        *stream = stream.renumbered()?;
    }
    Ok(())
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the core has forgotten the listener.
    let _ = stop.wait_for(|stop| *stop).await;
}
