//! Answers the gateway gives itself: which status, in which form, and what they tell nobody.

use std::io;

use portway_testkit::{Echo, RawClient, RawResponse, refused_addr};

use crate::fixture::{Gateway, service};

const ROUTES: &str = "routes:
  - {name: account, match: {methods: [GET], path: \"/account/{id}\"}, target: {reply: {body: one}}}
  - {name: remove, match: {methods: [DELETE], path: \"/account/{id}\"}, target: {reply: {body: gone}}}
  - {name: host, match: {hosts: [b.example], path: /only-b}, target: {reply: {}}}
  - {name: header, match: {path: /header, headers: [{name: x-a, exact: b}]}, target: {reply: {}}}";

#[tokio::test]
async fn no_route_and_no_such_method() -> io::Result<()> {
    let gateway = Gateway::start(ROUTES).await?;
    let mut raw = gateway.raw().await?;
    for (method, path, status, code) in [
        ("GET", "/nothing", 404, "no_route"),
        ("GET", "/account", 404, "no_route"),
        ("GET", "/account/", 404, "no_route"),
        ("GET", "/account/1/", 404, "no_route"),
        ("GET", "/only-b", 404, "no_route"),
        ("GET", "/header", 404, "no_route"),
        ("PUT", "/account/1", 405, "method_not_allowed"),
        ("HEAD", "/account/1", 405, ""),
        ("OPTIONS", "/account/1", 405, "method_not_allowed"),
        ("FANCY", "/account/1", 405, "method_not_allowed"),
    ] {
        raw.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
        let answer = match method {
            "HEAD" => raw.read_response_to_head().await?,
            _ => raw.read_response().await?,
        };
        assert_eq!(answer.status, status, "{method} {path}");
        let allow = (status == 405).then_some("DELETE, GET");
        assert_eq!(answer.headers.get("allow"), allow, "{method} {path}");
        if method != "HEAD" {
            assert_eq!(json(&answer)?["code"], code, "{method} {path}");
        }
    }
    let record = gateway.record("/nothing").await?;
    assert_eq!((&record["error"], record.get("route")), (&"no_route".into(), None));
    Ok(())
}

#[tokio::test]
async fn an_error_comes_in_the_form_the_client_accepts() -> io::Result<()> {
    let gateway = Gateway::start(ROUTES).await?;
    let mut raw = gateway.raw().await?;
    for (accept, kind) in [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("image/png", "application/json"),
    ] {
        let request = format!("GET /x HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\n\r\n");
        let answer = raw.exchange(request).await?;
        assert_eq!((answer.status, answer.headers.get("content-type")), (404, Some(kind)));
        let id = answer.headers.get("x-request-id").expect("every answer has one");
        for part in [id, "no_route", "no route matches the request"] {
            assert!(answer.text().contains(part), "{part} in {}", answer.text());
        }
    }
    let answer = raw.exchange("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    let envelope = json(&answer)?;
    let keys: Vec<_> = envelope.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["code", "message", "request_id"]);
    Ok(())
}

#[tokio::test]
async fn what_the_client_sent_is_not_in_an_error() -> io::Result<()> {
    let gateway = Gateway::start(ROUTES).await?;
    let request = "GET /<script>?<script> HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n";
    let answer = gateway.raw().await?.exchange(request).await?;
    assert!(!answer.text().contains("script"), "{}", answer.text());
    Ok(())
}

#[tokio::test]
async fn the_cause_is_for_the_log_alone() -> io::Result<()> {
    let refused = refused_addr()?;
    let gateway = Gateway::start(&service(&refused.url(), "")).await?;
    let answer = gateway.raw().await?.exchange("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    assert_eq!((answer.status, &json(&answer)?["code"]), (502, &"upstream_connect".into()));
    let address = refused.addr().to_string();
    assert!(!answer.text().contains(&address), "{}", answer.text());
    let record = gateway.record("/x").await?;
    let cause = record["cause"].as_str().unwrap_or_default();
    assert!(cause.contains(&address) && cause.contains("refused"), "{record}");
    assert_eq!(record["endpoint"], address);
    Ok(())
}

#[tokio::test]
async fn heads_that_are_too_large() -> io::Result<()> {
    let echo = Echo::start().await?;
    let limits = "limits: {headers: 20, header_bytes: 4KiB, uri: 1KiB}";
    let listeners = format!("listeners: [{{name: web, bind: \"127.0.0.1:0\", {limits}}}]");
    let gateway = Gateway::start(&format!("{listeners}\n{}", service(&echo.url(), ""))).await?;
    let fields = |count: usize, size: usize| format!("X: {}\r\n", "v".repeat(size)).repeat(count);
    for (name, target, fields, status) in [
        ("a long target", "/".repeat(1024), String::new(), 200),
        ("too long a target", "/".repeat(1025), String::new(), 414),
        ("too long a query", format!("/?{}", "q".repeat(1023)), String::new(), 414),
        ("a target no buffer holds", "/".repeat(70_000), String::new(), 414),
        ("many fields", "/".into(), fields(19, 1), 200),
        ("too many fields", "/".into(), fields(20, 1), 431),
        ("far too many fields", "/".into(), fields(2000, 1), 431),
        ("large fields", "/".into(), fields(4, 950), 200),
        ("too large fields", "/".into(), fields(4, 1100), 431),
        ("one large field", "/".into(), fields(1, 64 * 1024), 431),
        ("a field no buffer holds", "/".into(), fields(1, 600 * 1024), 431),
    ] {
        let mut raw = gateway.raw().await?;
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        // It may be refused, and closed, before its last byte.
        let _ = raw.send(request).await;
        let answer = raw.read_response().await;
        let answer = answer.map_err(|error| io::Error::other(format!("{name}: {error}")))?;
        assert_eq!(answer.status, status, "{name}");
        if status != 200 {
            assert_closed(raw, &answer, name).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn heads_that_are_too_large_in_small_pieces() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    let mut raw = gateway.raw().await?;
    let fields = format!("X: {}\r\n", "v".repeat(200)).repeat(300);
    let _ = raw.send_split(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"), 64).await;
    let answer = raw.read_response().await?;
    assert_eq!(answer.status, 431);
    assert_closed(raw, &answer, "in small pieces").await
}

#[tokio::test]
async fn bodies_that_are_too_large() -> io::Result<()> {
    let echo = Echo::start().await?;
    let url = echo.url();
    let gateway = Gateway::start(&format!(
        "listeners: [{{name: web, bind: \"127.0.0.1:0\", limits: {{body: 10}}}}]
services:
  - name: up
    url: \"{url}\"
    routes:
      - {{name: all, match: {{path: {{prefix: /}}}}}}
      - {{name: more, match: {{path: /more}}, body_limit: 20}}
      - {{name: any, match: {{path: /any}}, body_limit: 0}}"
    ))
    .await?;
    for (path, length, status) in [
        ("/", 10, 200),
        ("/", 11, 413),
        ("/more", 20, 200),
        ("/more", 21, 413),
        ("/any", 100_000, 200),
    ] {
        let body = "b".repeat(length);
        let whole =
            format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}");
        let half = length / 2;
        let chunks = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
             {half:x}\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n",
            &body[..half],
            length - half,
            &body[half..],
        );
        for request in [whole, chunks] {
            let mut raw = gateway.raw().await?;
            let answer = raw.exchange(request).await?;
            assert_eq!(answer.status, status, "{path} {length}");
            if status == 413 {
                assert_eq!(json(&answer)?["code"], "body_too_large");
                assert_closed(raw, &answer, path).await?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_never_asked_for() -> io::Result<()> {
    let echo = Echo::start().await?;
    let listeners = "listeners: [{name: web, bind: \"127.0.0.1:0\", limits: {body: 10}}]";
    let gateway = Gateway::start(&format!("{listeners}\n{}", service(&echo.url(), ""))).await?;
    let mut raw = gateway.raw().await?;
    let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\
                   Expect: 100-continue\r\n\r\n";
    let answer = raw.exchange(request).await?;
    assert_eq!((answer.status, answer.interim.len()), (413, 0));
    assert_closed(raw, &answer, "early").await?;
    assert_eq!(echo.requests(), 0, "nothing was forwarded");
    Ok(())
}

async fn assert_closed(mut raw: RawClient, answer: &RawResponse, name: &str) -> io::Result<()> {
    assert_eq!(answer.headers.get("connection"), Some("close"), "{name}");
    raw.expect_closed().await?;
    Ok(())
}

fn json(answer: &RawResponse) -> io::Result<serde_json::Value> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| io::Error::other(format!("{error}: {}", answer.text())))
}

#[tokio::test]
async fn a_head_that_is_no_request_is_recorded() -> io::Result<()> {
    let gateway = Gateway::start(ROUTES).await?;
    let target = "/".repeat(70_000);
    for (number, (head, status, code)) in [
        ("nonsense\r\n\r\n".to_owned(), 400, "bad_request"),
        (format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"), 414, "uri_too_long"),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "X: a\r\n".repeat(2000)), 431, "headers_too_large"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut raw = gateway.raw().await?;
        let _ = raw.send(head).await;
        assert_eq!(raw.read_response().await?.status, status);
        let record = gateway.records(number + 1).await?.pop().unwrap_or_default();
        assert_eq!((&record["status"], &record["error"]), (&status.into(), &code.into()));
        assert_eq!((&record["client"], &record["method"]), (&"127.0.0.1".into(), &"-".into()));
        let code = format!("code=\"{code}\"");
        assert_eq!(gateway.metric("portway_errors_total", &[&code]).await?, 1.0);
    }
    Ok(())
}
