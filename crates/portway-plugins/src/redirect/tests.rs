use http::Method;
use portway_plugin::Problem;
use portway_testkit::plugin::{Seen, Stage};
use serde_json::{Value, json};

use super::Redirect;

async fn stage(spec: Value) -> Stage {
    Stage::of::<Redirect>(spec).await.unwrap()
}

fn problem(spec: Value) -> Problem {
    Stage::unstarted::<Redirect>(spec).unwrap_err()
}

/// By http, of `example.com:8080`.
async fn ask(stage: &Stage, path: &str) -> Seen {
    stage.ask(Method::GET, path, &[("host", "example.com:8080")]).await
}

#[tokio::test]
async fn clients_are_sent_to_what_is_given() {
    for (spec, path, location) in [
        (json!({"scheme": "https"}), "/a?b=c", "https://example.com/a?b=c"),
        (json!({"scheme": "https", "port": 8443}), "/a", "https://example.com:8443/a"),
        (json!({"scheme": "https", "port": 443}), "/a", "https://example.com/a"),
        (json!({"host": "b.com"}), "/a", "http://b.com/a"),
        (json!({"host": "b.com:81"}), "/a", "http://b.com:81/a"),
        (json!({"host": "[::1]"}), "/a", "http://[::1]/a"),
        (json!({"port": 80}), "/a", "http://example.com/a"),
        (json!({"port": 81}), "/a", "http://example.com:81/a"),
        (json!({"path": "/b"}), "/a?b=c", "/b?b=c"),
        (json!({"path": "/b", "keep_query": false}), "/a?b=c", "/b"),
        (json!({"prefix": {"from": "/a", "to": "/b"}}), "/a/c", "/b/c"),
        (json!({"prefix": {"from": "/a", "to": "/"}}), "/a//evil.net", "/evil.net"),
        (json!({"regex": {"match": "/(?<id>[0-9]+)", "to": "/n/{id}"}}), "/7", "/n/7"),
        (json!({"host": "b.com", "path": "/"}), "/a", "http://b.com/"),
    ] {
        let stage = stage(spec.clone()).await;
        let seen = ask(&stage, path).await;
        assert_eq!((seen.status(), seen.header("location")), (302, location), "{spec}");
        assert!(seen.targets.is_empty());
    }
}

#[tokio::test]
async fn who_is_there_already_goes_on() {
    for (spec, path) in [
        (json!({"scheme": "http"}), "/a"),
        (json!({"host": "EXAMPLE.com"}), "/a"),
        (json!({"port": 8080}), "/a"),
        (json!({"path": "/a"}), "/a?b"),
        (json!({"prefix": {"from": "/b", "to": "/c"}}), "/a"),
        (json!({"regex": {"match": "/b", "to": "/c"}}), "/a"),
    ] {
        let stage = stage(spec.clone()).await;
        let seen = ask(&stage, path).await;
        assert_eq!((seen.status(), seen.targets.len()), (200, 1), "{spec}");
    }
    let mut tls = stage(json!({"scheme": "https"})).await;
    tls.known.scheme = "https";
    assert_eq!(ask(&tls, "/a").await.status(), 200);
}

#[tokio::test]
async fn no_request_says_where_it_leads() {
    let mut stage = stage(json!({"path": "/{rest}"})).await;
    for (rest, location) in [
        ("/evil.net", "/evil.net"),
        ("\\evil.net", "/%5Cevil.net"),
        ("a\r\nSet-Cookie: x", "/a%0D%0ASet-Cookie:%20x"),
        ("a?b", "/a%3Fb"),
    ] {
        stage.known.parameters.insert("rest".to_owned(), rest.to_owned());
        let seen = ask(&stage, "/x").await;
        assert_eq!((seen.status(), seen.header("location")), (302, location));
    }
    stage.known.parameters.insert("rest".to_owned(), "..".to_owned());
    assert_eq!(ask(&stage, "/x").await.status(), 400);
    // A listener that takes ambiguous paths hands them on.
    let mut stage = self::stage(json!({"path": "/a", "regex": null, "keep_query": false})).await;
    stage.known.path = "/a".to_owned();
    assert_eq!(ask(&stage, "/a?q").await.header("location"), "/a");
    let mut stage = self::stage(json!({"scheme": "https"})).await;
    for (path, location) in [
        ("//evil.net/x", "https://example.com/evil.net/x"),
        ("/\\evil", "https://example.com/evil"),
    ] {
        stage.known.path = path.to_owned();
        assert_eq!(ask(&stage, "/x").await.header("location"), location);
    }
    stage.known.host = String::new();
    assert_eq!(ask(&stage, "/x").await.code(), "bad_host");
}

#[tokio::test]
async fn every_status_of_a_redirect() {
    for status in [301, 302, 303, 307, 308] {
        let stage = stage(json!({"path": "/b", "status": status})).await;
        assert_eq!(ask(&stage, "/a").await.status(), status);
    }
    for status in [200, 300, 304, 309, 0] {
        assert_eq!(problem(json!({"path": "/b", "status": status})).code, "bad_value");
    }
}

#[test]
fn loops_that_can_be_seen_are_refused() {
    assert_eq!(problem(json!({})).code, "missing");
    assert_eq!(problem(json!({"status": 301, "keep_query": false})).code, "missing");
    for (from, to) in [("/a", "/a"), ("/a", "/a/b"), ("/", "/a")] {
        for scheme in [Value::Null, json!("https")] {
            let prefix = json!({"from": from, "to": to});
            let problem = problem(json!({"prefix": prefix, "scheme": scheme}));
            assert_eq!((problem.code, &*problem.path), ("redirect_loop", "prefix.to"));
        }
    }
    let away = json!({"prefix": {"from": "/", "to": "/a"}, "host": "b.com"});
    assert!(Stage::unstarted::<Redirect>(away).is_ok());
    assert_eq!(problem(json!({"host": "b:1", "port": 2})).code, "contradiction");
    assert_eq!(problem(json!({"port": 0})).code, "bad_value");
}
