//! Routes and requests as lines of text, and what must come of them.
//!
//! A route is `name key=value…` with the keys `priority`, `host`, `methods`, `path`, `exact`,
//! `prefix`, `regex`, `header` and `query`; ` | ` begins another match of the same route. A
//! request is `METHOD host/path?query` and then `name:value` header fields. What comes of it is
//! the name of a route and its captures, or the status of a refusal.

use std::str::FromStr;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use portway_config::{Match, PathMatch, TypedPath, ValueMatch};

use super::{Entry, Found, Lookup, Regexes, Router, World};

pub(super) struct Route {
    pub(super) name: String,
    pub(super) priority: i32,
    pub(super) matches: Vec<Match>,
}

impl FromStr for Route {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut route = Self { name: name.to_owned(), priority: 0, matches: Vec::new() };
        for part in rest.split(" | ") {
            let mut found = Match::default();
            for word in part.split_whitespace() {
                let (key, value) = word.split_once('=').ok_or(word)?;
                match key {
                    "priority" => route.priority = parse(value)?,
                    "host" => {
                        found.hosts = value.split(',').map(parse).collect::<Result<_, _>>()?;
                    }
                    "methods" => {
                        found.methods = value.split(',').map(parse).collect::<Result<_, _>>()?;
                    }
                    "path" => found.path = Some(PathMatch::Pattern(parse(value)?)),
                    "exact" => found.path = Some(PathMatch::Typed(TypedPath::Exact(parse(value)?))),
                    "prefix" => {
                        found.path = Some(PathMatch::Typed(TypedPath::Prefix(parse(value)?)));
                    }
                    "regex" => found.path = Some(PathMatch::Typed(TypedPath::Regex(parse(value)?))),
                    "header" => found.headers.push(condition(value)?),
                    "query" => found.query.push(condition(value)?),
                    _ => return Err(format!("no key {key:?}")),
                }
            }
            route.matches.push(found);
        }
        Ok(route)
    }
}

impl Route {
    pub(super) fn entry(&self, id: u32) -> Entry<'_> {
        let Self { priority, matches, .. } = self;
        Entry { id, namespace: None, priority: *priority, listeners: &[], matches }
    }
}

fn condition<N: FromStr<Err: ToString>>(text: &str) -> Result<ValueMatch<N>, String> {
    let (name, exact, regex) = match (text.split_once(':'), text.split_once('~')) {
        (Some((name, exact)), _) => (name, Some(exact.to_owned()), None),
        (None, Some((name, regex))) => (name, None, Some(parse(regex)?)),
        (None, None) => (text, None, None),
    };
    Ok(ValueMatch { name: parse(name)?, exact, regex })
}

fn parse<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| format!("{text}: {}", error.to_string()))
}

pub(super) struct Request {
    pub(super) method: Method,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
}

impl FromStr for Request {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = line.split(' ');
        let method = parse(words.next().unwrap_or_default())?;
        let target = words.next().ok_or("no target")?;
        let (target, query) = match target.split_once('?') {
            Some((target, query)) => (target, Some(query.to_owned())),
            None => (target, None),
        };
        let (host, path) = target.split_at(target.find(['/', '*']).ok_or("no path")?);
        let mut headers = HeaderMap::new();
        for word in words {
            let (name, value) = word.split_once(':').ok_or("no header")?;
            headers.append(parse::<HeaderName>(name)?, parse::<HeaderValue>(value)?);
        }
        Ok(Self { method, host: host.to_owned(), path: path.to_owned(), query, headers })
    }
}

impl Request {
    pub(super) fn lookup(&self) -> Lookup<'_> {
        Lookup {
            world: World::WHOLE,
            host: &self.host,
            path: &self.path,
            method: &self.method,
            headers: &self.headers,
            query: self.query.as_deref(),
            listener: "web",
            certificate: None,
        }
    }
}

pub(super) fn routes(lines: &[impl AsRef<str>]) -> Vec<Route> {
    lines.iter().map(|line| line.as_ref().parse().unwrap()).collect()
}

