//! A data-plane thread with a runtime of its own.

use std::{collections::HashMap, io, sync::Arc, thread, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

use super::Shard;
use crate::{
    driver::Closing,
    listen::{Accepting, Crowd, accept},
    snapshot::ListenerId,
};

/// How often idle upstream connections are looked through.
const SWEEP: Duration = Duration::from_secs(1);

/// A core as the control runtime sees it.
pub(crate) struct Core {
    pub(crate) shard: Arc<Shard>,
    commands: mpsc::UnboundedSender<Command>,
    thread: thread::JoinHandle<()>,
}

/// A listener to be opened on a core.
pub(crate) struct Opening {
    pub(crate) listener: ListenerId,
    pub(crate) socket: std::net::TcpListener,
    pub(crate) crowd: Arc<Crowd>,
    pub(crate) passed: mpsc::UnboundedReceiver<std::net::TcpStream>,
}

enum Command {
    Open(Opening, oneshot::Sender<io::Result<()>>),
    Close(ListenerId, oneshot::Sender<()>),
}

impl Core {
    /// Starts the thread. It serves nothing until a listener is opened on it.
    pub(crate) fn start(number: usize, shard: Arc<Shard>) -> io::Result<Self> {
        let (commands, orders) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let own = Arc::clone(&shard);
        let thread = thread::Builder::new()
            .name(format!("portway-core-{number}"))
            .spawn(move || runtime.block_on(serve(number, own, orders)))?;
        Ok(Self { shard, commands, thread })
    }

    /// Begins to accept from a socket.
    pub(crate) async fn open(&self, opening: Opening) -> io::Result<()> {
        let (done, opened) = oneshot::channel();
        let gone = || io::Error::other("the core has ended");
        self.commands.send(Command::Open(opening, done)).map_err(|_| gone())?;
        opened.await.map_err(|_| gone())?
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
}

async fn serve(number: usize, shard: Arc<Shard>, mut orders: mpsc::UnboundedReceiver<Command>) {
    let mut listeners: HashMap<ListenerId, Running> = HashMap::new();
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                None => return,
                Some(Command::Open(opening, done)) => {
                    let _ = done.send(open(number, &shard, opening, &mut listeners));
                }
                Some(Command::Close(id, done)) => {
                    if let Some(running) = listeners.remove(&id) {
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

fn open(
    number: usize,
    shard: &Arc<Shard>,
    opening: Opening,
    listeners: &mut HashMap<ListenerId, Running>,
) -> io::Result<()> {
    let Opening { listener, socket, crowd, passed } = opening;
    let port = socket.local_addr()?.port();
    let socket = TcpListener::from_std(socket)?;
    let (stop, stopped) = watch::channel(false);
    let accepting = Accepting {
        shard: Arc::clone(shard),
        listener,
        port,
        crowd,
        core: number,
        closing: Arc::<Closing>::default(),
    };
    let task = tokio::spawn(accept(accepting, socket, passed, stopped));
    listeners.insert(listener, Running { stop, task });
    Ok(())
}
