//! The router against the documented precedence read word for word: all candidates are sorted by
//! it and tried one after the other.

use std::{cmp::Reverse, collections::BTreeSet};

use portway_config::{Match, PathMatch, TypedPath, ValueMatch};
use portway_plugin::value::{HostPattern, Method, Part, Segment};
use proptest::prelude::*;
use regex::Regex;

use super::{
    Regexes, Router,
    tests::{Request, Route, answer, build, routes},
};

/// The rank of a path: its class, then what stands in each segment and at the end.
type PathRank = (u8, Vec<u8>);

/// How far a match is from the top.
type Rank = (Reverse<i32>, (u8, Reverse<usize>), PathRank, bool, Reverse<usize>, Reverse<usize>);

fn host_rank(host: Option<&HostPattern>, request: &str) -> Option<(u8, Reverse<usize>)> {
    let request = request.to_ascii_lowercase();
    let Some(host) = host.filter(|host| host.as_str() != "*") else {
        return Some((2, Reverse(0)));
    };
    if let Some(suffix) = host.as_str().strip_prefix('*') {
        return request.ends_with(suffix).then_some((1, Reverse(suffix.len())));
    }
    (host.as_str() == request).then_some((0, Reverse(0)))
}

/// The rank of a path, and an expression with the names of its captures in order.
fn path_rank(path: Option<&PathMatch>) -> (PathRank, String, Vec<String>) {
    match path {
        None => ((2, vec![]), ".*".into(), vec![]),
        Some(PathMatch::Typed(TypedPath::Regex(regex))) => {
            ((1, vec![]), format!("(?:{regex})"), vec![])
        }
        Some(PathMatch::Typed(TypedPath::Exact(path))) => {
            let ranks = path.as_str().split('/').skip(1).map(|_| 0).chain([4]).collect();
            ((0, ranks), regex::escape(path.as_str()), vec![])
        }
        Some(PathMatch::Typed(TypedPath::Prefix(prefix))) if prefix.as_str() == "/" => {
            ((2, vec![]), ".*".into(), vec![])
        }
        Some(PathMatch::Typed(TypedPath::Prefix(prefix))) => {
            let ranks = prefix.as_str().split('/').skip(1).map(|_| 0).chain([6]).collect();
            ((0, ranks), format!("{}(?:/.*)?", regex::escape(prefix.as_str())), vec![])
        }
        Some(PathMatch::Pattern(pattern)) => {
            let (mut ranks, mut text, mut names) = (Vec::new(), String::new(), Vec::new());
            for segment in pattern.segments() {
                text.push('/');
                let (rank, piece) = match segment {
                    Segment::Literal(literal) => (0, regex::escape(literal)),
                    Segment::Regex { regex, .. } => (2, format!("({regex})")),
                    Segment::Param(_) => (3, "([^/]+)".into()),
                    Segment::Rest(_) => (5, "(.*)".into()),
                    Segment::Parts(parts) => {
                        let parts = parts.as_slice().iter().map(|part| match part {
                            Part::Literal(literal) => regex::escape(literal),
                            Part::Param(_) => "([^/]+?)".into(),
                            Part::Regex { regex, .. } => format!("({regex})"),
                        });
                        (1, parts.collect())
                    }
                };
                ranks.push(rank);
                text.push_str(&piece);
            }
            names.extend(pattern.captures().map(str::to_owned));
            if ranks == [5] {
                return ((2, vec![]), text, names);
            }
            if ranks.last() != Some(&5) {
                ranks.push(4);
            }
            ((0, ranks), text, names)
        }
    }
}

fn holds<N>(condition: &ValueMatch<N>, value: Option<&str>) -> bool {
    value.is_some_and(|value| {
        condition.exact.as_ref().is_none_or(|exact| exact == value)
            && condition.regex.as_ref().is_none_or(|regex| regex.is_match(value))
    })
}

fn rest_holds(found: &Match, request: &Request) -> bool {
    found.headers.iter().all(|condition| {
        let value = request.headers.get(condition.name.as_str());
        holds(condition, value.map(|value| value.to_str().unwrap()))
    }) && found.query.iter().all(|condition| {
        let query = request.query.as_deref().unwrap_or_default();
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let mut values = pairs.filter(|(name, _)| *name == condition.name).map(|(_, value)| value);
        holds(condition, values.next())
    })
}

