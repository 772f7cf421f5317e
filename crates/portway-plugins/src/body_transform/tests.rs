use bytes::Bytes;
use http::{Method, StatusCode};
use portway_plugin::{Body, Error, Problem};
use portway_testkit::plugin::{Seen, Stage};
use serde_json::{Value, json};

use super::BodyTransform;

const JSON: (&str, &str) = ("content-type", "application/json");

async fn stage(spec: Value) -> Stage {
    Stage::of::<BodyTransform>(spec).await.unwrap()
}

fn problem(spec: Value) -> Problem {
    Stage::unstarted::<BodyTransform>(spec).unwrap_err()
}

/// Answers with this body and type.
async fn answering(spec: Value, kind: &'static str, body: impl Into<Bytes>) -> Stage {
    let body = body.into();
    stage(json!({"response": spec})).await.target(move |request| match request.uri().path() {
        "/down" => Err(Error::upstream(StatusCode::BAD_GATEWAY, "upstream_connect", "no")),
        path => {
            let status = path[1..].parse().unwrap_or(200);
            let response = http::Response::builder().status(status).header("content-type", kind);
            let response = response.header("etag", "\"1\"").header("content-length", body.len());
            Ok(response.body(Body::from(body.clone())).unwrap())
        }
    })
}

async fn post(stage: &Stage, body: impl Into<Bytes>) -> Seen {
    stage.send(Method::POST, "/p?q=%22", &[JSON, ("content-md5", "x")], body).await
}

fn sent(seen: &Seen) -> Value {
    serde_json::from_slice(seen.target().expect("it was sent on").body()).unwrap()
}

