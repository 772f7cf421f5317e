//! Routes that can never be told apart: the later one would wait for ever.
//!
//! Two routes are told apart by their priority, the hosts, the shape of the path, the conditions
//! on header fields, query parameters and client certificates, the listeners, and the methods; and by
//! their namespaces where domains keep those apart. Where all that is the same, the one declared
//! first takes every request.

use hashbrown::{HashMap, HashSet};
use portway_plugin::{
    Problem,
    value::{HostPattern, Method, Name, PathShape, Quoted, Regex},
};

use super::{
    Findings, Lowered, Seen,
    known::{self, Each},
};
use crate::resource::{Config, ListenerProtocol, Match, PathMatch, Route, TypedPath, ValueMatch};

/// `seen` are the routes, in their order, and `each` is what is known of them.
pub(super) fn check(lowered: &Lowered<'_>, seen: &[Seen], each: &Each, findings: &mut Findings) {
    let mut taken: HashMap<Key<'_>, Vec<Taken<'_>>> = HashMap::new();
    let apart = lowered.config.tells_namespaces_apart();
    let digests = seen.iter().map(|seen| each.digests(seen.at));
    let suspects = suspects(lowered.config, digests, apart);
    let routes = lowered.routes().enumerate();
    for (at, (route, from)) in routes.filter(|(at, _)| suspects.contains(at)) {
        // One problem for a pair of routes, however many matches they share.
        let mut reported = None;
        for (one, path) in route.matches_at(from) {
            for key in keys(route, one, apart) {
                let earlier = taken.entry(key).or_default();
                if let Some(first) = covered(one, at, earlier)
                    && reported != Some(first)
                {
                    reported = Some(first);
                    report(lowered, (route, &path), first, findings);
                }
                earlier.push(Taken { route: at, methods: &one.methods });
            }
        }
    }
}

/// The digests of a route: one of them at least is also another's that it cannot be told apart
/// from. Namespaces are not in it.
pub(super) fn digests(route: &Route) -> Vec<u64> {
    let mut all = Vec::new();
    for one in route.matches.as_slice() {
        for key in keys(route, one, false) {
            let key = known::digest(&key);
            if one.methods.is_empty() {
                all.push(key);
            }
            all.extend(one.methods.iter().map(|method| known::digest(&(key, method))));
        }
    }
    all
}

/// The routes that share a digest: few have to be compared.
#[expect(single_use_lifetimes, reason = "the language wants a name for it here")]
fn suspects<'a>(
    config: &Config,
    digests: impl ExactSizeIterator<Item = &'a [u64]>,
    apart: bool,
) -> HashSet<usize> {
    let mut first: HashMap<u64, usize> = HashMap::with_capacity(digests.len());
    let mut suspects = HashSet::new();
    for (at, (route, digests)) in config.routes.shared().iter().zip(digests).enumerate() {
        let namespace = match apart && has_host(route) {
            true => known::digest(&route.meta.namespace),
            false => 0,
        };
        for digest in digests {
            let earlier = *first.entry(digest ^ namespace).or_insert(at);
            if earlier != at {
                suspects.extend([earlier, at]);
            }
        }
    }
    suspects
}

/// What has no host and no name has no domain either.
fn has_host(route: &Route) -> bool {
    matches!(route.protocol, ListenerProtocol::Http | ListenerProtocol::Tls)
}

/// What tells routes apart, but for the methods.
#[derive(PartialEq, Eq, Hash)]
struct Key<'a> {
    protocol: ListenerProtocol,
    namespace: Option<&'a Name>,
    listeners: Vec<&'a Name>,
    priority: i32,
    host: Option<&'a HostPattern>,
    path: PathShape,
    headers: Vec<Condition<'a>>,
    query: Vec<Condition<'a>>,
    client_certificate: Vec<Condition<'a>>,
}

/// A condition on a value: what it is called, how it is compared, with what.
type Condition<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// A route that takes these methods; all of them when there are none.
struct Taken<'a> {
    route: usize,
    methods: &'a [Method],
}

fn keys<'a>(route: &'a Route, one: &'a Match, apart: bool) -> impl Iterator<Item = Key<'a>> {
    let apart = apart && has_host(route);
    let hosts = match route.protocol {
        ListenerProtocol::Tls => &one.sni,
        _ => &one.hosts,
    };
    let any = hosts.is_empty() || hosts.iter().any(HostPattern::is_any);
    let hosts = hosts.iter().filter(move |_| !any).map(Some);
    hosts.chain(any.then_some(None)).map(move |host| Key {
        protocol: route.protocol,
        namespace: apart.then_some(&route.meta.namespace),
        listeners: listeners(route),
        priority: route.priority,
        host,
        path: match &one.path {
            None => PathShape::any(),
            Some(PathMatch::Pattern(pattern)) => pattern.shape(),
            Some(PathMatch::Typed(TypedPath::Exact(path))) => path.shape(),
            Some(PathMatch::Typed(TypedPath::Prefix(prefix))) => prefix.shape(),
            Some(PathMatch::Typed(TypedPath::Regex(regex))) => PathShape::regex(regex),
        },
        headers: conditions(&one.headers, |name| name.as_str()),
        query: conditions(&one.query, |name| name),
        client_certificate: conditions(&one.client_certificate, |part| part.as_str()),
    })
}

fn listeners(route: &Route) -> Vec<&Name> {
    let mut names: Vec<_> = route.listeners.iter().collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn conditions<N>(list: &[ValueMatch<N>], name: impl Fn(&N) -> &str) -> Vec<Condition<'_>> {
    let mut conditions: Vec<_> = list
        .iter()
        .map(|ValueMatch { name: n, exact, regex }| {
            (name(n), exact.as_deref(), regex.as_ref().map(Regex::as_str))
        })
        .collect();
    conditions.sort_unstable();
    conditions.dedup();
    conditions
}

/// The first of the earlier routes that leave nothing for this match. A match with a method
/// condition comes before one without, whichever was declared first.
fn covered(one: &Match, route: usize, earlier: &[Taken<'_>]) -> Option<usize> {
    let others = || earlier.iter().filter(|taken| taken.route != route);
    if one.methods.is_empty() {
        return others().find(|taken| taken.methods.is_empty()).map(|taken| taken.route);
    }
    let taker = |method| others().find(|taken| taken.methods.contains(method));
    let takers: Option<Vec<_>> = one.methods.iter().map(taker).collect();
    takers?.first().map(|taken| taken.route)
}

fn report(
    lowered: &Lowered<'_>,
    (route, path): (&Route, &str),
    first: usize,
    findings: &mut Findings,
) {
    let (Some(other), Some(other_from)) =
        (lowered.config.routes.get(first), lowered.from.routes.get(first))
    else {
        return;
    };
    let other_place = lowered.places.named(&other_from.to_string());
    let problem = Problem::new(
        "same_route",
        format!(
            "{} can never be told apart from {} ({other_place})",
            Quoted(route.meta.name.as_str()),
            Quoted(other.meta.name.as_str()),
        ),
    );
    let problem = problem.at(path);
    // RESTGate takes the first and says nothing, and its files are to load unchanged.
    if lowered.places.is_translated() {
        findings.warning(problem.hint("it takes no request: the first one wins"));
    } else {
        findings.problem(problem.hint("change a condition, or give one of them a priority"));
    }
}
