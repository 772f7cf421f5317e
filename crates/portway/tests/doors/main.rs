//! Ways into a gateway that a program brings itself: routers, routes of the admin API, sources,
//! resources made in Rust. Over real sockets.

mod admin;
mod built;
mod first_steps;
mod router;
mod sources;

use std::net::SocketAddr;

use portway::{Gateway, Handle, Problems};
use portway_testkit::{Client, DEADLINE};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

/// A gateway that serves until it is told to end.
pub(crate) struct Served {
    pub(crate) handle: Handle,
    end: oneshot::Sender<()>,
    serving: JoinHandle<Result<bool, Problems>>,
}

impl Served {
    /// Serves it on its own listeners.
    pub(crate) async fn start(gateway: Gateway) -> Self {
        let mut handle = gateway.handle();
        let (end, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn(gateway.serve([], async move { drop(ended.await) }));
        let started = timeout(DEADLINE, handle.started()).await.expect("it starts in time");
        if started.is_none() {
            panic!("it did not start: {:?}", serving.await.expect("no panic"));
        }
        Self { handle, end, serving }
    }

    /// Where a listener listens.
    pub(crate) fn at(&self, listener: &str) -> SocketAddr {
        let running = self.handle.running().expect("it runs");
        let mut addresses = running.addresses().iter();
        addresses.find(|(name, _)| name == listener).expect("there is such a listener").1
    }

    /// The status of a GET by the listener `web`.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        let answer = Client::h1(self.at("web")).get(path).await.expect("an answer");
        answer.status.as_u16()
    }

    pub(crate) async fn end(self) {
        self.end.send(()).expect("it is served");
        assert!(self.serving.await.expect("no panic").expect("it was right"));
    }
}