/// A match with what is known of it before a request comes.
struct Candidate<'a> {
    number: usize,
    route: &'a Route,
    found: &'a Match,
    path_rank: PathRank,
    path: Regex,
    names: Vec<String>,
}

fn candidates(routes: &[Route]) -> Vec<Candidate<'_>> {
    let matches = routes.iter().enumerate().flat_map(|(number, route)| {
        route.matches.iter().map(move |found| {
            let (path_rank, text, names) = path_rank(found.path.as_ref());
            let path = Regex::new(&format!(r"\A{text}\z")).unwrap();
            Candidate { number, route, found, path_rank, path, names }
        })
    });
    matches.collect()
}

/// What [`answer`] should say.
fn expected(all: &[Candidate<'_>], request: &Request) -> String {
    let mut candidates: Vec<(Rank, usize, &Match, String)> = Vec::new();
    for Candidate { number, route, found, path_rank, path, names } in all {
        let any = found.hosts.is_empty().then_some(None);
        let hosts = any.into_iter().chain(found.hosts.iter().map(Some));
        let host = hosts.filter_map(|host| host_rank(host, &request.host)).min();
        let (Some(host), Some(groups)) = (host, path.captures(&request.path)) else { continue };
        let rank = (
            Reverse(route.priority),
            host,
            path_rank.clone(),
            found.methods.is_empty(),
            Reverse(found.headers.len()),
            Reverse(found.query.len()),
        );
        let mut text = route.name.clone();
        for (name, group) in names.iter().zip(groups.iter().skip(1)) {
            text.push_str(&format!(" {name}={}", group.unwrap().as_str()));
        }
        candidates.push((rank, *number, found, text));
    }
    // Stable: what is equal stays in the order of declaration.
    candidates.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    let mut allow = BTreeSet::new();
    for (_, _, found, text) in candidates {
        if !rest_holds(found, request) {
            continue;
        }
        let methods: Vec<&str> = found.methods.iter().map(Method::as_str).collect();
        if methods.is_empty() || methods.contains(&request.method.as_str()) {
            return text;
        }
        allow.extend(methods);
    }
    if allow.is_empty() {
        return "404".to_owned();
    }
    format!("405 {}", allow.into_iter().collect::<Vec<_>>().join(", "))
}

/// One of these texts.
fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(texts)
}

fn pattern() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        4 => one_of(&["a", "b", "a-b", ""]),
        3 => one_of(&["{@}", "{@:[ab]+}", "{@:a[^/]*}", "{@:a|b}", "{@:[0-9]}"]),
        2 => one_of(&["{@}-{@x}", "a{@}", "{@}b", "{@:[ab]+}-{@x}", "{@}-{@x:[0-9]}", "{@}-{@x}-b"]),
    ];
    (prop::collection::vec(segment, 1..4), any::<bool>()).prop_map(|(segments, rest)| {
        let mut path = String::new();
        for (at, segment) in segments.iter().enumerate() {
            path.push('/');
            path.push_str(&segment.replace('@', &format!("p{at}")));
        }
        if rest { path + "/{*rest}" } else { path }
    })
}

fn condition() -> impl Strategy<Value = String> {
    let path = prop_oneof![
        6 => pattern().prop_map(|path| format!("path={path}")),
        1 => one_of(&["exact=/a", "exact=/a/", "exact=/a-b/a", "exact=/"]).prop_map(str::to_owned),
        2 => one_of(&["prefix=/a", "prefix=/a/b", "prefix=/", "prefix=/a-b"]).prop_map(str::to_owned),
        1 => one_of(&["regex=/a.*", "regex=/[ab]/.*", "regex=.*b", "path=/{*all}"])
            .prop_map(str::to_owned),
        1 => Just(String::new()),
    ];
    let rest = (
        one_of(&["", "", "host=a.com", "host=*.a.com", "host=*.com", "host=*", "host=a.com,*.com"]),
        one_of(&["", "", "", "methods=GET", "methods=POST", "methods=GET,PURGE"]),
        one_of(&["", "", "", "header=x", "header=x:1", "header=x~[12]", "header=x header=y"]),
        one_of(&["", "", "", "query=q", "query=q:1", "query=q~[12]", "query=q query=r"]),
    );
    (path, rest).prop_map(|(path, (a, b, c, d))| format!("{path} {a} {b} {c} {d}"))
}

