//! Connections that a protocol of the program takes: looked at, served, told of.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use bytes::BytesMut;
use portway_plugin::panics::{Caught, caught};
use tokio::time::{Instant, sleep, timeout};

use super::{
    Presence,
    greet::{DEFAULT_PATIENCE, Newcomer},
};
use crate::{
    driver::{Closing, FAREWELL},
    protocol::{Look, Passed, Spoken, Visitor},
    server::Shard,
    snapshot::{Life, ListenerPlan},
    telemetry::{
        access::StreamRecord,
        metrics::{ListenerCells, Refusal},
    },
};

/// The most that protocols look at.
const MOST_BYTES: usize = 4096;

/// Whose a connection is.
pub(super) enum Whose {
    /// A protocol of the program takes it.
    Program(Spoken),
    /// HTTP is spoken, or TLS.
    Gateway,
    /// It is over, and was counted.
    Nobody,
}

impl Newcomer {
    /// Looks whether one of the listener's protocols takes it. What was read for that is in `read`.
    pub(super) async fn look(
        &self,
        read: &mut BytesMut,
        plan: &ListenerPlan,
        cells: &ListenerCells,
        closing: &Closing,
    ) -> Whose {
        let patience = plan.server.header_read.unwrap_or(DEFAULT_PATIENCE);
        let looked = tokio::select! {
            looked = timeout(patience, self.looked(read, &plan.protocols)) => looked,
            // It may have been queued until now.
            () = async { closing.told().await; sleep(FAREWELL).await } => return Whose::Nobody,
        };
        looked.unwrap_or_else(|_| {
            cells.refused(Refusal::FirstBytesTimeout);
            Whose::Nobody
        })
    }

    async fn looked(&self, read: &mut BytesMut, protocols: &[Spoken]) -> Whose {
        let mut is_all = false;
        loop {
            // Who stands first has the first say. Where no more will come, to want more is a no.
            let is_no = |look: &Look| *look == Look::No || is_all && *look == Look::More;
            let mut looks = protocols.iter().map(|one| (one, caught(|| one.recognise(read))));
            match looks.find(|(_, look)| !look.as_ref().is_ok_and(is_no)) {
                None => return Whose::Gateway,
                Some((one, Ok(Look::Yes))) => return Whose::Program(one.clone()),
                Some((one, Err(cause))) => {
                    tracing::error!(protocol = %one.name, cause, "a protocol failed at first sight");
                    return Whose::Nobody;
                }
                Some((_, Ok(Look::No | Look::More))) => {}
            }
            // What is left of a beginning is the wire's to refuse.
            if read.len() < MOST_BYTES && self.read_more(read).await.is_err() {
                if read.is_empty() {
                    return Whose::Nobody;
                }
                is_all = true;
            }
            is_all |= read.len() >= MOST_BYTES;
        }
    }
}

/// A connection while a protocol of the program serves it. Dropped, it writes its record.
struct Visit {
    shard: Arc<Shard>,
    protocol: Spoken,
    listener: Box<str>,
    client: IpAddr,
    passed: Arc<Passed>,
    started: Instant,
    error: Option<&'static str>,
    cause: String,
    /// It counts until its record is there.
    _presence: Presence,
}

/// Lets a protocol serve a connection to its end, or until the listener's life is over, or nothing
/// has passed for `idle`.
pub(super) async fn visit(
    newcomer: Newcomer,
    read: BytesMut,
    protocol: Spoken,
    (shard, closing): (Arc<Shard>, Arc<Closing>),
    (listener, life): (Box<str>, Arc<Life>),
    idle: Option<Duration>,
) {
    let Newcomer { stream, peer, local, presence } = newcomer;
    let passed = Arc::<Passed>::default();
    let stream = (stream, read.freeze());
    let visitor = Visitor::new(stream, (peer, local), &listener, closing, Arc::clone(&passed));
    let spoken = protocol.clone();
    let mut visit = Visit {
        shard,
        protocol,
        listener,
        client: peer.ip(),
        passed: Arc::clone(&passed),
        started: Instant::now(),
        error: Some("cut"),
        cause: String::new(),
        _presence: presence,
    };
    let serving = match caught(|| spoken.serve(visitor)) {
        Ok(serving) => serving,
        Err(cause) => return visit.failed("protocol_panicked", cause),
    };
    let ended = tokio::select! {
        ended = Caught(serving) => ended,
        () = life.ended() => return,
        () = passed.movement.ceased(idle) => {
            visit.error = Some("idle_timeout");
            return;
        }
    };
    match ended {
        Ok(Ok(())) => visit.error = None,
        Ok(Err(cause)) => visit.failed("protocol_failed", cause.to_string()),
        Err(cause) => visit.failed("protocol_panicked", cause),
    }
}

impl Visit {
    fn failed(&mut self, error: &'static str, cause: String) {
        let (protocol, listener) = (&self.protocol.name, &self.listener);
        if error == "protocol_panicked" {
            tracing::error!(%protocol, listener, cause, "a protocol panicked");
        }
        (self.error, self.cause) = (Some(error), cause);
    }

    fn record(&self, duration: Duration) -> StreamRecord<'_> {
        StreamRecord {
            time: self.shard.wall.at(Instant::now()) - duration,
            protocol: self.protocol.name.as_str(),
            sni: None,
            bytes_in: self.passed.from_client.load(Relaxed),
            bytes_out: self.passed.to_client.load(Relaxed),
            duration,
            endpoint: None,
            tries: 0,
            route: None,
            service: None,
            listener: Some(&self.listener),
            client: Some(self.client),
            error: self.error,
            cause: Some(&*self.cause).filter(|cause| !cause.is_empty()),
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if self.shard.access.is_enabled() {
            self.shard.access.write_stream(&self.record(self.started.elapsed()));
        }
    }
}
