//! The probe's socket and its connections.

use std::{convert::Infallible, io, pin::pin, sync::Arc, time::Duration};

use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use portway_plugin::Body;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Readiness, answer::Subject};
use crate::telemetry::metrics::Metrics;

/// What one who asks may use up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections at a time; more wait in the socket's queue.
    pub(super) connections: usize,
    /// For a request's head, and between two requests.
    pub(super) head: Duration,
    /// For a connection as a whole, also of one who does not read its answer.
    pub(super) lifetime: Duration,
    /// For the answer at hand once its connection is to end.
    pub(super) grace: Duration,
}

impl Limits {
    /// Scrapers ask every 15 to 60 seconds: an idle connection need not live for the next time.
    pub(super) const DEFAULT: Self = Self {
        connections: 128,
        head: Duration::from_secs(10),
        lifetime: Duration::from_secs(60),
        grace: Duration::from_secs(2),
    };
    const HEAD_BYTES: usize = 16 * 1024;
    const HEADERS: usize = 64;
}

/// How long to wait when no connection can be accepted, such as for want of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// An open probe listener. What connects before [`serve`](Self::serve) waits in its queue.
#[derive(Debug)]
pub struct Probe {
    socket: TcpListener,
    limits: Limits,
}

impl Probe {
    /// On a socket that listens and does not block; to be called on the runtime that is to serve.
    /// On a change of configuration the owner opens the new one before it ends the old one.
    pub fn on(socket: std::net::TcpListener) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::from_std(socket)?, limits: Limits::DEFAULT })
    }

    /// Other limits, for tests that will not wait.
    #[cfg(test)]
    pub(super) fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Answers until `shutdown` is there, then lets the answers at hand be sent, for at most two
    /// seconds.
    pub async fn serve(
        self,
        metrics: Arc<Metrics>,
        readiness: Arc<Readiness>,
        shutdown: impl Future<Output = ()>,
    ) {
        let Self { socket, limits } = self;
        let subject = Arc::new(Subject::new(metrics, readiness));
        let (stop, stopped) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                accepted = socket.accept(), if connections.len() < limits.connections => {
                    match accepted {
                        Ok((stream, _)) => {
                            let subject = Arc::clone(&subject);
                            connections.spawn(converse(stream, subject, limits, stopped.clone()));
                        }
                        Err(error) => {
                            tracing::warn!(%error, "the probe listener cannot accept");
                            tokio::select! {
                                () = &mut shutdown => break,
                                () = sleep(PAUSE) => {}
                            }
                        }
                    }
                }
            }
        }
        drop((socket, stop));
        // Each ends within its grace.
        while connections.join_next().await.is_some() {}
    }
}

/// Serves one connection until its client leaves, it has lived long enough, or the probe ends.
async fn converse(
    stream: TcpStream,
    subject: Arc<Subject>,
    limits: Limits,
    mut stopped: watch::Receiver<()>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let subject = Arc::clone(&subject);
        async move { Ok::<Response<Body>, Infallible>(subject.answer(request).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(Limits::HEAD_BYTES)
            .max_headers(Limits::HEADERS)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        // How it ended concerns the client alone.
        _ = connection.as_mut() => return,
        _ = stopped.changed() => {}
        () = sleep(limits.lifetime) => {}
    }
    connection.as_mut().graceful_shutdown();
    // Past the grace it is closed with what it has not sent.
    let _ = timeout(limits.grace, connection).await;
}
