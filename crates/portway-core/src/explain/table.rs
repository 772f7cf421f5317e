//! The table of routes.

use portway_config::{Checked, Config, ListenerProtocol, Match, Route, value::HostPattern};

use super::rank::Rank;

/// One line of the table: one match of a route on one host.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The route, with its priority and its target.
    pub route: &'a Route,
    /// The host; `None` is every host.
    pub host: Option<&'a HostPattern>,
    /// The other conditions. Its hosts are all hosts of the match.
    pub conditions: &'a Match,
}

/// What would be served, in the order in which it is tried: the first row that takes a request
/// serves it. Where domains are declared, that holds for the rows of each namespace by themselves,
/// which then stand together.
#[must_use]
pub fn table(config: &Checked<Config>) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let routes = config.routes.iter().filter(|route| route.protocol == ListenerProtocol::Http);
    for route in routes {
        for conditions in route.matches.as_slice() {
            let any = conditions.hosts.is_empty().then_some(None);
            for host in any.into_iter().chain(conditions.hosts.iter().map(Some)) {
                rows.push(Row { route, host, conditions });
            }
        }
    }
    // A stable sort: what is equal in everything else stays in the order of declaration.
    let apart = config.tells_namespaces_apart();
    rows.sort_by_cached_key(|row| {
        let namespace = apart.then_some(&row.route.meta.namespace);
        (namespace, Rank::new(row.route, row.host, row.conditions))
    });
    rows
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};
    use portway_config::{Catalog, Checked, Config, Match, NoLookup, load, value::HostPattern};

    use super::{Row, table};
    use crate::route::{Entry, Found, Lookup, Router, World};

    /// Routes of every rank, worst first.
    const DOCUMENT: &str = "
routes:
  - {name: rest, match: {path: '/{*rest}'}, target: {reply: {}}}
  - {name: regex, match: {path: {regex: '/a/[0-9]+'}}, target: {reply: {}}}
  - {name: prefix, match: {path: {prefix: /a}}, target: {reply: {}}}
  - {name: below, match: {path: '/a/{*rest}'}, target: {reply: {}}}
  - {name: param, match: {path: '/a/{id}'}, target: {reply: {}}}
  - {name: digits, match: {path: '/a/{id:[0-9]+}'}, target: {reply: {}}}
  - {name: parts, match: {path: '/a/{x}-{y}'}, target: {reply: {}}}
  - {name: literal, match: {path: /a/b}, target: {reply: {}}}
  - {name: get, match: {path: /a/b, methods: [GET]}, target: {reply: {}}}
  - {name: query, match: {path: /a/b, methods: [GET], query: [{name: q}]}, target: {reply: {}}}
  - name: header
    match: {path: /a/b, methods: [GET], headers: [{name: x-a}], query: [{name: q}]}
    target: {reply: {}}
  - {name: longer, match: {path: {prefix: /a/b/c}}, target: {reply: {}}}
  - {name: other, match: {path: {exact: /z}}, target: {reply: {}}}
  - {name: suffix, match: {hosts: ['*.test']}, target: {reply: {}}}
  - {name: sub, match: {hosts: ['*.a.test'], path: '/{*rest}'}, target: {reply: {}}}
  - {name: host, match: {hosts: [x.a.test, y.test]}, target: {reply: {}}}
  - {name: first, priority: 1, match: {path: /a/b/c/d}, target: {reply: {}}}
  - {name: last, priority: -1, match: {hosts: [x.a.test], path: /a/b}, target: {reply: {}}}
";

    fn checked() -> Checked<Config> {
        load(DOCUMENT, "routes.yaml", &NoLookup, &Catalog::default()).unwrap().check().unwrap()
    }

    #[test]
    fn rows_stand_in_the_order_of_precedence() {
        let config = checked();
        let rows = table(&config);
        let names = rows.iter().map(|row| row.route.meta.name.as_str()).collect::<Vec<_>>();
        assert_eq!(
            names,
            [
                "first", "host", "host", "sub", "suffix", "longer", "header", "query", "get",
                "literal", "parts", "digits", "param", "below", "prefix", "other", "regex", "rest",
                "last",
            ]
        );
        assert_eq!(rows[1].host.map(HostPattern::as_str), Some("x.a.test"));
        assert_eq!(rows[2].host.map(HostPattern::as_str), Some("y.test"));
        assert_eq!(rows[5].host, None);
    }

    /// Whether this row alone takes the request.
    fn takes(row: &Row<'_>, lookup: &Lookup<'_>) -> bool {
        let hosts = row.host.into_iter().cloned().collect();
        let matches = [Match { hosts, ..row.conditions.clone() }];
        let (router, regexes) = Router::build([Entry {
            id: 0,
            namespace: None,
            priority: 0,
            listeners: &[],
            matches: &matches,
        }]);
        matches!(router.find(lookup, &regexes), Found::Route(_))
    }

    #[test]
    fn the_first_row_that_takes_a_request_is_what_the_router_finds() {
        let config = checked();
        let rows = table(&config);
        let entries = (0..).zip(&config.routes).map(|(id, route)| Entry {
            id,
            namespace: None,
            priority: route.priority,
            listeners: &route.listeners,
            matches: route.matches.as_slice(),
        });
        let (router, regexes) = Router::build(entries);
        let none = HeaderMap::new();
        let some = HeaderMap::from_iter([("x-a".parse().unwrap(), "1".parse().unwrap())]);
        let paths =
            ["/", "/a", "/a/", "/a/b", "/a/b/c", "/a/b/c/d", "/a/1", "/a/x-y", "/a/x", "/z"];
        let mut found = std::collections::BTreeSet::new();
        for path in paths {
            for host in ["x.a.test", "z.a.test", "y.test", "z.test", "elsewhere"] {
                for method in [Method::GET, Method::POST] {
                    for (headers, query) in
                        [(&none, None), (&none, Some("q")), (&some, Some("q=1"))]
                    {
                        let lookup = Lookup {
                            world: World::WHOLE,
                            host,
                            path,
                            method: &method,
                            headers,
                            query,
                            listener: "web",
                            certificate: None,
                        };
                        let row = rows.iter().find(|row| takes(row, &lookup));
                        let expected = row.map(|row| row.route.meta.name.as_str());
                        let answer = match router.find(&lookup, &regexes) {
                            Found::Route(id) => {
                                let route = router.get(id).route() as usize;
                                Some(config.routes[route].meta.name.as_str())
                            }
                            Found::MethodNotAllowed(_) | Found::None => None,
                        };
                        assert_eq!(answer, expected, "{lookup:?}");
                        found.extend(answer);
                    }
                }
            }
        }
        // All but `regex` and `last`, before which another one always goes.
        assert_eq!(found.len(), config.routes.len() - 2, "{found:?}");
    }
}
