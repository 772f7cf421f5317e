use std::{
    future::Future,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, StatusCode, response::Builder};
use portway_plugin::{Body, Error, Level, Problem, Request, RequestExt, Response, Result};
use portway_testkit::plugin::{Seen, Stage};
use serde_json::{Value, json};

use super::{Inject, WebhookSpec, hook::Hook};

const URL: &str = "http://hooks.internal:9000/hook?key=secret";

type Calls = Arc<Mutex<Vec<http::Request<Bytes>>>>;

/// A stage whose webhook answers so, and what the webhook was sent.
async fn stage(
    spec: Value,
    answer: impl Fn(Builder) -> Result<Response> + Send + Sync + 'static,
) -> (Stage, Calls) {
    let calls = Calls::default();
    let inner = Arc::clone(&calls);
    let stage = Stage::of::<Inject>(spec).await.unwrap().fetched(move |mut request: Request| {
        let body = now(request.buffer(1 << 24)).unwrap();
        inner.lock().unwrap().push(request.map(|_| body));
        answer(http::Response::builder())
    });
    let stage = stage.target(|request| {
        let kind = if request.uri().path() == "/events" { "text/event-stream" } else { "text/a" };
        if request.uri().path() == "/down" {
            return Err(Error::upstream(StatusCode::BAD_GATEWAY, "upstream_connect", "no"));
        }
        let response = http::Response::builder().status(201).header("content-type", kind);
        Ok(response.header("x-upstream", "1").body(Body::from("from upstream".to_owned())).unwrap())
    });
    (stage, calls)
}

/// Nothing that is in memory waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn body(text: &str) -> Body {
    Body::from(text.to_owned())
}

async fn post(stage: &Stage, path: &str, fields: &[(&str, &str)]) -> Seen {
    stage.send(Method::POST, path, fields, "from client").await
}

fn problem(spec: Value) -> Problem {
    Stage::unstarted::<Inject>(spec).unwrap_err()
}

#[tokio::test]
async fn a_request_is_replaced_by_what_comes_back() {
    let (stage, calls) = stage(json!({"request": {"url": URL}}), |answer| {
        let answer = answer.header("x-new", "1").header("content-type", "text/b");
        let answer = answer.header("x-real-method", "PATCH").header("x-real-uri", "/new/./x?y=z");
        let answer = answer.header("date", "today").header("connection", "close");
        let answer = answer.header("host", "evil.net").header("x-real-status", "200");
        Ok(answer.body(body("from hook")).unwrap())
    })
    .await;
    let fields = [
        ("host", "example.com"),
        ("authorization", "Bearer x"),
        ("x-real-uri", "/admin"),
        ("x-real-status", "500"),
        ("cookie", "a=b"),
    ];
    let seen = post(&stage, "/old?q=1", &fields).await;
    assert_eq!(seen.status(), 201);
    let calls = calls.lock().unwrap();
    let call = calls.first().expect("it was asked");
    assert_eq!((call.method(), call.uri().to_string().as_str()), (&Method::PUT, URL));
    assert_eq!(call.body(), "from client");
    for (name, value) in [
        ("authorization", Some("Bearer x")),
        ("cookie", Some("a=b")),
        ("x-real-method", Some("POST")),
        ("x-real-uri", Some("/old?q=1")),
        ("x-real-status", None),
        ("host", None),
        ("content-length", Some("11")),
    ] {
        assert_eq!(call.headers().get(name).map(|v| v.to_str().unwrap()), value, "{name}");
    }
    let target = seen.target().unwrap();
    assert_eq!(
        (target.method(), target.uri().to_string().as_str()),
        (&Method::PATCH, "/new/x?y=z")
    );
    assert_eq!(target.body(), "from hook");
    let mut names: Vec<_> = target.headers().keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type", "host", "x-new"]);
    assert_eq!((seen.sent("content-length"), seen.sent("host")), ("9", "example.com"));
}

#[tokio::test]
async fn an_answer_is_replaced_by_what_comes_back() {
    let (stage, calls) = stage(json!({"response": {"url": URL}}), |answer| {
        let answer = answer.header("x-new", "1").header("x-real-status", "202");
        Ok(answer.body(body("from hook")).unwrap())
    })
    .await;
    let mut seen = post(&stage, "/p?q", &[]).await;
    assert_eq!((seen.status(), seen.header("x-new"), seen.header("x-upstream")), (202, "1", ""));
    assert_eq!((seen.header("content-length"), seen.header("x-real-status")), ("9", ""));
    assert_eq!(seen.text().await, "from hook");
    let call = calls.lock().unwrap().remove(0);
    assert_eq!(call.body(), "from upstream");
    for (name, value) in [
        ("x-real-method", "POST"),
        ("x-real-uri", "/p?q"),
        ("x-real-status", "201"),
        ("x-upstream", "1"),
        ("content-type", "text/a"),
    ] {
        assert_eq!(call.headers()[name], value, "{name}");
    }
    let head = stage.ask(Method::HEAD, "/", &[]).await;
    assert!(!head.headers().contains_key("content-length"));
    assert!(stage.get("/events").await.header("x-upstream") == "1", "events are not held up");
    assert_eq!(stage.get("/down").await.code(), "upstream_connect");
    assert_eq!(calls.lock().unwrap().len(), 1, "HEAD alone was sent since");
}

#[tokio::test]
async fn a_message_may_stay_as_it_is() {
    let spec = json!({"request": {"url": URL}, "response": {"url": URL}});
    let (stage, calls) = stage(spec, |answer| Ok(answer.status(204).body(body("")).unwrap())).await;
    let mut seen = post(&stage, "/p", &[("x-a", "1")]).await;
    assert_eq!((seen.sent("x-a"), seen.target().unwrap().method()), ("1", &Method::POST));
    assert_eq!(seen.target().unwrap().body(), "from client");
    assert_eq!((seen.status(), seen.header("x-upstream")), (201, "1"));
    assert_eq!((&*seen.text().await, calls.lock().unwrap().len()), ("from upstream", 2));
}