/// The routes, numbered as they stand; `order` says in which order they are entered.
pub(super) fn build(routes: &[Route], order: &[usize]) -> (Router, Regexes) {
    Router::build(order.iter().map(|&at| routes[at].entry(u32::try_from(at).unwrap())))
}

/// What the router says, as text.
pub(super) fn answer(
    routes: &[Route],
    (router, regexes): &(Router, Regexes),
    request: &Request,
) -> String {
    match router.find(&request.lookup(), regexes) {
        Found::None => "404".to_owned(),
        Found::MethodNotAllowed(allow) => format!("405 {allow}"),
        Found::Route(id) => {
            let mut text = routes[router.get(id).route() as usize].name.clone();
            for (name, value) in router.captures(id, &request.path, regexes).iter() {
                text.push_str(&format!(" {name}={value}"));
            }
            text
        }
    }
}

fn check(lines: &[&str], rows: &[(&str, &str)]) {
    let routes = routes(lines);
    let mut order: Vec<usize> = (0..routes.len()).collect();
    let forward = build(&routes, &order);
    order.reverse();
    let backward = build(&routes, &order);
    for (line, expected) in rows {
        let request = line.parse().unwrap();
        assert_eq!(answer(&routes, &forward, &request), *expected, "{line}");
        assert_eq!(
            answer(&routes, &backward, &request),
            *expected,
            "{line}, entered last to first"
        );
    }
}

#[test]
fn nothing_takes_nothing() {
    check(&[], &[("GET a.com/", "404")]);
}

#[test]
fn a_pattern_takes_whole_paths() {
    check(
        &[
            "get-account methods=GET path=/account/{id}",
            "new-account methods=POST path=/account",
            "slash path=/account/",
            "range path=/range/{from}-{to}",
            "order path=/orders/{id:[0-9]+}",
            "files path=/files/{*rest}",
            "file path=/v{major}.{minor}/{name}.json",
            "between path=/x{a}y{b}z",
            "mixed path=/m/{year:[0-9]{4}}-{slug}",
        ],
        &[
            ("GET a/account/7", "get-account id=7"),
            ("GET a/account/%2F", "get-account id=%2F"),
            ("POST a/account", "new-account"),
            ("GET a/account/7/x", "404"),
            ("GET a/account/7/", "404"),
            ("GET a/account/", "slash"),
            ("GET a/Account/", "404"),
            ("GET a/range/1-2", "range from=1 to=2"),
            ("GET a/range/1-2-3", "range from=1 to=2-3"),
            ("GET a/range/--3", "range from=- to=3"),
            ("GET a/range/1-", "404"),
            ("GET a/range/-1", "404"),
            ("GET a/orders/12", "order id=12"),
            ("GET a/orders/12a", "404"),
            ("GET a/files/", "files rest="),
            ("GET a/files/a/b/", "files rest=a/b/"),
            ("GET a/files//", "files rest=/"),
            ("GET a/files", "404"),
            ("GET a/v1.2/x.json", "file major=1 minor=2 name=x"),
            ("GET a/v1.2.3/x.y.json", "file major=1 minor=2.3 name=x.y"),
            ("GET a/v1.2/.json", "404"),
            ("GET a/xyyyz", "between a=y b=y"),
            ("GET a/xyz", "404"),
            ("GET a/xz", "404"),
            ("GET a/m/2024-a-b", "mixed year=2024 slug=a-b"),
            ("GET a/m/202-a", "404"),
            ("GET a//account/7", "404"),
        ],
    );
}

#[test]
fn a_placeholder_never_stands_for_an_empty_segment() {
    check(
        &["param path=/a/{x}/b", "regex path=/r/{x:[a-z]*}", "parts path=/p/{x:[a-z]*}-{y:[0-9]*}"],
        &[
            ("GET a/a//b", "404"),
            ("GET a/r/", "404"),
            ("GET a/r/q", "regex x=q"),
            ("GET a/p/-", "parts x= y="),
            ("GET a/p/", "404"),
        ],
    );
}

