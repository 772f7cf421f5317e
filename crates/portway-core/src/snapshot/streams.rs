//! Which route takes a connection or a datagram: there is no request to look at, so the listener
//! decides, and for TLS the name the client asks for. That name has a namespace where domains are
//! declared; without a name, namespaces are not told apart.

use std::{cmp::Reverse, collections::BTreeMap};

use portway_config::{List, ListenerProtocol, Route, value::Name};

use super::{ListenerId, ListenerPlan};
use crate::route::Hosts;

/// The routes that take no requests, by listener, and for TLS by namespace where domains tell them
/// apart.
#[derive(Debug, Default)]
pub(crate) struct StreamRoutes(Box<[(ListenerId, Option<Name>, Table)]>);

/// The numbers of the plans of one listener, by the name a client asks for.
type Table = Hosts<Option<usize>>;

impl StreamRoutes {
    /// The tables of listeners that have such routes. A plan's number is its route's place. `apart`
    /// says whether domains tell namespaces apart.
    pub(super) fn build(routes: &List<Route>, listeners: &[ListenerPlan], apart: bool) -> Self {
        let routes = routes.iter();
        let mut order: Vec<(usize, &Route)> =
            routes.enumerate().filter(|(_, r)| r.protocol != ListenerProtocol::Http).collect();
        // A stable sort: among equals, the one declared first.
        order.sort_by_key(|(_, route)| Reverse(route.priority));
        let namespace = |route: &Route| {
            let told = apart && route.protocol == ListenerProtocol::Tls;
            told.then(|| route.meta.namespace.clone())
        };
        let mut tables = Vec::new();
        for listener in listeners {
            let mut of_listener: BTreeMap<Option<Name>, Table> = BTreeMap::new();
            for (plan, route) in order.iter().filter(|(_, route)| takes(route, listener)) {
                enter(of_listener.entry(namespace(route)).or_default(), route, *plan);
            }
            let of_listener = of_listener.into_iter();
            tables.extend(of_listener.map(|(name, table)| (listener.id, name, table)));
        }
        Self(tables.into())
    }

    /// The plan for what comes to a listener without a name.
    pub(crate) fn unnamed(&self, listener: ListenerId) -> Option<usize> {
        self.table(listener, None)?.any().copied().flatten()
    }

    /// The plan for a TLS client that asks for `name`: its own, the one of the longest suffix, or
    /// the one that has no names. A client that asks for none can have the last alone.
    pub(super) fn passthrough(
        &self,
        listener: ListenerId,
        namespace: Option<&Name>,
        name: Option<&str>,
    ) -> Option<usize> {
        let table = self.table(listener, namespace)?;
        match name {
            Some(name) => table.lookup(name).into_iter().next().copied().flatten(),
            None => table.any().copied().flatten(),
        }
    }

    /// Whether any TLS that comes to a listener may be passed on.
    pub(crate) fn has_any(&self, listener: ListenerId) -> bool {
        self.0.iter().any(|(id, _, _)| *id == listener)
    }

    fn table(&self, listener: ListenerId, namespace: Option<&Name>) -> Option<&Table> {
        let is = |(id, name, _): &&(ListenerId, Option<Name>, Table)| {
            *id == listener && name.as_ref() == namespace
        };
        self.0.iter().find(is).map(|(_, _, table)| table)
    }
}

/// Whether what comes to a listener can be a route's. Where TLS is ended, it is passed on only by
/// routes that name the listener: one that names none is for listeners of its own protocol.
fn takes(route: &Route, listener: &ListenerPlan) -> bool {
    let named = route.listeners.iter().any(|name| *name.as_str() == *listener.own_name);
    if route.protocol == listener.protocol {
        return named || route.listeners.is_empty();
    }
    named && route.protocol == ListenerProtocol::Tls && listener.tls.is_some()
}

fn enter(table: &mut Table, route: &Route, plan: usize) {
    for one in route.matches.as_slice() {
        if one.sni.is_empty() {
            table.entry(None).get_or_insert(plan);
        }
        for pattern in &one.sni {
            table.entry(Some(pattern)).get_or_insert(plan);
        }
    }
}

#[cfg(test)]
mod tests {
    use portway_config::{Catalog, NoLookup, load};

    use super::*;
    use crate::snapshot::Life;

    const DOCUMENT: &str = "
listeners:
  - {name: pass, bind: '127.0.0.1:1', protocol: tls}
  - {name: sql, bind: '127.0.0.1:2', protocol: tcp}
  - {name: more, bind: '127.0.0.1:3', protocol: tcp}
  - {name: dns, bind: '127.0.0.1:3', protocol: udp}
  - {name: web, bind: '127.0.0.1:4'}
services:
  - {name: up, url: 'tcp://127.0.0.1:9'}
  - {name: down, url: 'udp://127.0.0.1:9'}
routes:
  - {name: below, protocol: tls, match: {sni: ['*.example']}, target: {service: up}}
  - {name: low, protocol: tls, match: {sni: [a.example]}, target: {service: up}}
  - {name: high, protocol: tls, priority: 5, match: {sni: [a.example]}, target: {service: up}}
  - {name: deep, protocol: tls, match: {sni: ['*.b.example']}, target: {service: up}}
  - {name: rest, protocol: tls, priority: 9, target: {service: up}}
  - {name: sql, protocol: tcp, listeners: [sql], target: {service: up}}
  - {name: dns, protocol: udp, target: {service: down}}
";

    fn found(name: Option<&str>, listener: usize) -> Option<String> {
        let config = load(DOCUMENT, "streams.yaml", &NoLookup, &Catalog::default())
            .unwrap()
            .check()
            .unwrap();
        let listeners: Vec<_> = config
            .listeners
            .iter()
            .zip(0..)
            .map(|(listener, id)| {
                ListenerPlan::new(listener, ListenerId(id), Life::new().into(), None, 0)
            })
            .collect();
        let routes = StreamRoutes::build(&config.routes, &listeners, false);
        let id = listeners[listener].id;
        let plan =
            if listener == 0 { routes.passthrough(id, None, name) } else { routes.unnamed(id) };
        assert_eq!(plan.is_some(), routes.has_any(id));
        plan.map(|plan| config.routes[plan].meta.name.to_string())
    }

    #[test]
    fn a_name_goes_to_the_most_specific_route_and_then_to_the_highest_priority() {
        for (name, route) in [
            (Some("a.example"), "high"),
            (Some("A.Example"), "high"),
            (Some("c.example"), "below"),
            (Some("x.b.example"), "deep"),
            (Some("example"), "rest"),
            (Some("elsewhere"), "rest"),
            (None, "rest"),
        ] {
            assert_eq!(found(name, 0).as_deref(), Some(route), "{name:?}");
        }
    }

    #[test]
    fn other_listeners_have_the_routes_of_their_protocol() {
        assert_eq!(found(None, 1).as_deref(), Some("sql"));
        assert_eq!(found(None, 2), None, "the route names another listener");
        assert_eq!(found(None, 3).as_deref(), Some("dns"));
        assert_eq!(found(None, 4), None);
    }
}
