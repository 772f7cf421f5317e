use std::{collections::HashSet, sync::Arc};

use portway_plugin::{Body, Consumer, Exchange, Request, Result};
use portway_testkit::plugin::Known;
use serde_json::json;

use super::{Key, KeySpec, Keys};

fn keys(spec: serde_json::Value) -> Keys {
    Keys::new(serde_json::from_value::<KeySpec>(spec).expect("the spec is good"))
}

fn request(headers: &[(&str, &str)]) -> Request {
    let mut request = http::Request::builder().uri("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).expect("a valid request")
}

/// The key of a request from `client` with these fields.
fn from(keys: &Keys, client: &str, headers: &[(&str, &str)]) -> Result<Option<Key>> {
    let known = Known { client: Some(client.parse().expect("an address")), ..Known::default() };
    keys.of(&request(headers), &Exchange::new(&known))
}

/// The key of a request by this consumer.
fn by(keys: &Keys, consumer: Consumer) -> Result<Option<Key>> {
    let known = Known::default();
    let exchange = Exchange::new(&known);
    exchange.identify(Arc::new(consumer));
    keys.of(&request(&[]), &exchange)
}

fn claiming(claims: &serde_json::Value) -> Consumer {
    let claims = claims.as_object().cloned().map(Arc::new);
    Consumer { claims, ..Consumer::named("alice") }
}

#[test]
fn an_ipv6_network_is_one_client_and_so_is_an_ipv4_address_in_any_form() {
    for (spec, one, other, same) in [
        (json!({}), "2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true),
        (json!({}), "2001:db8:0:1::1", "2001:db8:0:2::1", false),
        (json!({"ipv6_prefix": 48}), "2001:db8:0:1::1", "2001:db8:0:2::1", true),
        (json!({"ipv6_prefix": 128}), "2001:db8::1", "2001:db8::2", false),
        (json!({"ipv6_prefix": 1}), "::1", "7fff::", true),
        (json!({}), "192.0.2.1", "192.0.2.2", false),
        (json!({}), "192.0.2.1", "::ffff:192.0.2.1", true),
    ] {
        let keys = keys(spec);
        let pair = (from(&keys, one, &[]).unwrap(), from(&keys, other, &[]).unwrap());
        assert_eq!(pair.0 == pair.1, same, "{one} {other}");
    }
}

#[test]
fn each_header_value_is_a_key_and_several_lines_are_none() {
    let spec = |missing: &str| keys(json!({"by": {"header": "X-Key"}, "missing": missing}));
    let keys = spec("client");
    let key = |headers: &[(&str, &str)]| from(&keys, "192.0.2.1", headers).unwrap().unwrap();
    let client = key(&[]);
    let (a, b) = (key(&[("x-key", "a")]), key(&[("X-KEY", "b")]));
    assert_eq!(HashSet::from([client, a, b]).len(), 3);
    assert_eq!(key(&[("X-Key", "a")]), a);
    // A field that says it is somebody's address is not that client.
    assert_ne!(key(&[("x-key", "192.0.2.1")]), client);
    let twice: &[(&str, &str)] = &[("x-key", "a"), ("x-key", "b")];
    assert_eq!(key(twice), client);
    assert!(from(&spec("pass"), "192.0.2.1", &[]).unwrap().is_none());
    assert!(from(&spec("pass"), "192.0.2.1", twice).unwrap().is_some());
    for headers in [&[], twice] {
        let error = from(&spec("refuse"), "192.0.2.1", headers).unwrap_err();
        assert_eq!((error.status().as_u16(), error.code()), (400, "limit_key_missing"));
    }
}

#[test]
fn consumers_and_their_claims_are_keys() {
    let named = keys(json!({"by": "consumer", "missing": "refuse"}));
    let alice = by(&named, Consumer::named("alice")).unwrap();
    assert_eq!(by(&named, claiming(&json!({"sub": "x"}))).unwrap(), alice);
    assert_ne!(by(&named, Consumer::named("bob")).unwrap(), alice);
    assert_eq!(from(&named, "192.0.2.1", &[]).unwrap_err().status(), 403);

    let tenants = keys(json!({"by": {"claim": "tenant"}, "missing": "pass"}));
    let values = [json!("1"), json!(1), json!("true"), json!(true), json!("")];
    let distinct: HashSet<_> = values
        .iter()
        .map(|value| by(&tenants, claiming(&json!({"tenant": value}))).unwrap().unwrap())
        .collect();
    assert_eq!(distinct.len(), values.len());
    for nothing in [json!({}), json!({"tenant": null}), json!({"tenant": ["a"]})] {
        assert!(by(&tenants, claiming(&nothing)).unwrap().is_none(), "{nothing}");
    }
    assert!(by(&tenants, Consumer::named("alice")).unwrap().is_none());
}

#[test]
fn a_route_and_a_service_are_keys_for_everybody() {
    for (by, other) in [
        ("route", Known { route: Some("other".into()), ..Known::default() }),
        ("service", Known { service: None, ..Known::default() }),
    ] {
        let keys = keys(json!({"by": by}));
        let one = from(&keys, "192.0.2.1", &[]).unwrap();
        assert_eq!(from(&keys, "192.0.2.2", &[]).unwrap(), one);
        assert_ne!(keys.of(&request(&[]), &Exchange::new(&other)).unwrap(), one);
    }
}

#[test]
fn nobody_outside_knows_the_hash() {
    let [one, other] = [keys(json!({})), keys(json!({}))];
    assert_ne!(from(&one, "192.0.2.1", &[]).unwrap(), from(&other, "192.0.2.1", &[]).unwrap());
}

#[test]
fn nonsense_is_refused() {
    for spec in [
        json!({"by": "cookie"}),
        json!({"by": {"header": "a b"}}),
        json!({"by": {"claim": ""}}),
        json!({"missing": "drop"}),
        json!({"ipv6_prefix": 0}),
        json!({"ipv6_prefix": 129}),
    ] {
        assert!(serde_json::from_value::<KeySpec>(spec.clone()).is_err(), "{spec}");
    }
}
