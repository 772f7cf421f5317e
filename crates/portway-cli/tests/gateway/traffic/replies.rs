//! Replies from templates, and redirects by prefix: what a request says stays in its place.

use std::io;

use portway_testkit::RawClient;

use crate::fixture::Gateway;

async fn get(
    raw: &mut RawClient,
    target: &str,
    more: &str,
) -> io::Result<portway_testkit::RawResponse> {
    raw.exchange(format!("GET {target} HTTP/1.1\r\nHost: h.example:81\r\n{more}\r\n")).await
}

#[tokio::test]
async fn a_reply_says_what_the_request_says() -> io::Result<()> {
    let gateway = Gateway::start(
        "routes:
  - name: all
    match: {path: \"/all/{id}\"}
    target:
      reply:
        template: true
        status: 418
        headers: {x-id: \"{request.id}\", x-fixed: \"{{}}\"}
        body: \"{id} {request.host} {request.path} {request.method} {request.query.q} \
             {request.header.X-A} {request.client} {request.scheme} {{{request.query.none}}}\"
  - {name: plain, match: {path: /plain}, target: {reply: {body: '{\"a\": \"{request.host}\"}'}}}",
    )
    .await?;
    let mut raw = gateway.raw().await?;
    let answer =
        get(&mut raw, "/all/a%20b?q=%3Cx+y%3E&q=2", "X-A: 1\r\nX-A: 2\r\nX-Request-Id: mine\r\n")
            .await?;
    assert_eq!(answer.status, 418);
    assert_eq!(answer.text(), "a%20b h.example /all/a%20b GET <x y> 1, 2 127.0.0.1 http {}");
    assert_eq!(answer.headers.get("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.headers.get("x-fixed"), Some("{}"));
    assert_eq!(answer.headers.get("x-id"), answer.headers.get("x-request-id"));
    let plain = get(&mut raw, "/plain", "").await?;
    assert_eq!(plain.text(), "{\"a\": \"{request.host}\"}");
    assert!(!plain.headers.contains("content-type"), "it is what it always was");
    Ok(())
}

#[tokio::test]
async fn values_are_escaped_as_the_type_demands() -> io::Result<()> {
    let reply = |kind: &str, body: &str| {
        format!("{{reply: {{template: true, headers: {{content-type: {kind}}}, body: '{body}'}}}}")
    };
    let gateway = Gateway::start(&format!(
        "routes:
  - {{name: html, match: {{path: /html}}, target: {}}}
  - {{name: json, match: {{path: /json}}, target: {}}}
  - {{name: text, match: {{path: /text}}, target: {}}}
  - name: field
    match: {{path: \"/field/{{id}}\"}}
    target: {{reply: {{template: true, headers: {{x-q: \"q={{request.query.q}}\", x-id: \"{{id}}\"}}}}}}",
        reply("text/html", "<b title=\"{request.query.q}\">{request.query.q}</b>"),
        reply("application/json", "{{\"q\": \"{request.query.q}\"}}"),
        reply("text/plain", "{request.query.q}"),
    ))
    .await?;
    let mut raw = gateway.raw().await?;
    let query = "?q=%22%3E%3Cscript%3E%0d%0aSet-Cookie:%20x%3d1%5c%00%ff";
    let html = get(&mut raw, &format!("/html{query}"), "").await?;
    let escaped = "&quot;&gt;&lt;script&gt;\r\nSet-Cookie: x=1\\\0\u{fffd}";
    assert_eq!(html.text(), format!("<b title=\"{escaped}\">{escaped}</b>"));
    let json = get(&mut raw, &format!("/json{query}"), "").await?;
    let read: serde_json::Value = serde_json::from_slice(&json.body)?;
    assert_eq!(read["q"], "\"><script>\r\nSet-Cookie: x=1\\\0\u{fffd}");
    assert!(!json.text().contains('<'), "{}", json.text());
    let text = get(&mut raw, &format!("/text{query}"), "").await?;
    assert!(text.text().starts_with("\"><script>\r\n"), "{}", text.text());
    let field = get(&mut raw, &format!("/field/a%0d%0aX-Evil:1{query}"), "").await?;
    assert_eq!(field.headers.get("x-q"), Some("q=\"><script>%0D%0ASet-Cookie: x=1\\%00%FF"));
    assert_eq!(field.headers.get("x-id"), Some("a%0D%0AX-Evil:1"));
    assert!(!field.headers.contains("set-cookie") && !field.headers.contains("x-evil"));
    Ok(())
}

#[tokio::test]
async fn a_redirect_replaces_the_prefix_that_was_matched() -> io::Result<()> {
    let gateway = Gateway::start(
        "routes:
  - name: old
    match:
      - {path: {prefix: /old}}
      - {path: {prefix: /old/er}, headers: [{name: x-deep}]}
      - {path: {prefix: /root}}
    target: {redirect: {status: 308, prefix: /new}}
  - {name: top, match: {path: {prefix: /top}}, target: {redirect: {prefix: /}}}
  - {name: away, match: {path: {prefix: /away}}, target: {redirect: {scheme: https, host: b.example, prefix: /}}}",
    )
    .await?;
    let mut raw = gateway.raw().await?;
    for (asked, more, status, location) in [
        ("/old", "", 308, "/new"),
        ("/old/", "", 308, "/new/"),
        ("/old/a/b?c=d", "", 308, "/new/a/b?c=d"),
        ("/old/er/x", "", 308, "/new/er/x"),
        ("/old/er/x", "X-Deep: 1\r\n", 308, "/new/x"),
        ("/root/x", "", 308, "/new/x"),
        ("/top", "", 302, "/"),
        ("/top/a", "", 302, "/a"),
        // Taken as it is, it would lead to another host.
        ("/top//evil.example/a", "", 302, "/.//evil.example/a"),
        ("/away/a?b", "", 302, "https://b.example/a?b"),
        ("/old/a%0d%0aSet-Cookie:%20x=1%00", "", 400, ""),
        ("/old/a%0d%0aSet-Cookie:%20x=1", "", 308, "/new/a%0D%0ASet-Cookie:%20x=1"),
        ("/old/a?b=%0d%0aSet-Cookie:x", "", 308, "/new/a?b=%0d%0aSet-Cookie:x"),
    ] {
        let mut fresh = gateway.raw().await?;
        let raw = if status == 400 { &mut fresh } else { &mut raw };
        let answer = get(raw, asked, more).await?;
        let found = (answer.status, answer.headers.get("location").unwrap_or_default());
        assert_eq!(found, (status, location), "{asked}");
        assert!(!answer.headers.contains("set-cookie"), "{asked}");
    }
    Ok(())
}
