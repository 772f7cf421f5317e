//! Addresses: nothing is bound twice, and the gateway is not its own upstream.

use std::collections::HashMap;

use portway_plugin::{
    Problem,
    value::{BindAddr, Quoted},
};

use super::{Findings, Lowered};

pub(super) fn check(lowered: &Lowered<'_>, findings: &mut Findings) {
    let bound = bound(lowered);
    twice(lowered, &bound, findings);
    own(lowered, &bound, findings);
}

/// An address that the gateway will listen on.
struct Bound {
    address: BindAddr,
    who: String,
    path: String,
}

/// By port: addresses of different ports never meet.
type ByPort = HashMap<u16, Vec<Bound>>;

fn bound(lowered: &Lowered<'_>) -> ByPort {
    let mut by_port = ByPort::new();
    let mut add = |address: BindAddr, who, path| {
        by_port.entry(address.port()).or_default().push(Bound { address, who, path });
    };
    // The default listener was declared nowhere.
    let froms = lowered.from.listeners.iter().map(Some).chain(std::iter::repeat(None));
    for (listener, from) in lowered.config.listeners.iter().zip(froms) {
        let who = format!("the listener {}", Quoted(listener.meta.name.as_str()));
        let path = from.map_or_else(String::new, |from| format!("listeners[{from}].bind"));
        add(listener.bind, who, path);
    }
    let probes = &lowered.config.probes;
    if probes.enabled {
        add(probes.bind, "the probes".to_owned(), "probes.bind".to_owned());
    }
    by_port
}

fn twice(lowered: &Lowered<'_>, bound: &ByPort, findings: &mut Findings) {
    for list in bound.values() {
        for (at, later) in list.iter().enumerate() {
            let clash = list[..at].iter().find(|earlier| earlier.address.overlaps(later.address));
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
            findings.problem(problem.hint("give one of them another port"));
        }
    }
}

fn own(lowered: &Lowered<'_>, bound: &ByPort, findings: &mut Findings) {
    for (service, from) in lowered.config.services.iter().zip(&lowered.from.services) {
        for (at, (url, _)) in service.endpoints().enumerate() {
            let Some(list) = bound.get(&url.port()) else { continue };
            let loopback = (url.host() == "localhost").then(|| [127, 0, 0, 1].into());
            let Some(ip) = url.ip().or(loopback) else { continue };
            let Some(own) = list.iter().find(|own| own.address.takes(ip, url.port())) else {
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
