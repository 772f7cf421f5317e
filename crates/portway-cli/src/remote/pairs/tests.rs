//! What is typed, and what it comes to.

use serde_json::json;

use super::*;
use crate::catalog::catalog;

/// A kind as a gateway of this version tells it.
fn kind(word: &str) -> Kind {
    let catalog = catalog();
    let whole = catalog.schema();
    let plural = format!("{word}s");
    let definition = whole["properties"][&plural]["items"]["$ref"].as_str().unwrap();
    let mut schema = whole.pointer(definition.trim_start_matches('#')).unwrap().clone();
    schema["$defs"] = whole["$defs"].clone();
    Kind { kind: word.to_owned(), plural, short: None, namespaced: true, schema }
}

fn read(kind: &Kind, texts: &[&str]) -> anyhow::Result<Value> {
    let pairs = texts.iter().map(|text| Pair::read(text).unwrap()).collect::<Vec<_>>();
    spec(kind, &pairs).map(|(spec, _)| spec)
}

fn refused(kind: &Kind, texts: &[&str]) -> String {
    let error = read(kind, texts).unwrap_err();
    error.downcast::<UsageError>().unwrap().0
}

#[test]
fn a_pair_is_read_in_three_forms() {
    let pair = |key: &str, value| Some(Pair { key: key.to_owned(), value });
    let text = |text: &str| text.to_owned();
    assert_eq!(Pair::read("a=b=c"), pair("a", Given::Text(text("b=c"))));
    assert_eq!(Pair::read("a:=[1]"), pair("a", Given::Json(text("[1]"))));
    assert_eq!(Pair::read("a@=f"), pair("a", Given::File(text("f"))));
    assert_eq!(Pair::read("a.b="), pair("a.b", Given::Text(text(""))));
    assert_eq!(Pair::read("shop"), None);
}

#[test]
fn a_text_becomes_what_the_schema_wants() {
    let route = kind("route");
    let typed = read(
        &route,
        &[
            "enabled=false",
            "priority=7",
            "listeners=web, secure",
            "timeouts.request=30s",
            "match.path=/a/{id}",
            "match.methods=GET,POST",
            "target.service=shop",
            "labels.team=a,b",
            "body_limit=1MiB",
            "host=preserve",
            "description=1",
        ],
    );
    assert_eq!(
        typed.unwrap(),
        json!({
            "enabled": false,
            "priority": 7,
            "listeners": ["web", "secure"],
            "timeouts": { "request": "30s" },
            "match": { "path": "/a/{id}", "methods": ["GET", "POST"] },
            "target": { "service": "shop" },
            "labels": { "team": "a,b" },
            "body_limit": "1MiB",
            "host": "preserve",
            "description": "1",
        })
    );
    let json = read(&route, &["match:=[{\"path\": \"/\"}]", "description:=null"]).unwrap();
    assert_eq!(json, json!({ "match": [{ "path": "/" }], "description": null }));
}

#[test]
fn what_is_no_value_is_refused() {
    let route = kind("route");
    assert!(refused(&route, &["priority=high"]).starts_with("priority: \"high\" is not a whole"));
    assert!(refused(&route, &["enabled=maybe"]).contains("is not true or false"));
    assert!(refused(&route, &["timeouts=30s"]).contains("KEY:=JSON"));
    assert!(refused(&route, &["match:={"]).starts_with("match: this is no JSON"));
    assert!(refused(&route, &["host=preserve", "host.fixed=a"]).contains("another value"));
}

#[test]
fn unknown_keys_are_refused_with_the_nearest() {
    let service = kind("service");
    assert!(refused(&service, &["ulr=http://a"]).ends_with("did you mean url?"));
    assert!(refused(&service, &["timeouts.conect=1s"]).ends_with("did you mean timeouts.connect?"));
    let both = refused(&service, &["ulr=http://a", "xyzzy=1"]);
    assert!(both.contains("\"ulr\"") && both.contains("\"xyzzy\"; there are "), "{both}");
    assert!(refused(&service, &["url.host=a"]).contains("it is no map"));
}

