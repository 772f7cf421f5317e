//! Addresses: nothing is bound twice, and the gateway is not its own upstream.

use std::collections::HashMap;

use portway_plugin::{
    Problem,
    value::{BindAddr, ListenAddr, Quoted},
};

use super::{Findings, Lowered};
use crate::resource::ListenerProtocol;

pub(super) fn check(lowered: &Lowered<'_>, findings: &mut Findings) {
    let bound = bound(lowered);
    twice(lowered, &bound, findings);
    own(lowered, &bound, findings);
}

/// An address that the gateway will listen on.
struct Bound {
    address: ListenAddr,
    /// Datagrams have ports of their own.
    udp: bool,
    who: String,
    path: String,
}

impl Bound {
    fn overlaps(&self, other: &Self) -> bool {
        self.udp == other.udp && self.address.overlaps(&other.address)
    }
}

/// By port: addresses of different ports never meet. Unix domain sockets stand under 0.
type ByPort = HashMap<u16, Vec<Bound>>;

fn bound(lowered: &Lowered<'_>) -> ByPort {
    let mut by_port = ByPort::new();
    let mut add = |address: ListenAddr, udp, who, path| {
        let port = address.inet().map_or(0, BindAddr::port);
        by_port.entry(port).or_default().push(Bound { address, udp, who, path });
    };
    // The default listener was declared nowhere.
    let froms = lowered.from.listeners.iter().map(Some).chain(std::iter::repeat(None));
    for (listener, from) in lowered.config.listeners.iter().zip(froms) {
        let who = format!("the listener {}", Quoted(listener.meta.name.as_str()));
        let path = from.map_or_else(String::new, |from| format!("listeners[{from}].bind"));
        add(listener.bind.clone(), listener.protocol == ListenerProtocol::Udp, who, path);
    }
    let probes = &lowered.config.probes;
    if probes.enabled {
        add(probes.bind.into(), false, "the probes".to_owned(), "probes.bind".to_owned());
    }
    let admin = &lowered.config.admin;
    if admin.enabled {
        add(admin.bind.into(), false, "the admin API".to_owned(), "admin.bind".to_owned());
    }
    by_port
}

fn twice(lowered: &Lowered<'_>, bound: &ByPort, findings: &mut Findings) {
    for list in bound.values() {
        for (at, later) in list.iter().enumerate() {
            let clash = list[..at].iter().find(|earlier| earlier.overlaps(later));
            let Some(earlier) = clash else { continue };
            let message = format!(
                "{} cannot bind {}: {} binds {} ({})",
                later.who,
                later.address,
                earlier.who,
                earlier.address,
                match earlier.path.as_str() {
                    "" => "the default".to_owned(),
                    path => lowered.places.named(path),
                }
            );
            let problem = Problem::new("address_conflict", message).at(later.path.clone());
            findings.problem(problem.hint(match later.address {
                ListenAddr::Inet(_) => "give one of them another port",
                ListenAddr::Unix(_) => "give one of them another path",
            }));
        }
    }
}

fn own(lowered: &Lowered<'_>, bound: &ByPort, findings: &mut Findings) {
    for (service, from) in lowered.config.services.iter().zip(&lowered.from.services) {
        for (at, (url, _)) in service.endpoints().enumerate() {
            let Some(list) = bound.get(&url.port()) else { continue };
            let loopback = (url.host() == "localhost").then(|| [127, 0, 0, 1].into());
            let Some(ip) = url.ip().or(loopback) else { continue };
            let takes = |own: &&Bound| {
                own.address.inet().is_some_and(|address| address.takes(ip, url.port()))
            };
            let Some(own) = list.iter().find(takes) else {
                continue;
            };
            let path = match service.url {
                Some(_) => format!("services[{from}].url"),
                None => format!("services[{from}].endpoints[{at}].url"),
            };
            let message = format!("{url} is this gateway itself: it is bound by {}", own.who);
            findings.warning(Problem::new("own_address", message).at(path));
        }
    }
}
