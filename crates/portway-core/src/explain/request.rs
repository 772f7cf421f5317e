//! Why a request would go where it goes.
//!
//! Every condition is tried by the matcher that serves requests, alone: what is told here cannot
//! disagree with what happens.

use http::{HeaderMap, Method};
use portway_config::{
    Checked, Config, Listener, ListenerProtocol, Match, Matches, Route,
    value::{HostPattern, normalize_path},
};

use super::{Belonging, ChainRow, Row, belonging, chains, table};
use crate::route::{Entry, Found, Lookup, Router, World};

/// A request that nobody has sent.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Its method.
    pub method: &'a Method,
    /// The host asked for, without a port.
    pub host: &'a str,
    /// The path asked for, as the client writes it.
    pub path: &'a str,
    /// What follows the question mark.
    pub query: Option<&'a str>,
    /// Its header fields.
    pub headers: &'a HeaderMap,
    /// The listener it comes by. Without it, the first one that takes requests.
    pub listener: Option<&'a str>,
}

/// The way of a request.
#[derive(Clone, Debug)]
pub struct Trace<'a> {
    /// The listener it comes by.
    pub listener: &'a Listener,
    /// The domain that has the host, and the namespace whose routes are candidates.
    pub belonging: Belonging<'a>,
    /// The path in its normal form, which is matched.
    pub path: String,
    /// The rows of the table that are for its host, in the order in which they are tried, up to
    /// the one that takes it.
    pub candidates: Vec<Candidate<'a>>,
    /// How many rows are for other namespaces, hosts or listeners.
    pub others: usize,
    /// The route that takes it.
    pub route: Option<&'a Route>,
    /// The plugins it meets, the outermost first.
    pub chain: Option<ChainRow<'a>>,
}

/// A row that was tried.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The row.
    pub row: Row<'a>,
    /// The first condition that does not hold; `None` for the one that takes the request.
    pub ruled_out_by: Option<Condition>,
}

/// A condition of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The route is for other listeners.
    Listener,
    /// It is for another host.
    Host,
    /// The path is another one.
    Path,
    /// A header field is not as it must be: the condition of this number.
    Header(usize),
    /// A query parameter is not.
    Query(usize),
    /// The client has shown no such certificate.
    Certificate,
    /// The method is another one.
    Method,
}

/// Follows a request that nobody has sent.
///
/// # Errors
/// It could not be asked: there is no such listener, or its path is refused.
pub fn trace<'a>(
    config: &'a Checked<Config>,
    question: &Question<'_>,
) -> Result<Trace<'a>, String> {
    let listener = listener(config, question.listener)?;
    let ambiguous = listener.ambiguous_paths == portway_config::AmbiguousPaths::Allow;
    let path = normalize_path(question.path, ambiguous)
        .map_err(|_| "the path is ambiguous: it is answered 400".to_owned())?;
    let belonging = belonging(config, question.host);
    let lookup = Lookup {
        world: World::WHOLE,
        host: question.host,
        path: &path,
        method: question.method,
        headers: question.headers,
        query: question.query,
        listener: listener.meta.name.as_str(),
        certificate: None,
    };
    let (mut candidates, mut others, mut route) = (Vec::new(), 0, None);
    for row in table(config) {
        let theirs = belonging.namespace.as_ref();
        if !belonging.served || theirs.is_some_and(|one| *one != row.route.meta.namespace) {
            others += 1;
            continue;
        }
        match ruled_out_by(&row, &lookup) {
            Some(Condition::Listener | Condition::Host) => others += 1,
            ruled_out_by => {
                candidates.push(Candidate { row, ruled_out_by });
                if ruled_out_by.is_none() {
                    route = Some(row.route);
                    break;
                }
            }
        }
    }
    let same = |one: Option<&Route>| match (one, route) {
        (Some(one), Some(route)) => std::ptr::eq(one, route),
        (one, route) => one.is_none() && route.is_none(),
    };
    let here = |row: &ChainRow<'_>| row.listener.is_none_or(|one| std::ptr::eq(one, listener));
    let chain = chains(config).into_iter().find(|row| same(row.route) && here(row));
    Ok(Trace { listener, belonging, path: path.into_owned(), candidates, others, route, chain })
}