#[test]
fn a_file_is_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("match.yaml");
    fs::write(&path, "path: /a\nmethods: [GET]\n").unwrap();
    let route = kind("route");
    let pair = format!("match@={}", path.display());
    let expected = json!({ "match": { "path": "/a", "methods": ["GET"] } });
    assert_eq!(read(&route, &[&pair]).unwrap(), expected);
    let text = format!("description@={}", path.display());
    assert_eq!(read(&route, &[&text]).unwrap()["description"], "path: /a\nmethods: [GET]\n");

    let schema =
        json!({ "properties": { "payload": { "type": "string", "contentEncoding": "base64" } } });
    let module = Kind { schema, ..route };
    let payload = format!("payload@={}", path.display());
    assert_eq!(read(&module, &[&payload]).unwrap()["payload"], "cGF0aDogL2EKbWV0aG9kczogW0dFVF0K");
}

#[test]
fn a_service_of_dgate_is_one_of_ours() {
    let service = kind("service");
    let one = read(&service, &["urls=http://a:1", "tlsSkipVerify=true", "http2Only=true"]);
    let expected = json!({
        "url": "http://a:1",
        "tls": { "insecure_skip_verify": true },
        "http2": "always",
    });
    assert_eq!(one.unwrap(), expected);
    let two = read(
        &service,
        &[
            "urls=http://a:1,http://b:2",
            "connect_timeout=50ms",
            "requestTimeout=5s",
            "disableQueryParams=true",
            "tags=red,blue",
        ],
    );
    let expected = json!({
        "labels": { "red": "true", "blue": "true" },
        "endpoints": [{ "url": "http://a:1" }, { "url": "http://b:2" }],
        "timeouts": { "connect": "50ms", "request": "5s" },
        "drop_query": true,
    });
    assert_eq!(two.unwrap(), expected);
    let pairs = ["retries=3", "hideDGateHeaders=true"].map(|text| Pair::read(text).unwrap());
    let (spec, notes) = spec(&service, &pairs).unwrap();
    assert_eq!((spec, notes.len()), (json!({}), 2));
}

#[test]
fn a_route_of_dgate_is_one_of_ours() {
    let route = kind("route");
    let both = ["paths=/shop,/s/*", "methods=GET", "service=svc"];
    let expected = json!({
        "match": [
            { "path": "/shop", "methods": ["GET"] },
            { "path": "/s/{*rest}", "methods": ["GET"] },
        ],
        "target": { "service": "svc" },
    });
    assert_eq!(read(&route, &both).unwrap(), expected);
    for (paths, expected) in [
        ("/shop/*", json!({ "strip_prefix": "/shop" })),
        ("/a/*,/b/*", json!({ "path": "/{rest}" })),
        ("/a/{id}/*", json!({ "path": "/{rest}" })),
        ("/a,/b", json!({ "path": "/" })),
        ("/*", Value::Null),
    ] {
        let typed = read(&route, &[&format!("paths={paths}"), "stripPath=true", "methods=*"]);
        let typed = typed.unwrap();
        assert_eq!(typed["rewrite"], expected, "{paths}");
        assert!(!typed.to_string().contains("methods"), "{typed}");
    }
    let kept = read(&route, &["paths=/a", "preserveHost=true", "modules="]).unwrap();
    assert_eq!(kept, json!({ "match": { "path": "/a" }, "host": "preserve" }));
    assert!(refused(&route, &["modules=a"]).contains("no modules"));
    assert!(refused(&route, &["paths=/a*"]).contains("stands alone at the end"));
    assert!(refused(&route, &["paths=/a,/b/*", "stripPath=true"]).contains("make two routes"));
}

#[test]
fn what_is_missing_is_named_at_once() {
    let service = kind("service");
    let error = complete(&service, &json!({})).unwrap_err().to_string();
    assert_eq!(
        error.lines().next(),
        Some("a service needs more: url (or urls, endpoints) is missing")
    );
    assert!(complete(&service, &json!({ "url": "http://a" })).is_ok());
    for (word, missing) in [("domain", "patterns"), ("secret", "value (or data)")] {
        let error = complete(&kind(word), &json!({})).unwrap_err().to_string();
        assert!(error.contains(&format!(": {missing} is missing")), "{error}");
    }
}

#[test]
fn a_secret_of_dgate_and_a_schema_in_a_file_are_ours() {
    let secret = read(&kind("secret"), &["data=hush", "tags=a"]).unwrap();
    assert_eq!(secret, json!({ "labels": { "a": "true" }, "value": "hush" }));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("schema.json");
    fs::write(&path, r#"{"type": "object"}"#).unwrap();
    let pair = format!("schema@={}", path.display());
    let collection = read(&kind("collection"), &[&pair, "visibility=public", "type=document"]);
    let expected = json!({ "schema": { "type": "object" }, "visibility": "public" });
    assert_eq!(collection.unwrap(), expected);
}