#[test]
fn typed_paths() {
    check(
        &[
            "exact exact=/e/a%7bb",
            "slash exact=/e/",
            "prefix prefix=/p",
            "regex regex=/r/(?<year>[0-9]+)(/.*)?",
        ],
        &[
            ("GET a/e/a%7Bb", "exact"),
            ("GET a/e/", "slash"),
            ("GET a/e", "404"),
            ("GET a/p", "prefix"),
            ("GET a/p/", "prefix"),
            ("GET a/p/a/b", "prefix"),
            ("GET a/pq", "404"),
            ("GET a/r/2024", "regex year=2024"),
            ("GET a/r/2024/x", "regex year=2024"),
            ("GET a/r/x", "404"),
            ("GET a/x/r/2024", "404"),
        ],
    );
}

#[test]
fn each_rung_of_the_path_beats_the_next() {
    let ladder = [
        "literal path=/a/b-c",
        "parts path=/a/{x}-{y}",
        "segment-regex path=/a/{x:.*}",
        "param path=/a/{x}",
        "rest path=/a/{*x}",
        "prefix prefix=/a",
        "regex regex=/a/.*",
        "catch-all prefix=/",
    ];
    let won = ["literal", "parts x=b y=c", "segment-regex x=b-c", "param x=b-c", "rest x=b-c"];
    let won = won.iter().chain(&["prefix", "regex", "catch-all"]);
    // Declared in the wrong order, and the best one taken away each time.
    for (at, won) in won.enumerate() {
        let lines: Vec<&str> = ladder[at..].iter().rev().copied().collect();
        check(&lines, &[("GET a/a/b-c", won)]);
    }
}

#[test]
fn the_path_is_compared_segment_by_segment() {
    check(
        &[
            "late path=/{x}/b/c",
            "early path=/a/{x}/{y}",
            "early-prefix prefix=/q",
            "late-literal path=/{x}/b",
            "short prefix=/s",
            "long prefix=/s/t",
            "deep path=/s/{x}/u",
        ],
        &[
            ("GET a/a/b/c", "early x=b y=c"),
            ("GET a/z/b/c", "late x=z"),
            ("GET a/q/b", "early-prefix"),
            ("GET a/s/t/u", "long"),
            ("GET a/s/v/u", "deep x=v"),
            ("GET a/s/tt", "short"),
        ],
    );
}

#[test]
fn the_examples_of_the_documentation() {
    for (lines, request, won) in [
        (&["one path=/{x}/b/c", "two path=/a/{x}/{y}"][..], "GET h/a/b/c", "two x=b y=c"),
        (&["one path=/{x}", "two prefix=/a"], "GET h/a", "two"),
        (&["one prefix=/a", "two prefix=/a/b"], "GET h/a/b/c", "two"),
        (&["one path=/{*rest}", "two regex=/a.*"], "GET h/abc", "two"),
        (&["one path=/a host=*.b.com", "two path=/{x} host=a.b.com"], "GET a.b.com/a", "two x=a"),
        (&["one path=/a methods=POST", "two path=/{x}"], "GET h/a", "two x=a"),
        (&["one path=/a", "two path=/a header=h"], "GET h/a h:1", "two"),
    ] {
        check(lines, &[(request, won)]);
    }
}

#[test]
fn of_two_expressions_that_fit_the_rest_decides() {
    check(
        &[
            "letters path=/{x:[a-z]+}/{y}",
            "word path=/{x:\\w+}/b",
            "plain path=/t/{x:[a-z]+}",
            "header path=/t/{x:\\w+} header=x",
            "first path=/u/{x:[a-z]+}",
            "second path=/u/{x:\\w+}",
            "dash path=/w/{x}-{y}",
            "dash-get path=/w/{x}{y:-c} methods=GET",
        ],
        &[
            ("GET a/a/b", "word x=a"),
            ("GET a/a/c", "letters x=a y=c"),
            ("GET a/t/a", "plain x=a"),
            ("GET a/t/a x:1", "header x=a"),
            ("GET a/u/a", "first x=a"),
            ("GET a/u/1", "second x=1"),
            ("GET a/w/b-c", "dash-get x=b y=-c"),
            ("POST a/w/b-c", "dash x=b y=c"),
        ],
    );
}