#[tokio::test]
async fn what_is_not_said_stays() {
    let spec = json!({"request": {"url": URL}});
    let (stage, _) = stage(spec, |answer| Ok(answer.body(body("")).unwrap())).await;
    let seen = post(&stage, "/p?q", &[("content-type", "text/a")]).await;
    let target = seen.target().unwrap();
    assert_eq!((target.method(), target.uri().to_string().as_str()), (&Method::POST, "/p?q"));
    assert_eq!((target.body().len(), target.headers().len()), (0, 0));
}

#[tokio::test]
async fn a_webhook_that_fails_is_an_error_or_is_passed_by() {
    type Answer = fn(Builder) -> Result<Response>;
    let timeout: Answer =
        |_| Err(Error::upstream(StatusCode::GATEWAY_TIMEOUT, "fetch_timeout", "too late"));
    let cases: [(Answer, u16, &str); 10] = [
        (timeout, 503, "inject_unavailable"),
        (|_| Err(Error::gateway("fetch_refused", "not that one")), 503, "inject_unavailable"),
        (|answer| Ok(answer.status(500).body(body("")).unwrap()), 502, "inject_failed"),
        (|answer| Ok(answer.status(302).body(body("")).unwrap()), 502, "inject_failed"),
        (|answer| Ok(answer.status(404).body(body("")).unwrap()), 502, "inject_failed"),
        (|answer| Ok(answer.body(body(&"x".repeat(2000))).unwrap()), 502, "inject_failed"),
        (
            |answer| Ok(answer.header("x-real-uri", "/../x").body(body("")).unwrap()),
            502,
            "inject_failed",
        ),
        (
            |answer| Ok(answer.header("x-real-uri", "http://a").body(body("")).unwrap()),
            502,
            "inject_failed",
        ),
        (
            |answer| Ok(answer.header("x-real-status", "101").body(body("")).unwrap()),
            502,
            "inject_failed",
        ),
        (
            |answer| Ok(answer.header("x-real-method", "A B").body(body("")).unwrap()),
            502,
            "inject_failed",
        ),
    ];
    for (at, (answer, status, code)) in cases.into_iter().enumerate() {
        for key in ["request", "response"] {
            let hook = |open: bool| json!({key: {"url": URL, "fail_open": open, "max_body": 1000}});
            let (closed, _) = stage(hook(false), answer).await;
            let seen = post(&closed, "/p", &[]).await;
            assert_eq!((seen.status(), seen.code()), (status, code), "{at} {key}");
            let error = seen.result.unwrap_err();
            let shown = format!("{error} {error:?} {}", error.cause());
            assert!(!shown.contains("secret") && !shown.contains("hooks.internal"), "{shown}");
            let (open, _) = stage(hook(true), answer).await;
            let mut seen = post(&open, "/p", &[]).await;
            assert_eq!((seen.status(), &*seen.text().await), (201, "from upstream"), "{at} {key}");
            assert_eq!(seen.target().unwrap().body(), "from client");
            let log = open.log();
            assert!(
                matches!(&log[..], [(Level::Warn, text)] if !text.contains("secret")),
                "{log:?}"
            );
        }
    }
}

#[tokio::test]
async fn bodies_are_read_up_to_the_cap() {
    for (key, status) in [("request", 413), ("response", 502)] {
        for open in [false, true] {
            let spec = json!({key: {"url": URL, "max_body": 4, "fail_open": open}});
            let (stage, calls) = stage(spec, |answer| Ok(answer.body(body("")).unwrap())).await;
            let seen = post(&stage, "/p", &[]).await;
            assert_eq!(seen.status(), if open { 201 } else { status }, "{key}");
            assert!(calls.lock().unwrap().is_empty());
        }
    }
}

#[test]
fn what_a_spec_cannot_mean() {
    for (spec, code, path) in [
        (json!({}), "missing", ""),
        (json!({"request": {"url": "h2c://a"}}), "unsupported_scheme", "request.url"),
        (json!({"response": {"url": "unix:/run/a.sock"}}), "unsupported_scheme", "response.url"),
        (json!({"request": {"url": "tcp://a:1"}}), "unsupported_scheme", "request.url"),
        (json!({"request": {"url": URL, "timeout": "0"}}), "bad_value", "request.timeout"),
        (json!({"request": {"url": URL, "max_body": 0}}), "bad_value", "request.max_body"),
        (json!({"request": {"url": URL, "max_body": "9MiB"}}), "bad_value", "request.max_body"),
        (json!({"request": {"url": "http://u:p@a"}}), "bad_value", ""),
        (json!({"request": {"url": URL, "timeout": 2}}), "bad_value", ""),
    ] {
        let problem = problem(spec.clone());
        assert_eq!((problem.code, &*problem.path), (code, path), "{spec}");
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }
    let hook = |spec: Value| {
        let spec: WebhookSpec = serde_json::from_value(spec).unwrap();
        Hook::new(&spec, "request").unwrap()
    };
    let usual = hook(json!({"url": URL}));
    assert_eq!(
        (usual.timeout, usual.max_body, usual.fail_open),
        (Duration::from_secs(2), 1 << 20, false)
    );
    assert_eq!(hook(json!({"url": URL, "timeout": "500ms"})).timeout, Duration::from_millis(500));
    assert_eq!(format!("{usual:?}"), "Hook { timeout: 2s, .. }");
}
