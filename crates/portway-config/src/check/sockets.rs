//! Sockets: what the kernel can take, and what comes to anything.

use portway_plugin::{Problem, value::Duration};

use super::Findings;
use crate::resource::{Config, Keepalive, Listener, ListenerProtocol, Socket};

/// The longest that the kernel waits between two questions, in seconds.
const MOST_SECONDS: u64 = 32_767;

pub(super) fn check(config: &Config, findings: &mut Findings) {
    for (at, listener) in config.listeners.iter().enumerate() {
        let path = format!("listeners[{at}]");
        socket(&listener.socket, &format!("{path}.socket"), findings);
        without_connections(listener, &path, findings);
    }
    for (at, service) in config.services.iter().enumerate() {
        socket(&service.socket, &format!("services[{at}].socket"), findings);
    }
}

fn socket(socket: &Socket, path: &str, findings: &mut Findings) {
    let buffers = [("receive_buffer", socket.receive_buffer), ("send_buffer", socket.send_buffer)];
    for (key, size) in buffers {
        if i32::try_from(size.get()).is_err() {
            let problem = Problem::new("out_of_range", "a buffer is less than 2 GiB");
            findings.problem(problem.at(format!("{path}.{key}")));
        }
    }
    let Some(Keepalive { idle, interval, .. }) = &socket.keepalive else { return };
    for (key, time) in [("idle", *idle), ("interval", *interval)] {
        if !is_askable(time) {
            let message = format!("the kernel counts whole seconds, from 1s to {MOST_SECONDS}s");
            let problem = Problem::new("out_of_range", message);
            findings.problem(problem.at(format!("{path}.keepalive.{key}")));
        }
    }
}

fn is_askable(time: Duration) -> bool {
    let time = time.get();
    time.subsec_nanos() == 0 && (1..=MOST_SECONDS).contains(&time.as_secs())
}

/// Warns of what has no effect where nothing connects.
fn without_connections(listener: &Listener, path: &str, findings: &mut Findings) {
    if listener.protocol != ListenerProtocol::Udp {
        return;
    }
    let usual = Listener::new(listener.meta.name.clone(), listener.bind.clone());
    let unused = [
        ("backlog", listener.backlog != usual.backlog),
        ("reuse_address", !listener.reuse_address),
        ("socket.nodelay", !listener.socket.nodelay),
        ("socket.keepalive", listener.socket.keepalive.is_some()),
    ];
    for (key, _) in unused.iter().filter(|(_, there)| *there) {
        let message = format!("datagrams have no connections: {key} has no effect");
        findings.warning(Problem::new("no_effect", message).at(format!("{path}.{key}")));
    }
}
