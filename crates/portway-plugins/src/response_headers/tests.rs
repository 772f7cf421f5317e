use http::{Method, StatusCode, header};
use portway_plugin::{Body, Error};
use portway_testkit::plugin::Stage;
use serde_json::{Value, json};

use super::ResponseHeaders;

async fn stage(spec: Value) -> Stage {
    let stage = Stage::of::<ResponseHeaders>(spec).await.unwrap();
    stage.target(|request| {
        if request.uri().path() == "/limited" {
            let error = Error::client(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many");
            return Err(error.with_header(header::RETRY_AFTER, "5".parse().unwrap()));
        }
        if request.uri().path() == "/down" {
            return Err(Error::upstream(StatusCode::BAD_GATEWAY, "upstream_connect", "no"));
        }
        let response =
            http::Response::builder().header("server", "secret/1.0").header("x-old", "1");
        Ok(response.header("vary", "accept").body(Body::empty()).unwrap())
    })
}

#[tokio::test]
async fn answers_and_errors_are_edited_alike() {
    let stage = stage(json!({
        "remove": ["server"],
        "rename": {"x-old": "x-new", "retry-after": "x-wait"},
        "set": {"x-frame-options": "DENY"},
        "add": {"vary": ["origin", "x-{request.method}"]},
    }))
    .await;
    let seen = stage.get("/").await;
    assert_eq!(seen.header("server"), "");
    assert_eq!((seen.header("x-old"), seen.header("x-new")), ("", "1"));
    let vary: Vec<_> = seen.headers().get_all("vary").iter().collect();
    assert_eq!(vary, ["accept", "origin", "x-GET"]);
    for (path, status) in [("/limited", 429), ("/down", 502)] {
        let seen = stage.get(path).await;
        assert_eq!((seen.status(), seen.header("x-frame-options")), (status, "DENY"));
    }
    assert_eq!(stage.get("/limited").await.header("x-wait"), "5");
}

#[tokio::test]
async fn templates_speak_of_the_request() {
    let stage =
        stage(json!({"set": {"x-q": "{request.query.q}", "x-a": "{request.header.a}"}})).await;
    let seen = stage.ask(Method::GET, "/?q=1%0d%0aSet-Cookie:x", &[("a", "b")]).await;
    assert_eq!((seen.header("x-q"), seen.header("x-a")), ("1%0D%0ASet-Cookie:x", "b"));
    assert_eq!(seen.header("set-cookie"), "");
}

#[test]
fn what_frames_an_answer_cannot_be_named() {
    for name in ["content-length", "transfer-encoding", "connection", "upgrade", "keep-alive"] {
        let refused = Stage::unstarted::<ResponseHeaders>(json!({"set": {name: "1"}}));
        assert_eq!(refused.unwrap_err().code, "forbidden_field", "{name}");
    }
    assert!(Stage::unstarted::<ResponseHeaders>(json!({"set": {"host": "1"}})).is_ok());
}
