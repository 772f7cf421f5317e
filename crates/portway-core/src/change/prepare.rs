//! What a new configuration needs open before anybody sees it.

use std::{io, net::SocketAddr};

use portway_config::{
    AccessLog as AccessLogSpec, Checked, Config, Listener, ListenerProtocol, Problem,
    value::BindAddr,
};

use super::lacking::{lacking, unspoken};
use crate::{
    listen::{Acceptor, Bound, Terms, bind, bind_listener},
    probe::Probe,
    server::Server,
    telemetry::access::{AccessLog, Prepared as PreparedLog},
    tls,
};

/// What was opened for a change. Dropped, all of it is closed again.
pub(super) struct Prepared {
    /// The listeners that were not open before.
    pub(super) listeners: Vec<New>,
    pub(super) probe: ProbeChange,
    pub(super) log: Option<PreparedLog>,
    pub(super) tls: tls::Prepared,
}

/// A listener that nobody accepts from yet.
pub(super) struct New {
    /// Its place in the configuration.
    pub(super) index: usize,
    /// `None` for a Unix domain socket.
    pub(super) address: Option<SocketAddr>,
    /// One for each core, in their order.
    pub(super) sockets: Vec<Acceptor>,
}

/// What becomes of the probe listener.
pub(super) enum ProbeChange {
    Keep,
    Close,
    Replace(BindAddr, SocketAddr, Probe),
}

/// Looks at what a configuration needs as a start would, opening nothing: whether this build has
/// it, and its certificates and keys. Says what is worth saying about them.
///
/// # Errors
/// What this build does not speak; pairs that do not fit, keys that cannot be read, authorities
/// that are none.
pub fn verify(config: &Checked<Config>) -> Result<Vec<Problem>, Vec<Problem>> {
    let mut problems = lacking(config);
    match tls::prepare(config, None) {
        Ok(prepared) if problems.is_empty() => return Ok(prepared.warnings),
        Ok(_) => {}
        Err(more) => problems.extend(more),
    }
    Err(problems)
}

/// Opens what is new. All that fails is told, not the first thing only.
pub(super) fn prepare(server: &Server, config: &Checked<Config>) -> Result<Prepared, Vec<Problem>> {
    let mut problems = lacking(config);
    problems.extend(unspoken(&server.brought.protocols, config));
    let mut listeners = Vec::new();
    // Whoever hosts the gateway listens.
    let listening = config.listeners.iter().enumerate().filter(|_| !server.embedded);
    for (index, listener) in listening {
        if server.open_socket(listener).is_some() {
            continue;
        }
        match open(server, listener) {
            Ok((address, sockets)) => listeners.push(New { index, address, sockets }),
            Err(problem) => {
                problems
                    .push(problem.at(config.declared_path(&format!("listeners[{index}].bind"))));
            }
        }
    }
    let probe = probe(server, config).unwrap_or_else(|problem| {
        problems.push(problem);
        ProbeChange::Keep
    });
    let log = log(server, config).unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    let snapshot = &server.snapshot;
    let previous = (snapshot.revision > 0).then_some((&*snapshot.config, &snapshot.tls));
    let tls = tls::prepare(config, previous).unwrap_or_else(|more| {
        problems.extend(more);
        tls::Prepared::default()
    });
    if problems.is_empty() { Ok(Prepared { listeners, probe, log, tls }) } else { Err(problems) }
}

fn open(
    server: &Server,
    listener: &Listener,
) -> Result<(Option<SocketAddr>, Vec<Acceptor>), Problem> {
    let udp = listener.protocol == ListenerProtocol::Udp;
    let ours = server.is_in_the_way(&listener.bind, udp);
    let counts = (server.cores.len(), ours);
    let bound = bind_listener(&listener.bind, udp, counts, &Terms::of(listener));
    let (address, sockets) =
        bound.map_err(|error| Problem::new("cannot_listen", error.to_string()))?;
    let adopted = server.cores.iter().zip(sockets).map(|(core, socket)| core.adopt(socket));
    let adopted = adopted.collect::<io::Result<_>>().map_err(|error| {
        Problem::new("cannot_listen", format!("cannot listen on {}: {error}", listener.bind))
    })?;
    Ok((address, adopted))
}

fn probe(server: &Server, config: &Config) -> Result<ProbeChange, Problem> {
    let wanted = config.probes.enabled.then_some(config.probes.bind);
    if server.probe.as_ref().map(|probe| probe.bind) == wanted {
        return Ok(ProbeChange::Keep);
    }
    let Some(address) = wanted else { return Ok(ProbeChange::Close) };
    let failed = |reason: String| Problem::new("cannot_listen", reason).at("probes.bind");
    let bound = bind(address, 1, server.is_in_the_way(&address.into(), false));
    let Bound { address: bound, mut sockets } = bound.map_err(|error| failed(error.to_string()))?;
    let socket = sockets.pop().expect("one socket was asked for");
    let probe =
        Probe::on(socket).map_err(|error| failed(format!("cannot listen on {bound}: {error}")))?;
    Ok(ProbeChange::Replace(address, bound, probe))
}

/// The access log is opened again only where the configuration says something new about it.
fn log(server: &Server, config: &Config) -> Result<Option<PreparedLog>, Problem> {
    let said =
        |config: &Config| -> (AccessLogSpec, _) { (config.access_log.clone(), config.log.format) };
    if server.revision() > 0 && said(&server.snapshot.config) == said(config) {
        return Ok(None);
    }
    AccessLog::prepare(&config.access_log, config.log.format)
        .map(Some)
        .map_err(|error| Problem::new("cannot_write", error.to_string()).at("access_log.path"))
}