#[tokio::test]
async fn a_request_is_patched() {
    let stage = stage(json!({"request": {"patch": [
        {"op": "test", "path": "/v", "value": 1},
        {"op": "add", "path": "/tags/-", "value": "new"},
        {"op": "add", "path": "/nothing", "value": null},
        {"op": "remove", "path": "/secret"},
        {"op": "replace", "path": "/a~1b", "value": {"c": 2}},
        {"op": "move", "from": "/old", "path": "/new"},
        {"op": "copy", "from": "/v", "path": "/w"},
    ]}}))
    .await;
    let body = r#"{"v": 1, "tags": ["x"], "secret": 1, "a/b": 0, "old": "o"}"#;
    let seen = post(&stage, body).await;
    assert_eq!(seen.status(), 200);
    let made = json!({
        "v": 1, "tags": ["x", "new"], "nothing": null, "a/b": {"c": 2}, "new": "o", "w": 1,
    });
    assert_eq!(sent(&seen), made);
    let length = seen.target().unwrap().body().len().to_string();
    assert_eq!((seen.sent("content-length"), seen.sent("content-md5")), (&*length, ""));
    assert_eq!(seen.sent("content-type"), "application/json", "the type stays");
    for (body, status, code) in [
        (r#"{"v": 2}"#, 422, "patch_failed"),
        (r#"{"v": 1"#, 400, "bad_json"),
        (r#"[]"#, 422, "patch_failed"),
        ("\u{feff}{}", 400, "bad_json"),
    ] {
        let seen = post(&stage, body).await;
        assert_eq!((seen.status(), seen.code(), seen.targets.len()), (status, code, 0), "{body}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(post(&stage, deep).await.code(), "bad_json", "nesting ends somewhere");
}

#[tokio::test]
async fn a_template_makes_json_whatever_the_values_are() {
    let template = r#"{{"all": {body}, "name": {body/user/name}, "hello": "dear \"{body/user/name}\"",
        "none": {body/x/y}, "no": "{body/x}", "n": "{body/n}", "q": "{request.query.q}", "raw": {request.query.q},
        "id": "{id}", "at": {body/list/1}, "k": "{body/a~1b}"}}"#;
    let mut stage = stage(json!({"request": {"template": template}})).await;
    stage.known.parameters.insert("id".to_owned(), "7\"".to_owned());
    let nasty = "a\"b\\c\n{request.host}\u{2028}</script>";
    let body = json!({"user": {"name": nasty}, "n": 1.5, "list": [1, {"b": true}], "a/b": "s"});
    let seen = post(&stage, body.to_string()).await;
    let made = json!({
        "all": body, "name": nasty, "hello": format!("dear \"{nasty}\""), "none": null, "no": "",
        "n": "1.5", "q": "\"", "raw": "\"", "id": "7\"", "at": {"b": true}, "k": "s",
    });
    assert_eq!(sent(&seen), made);
}

#[tokio::test]
async fn other_types_are_escaped_in_their_own_way() {
    for (kind, made) in [
        ("text/html", "<p>&lt;b&gt; &quot;&amp;&#39;</p>{1}"),
        ("application/problem+xml", "<p>&lt;b&gt; &quot;&amp;&#39;</p>{1}"),
        ("text/plain", "<p><b> \"&'</p>{1}"),
    ] {
        let spec = json!({"template": "<p>{body/t}</p>{{{body/n}}}", "content_type": kind});
        let stage = answering(spec, "application/json", r#"{"t": "<b> \"&'", "n": 1}"#).await;
        let mut seen = stage.get("/").await;
        assert_eq!(seen.text().await, made);
        assert_eq!(seen.header("content-type"), kind);
        assert_eq!(seen.header("content-length"), made.len().to_string());
        assert_eq!(seen.header("etag"), "W/\"1\"");
    }
}

#[tokio::test]
async fn an_answer_is_patched_first_and_then_templated() {
    let spec = json!({
        "patch": [{"op": "move", "from": "/a", "path": "/b"}],
        "template": "{{\"b\": {body/b}, \"by\": \"{request.method}\"}}",
    });
    let stage = answering(spec, "application/vnd.x+json; v=1", r#"{"a": [1]}"#).await;
    let seen = stage.ask(Method::GET, "/", &[("accept-encoding", "gzip"), ("range", "bytes=0-1")]);
    let mut seen = seen.await;
    assert_eq!(seen.text().await, r#"{"b": [1], "by": "GET"}"#);
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!((seen.sent("accept-encoding"), seen.sent("range")), ("", ""), "a whole answer");
    for path in ["/204", "/206", "/304"] {
        assert_eq!(stage.get(path).await.header("etag"), "\"1\"", "{path}");
    }
    assert_eq!(stage.ask(Method::HEAD, "/", &[]).await.header("etag"), "\"1\"");
    assert_eq!(stage.get("/500").await.header("etag"), "W/\"1\"", "errors of services too");
    assert_eq!(stage.get("/down").await.code(), "upstream_connect");
}

#[tokio::test]
async fn what_is_no_json_is_left_alone_or_refused() {
    let patch = json!([{"op": "add", "path": "/a", "value": 1}]);
    for required in [false, true] {
        let spec = json!({"request": {"patch": patch, "required": required}});
        let request = stage(spec).await;
        let gzip = [JSON, ("content-encoding", "gzip")];
        for fields in [&[("content-type", "text/plain")][..], &[], &gzip] {
            let seen = request.send(Method::POST, "/", fields, "abc").await;
            match required {
                false => assert_eq!(seen.target().unwrap().body(), "abc"),
                true => assert_eq!((seen.status(), seen.code()), (415, "body_type")),
            }
        }
        assert_eq!(request.get("/").await.status(), 200, "there is no body");
        let spec = json!({"patch": patch, "required": required});
        let mut seen = answering(spec, "text/html", "abc").await.get("/").await;
        match required {
            false => assert_eq!(seen.text().await, "abc"),
            true => assert_eq!((seen.status(), seen.code()), (502, "body_type")),
        }
    }
    let broken = answering(json!({"patch": patch}), "application/json", "{").await;
    assert_eq!((broken.get("/").await.status(), broken.get("/").await.code()), (502, "bad_json"));
    let other = answering(json!({"patch": patch}), "application/json", "1").await;
    assert_eq!((other.get("/").await.status(), other.get("/").await.code()), (502, "patch_failed"));
    let any = answering(json!({"template": "{{}}"}), "text/html", "abc").await;
    assert_eq!(any.get("/").await.text().await, "{}", "nothing of the body is wanted");
}

#[tokio::test]
async fn bodies_are_read_up_to_the_cap() {
    let patch = json!([{"op": "add", "path": "/a", "value": 1}]);
    let spec = json!({"request": {"patch": patch}, "response": {"patch": patch}, "max_body": 10});
    let stage = stage(spec).await.target(|_| {
        let response = http::Response::builder().header("content-type", "application/json");
        Ok(response.body(Body::from(r#"{"long": "long"}"#.to_owned())).unwrap())
    });
    assert_eq!((post(&stage, "{\"long\": 1}").await.status()), 413);
    assert_eq!((post(&stage, "{}").await.status()), 502);
    let patch = json!({"request": {"patch": patch}});
    let large = json!({"long": "x".repeat(200_000)}).to_string();
    let seen = post(&self::stage(patch.clone()).await, large).await;
    assert_eq!(sent(&seen)["a"], 1, "off the data plane");
    let seen = post(&self::stage(patch).await, vec![b' '; (1 << 20) + 1]).await;
    assert_eq!(seen.status(), 413, "the default");
}

#[test]
fn what_a_spec_cannot_mean() {
    for (spec, code, path) in [
        (json!({}), "missing", ""),
        (json!({"request": {}}), "missing", "request"),
        (json!({"response": {"template": "{{}}"}, "max_body": 0}), "bad_value", "max_body"),
        (json!({"response": {"template": "{{\"a\": {body}"}}), "bad_template", "response.template"),
        (json!({"response": {"template": "a {body}"}}), "bad_template", "response.template"),
        (
            json!({"request": {"patch": [{"op": "remove", "path": "/a"}, {"op": "add", "path": "/a"}]}}),
            "bad_value",
            "request.patch[1]",
        ),
        (
            json!({"request": {"patch": [{"op": "add", "path": "a", "value": 1}]}}),
            "bad_value",
            "request.patch[0]",
        ),
        (json!({"request": {"patch": [{"op": "grow", "path": ""}]}}), "bad_value", ""),
        (json!({"request": {"template": "{a"}}), "bad_value", ""),
        (json!({"request": {"template": "{request.nothing}"}}), "bad_value", ""),
        (json!({"request": {"template": "{body/~2}"}}), "bad_value", ""),
        (json!({"request": {"template": "1", "content_type": "a\r\nb"}}), "bad_value", ""),
    ] {
        let problem = problem(spec.clone());
        assert_eq!((problem.code, &*problem.path), (code, path), "{spec}");
    }
}