fn listener<'a>(config: &'a Config, name: Option<&str>) -> Result<&'a Listener, String> {
    let mut listeners =
        config.listeners.iter().filter(|one| one.protocol == ListenerProtocol::Http);
    let found = match name {
        Some(name) => listeners.find(|one| one.meta.name.as_str() == name),
        None => listeners.next(),
    };
    found.ok_or_else(|| match name {
        Some(name) => format!("no listener for requests is called {name:?}"),
        None => "there is no listener for requests".to_owned(),
    })
}

/// The first condition of a row that does not hold, in the order in which people think of them.
fn ruled_out_by(row: &Row<'_>, lookup: &Lookup<'_>) -> Option<Condition> {
    let conditions = row.conditions;
    let listeners = &row.route.listeners;
    if !listeners.is_empty() && !listeners.iter().any(|name| name.as_str() == lookup.listener) {
        return Some(Condition::Listener);
    }
    let takes = |one: Match| takes(one, lookup);
    let hosts: Vec<HostPattern> = row.host.into_iter().cloned().collect();
    if !takes(Match { hosts, ..Match::default() }) {
        return Some(Condition::Host);
    }
    if !takes(Match { path: conditions.path.clone(), ..Match::default() }) {
        return Some(Condition::Path);
    }
    for (number, header) in conditions.headers.iter().enumerate() {
        if !takes(Match { headers: vec![header.clone()], ..Match::default() }) {
            return Some(Condition::Header(number));
        }
    }
    for (number, parameter) in conditions.query.iter().enumerate() {
        if !takes(Match { query: vec![parameter.clone()], ..Match::default() }) {
            return Some(Condition::Query(number));
        }
    }
    if !conditions.client_certificate.is_empty() {
        return Some(Condition::Certificate);
    }
    let methods = conditions.methods.clone();
    (!takes(Match { methods, ..Match::default() })).then_some(Condition::Method)
}

fn takes(one: Match, lookup: &Lookup<'_>) -> bool {
    let matches = Matches::One(one);
    let matches = matches.as_slice();
    let (router, regexes) =
        Router::build([Entry { id: 0, namespace: None, priority: 0, listeners: &[], matches }]);
    matches!(router.find(lookup, &regexes), Found::Route(_))
}

#[cfg(test)]
mod tests {
    use portway_config::{Catalog, NoLookup, load};

    use super::*;

    #[test]
    fn every_condition_that_rules_a_route_out_is_told() {
        let config = load(
            "
listeners: [{name: web, bind: ':1'}, {name: other, bind: ':2'}]
routes:
  - {name: elsewhere, listeners: [other], match: {path: /a}, target: {reply: {}}}
  - {name: host, match: {hosts: [b.test], path: /a}, target: {reply: {}}}
  - {name: path, match: {path: /a/b}, target: {reply: {}}}
  - {name: header, match: {path: /a, methods: [GET], headers: [{name: x-a, exact: '1'}]}, target: {reply: {}}}
  - {name: query, match: {path: /a, methods: [GET], query: [{name: q}]}, target: {reply: {}}}
  - {name: method, match: {path: /a, methods: [POST]}, target: {reply: {}}}
  - {name: winner, match: {path: /a}, target: {reply: {}}}
  - {name: late, match: {path: '/{*rest}'}, target: {reply: {}}}
",
            "r.yaml",
            &NoLookup,
            &Catalog::default(),
        );
        let config = config.unwrap().check().unwrap();
        let headers = HeaderMap::new();
        let question = Question {
            method: &Method::GET,
            host: "a.test",
            path: "/x/../a",
            query: None,
            headers: &headers,
            listener: None,
        };
        let traced = trace(&config, &question).unwrap();
        let mut told: Vec<_> = traced
            .candidates
            .iter()
            .map(|one| (one.row.route.meta.name.as_str(), one.ruled_out_by))
            .collect();
        assert_eq!(told.pop(), Some(("winner", None)));
        told.sort_by_key(|(name, _)| *name);
        assert_eq!(
            told,
            [
                ("header", Some(Condition::Header(0))),
                ("method", Some(Condition::Method)),
                ("path", Some(Condition::Path)),
                ("query", Some(Condition::Query(0))),
            ]
        );
        assert_eq!((traced.path.as_str(), traced.others), ("/a", 2));
        assert_eq!(traced.route.unwrap().meta.name.as_str(), "winner");
        let nowhere = Question { listener: Some("none"), ..question.clone() };
        assert!(trace(&config, &nowhere).unwrap_err().contains("none"));
        let ambiguous = Question { path: "/a%2fb", ..question };
        assert!(trace(&config, &ambiguous).unwrap_err().contains("ambiguous"));
    }
}
