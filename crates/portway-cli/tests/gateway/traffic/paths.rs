//! Which path and query the upstream sees, and where a redirect leads.

use std::io;

use http::Request;
use portway_testkit::{Client, Echo, RawClient};

use crate::fixture::{Gateway, service};

/// What the client asks for, and what the upstream sees of it.
const NORMAL: &[(&str, &str)] = &[
    ("/", "/"),
    ("/a/b", "/a/b"),
    ("/a/b/", "/a/b/"),
    ("/%7Euser", "/~user"),
    ("/%61", "/a"),
    ("/a/./b", "/a/b"),
    ("/a/%2e/b", "/a/b"),
    ("/a/x/../b", "/a/b"),
    ("/a/x/%2E%2e/b", "/a/b"),
    ("/a/b/..", "/a/"),
    ("//a", "//a"),
    ("/a//b", "/a//b"),
    ("//evil.example/a", "//evil.example/a"),
    ("/a;x=1/b;y", "/a;x=1/b;y"),
    ("/%e2%82%ac", "/%E2%82%AC"),
    ("/a%20b%3fc%23d%25", "/a%20b%3Fc%23d%25"),
    ("/a:b@c!$&'()*+,=", "/a:b@c!$&'()*+,="),
    ("/a?b=c", "/a?b=c"),
    ("/a?b=%7e/../%2f%0a&&=?//", "/a?b=%7e/../%2f%0a&&=?//"),
    ("/a/./b?x", "/a/b?x"),
    ("/%0d%0aX-Evil:%201", "/%0D%0AX-Evil:%201"),
];

#[tokio::test]
async fn the_normal_form_is_forwarded_and_the_query_left_alone() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    let mut raw = gateway.raw().await?;
    for (asked, expected) in NORMAL {
        assert_eq!(forwarded(&mut raw, asked).await?, *expected, "{asked}");
    }
    Ok(())
}

#[tokio::test]
async fn a_raw_path_is_matched_in_its_normal_form_and_forwarded_as_it_came() -> io::Result<()> {
    let echo = Echo::start().await?;
    let url = echo.url();
    let gateway = Gateway::start(&format!(
        "services: [{{name: up, url: \"{url}\", forward_path: raw, routes: [
           {{name: tilde, match: {{path: {{prefix: /~user}}}}}}]}}]"
    ))
    .await?;
    let mut raw = gateway.raw().await?;
    for asked in ["/%7Euser", "/~user/%e2/./x/../y", "/a/../~user//b?%7e"] {
        assert_eq!(forwarded(&mut raw, asked).await?, asked);
    }
    let climbs = raw.exchange(get("/%7Euser/../../x")).await?;
    assert_eq!(climbs.status, 400, "it is ambiguous all the same");
    Ok(())
}

#[tokio::test]
async fn a_listener_may_let_ambiguous_paths_through() -> io::Result<()> {
    let echo = Echo::start().await?;
    let listeners = "listeners: [{name: web, bind: \"127.0.0.1:0\", ambiguous_paths: allow}]";
    let config = format!("{listeners}\n{}", service(&echo.url(), ""));
    let gateway = Gateway::start(&config).await?;
    let mut raw = gateway.raw().await?;
    for asked in ["/a%2Fb", "/a%5Cb"] {
        assert_eq!(forwarded(&mut raw, asked).await?, asked);
    }
    Ok(())
}

#[tokio::test]
async fn the_authority_of_an_absolute_target_wins() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "host: preserve,")).await?;
    let mut raw = gateway.raw().await?;
    let request = "GET http://there.example/a?b HTTP/1.1\r\nHost: here.example\r\n\r\n";
    let answer: serde_json::Value = serde_json::from_slice(&raw.exchange(request).await?.body)?;
    assert_eq!(answer["host"], "there.example");
    assert_eq!((&answer["path"], &answer["query"]), (&"/a".into(), &"b".into()));
    assert_eq!(gateway.record("/a").await?["host"], "there.example");
    Ok(())
}

#[tokio::test]
async fn routing_follows_the_authority_that_wins() -> io::Result<()> {
    let gateway = Gateway::start(
        "routes:
  - {name: here, match: {hosts: [here.example]}, target: {reply: {body: here}}}
  - {name: there, match: {hosts: [there.example]}, target: {reply: {body: there}}}",
    )
    .await?;
    let mut raw = gateway.raw().await?;
    let request = "GET http://there.example/ HTTP/1.1\r\nHost: here.example\r\n\r\n";
    assert_eq!(raw.exchange(request).await?.text(), "there");
    let h2c = Client::h2c(gateway.addr());
    let request = Request::get("http://here.example/").body(String::new());
    assert_eq!(h2c.request(request.map_err(io::Error::other)?).await?.text(), "here");
    Ok(())
}

