//! What a new configuration needs open before anybody sees it.

use std::net::SocketAddr;

use portway_config::{AccessLog as AccessLogSpec, Checked, Config, Problem, value::BindAddr};

use crate::{
    listen::{Bound, bind},
    probe::Probe,
    server::Server,
    telemetry::access::{AccessLog, Prepared as PreparedLog},
};

/// What was opened for a change. Dropped, all of it is closed again.
pub(super) struct Prepared {
    /// The listeners that were not open before, with their place in the configuration.
    pub(super) listeners: Vec<(usize, Bound)>,
    pub(super) probe: ProbeChange,
    pub(super) log: Option<PreparedLog>,
}

/// What becomes of the probe listener.
pub(super) enum ProbeChange {
    Keep,
    Close,
    Replace(BindAddr, SocketAddr, Probe),
}

/// Opens what is new. All that fails is told, not the first thing only.
pub(super) fn prepare(server: &Server, config: &Checked<Config>) -> Result<Prepared, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut listeners = Vec::new();
    for (index, listener) in config.listeners.iter().enumerate() {
        if server.listeners.contains_key(&listener.bind) {
            continue;
        }
        match bind(listener.bind, server.cores.len()) {
            Ok(bound) => listeners.push((index, bound)),
            Err(error) => problems.push(
                Problem::new("cannot_listen", error.to_string())
                    .at(config.declared_path(&format!("listeners[{index}].bind"))),
            ),
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
    if problems.is_empty() { Ok(Prepared { listeners, probe, log }) } else { Err(problems) }
}

fn probe(server: &Server, config: &Config) -> Result<ProbeChange, Problem> {
    let wanted = config.probes.enabled.then_some(config.probes.bind);
    if server.probe.as_ref().map(|probe| probe.bind) == wanted {
        return Ok(ProbeChange::Keep);
    }
    let Some(address) = wanted else { return Ok(ProbeChange::Close) };
    let opened = Probe::bind(address).and_then(|probe| Ok((probe.local_addr()?, probe)));
    opened.map(|(bound, probe)| ProbeChange::Replace(address, bound, probe)).map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::AddrInUse => "the port is in use by another process".to_owned(),
            _ => error.to_string(),
        };
        let message = format!("cannot listen on {}: {reason}", address.socket_addr());
        Problem::new("cannot_listen", message).at("probes.bind")
    })
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