#[test]
fn priority_then_host_come_before_the_path() {
    check(
        &[
            "high priority=1 path=/{*x}",
            "exact host=a.com prefix=/",
            "literal path=/b",
            "low priority=-1 host=a.com path=/b",
        ],
        &[("GET a.com/b", "high x=b")],
    );
    check(
        &[
            "any path=/b",
            "star host=* path=/b methods=GET",
            "com host=*.com path=/{x}",
            "a host=*.a.com path=/{x}",
            "exact host=x.a.com path=/{*x}",
            "low host=x.a.com path=/b priority=-1",
        ],
        &[
            ("GET x.a.com/b", "exact x=b"),
            ("GET y.a.com/b", "a x=b"),
            ("GET y.x.a.com/b", "a x=b"),
            ("GET a.com/b", "com x=b"),
            ("GET com/b", "star"),
            ("GET org/b", "star"),
            ("PUT org/b", "any"),
            ("GET y.a.com/c/d", "404"),
        ],
    );
}

#[test]
fn a_host_in_any_spelling() {
    check(
        &[
            "name host=api.example.com",
            "below host=*.example.com",
            "v4 host=10.0.0.1",
            "v6 host=[2001:db8::1]",
        ],
        &[
            ("GET api.example.com:8080/", "name"),
            ("GET API.Example.COM/", "name"),
            ("GET api.example.com./", "name"),
            ("GET API.example.com.:80/", "name"),
            ("GET A.B.example.com:80/", "below"),
            ("GET example.com/", "404"),
            ("GET notexample.com/", "404"),
            ("GET 10.0.0.1:80/", "v4"),
            ("GET [2001:db8::1]/", "v6"),
            ("GET [2001:DB8:0::1]:80/", "v6"),
            ("GET [2001:db8::2]/", "404"),
            ("GET [nonsense/", "404"),
            ("GET /", "404"),
        ],
    );
}

#[test]
fn conditions_decide_between_equal_paths() {
    check(
        &[
            "bare path=/a",
            "query path=/a query=q",
            "header path=/a header=h",
            "two-headers path=/a header=h header=i",
            "header-query path=/a header=h query=q",
            "method path=/a methods=POST",
        ],
        &[
            ("GET a/a", "bare"),
            ("GET a/a?q", "query"),
            ("GET a/a h:1", "header"),
            ("GET a/a?q h:1", "header-query"),
            ("GET a/a?q h:1 i:1", "two-headers"),
            ("POST a/a?q h:1 i:1", "method"),
        ],
    );
    check(&["first path=/{x}", "second path=/{y}"], &[("GET a/a", "first x=a")]);
}

#[test]
fn a_candidate_that_fails_falls_back_to_the_next() {
    check(
        &[
            "literal path=/a/b/c methods=PUT",
            "beside path=/a/{x}/c header=h:1",
            "parameter path=/{x}/b/{y} query=q:1",
            "prefix prefix=/a host=h.com",
            "any prefix=/a",
        ],
        &[
            ("PUT a.com/a/b/c", "literal"),
            ("PUT h.com/a/b/c", "prefix"),
            ("GET h.com/a/b/c", "prefix"),
            ("GET a.com/a/b/c h:1", "beside x=b"),
            ("GET a.com/a/b/c h:2", "any"),
            ("GET a.com/z/b/c?q=1", "parameter x=z y=c"),
            ("GET a.com/a/b/c?q=1 h:2", "any"),
            ("GET a.com/z/b/c", "404"),
        ],
    );
}

