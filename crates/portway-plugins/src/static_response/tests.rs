use http::Method;
use portway_testkit::plugin::Stage;
use serde_json::{Value, json};

use super::StaticResponse;

async fn stage(spec: Value) -> Stage {
    let mut stage = Stage::of::<StaticResponse>(spec).await.expect("the spec is good");
    stage.known.parameters.insert("id".to_owned(), "<7>\r\n\"".to_owned());
    stage
}

#[tokio::test]
async fn it_answers_in_place_of_the_target() {
    let text = "text/plain; charset=utf-8";
    for (spec, status, kind, body) in [
        (json!({}), 200, "", ""),
        (json!({"status": 204}), 204, "", ""),
        (json!({"body": ""}), 200, "", ""),
        (json!({"status": 410, "body": "gone {{}}"}), 410, text, "gone {}"),
        (json!({"body": "<p>", "content_type": "text/html"}), 200, "text/html", "<p>"),
        (json!({"json": {"a": [1, null, "x"]}}), 200, "application/json", r#"{"a":[1,null,"x"]}"#),
        (json!({"json": "<"}), 200, "application/json", r#""\u003c""#),
    ] {
        let mut seen = stage(spec.clone()).await.get("/").await;
        assert_eq!((seen.status(), seen.header("content-type")), (status, kind), "{spec}");
        assert!(seen.target().is_none());
        assert_eq!(seen.text().await, body, "{spec}");
    }
}

/// Whatever a client sends, it does not leave its place.
#[tokio::test]
async fn values_of_the_request_are_escaped_where_they_stand() {
    let evil = "/?q=%0d%0aX-Evil:1%3Cscript%3E%22%7D";
    let ask = async |spec| {
        let headers = [("x-a", "a\"<b>\\")];
        stage(spec).await.ask(Method::GET, evil, &headers).await
    };
    let value = "{request.query.q}|{request.header.x-a}|{id}";
    let seen = ask(json!({"headers": {"X-B": value, "X-C": "c"}})).await;
    assert_eq!(seen.header("x-b"), "%0D%0AX-Evil:1<script>\"}|a\"<b>\\|<7>%0D%0A\"");
    assert_eq!((seen.header("x-c"), seen.headers().len()), ("c", 2));

    let mut seen =
        ask(json!({"body": format!("<i>{value}</i>"), "content_type": "text/html"})).await;
    let html = "<i>\r\nX-Evil:1&lt;script&gt;&quot;}|a&quot;&lt;b&gt;\\|&lt;7&gt;\r\n&quot;</i>";
    assert_eq!(seen.text().await, html);

    let mut seen = ask(json!({"json": {"{request.host}": [value, "{request.client}"]}})).await;
    let body: Value = serde_json::from_str(&seen.text().await).expect("JSON");
    let plain = "\r\nX-Evil:1<script>\"}|a\"<b>\\|<7>\r\n\"";
    assert_eq!(body, json!({"{request.host}": [plain, "192.0.2.1"]}));
}

#[tokio::test]
async fn nonsense_is_refused_with_its_path() {
    for (spec, code, path) in [
        (json!({"body": "a", "json": 1}), "one_of", "json"),
        (json!({"body": "{"}), "bad_template", "body"),
        (json!({"body": "{request.hots}"}), "bad_template", "body"),
        (json!({"json": ["{a b}"]}), "bad_template", "json"),
        (json!({"status": 204, "body": "x"}), "body_not_allowed", "body"),
        (json!({"status": 304, "json": 1}), "body_not_allowed", "json"),
        (json!({"headers": {"Content-Length": "5"}}), "framing_field", "headers"),
        (json!({"headers": {"Content-Type": "text/html"}}), "bad_value", "headers"),
        (json!({"content_type": "text/html"}), "bad_value", "content_type"),
        (json!({"headers": {"X-A": "a\r\nb"}}), "bad_value", ""),
        (json!({"status": 100}), "bad_value", ""),
    ] {
        let problem = Stage::of::<StaticResponse>(spec.clone()).await.unwrap_err();
        assert_eq!((problem.code, problem.path.as_str()), (code, path), "{spec}");
    }
}