#[tokio::test]
async fn the_url_of_a_service_goes_before_path_and_query() -> io::Result<()> {
    let echo = Echo::start().await?;
    let url = echo.url();
    let gateway = Gateway::start(&format!(
        "services:
  - name: based
    url: \"{url}/base/?key=1\"
    routes: [{{name: based, match: {{path: {{prefix: /based}}}}}}]
  - name: bare
    url: \"{url}/base?key=1\"
    drop_query: true
    routes: [{{name: bare, match: {{path: {{prefix: /bare}}}}}}]
  - name: prefixed
    url: \"{url}\"
    prefix: /v1
    drop_query: true
    routes: [{{name: prefixed, match: {{path: /account}}}}]"
    ))
    .await?;
    let mut raw = gateway.raw().await?;
    for (asked, expected) in [
        ("/based", "/base/based?key=1"),
        ("/based/x?y=2", "/base/based/x?key=1&y=2"),
        ("/based?", "/base/based?key=1"),
        ("/bare/x?y=2", "/base/bare/x?key=1"),
        ("/v1/account?a=b", "/v1/account"),
    ] {
        assert_eq!(forwarded(&mut raw, asked).await?, expected, "{asked}");
    }
    Ok(())
}

#[tokio::test]
async fn paths_are_rewritten() -> io::Result<()> {
    let echo = Echo::start().await?;
    let url = echo.url();
    let gateway = Gateway::start(&format!(
        "services:
  - name: up
    url: \"{url}\"
    routes:
      - {{name: strip, match: {{path: {{prefix: /old}}}}, rewrite: {{strip_prefix: /old}}}}
      - name: user
        match: {{path: \"/users/{{id}}/{{*rest}}\"}}
        rewrite: {{path: \"/v2/{{rest}}/of/{{id}}\"}}"
    ))
    .await?;
    let mut raw = gateway.raw().await?;
    for (asked, expected) in [
        ("/old", "/"),
        ("/old/", "/"),
        ("/old/a/b?c", "/a/b?c"),
        ("/old//a", "//a"),
        ("/old/%7ea", "/~a"),
        ("/users/7/orders/9?x=y", "/v2/orders/9/of/7?x=y"),
        ("/users/a%20b/c", "/v2/c/of/a%20b"),
        ("/users/a%0d%0aX-Evil:1/c", "/v2/c/of/a%0D%0AX-Evil:1"),
    ] {
        assert_eq!(forwarded(&mut raw, asked).await?, expected, "{asked}");
    }
    Ok(())
}

#[tokio::test]
async fn redirects_and_fixed_replies() -> io::Result<()> {
    let gateway = Gateway::start(
        "routes:
  - {name: gone, match: {path: /gone}, target: {reply: {status: 410, headers: {x-a: b}, body: bye}}}
  - name: moved
    match: {path: \"/old/{id}\"}
    target: {redirect: {status: 308, path: \"/new/{id}\"}}
  - {name: secure, match: {path: {prefix: /secure}}, target: {redirect: {scheme: https}}}
  - name: away
    match: {path: {prefix: /away}}
    target: {redirect: {status: 301, host: other.example, port: 8443}}
  - name: rest
    match: {path: \"/go/{*rest}\"}
    target: {redirect: {status: 307, path: \"/{rest}\"}}",
    )
    .await?;
    let mut raw = gateway.raw().await?;
    let gone = raw.exchange(get("/gone")).await?;
    assert_eq!(
        (gone.status, gone.text().as_ref(), gone.headers.get("x-a")),
        (410, "bye", Some("b"))
    );
    for (asked, status, location) in [
        ("/old/7?a=b", 308, "/new/7?a=b"),
        ("/old/%7e", 308, "/new/~"),
        ("/old/a%0d%0aSet-Cookie:%20x=1", 308, "/new/a%0D%0ASet-Cookie:%20x=1"),
        ("/old/a?b=%0d%0aSet-Cookie:x", 308, "/new/a?b=%0d%0aSet-Cookie:x"),
        ("/secure/a?b", 302, "https://a/secure/a?b"),
        ("/away/a", 301, "http://other.example:8443/away/a"),
        // Taken as it is, it would lead to another host.
        ("/go//evil.example/", 307, "/.//evil.example/"),
    ] {
        let answer = raw.exchange(get(asked)).await?;
        let found = (answer.status, answer.headers.get("location"));
        assert_eq!(found, (status, Some(location)), "{asked}");
        assert!(!answer.headers.contains("set-cookie"), "{asked}");
    }
    Ok(())
}

/// Asks, and says what the echo upstream was asked.
async fn forwarded(raw: &mut RawClient, target: &str) -> io::Result<String> {
    let answer = raw.exchange(get(target)).await?;
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    let answer: portway_testkit::echo::Answer = serde_json::from_slice(&answer.body)?;
    let query = answer.query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{}{query}", answer.path))
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}
