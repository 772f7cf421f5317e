//! Where credentials are found, and what is left of a request without them.

use http::Method;
use portway_plugin::{Body, Request};
use serde_json::json;

use super::*;

fn request(path: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = http::Request::builder().method(Method::GET).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

fn carriers() -> [Carrier; 4] {
    [
        Carrier::Header("apikey".parse().unwrap()),
        Carrier::Bearer,
        Carrier::Query("key".parse().unwrap()),
        Carrier::Cookie("sid".parse().unwrap()),
    ]
}

/// What is found, and what is left when it is taken off.
fn taken(path: &str, headers: &[(&str, &str)]) -> Option<(String, Request)> {
    let mut request = request(path, headers);
    let carriers = carriers();
    let (carrier, value) = find(&carriers, &request).expect("it is one")?;
    let value = String::from_utf8(value.into_owned()).unwrap();
    let carrier = carrier.clone();
    hide(&carrier, &mut request);
    assert!(find(&carriers, &request).unwrap().is_none(), "{request:?}");
    Some((value, request))
}

#[test]
fn a_credential_is_found_and_taken_off() {
    for (path, field, found) in [
        ("/", ("apikey", "a"), Some("a")),
        ("/", ("apikey", ""), Some("")),
        ("/", ("authorization", "Bearer a.b"), Some("a.b")),
        ("/", ("authorization", "bEARER   a "), Some("a")),
        ("/", ("authorization", "bearer"), Some("")),
        ("/", ("authorization", "bearera"), None),
        ("/", ("authorization", "Basic a"), None),
        ("/", ("cookie", "a=b; sid=\"x\"; c=d"), Some("x")),
        ("/", ("cookie", "asid=x; sid"), None),
        ("/?key=a%2Bb+c", ("x", "y"), Some("a+b+c")),
        ("/?%6bey=a", ("x", "y"), Some("a")),
        ("/?keys=a&Key=b", ("x", "y"), None),
    ] {
        let value = taken(path, &[field]).map(|(value, _)| value);
        assert_eq!(value.as_deref(), found, "{path} {field:?}");
    }
}

#[test]
fn what_else_there_is_stays() {
    for (path, left) in
        [("/p?a=1&key=x&b=%20", "/p?a=1&b=%20"), ("/p?key=x", "/p"), ("/?a&k%65y=x", "/?a")]
    {
        assert_eq!(taken(path, &[]).unwrap().1.uri(), left);
    }
    let (_, left) = taken("/", &[("cookie", "a=b; sid=x;c=d"), ("cookie", "e=f")]).unwrap();
    let lines: Vec<_> = left.headers().get_all("cookie").iter().collect();
    assert_eq!(lines, ["a=b; c=d", "e=f"]);
    let (_, left) = taken("/", &[("cookie", "sid=x")]).unwrap();
    assert!(!left.headers().contains_key("cookie"));
}

#[test]
fn several_copies_are_refused() {
    for (path, headers) in [
        ("/", &[("apikey", "a"), ("apikey", "a")][..]),
        ("/", &[("authorization", "Bearer a"), ("authorization", "Basic b")]),
        ("/", &[("apikey", "a"), ("authorization", "Bearer a")]),
        ("/?key=a&key=b", &[]),
        ("/?key=a&%6Bey=b", &[]),
        ("/?key=a", &[("apikey", "a")]),
        ("/", &[("cookie", "sid=a; sid=b")]),
        ("/", &[("cookie", "sid=a"), ("cookie", "sid=b")]),
    ] {
        let request = request(path, headers);
        assert!(find(&carriers(), &request).is_err(), "{path} {headers:?}");
    }
}

#[test]
fn a_challenge_cannot_be_broken_out_of() {
    let realm = r#"a"b\c"#.parse().unwrap();
    assert_eq!(challenge("Basic", &realm, ""), r#"Basic realm="a\"b\\c""#);
}

#[test]
fn claims_are_compared_whole() {
    let claims = json!({
        "role": "admin", "roles": ["a", "b"], "scope": "read write", "n": 1, "ok": true,
        "realm_access": {"roles": ["ops"]}, "a.b": "dotted", "none": null, "about": "read write",
    });
    let claims = claims.as_object().unwrap();
    for (name, value, expected) in [
        ("role", "admin", true),
        ("role", "adm", false),
        ("role", "Admin", false),
        ("roles", "b", true),
        ("roles", "a b", false),
        ("scope", "write", true),
        ("about", "write", false),
        ("n", "1", true),
        ("ok", "true", true),
        ("realm_access.roles", "ops", true),
        ("a.b", "dotted", true),
        ("none", "null", false),
        ("missing", "", false),
    ] {
        assert_eq!(holds(claims, name, &[value.to_owned()]), expected, "{name}={value}");
    }
    assert!(holds(claims, "role", &[]) && !holds(claims, "none", &[]));
}
