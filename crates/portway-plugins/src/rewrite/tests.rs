use http::Method;
use portway_plugin::Problem;
use portway_testkit::plugin::{Seen, Stage};
use serde_json::{Value, json};

use super::Rewrite;

async fn stage(spec: Value) -> Stage {
    Stage::of::<Rewrite>(spec).await.unwrap()
}

fn problem(spec: Value) -> Problem {
    Stage::unstarted::<Rewrite>(spec).unwrap_err()
}

fn target(seen: &Seen) -> String {
    seen.target().expect("it was sent on").uri().to_string()
}

#[tokio::test]
async fn the_host_is_told_to_the_upstream() {
    let stage = stage(json!({"host": "Accounts.internal:8080"})).await;
    let seen = stage.ask(Method::GET, "/a//b?c", &[("host", "example.com")]).await;
    assert_eq!(seen.sent("host"), "accounts.internal:8080");
    assert_eq!(target(&seen), "/a//b?c");
}

#[tokio::test]
async fn a_whole_path_is_made_of_parameters() {
    let mut stage = stage(json!({"path": "/v2/{id}/{rest}"})).await;
    for (id, rest, made) in [
        ("7", "a/b", "/v2/7/a/b?q=1"),
        ("7", "", "/v2/7/?q=1"),
        ("", "", "/v2/?q=1"),
        ("", "/evil.net", "/v2/evil.net?q=1"),
        ("a%2Fb", "c?d#e", "/v2/a%2Fb/c%3Fd%23e?q=1"),
        ("a\r\nb", "%", "/v2/a%0D%0Ab/%25?q=1"),
    ] {
        stage.known.parameters.insert("id".to_owned(), id.to_owned());
        stage.known.parameters.insert("rest".to_owned(), rest.to_owned());
        assert_eq!(target(&stage.get("/old?q=1").await), made, "{id} {rest}");
    }
    for (id, rest) in [("..", "x"), ("x", "../y"), (".", ""), ("x", "..;a/b")] {
        stage.known.parameters.insert("id".to_owned(), id.to_owned());
        stage.known.parameters.insert("rest".to_owned(), rest.to_owned());
        let seen = stage.get("/old").await;
        assert_eq!((seen.status(), seen.code(), seen.targets.len()), (400, "ambiguous_path", 0));
    }
}

#[tokio::test]
async fn a_prefix_is_replaced_by_whole_segments() {
    for (from, to, path, made) in [
        ("/api", "/", "/api/x?q", "/x?q"),
        ("/api", "/", "/api", "/"),
        ("/api", "/", "/api/", "/"),
        ("/api", "/v2", "/api/x/", "/v2/x/"),
        ("/api", "/v2", "/apis/x", "/apis/x"),
        ("/api", "/v2", "/other", "/other"),
        ("/", "/v2", "/x", "/v2/x"),
        ("/api", "/", "/api//evil.net/x", "/evil.net/x"),
        ("/api", "/v2", "/api/a%2Fb", "/v2/a%2Fb"),
    ] {
        let stage = stage(json!({"prefix": {"from": from, "to": to}})).await;
        assert_eq!(target(&stage.get(path).await), made, "{from} {to} {path}");
    }
}

#[tokio::test]
async fn an_expression_takes_a_path_to_pieces() {
    let edit = json!({"match": "/u/(?<id>[^/]+)(?:/(?<rest>.*))?", "to": "/{tenant}/{rest}/{id}"});
    let mut stage = stage(json!({"regex": edit})).await;
    stage.known.parameters.insert("tenant".to_owned(), "t".to_owned());
    for (path, made) in [
        ("/u/7/a/b?q=/u/8", "/t/a/b/7?q=/u/8"),
        ("/u/7", "/t/7"),
        ("/x/u/7", "/x/u/7"),
        ("/u/%2e%2e%2f/..", ""),
        ("/u/../a", ""),
        ("/u/7/..", ""),
    ] {
        let seen = stage.get(path).await;
        match made {
            "" => assert_eq!((seen.status(), seen.code()), (400, "ambiguous_path"), "{path}"),
            made => assert_eq!(target(&seen), made, "{path}"),
        }
    }
}

#[tokio::test]
async fn parameters_are_removed_and_set() {
    let stage = stage(json!({"query": {
        "remove": ["debug", "a b"],
        "set": {"who": "{request.client}", "x y": "&=#{request.query.q}"},
    }}))
    .await;
    for (path, made) in [
        ("/p", "/p?who=192.0.2.1&x%20y=%26%3D%23"),
        ("/p?z=%41&debug=1&%64ebug&a+b=1&who=me", "/p?z=%41&who=192.0.2.1&x%20y=%26%3D%23"),
        (
            "/p?&&k&q=a%0d%0ab%26c=d",
            "/p?k&q=a%0d%0ab%26c=d&who=192.0.2.1&x%20y=%26%3D%23a%0D%0Ab%26c%3Dd",
        ),
    ] {
        assert_eq!(target(&stage.get(path).await), made);
    }
    let bare = self::stage(json!({"query": {"remove": ["q"]}})).await;
    assert_eq!(target(&bare.get("/p?q=1&q=2").await), "/p");
}

#[tokio::test]
async fn a_target_that_grows_too_long_is_refused() {
    let stage = stage(json!({"query": {"set": {"a": "{request.header.a}"}}})).await;
    let long = "{".repeat(30_000);
    let seen = stage.ask(Method::GET, "/", &[("a", &long)]).await;
    assert_eq!((seen.status(), seen.code()), (400, "bad_target"));
}

#[test]
fn what_a_spec_cannot_mean() {
    assert_eq!(problem(json!({})).code, "missing");
    let two = json!({"path": "/a", "prefix": {"from": "/a", "to": "/b"}});
    assert_eq!(problem(two).code, "one_of");
    assert_eq!(problem(json!({"query": {"set": {"": "1"}}})).path, "query.set");
    assert_eq!(problem(json!({"query": {"remove": ["a", ""]}})).path, "query.remove[1]");
    for bad in [
        json!({"host": "http://a"}),
        json!({"host": "a\r\nb"}),
        json!({"path": "/a/../b"}),
        json!({"path": "a"}),
        json!({"path": "/a?b"}),
        json!({"regex": {"match": "(a)\\1", "to": "/"}}),
        json!({"query": {"set": {"a": "\n"}}}),
    ] {
        assert_eq!(problem(bad.clone()).code, "bad_value", "{bad}");
    }
}