fn route() -> impl Strategy<Value = String> {
    let matches = prop::collection::vec(condition(), 1..3);
    (one_of(&["", "", "", "priority=1 ", "priority=-1 "]), matches)
        .prop_map(|(priority, matches)| format!("{priority}{}", matches.join(" | ")))
}

/// Short paths that many others rank equal to.
fn close_route() -> impl Strategy<Value = String> {
    let path = one_of(&[
        "{a}-{b}",
        "a{b}",
        "{a}b",
        "{a:[ab-]+}",
        "{a:[a-z][^/]*}",
        "{a:[^/]*b}",
        "{a}",
        "a-b",
        "{*a}",
    ]);
    let end = one_of(&["", "/b", "/{z}", "/{y}-{z}", "/a{z}"]);
    let rest = one_of(&["", "", "methods=GET", "header=x", "query=q"]);
    (path, end, rest).prop_map(|(path, end, rest)| {
        let end = if path == "{*a}" { "" } else { end };
        format!("path=/{path}{end} {rest}")
    })
}

fn table() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![
        2 => prop::collection::vec(route(), 1..24),
        1 => prop::collection::vec(close_route(), 1..24),
    ]
}

fn request() -> impl Strategy<Value = String> {
    let segment = one_of(&["a", "b", "ab", "a-b", "a-b-b", "b-1", "-", "1", ""]);
    (
        one_of(&["GET", "POST", "PURGE", "HEAD"]),
        one_of(&["a.com", "x.a.com", "Y.X.a.com", "b.org"]),
        prop::collection::vec(segment, 1..5),
        one_of(&["", "?q=1", "?q=2&r", "?q=3&q=1"]),
        one_of(&["", " x:1", " x:3 y:1", " x:2 y:1"]),
    )
        .prop_map(|(method, host, segments, query, headers)| {
            format!("{method} {host}/{}{query}{headers}", segments.join("/"))
        })
}

/// Whether to keep a line, to change it, or to put another one before it.
fn edit() -> impl Strategy<Value = (u8, String)> {
    (0_u8..8, prop_oneof![route(), close_route()])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// However often it was changed, a router says what one says that was made at one stroke.
    #[test]
    fn a_router_that_was_changed_is_like_one_made_from_scratch(
        lines in table(),
        edits in prop::collection::vec(prop::collection::vec(edit(), 24), 1..4),
        requests in prop::collection::vec(request(), 16),
    ) {
        let mut lines: Vec<String> =
            lines.iter().enumerate().map(|(at, line)| format!("r{at} {line}")).collect();
        let mut before = routes(&lines);
        let mut built = build(&before, &(0..before.len()).collect::<Vec<_>>());
        for (round, edits) in edits.iter().enumerate() {
            let mut changed = Vec::new();
            for (at, line) in lines.iter().enumerate() {
                let (what, other) = &edits[at % edits.len()];
                let other = format!("n{round}-{at} {other}");
                match what {
                    0 => changed.push(other),
                    1 => changed.extend([other, line.clone()]),
                    2 => {}
                    _ => changed.push(line.clone()),
                }
            }
            lines = changed;
            let after = routes(&lines);
            let entries = (0..).zip(&after).map(|(id, route)| route.entry(id));
            let was = |id: u32| before[id as usize].entry(id);
            let router = Router::build_after(entries, Some((&built.0, was)));
            let regexes = Regexes::of_core(&router, Some((&built.0, &built.1)));
            built = (router, regexes);
            before = after;
            let candidates = candidates(&before);
            for line in &requests {
                let request: Request = line.parse().unwrap();
                let got = answer(&before, &built, &request);
                let want = expected(&candidates, &request);
                prop_assert_eq!(got, want, "{} against {:#?}", line, lines);
            }
        }
    }

    #[test]
    fn the_router_agrees_with_the_documented_precedence(
        (lines, order) in table().prop_flat_map(|lines| {
            let order = Just((0..lines.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(lines), order)
        }),
        requests in prop::collection::vec(request(), 32),
    ) {
        let lines: Vec<String> =
            lines.iter().enumerate().map(|(at, line)| format!("r{at} {line}")).collect();
        let routes = routes(&lines);
        // However they are entered, the numbers say what was declared first.
        let built = build(&routes, &order);
        let candidates = candidates(&routes);
        for line in requests {
            let request: Request = line.parse().unwrap();
            let (got, want) = (answer(&routes, &built, &request), expected(&candidates, &request));
            prop_assert_eq!(got, want, "{} against {:#?}", line, lines);
        }
    }
}
