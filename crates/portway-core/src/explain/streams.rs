//! The routes that take no requests.

use std::cmp::Reverse;

use portway_config::{Checked, Config, ListenerProtocol, Route, value::HostPattern};

use super::rank::host_rank;

/// One name of one route that takes connections or datagrams.
#[derive(Clone, Copy, Debug)]
pub struct StreamRow<'a> {
    /// The route, with its protocol, its listeners, its priority and its target.
    pub route: &'a Route,
    /// The name a TLS client asks for (SNI); `None` is any name, and none.
    pub sni: Option<&'a HostPattern>,
}

/// What would be passed on, in the order in which it is tried within each protocol: the first row
/// that takes what comes to a listener has it.
#[must_use]
pub fn streams(config: &Checked<Config>) -> Vec<StreamRow<'_>> {
    let mut rows = Vec::new();
    let routes = config.routes.iter().filter(|route| route.protocol != ListenerProtocol::Http);
    for route in routes {
        for one in route.matches.as_slice() {
            let any = one.sni.is_empty().then_some(None);
            let names = any.into_iter().chain(one.sni.iter().map(Some));
            rows.extend(names.map(|sni| StreamRow { route, sni }));
        }
    }
    // A stable sort: what is equal in everything else stays in the order of declaration.
    rows.sort_by_cached_key(|row| {
        (row.route.protocol.as_str(), host_rank(row.sni), Reverse(row.route.priority))
    });
    rows
}

#[cfg(test)]
mod tests {
    use portway_config::{Catalog, NoLookup, load};

    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_precedence() {
        let config = load(
            "
listeners:
  - {name: pass, bind: '127.0.0.1:1', protocol: tls}
  - {name: sql, bind: '127.0.0.1:2', protocol: tcp}
services: [{name: up, url: 'tcp://127.0.0.1:9'}]
routes:
  - {name: rest, protocol: tls, priority: 9, target: {service: up}}
  - {name: below, protocol: tls, match: {sni: ['*.example']}, target: {service: up}}
  - {name: low, protocol: tls, match: {sni: [b.example, a.example]}, target: {service: up}}
  - {name: high, protocol: tls, priority: 1, match: {sni: [a.example]}, target: {service: up}}
  - {name: sql, protocol: tcp, target: {service: up}}
  - {name: page, target: {reply: {}}}
",
            "streams.yaml",
            &NoLookup,
            &Catalog::default(),
        );
        let config = config.unwrap().check().unwrap();
        let rows = streams(&config);
        let names: Vec<_> = rows
            .iter()
            .map(|row| (row.route.meta.name.as_str(), row.sni.map_or("", HostPattern::as_str)))
            .collect();
        assert_eq!(
            names,
            [
                ("sql", ""),
                ("high", "a.example"),
                ("low", "a.example"),
                ("low", "b.example"),
                ("below", "*.example"),
                ("rest", ""),
            ]
        );
    }
}