#[test]
fn a_405_means_that_nothing_but_the_method_failed() {
    check(
        &[
            "get path=/a methods=GET",
            "post path=/a methods=POST,PURGE header=h",
            "put path=/{x} methods=PUT",
            "delete path=/a methods=DELETE host=b.com",
            "high path=/a methods=PATCH priority=7",
        ],
        &[
            ("GET a.com/a", "get"),
            ("HEAD a.com/a", "405 GET, PATCH, PUT"),
            ("OPTIONS a.com/a h:1", "405 GET, PATCH, POST, PURGE, PUT"),
            ("PURGE a.com/a h:1", "post"),
            ("PURGE a.com/a", "405 GET, PATCH, PUT"),
            ("get a.com/a", "405 GET, PATCH, PUT"),
            ("HEAD b.com/a", "405 DELETE, GET, PATCH, PUT"),
            ("PUT a.com/a", "put x=a"),
            ("GET a.com/z", "405 PUT"),
            ("GET a.com/a/", "404"),
        ],
    );
    check(&["header path=/a methods=POST header=h"], &[("GET a/a", "404")]);
    check(&["prefix prefix=/ methods=GET"], &[("POST a/x", "405 GET")]);
    check(&["regex regex=/x.* methods=GET"], &[("POST a/x", "405 GET"), ("POST a/y", "404")]);
}

#[test]
fn header_conditions() {
    check(
        &["exact header=x:1", "regex header=y~[0-9]+", "cookie header=cookie~.*;.*"],
        &[
            ("GET a/ x:1", "exact"),
            ("GET a/ X:1", "exact"),
            ("GET a/ x:2", "404"),
            ("GET a/ x:1 x:1", "404"),
            ("GET a/ y:12", "regex"),
            ("GET a/ y:12a", "404"),
            ("GET a/ cookie:a=1 cookie:b=2", "cookie"),
            ("GET a/ cookie:a=1", "404"),
        ],
    );
    let (router, regexes) = {
        let mut routes = routes(&["joined header=z:placeholder"]);
        routes[0].matches[0].headers[0].exact = Some("1, 2".to_owned());
        build(&routes, &[0])
    };
    let mut request: Request = "GET a/ z:1 z:2".parse().unwrap();
    assert!(matches!(router.find(&request.lookup(), &regexes), Found::Route(_)));
    request.headers.insert("z", HeaderValue::from_static("1, 2"));
    assert!(matches!(router.find(&request.lookup(), &regexes), Found::Route(_)));
    request.headers.insert("z", HeaderValue::from_bytes(b"1, 2\xff").unwrap());
    assert_eq!(router.find(&request.lookup(), &regexes), Found::None);
}

#[test]
fn query_conditions() {
    check(
        &["there query=a", "exact query=b:1", "decoded query=c:x+y", "regex query=d~[a-z]+"],
        &[
            ("GET h/?a", "there"),
            ("GET h/?a=", "there"),
            ("GET h/?x=1&a=2", "there"),
            ("GET h/?%61=2", "there"),
            ("GET h/?aa", "404"),
            ("GET h/", "404"),
            ("GET h/?b=1", "exact"),
            ("GET h/?b=1&b=2", "exact"),
            ("GET h/?b=2&b=1", "404"),
            ("GET h/?b=%31", "exact"),
            ("GET h/?c=x%2By", "decoded"),
            ("GET h/?c=x+y", "404"),
            ("GET h/?d=abc", "regex"),
            ("GET h/?d=abC", "404"),
            ("GET h/?d=%ff", "404"),
            ("GET h/?b=%3", "404"),
            ("GET h/?&&=&b=1", "exact"),
        ],
    );
}

#[test]
fn several_matches_are_alternatives() {
    check(
        &["both path=/a methods=GET | path=/b/{id} host=b.com", "b path=/b/{x}"],
        &[
            ("GET a/a", "both"),
            ("GET a/b/1", "b x=1"),
            ("GET b.com/b/1", "both id=1"),
            ("POST a/a", "405 GET"),
        ],
    );
}

#[test]
fn a_target_that_is_no_path_is_taken_by_any_path_only() {
    check(
        &["param path=/{x}", "regex regex=.*", "options methods=OPTIONS"],
        &[("OPTIONS a*", "options"), ("GET a*", "405 OPTIONS")],
    );
}

