//! A check that knows of an earlier one finds what a check that knows nothing finds.

use portway_config::{Catalog, Kind, Known, NoLookup, ResourceId, Resources, merge, resource};
use proptest::prelude::*;

/// Resources, good and bad by themselves and together.
const SERVICES: &[&str] = &[
    r#"{"url": "http://a"}"#,
    r#"{"url": "http://a", "forward_path": "raw"}"#,
    r#"{"url": "http://a", "enabled": false}"#,
    r#"{"url": "tcp://a:1"}"#,
    r#"{"url": "http://a", "hosts": ["h.example"], "prefix": "/p", "routes": [{"name": "under"}]}"#,
    r#"{"url": "http://a", "namespace": "default", "timeouts": {"request": "1s"}}"#,
];
const ROUTES: &[&str] = &[
    r#"{"target": {"service": "s0"}}"#,
    r#"{"target": {"service": "s1"}, "rewrite": {"strip_prefix": "/p"}}"#,
    r#"{"target": {"service": "s0"}, "match": {"path": "/a", "methods": ["GET"]}}"#,
    r#"{"target": {"service": "s1"}, "match": {"path": "/a", "methods": ["GET", "POST"]}}"#,
    r#"{"target": {"reply": {}}, "match": {"path": "/a", "methods": ["POST"]}}"#,
    r#"{"target": {"reply": {"status": 204, "body": "x"}}, "match": {"path": "/b"}}"#,
    r#"{"target": {"reply": {"body": "{id}", "template": true}}, "match": {"path": "/{id}"}}"#,
    r#"{"target": {"reply": {"body": "{it}", "template": true}}, "match": {"path": "/{id}"}}"#,
    r#"{"target": {"reply": {}}, "listeners": ["web"], "match": {"path": "/c"}}"#,
    r#"{"target": {"services": [{"service": "s0", "weight": 1}, {"service": "s1", "weight": 2}]},
        "timeouts": {"response_header": "5s"}}"#,
    r#"{"target": {"reply": {}}, "match": {"hosts": ["h.example"], "path": {"prefix": "/p"}}}"#,
];
const DOMAINS: &[&str] =
    &[r#"{"patterns": ["a.example"]}"#, r#"{"patterns": ["*.example"], "enabled": false}"#];
const NAMESPACES: &[&str] = &["{}", r#"{"enabled": false}"#];

/// Which resource is written next, and what it says; nothing takes it away.
fn edit() -> impl Strategy<Value = (Kind, &'static str, &'static str, Option<&'static str>)> {
    let some =
        |texts: &'static [&'static str]| prop::option::weighted(0.8, prop::sample::select(texts));
    let default = Just("default");
    let namespace = prop::sample::select(&["default", "one"][..]);
    prop_oneof![
        2 => (Just(Kind::Service), default, prop::sample::select(&["s0", "s1"][..]), some(SERVICES)),
        6 => (Just(Kind::Route), namespace, prop::sample::select(&["r0", "r1", "r2", "r3"][..]), some(ROUTES)),
        1 => (Just(Kind::Domain), default, Just("d"), some(DOMAINS)),
        1 => (Just(Kind::Namespace), default, prop::sample::select(&["default", "one"][..]), some(NAMESPACES)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_known_changes_no_finding(edits in prop::collection::vec(edit(), 1..24)) {
        let catalog = Catalog::default();
        let (mut resources, mut known) = (Resources::default(), Known::default());
        for (kind, namespace, name, text) in edits {
            let (namespace, name) = (namespace.parse().unwrap(), name.parse().unwrap());
            let id = ResourceId { kind, namespace, name };
            match text {
                None => drop(resources.remove(&id)),
                Some(text) => {
                    let Ok(one) = resource(text, "body.json", &id, &NoLookup, &catalog) else {
                        continue;
                    };
                    resources.insert(one);
                }
            }
            let loaded = merge(&[&resources.loaded(&catalog)]).unwrap();
            match (loaded.clone().check(), loaded.check_knowing(&known)) {
                (Ok(fresh), Ok(knowing)) => {
                    prop_assert_eq!(fresh.warnings(), knowing.warnings());
                    prop_assert_eq!(&*fresh, &*knowing);
                    known = knowing.known().clone();
                }
                (fresh, knowing) => prop_assert_eq!(fresh.err(), knowing.err()),
            }
        }
    }
}

#[test]
fn the_resources_in_these_tests_can_be_read() {
    let catalog = Catalog::default();
    let all = [
        (Kind::Service, SERVICES),
        (Kind::Route, ROUTES),
        (Kind::Domain, DOMAINS),
        (Kind::Namespace, NAMESPACES),
    ];
    for (kind, texts) in all {
        for text in texts {
            let id = ResourceId {
                kind,
                namespace: "default".parse().unwrap(),
                name: "s".parse().unwrap(),
            };
            let read = resource(text, "body.json", &id, &NoLookup, &catalog);
            assert!(read.is_ok(), "{text}: {:?}", read.err());
        }
    }
}

/// It was never seen with its service while its namespace was off.
#[test]
fn what_a_namespace_switches_on_is_looked_at() {
    let catalog = Catalog::default();
    let mut resources = Resources::default();
    let named = |kind, name: &str| {
        let (namespace, name) = ("default".parse().unwrap(), name.parse().unwrap());
        ResourceId { kind, namespace, name }
    };
    for (kind, name, text) in [
        (Kind::Namespace, "default", r#"{"enabled": false}"#),
        (Kind::Service, "s1", r#"{"url": "tcp://a:1"}"#),
        (Kind::Route, "r0", r#"{"target": {"service": "s1"}}"#),
    ] {
        let id = named(kind, name);
        resources.insert(resource(text, "body.json", &id, &NoLookup, &catalog).unwrap());
    }
    let off = merge(&[&resources.loaded(&catalog)]).unwrap().check().unwrap();
    resources.remove(&named(Kind::Namespace, "default"));
    let on = merge(&[&resources.loaded(&catalog)]).unwrap();
    let problems = on.check_knowing(off.known()).unwrap_err();
    assert_eq!(problems[0].code, "endpoint_mismatch");
}
