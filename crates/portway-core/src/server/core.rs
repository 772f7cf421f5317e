//! A data-plane thread with a runtime of its own.

use std::{
    collections::HashMap,
    io,
    os::fd::{AsFd as _, OwnedFd},
    sync::Arc,
    thread,
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    runtime::{self, Handle},
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

use super::Shard;
use crate::{
    driver::Closing,
    layer4::{Receiving, datagrams},
    listen::{Accepting, Acceptor, Crowd, Listening, Passed, Terms, accept},
    snapshot::ListenerId,
};

/// How often idle upstream connections are looked through.
const SWEEP: Duration = Duration::from_secs(1);

/// A core as the control runtime sees it.
pub(crate) struct Core {
    pub(crate) shard: Arc<Shard>,
    runtime: Handle,
    commands: mpsc::UnboundedSender<Command>,
    thread: thread::JoinHandle<()>,
}

/// A listener to be opened on a core.
pub(crate) struct Opening {
    pub(crate) listener: ListenerId,
    pub(crate) socket: Acceptor,
    pub(crate) port: u16,
    pub(crate) crowd: Arc<Crowd>,
    pub(crate) passed: mpsc::UnboundedReceiver<Passed>,
}

enum Command {
    Open(Opening),
    Tune(ListenerId, Box<[Terms; 2]>),
    Close(ListenerId, oneshot::Sender<()>),
}

impl Core {
    /// Starts the thread. It serves nothing until a listener is opened on it.
    pub(crate) fn start(number: usize, shard: Arc<Shard>) -> io::Result<Self> {
        let (commands, orders) = mpsc::unbounded_channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let own = Arc::clone(&shard);
        let thread = thread::Builder::new()
            .name(format!("portway-core-{number}"))
            .spawn(move || runtime.block_on(serve(number, own, orders)))?;
        Ok(Self { shard, runtime: handle, commands, thread })
    }

    /// Where its work is done.
    pub(crate) fn runtime(&self) -> Handle {
        self.runtime.clone()
    }

    /// Makes a socket this core's own, as the last step that can fail. Nothing is accepted yet.
    pub(crate) fn adopt(&self, socket: Listening) -> io::Result<Acceptor> {
        let _context = self.runtime.enter();
        Acceptor::from_std(socket)
    }

    /// Begins to accept from a socket that is its own.
    pub(crate) fn open(&self, opening: Opening) {
        if self.commands.send(Command::Open(opening)).is_err() {
            tracing::error!("a core has ended and accepts no more");
        }
    }

    /// Asks the kernel for something else for connections that come from now on.
    pub(crate) fn tune(&self, listener: ListenerId, before: Terms, now: Terms) {
        // A core that has ended accepts none.
        let _ = self.commands.send(Command::Tune(listener, Box::new([before, now])));
    }

    /// Accepts what a listener's queue still holds, closes its socket and asks its connections to
    /// leave. Returns once the socket is closed.
    pub(crate) async fn close(&self, listener: ListenerId) {
        let (done, closed) = oneshot::channel();
        if self.commands.send(Command::Close(listener, done)).is_ok() {
            let _ = closed.await;
        }
    }

    /// Ends the thread. What is still in flight is cut.
    pub(crate) fn stop(self) {
        drop(self.commands);
        if self.thread.join().is_err() {
            tracing::error!("a core panicked");
        }
    }
}

/// A listener while it is accepted from.
struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    /// The socket once more, by which the kernel is asked. It is closed before the other one.
    socket: Option<OwnedFd>,
}

impl Running {
    fn tune(&self, [before, now]: &[Terms; 2]) {
        let tuned = match &self.socket {
            Some(socket) => now.replace(before, &SockRef::from(socket)),
            None => Err(io::Error::other("there was no descriptor left for it")),
        };
        if let Err(error) = tuned {
            tracing::warn!(%error, "a listener goes on with the socket options it had");
        }
    }
}

async fn serve(number: usize, shard: Arc<Shard>, mut orders: mpsc::UnboundedReceiver<Command>) {
    let mut listeners: HashMap<ListenerId, Running> = HashMap::new();
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                None => return,
                Some(Command::Open(opening)) => {
                    let id = opening.listener;
                    listeners.insert(id, open(number, &shard, opening));
                }
                Some(Command::Tune(id, terms)) => {
                    if let Some(running) = listeners.get(&id) {
                        running.tune(&terms);
                    }
                }
                Some(Command::Close(id, done)) => {
                    if let Some(mut running) = listeners.remove(&id) {
                        running.socket = None;
                        running.stop.send_replace(true);
                        // The task ends with the sockets it had left; others go on meanwhile.
                        tokio::spawn(async move {
                            let _ = running.task.await;
                            let _ = done.send(());
                        });
                    }
                }
            },
            _ = sweep.tick() => {
                let now = Instant::now();
                shard.view().lanes.iter().for_each(|lane| lane.sweep(now));
            }
        }
    }
}

fn open(number: usize, shard: &Arc<Shard>, opening: Opening) -> Running {
    let Opening { listener, socket, port, crowd, passed } = opening;
    let (stop, stopped) = watch::channel(false);
    let again = socket.as_fd().try_clone_to_owned().ok();
    let socket = match socket {
        Acceptor::Udp(socket) => {
            let receiving = Receiving { shard: Arc::clone(shard), listener, crowd, core: number };
            let task = tokio::spawn(datagrams(receiving, socket, stopped));
            return Running { stop, task, socket: again };
        }
        socket => socket,
    };
    let accepting = Accepting {
        shard: Arc::clone(shard),
        listener,
        port,
        crowd,
        core: number,
        closing: Arc::<Closing>::default(),
    };
    let task = tokio::spawn(accept(accepting, socket, passed, stopped));
    Running { stop, task, socket: again }
}