#[test]
fn what_is_said_about_a_match_is_ready() {
    let routes = routes(&["a path=/a/{id} | prefix=/b | regex=/c+ | exact=/d | host=x.com"]);
    let built = build(&routes, &[0]);
    for (line, index, pattern) in [
        ("GET a/a/1", 0, "/a/{id}"),
        ("GET a/b/1", 1, "prefix /b"),
        ("GET a/cc", 2, "regex /c+"),
        ("GET a/d", 3, "/d"),
        ("GET x.com/e", 4, "*"),
    ] {
        let request: Request = line.parse().unwrap();
        let Found::Route(id) = built.0.find(&request.lookup(), &built.1) else { panic!("{line}") };
        let found = built.0.get(id);
        assert_eq!((found.route(), found.index(), found.pattern()), (0, index, pattern));
    }
}

#[test]
fn a_deep_path_and_a_long_host_cost_no_more_than_the_routes() {
    let deep = format!("/{}", "a/".repeat(8000));
    let request = format!("GET {}com{deep}", "a.".repeat(8000));
    check(
        &["below host=*.com", "deep path=/a/a/{x}/{*rest}"],
        &[(&request, &format!("deep x=a rest={}", &deep[7..]))],
    );
}

#[test]
fn each_core_has_its_own_expressions() {
    const fn shared<T: Send + Sync>() {}
    shared::<Router>();
    let built = build(&routes(&["a regex=/a+"]), &[0]);
    let request: Request = "GET h/aaa".parse().unwrap();
    let threads: Vec<_> = std::thread::scope(|scope| {
        let (router, lookup) = (&built.0, request.lookup());
        let cores: Vec<Regexes> = (0..2).map(|_| built.1.clone()).collect();
        let threads: Vec<_> = cores
            .into_iter()
            .map(|regexes| scope.spawn(move || router.find(&lookup, &regexes)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(threads.iter().all(|found| matches!(found, Found::Route(_))));
}

#[test]
fn what_a_change_does_not_touch_is_shared() {
    let before = routes(&["a host=a.com path=/a", "b host=b.com regex=/b+", "any path=/{*rest}"]);
    let (old, old_regexes) = build(&before, &[0, 1, 2]);
    // One more before all others, and another path under one host.
    let lines = [
        "new host=c.com path=/c",
        "a host=a.com path=/A",
        "b host=b.com regex=/b+",
        "any path=/{*rest}",
    ];
    let after = routes(&lines);
    let entries = (0..).zip(&after).map(|(id, route)| route.entry(id));
    let was = |id: u32| before[id as usize].entry(id);
    let new = Router::build_after(entries, Some((&old, was)));
    let regexes = Regexes::of_core(&new, Some((&old, &old_regexes)));
    let shared = |part: &super::router::Placed| {
        old.parts.iter().any(|known| std::sync::Arc::ptr_eq(&known.part, &part.part))
    };
    assert_eq!(new.parts.iter().map(shared).collect::<Vec<_>>(), [false, false, true, true]);
    let built = (new, regexes);
    for (line, expected) in [
        ("GET c.com/c", "new"),
        ("GET a.com/A", "a"),
        ("GET a.com/a", "any rest=a"),
        ("GET b.com/bb", "b"),
    ] {
        assert_eq!(answer(&after, &built, &line.parse().unwrap()), expected, "{line}");
    }
}

#[test]
fn a_lookup_sees_the_routes_of_one_namespace() {
    let routes = routes(&["a path=/a", "b path=/{x}", "c path=/{*rest}"]);
    let namespaces: Vec<portway_plugin::value::Name> =
        ["one", "two", "one"].iter().map(|name| name.parse().unwrap()).collect();
    let entries = (0..)
        .zip(&routes)
        .zip(&namespaces)
        .map(|((id, route), namespace)| Entry { namespace: Some(namespace), ..route.entry(id) });
    let (router, regexes) = Router::build(entries);
    let request: Request = "GET h/a".parse().unwrap();
    let found = |world| match router.find(&Lookup { world, ..request.lookup() }, &regexes) {
        Found::Route(id) => Some(router.get(id).route()),
        _ => None,
    };
    assert_eq!(found(router.world(&namespaces[0])), Some(0));
    assert_eq!(found(router.world(&namespaces[1])), Some(1));
    assert_eq!(found(router.world(&"three".parse().unwrap())), None);
}
