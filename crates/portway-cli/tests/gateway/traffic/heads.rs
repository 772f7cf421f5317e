//! Header fields on their way: what concerns one connection stays there, what a client says about
//! itself is believed of trusted peers alone, and the upstream learns who asked.

use std::io;

use portway_testkit::echo::Answer;
use portway_testkit::raw::script::always;
use portway_testkit::{Client, Echo, RawUpstream};

use crate::fixture::{Gateway, service};

const TRUSTING: &str = "listeners:
  - {name: web, bind: \"127.0.0.1:0\", trusted_proxies: [\"127.0.0.0/8\", \"10.0.0.0/8\"]}\n";

#[tokio::test]
async fn fields_of_one_connection_are_not_forwarded() -> io::Result<()> {
    let (_echo, gateway) = through("").await?;
    let answer = ask(
        &gateway,
        "Connection:\r\nConnection: X-Private, ,keep-alive\r\nConnection: x-other\r\n\
         X-Private: 1\r\nX-Other: 2\r\nX-Kept: 3\r\nKeep-Alive: timeout=5\r\nTE: deflate\r\n\
         Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nUpgrade: foo\r\n\
         HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
    )
    .await?;
    for name in [
        "connection",
        "x-private",
        "x-other",
        "keep-alive",
        "te",
        "proxy-connection",
        "proxy-authorization",
        "upgrade",
        "http2-settings",
        "transfer-encoding",
    ] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    assert_eq!(answer.header("x-kept"), Some("3"));
    Ok(())
}

#[tokio::test]
async fn names_keep_their_case_and_order_where_that_is_asked_for() -> io::Result<()> {
    let answer = "HTTP/1.1 200 OK\r\nX-Second: 2\r\nContent-Length: 2\r\nETag: \"x\"\r\n\r\nok";
    let upstream = RawUpstream::start(always(answer)).await?;
    let listener = "listeners: [{name: web, bind: \"127.0.0.1:0\", header_case: keep}]\n";
    let gateway = Gateway::start(&(listener.to_owned() + &service(&upstream.url(), ""))).await?;
    let request = "GET / HTTP/1.1\r\nX-OWN: 1\r\nHost: a\r\naccept: */*\r\n\r\n";
    let mut raw = gateway.raw().await?;
    raw.send(request).await?;
    let head = raw.read_response().await?;
    assert_eq!(head.status, 200);
    assert_eq!(upstream.count_of("\r\nX-OWN: 1\r\nHost: "), 1, "{:?}", upstream.received());
    assert_eq!(upstream.count_of("\r\naccept: */*\r\nx-forwarded-for: "), 1);
    raw.send(request).await?;
    let bytes = raw.read_head().await?;
    let text = String::from_utf8_lossy(&bytes.raw).into_owned();
    assert!(text.contains("\r\nX-Second: 2\r\nETag: \"x\"\r\n"), "{text}");
    Ok(())
}

#[tokio::test]
async fn connection_takes_nothing_off_that_is_the_gateways() -> io::Result<()> {
    let (_echo, gateway) = through("").await?;
    let answer = ask(
        &gateway,
        "Connection: X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Forwarded-Port\r\n\
         Connection: Host, Via, X-Request-Id, Authorization, Cookie, Content-Length\r\n\
         Authorization: Bearer x\r\nCookie: a=b\r\n",
    )
    .await?;
    assert_eq!(answer.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(answer.header("x-forwarded-proto"), Some("http"));
    assert_eq!(answer.header("x-forwarded-host"), Some("a.example"));
    let port = gateway.addr().port().to_string();
    assert_eq!(answer.header("x-forwarded-port"), Some(port.as_str()));
    assert_eq!(answer.header("via"), Some("1.1 portway"));
    assert_eq!(answer.header("authorization"), Some("Bearer x"));
    assert_eq!(answer.header("cookie"), Some("a=b"));
    assert!(answer.header("x-request-id").is_some() && answer.header("host").is_some());
    Ok(())
}

#[tokio::test]
async fn a_client_that_takes_trailers_says_so_to_the_upstream() -> io::Result<()> {
    let (_echo, gateway) = through("").await?;
    let answer = ask(&gateway, "Connection: TE\r\nTE: deflate, Trailers\r\n").await?;
    assert_eq!(answer.header("te"), Some("trailers"));
    assert_eq!(answer.header("connection"), Some("te"), "RFC 9110 section 10.1.4");
    Ok(())
}

#[tokio::test]
async fn fields_of_the_upstreams_connection_are_not_passed_on() -> io::Result<()> {
    let upstream = RawUpstream::start(always(
        "HTTP/1.1 200 OK\r\nConnection: X-Private\r\nX-Private: 1\r\nX-Kept: 2\r\n\
         Keep-Alive: timeout=5\r\nUpgrade: h2c\r\nProxy-Authenticate: Basic\r\n\
         Proxy-Connection: keep-alive\r\nVia: 1.1 inner\r\nServer: x\r\nContent-Length: 0\r\n\r\n",
    ))
    .await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let answer = gateway.raw().await?.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    for name in [
        "connection",
        "x-private",
        "keep-alive",
        "upgrade",
        "proxy-authenticate",
        "proxy-connection",
    ] {
        assert_eq!(answer.headers.get(name), None, "{name}");
    }
    assert_eq!(
        (answer.headers.get("x-kept"), answer.headers.get("server")),
        (Some("2"), Some("x"))
    );
    assert_eq!(answer.headers.all("via").join(", "), "1.1 inner, 1.1 portway");
    Ok(())
}

/// What a client could say to be taken for somebody else.
const CLAIMS: &str = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\n\
    X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 1\r\n\
    X-Forwarded-Prefix: /evil\r\nX-Forwarded-Server: evil\r\nForwarded: for=6.6.6.6\r\n\
    X-Real-IP: 6.6.6.6\r\nX-Request-Id: mine\r\nX_Forwarded_For: 6.6.6.6\r\n\
    X-Forwarded_Proto: https\r\nX_Real_IP: 6.6.6.6\r\nX_Request_Id: mine\r\nVia: 1.1 outer\r\n";

#[tokio::test]
async fn claims_of_an_untrusted_client_are_replaced() -> io::Result<()> {
    let (_echo, gateway) = through("").await?;
    let answer = ask(&gateway, CLAIMS).await?;
    assert_eq!(answer.all_headers("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(answer.all_headers("x-forwarded-proto"), ["http"]);
    assert_eq!(answer.all_headers("x-forwarded-host"), ["a.example"]);
    assert_eq!(answer.all_headers("x-forwarded-port"), [gateway.addr().port().to_string()]);
    for name in ["forwarded", "x-real-ip", "x-forwarded-prefix", "x-forwarded-server"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    assert_no_twins(&answer);
    assert_eq!(answer.all_headers("via"), ["1.1 outer, 1.1 portway"]);
    assert_ne!(answer.header("x-request-id"), Some("mine"));
    assert_eq!(answer.all_headers("x-request-id").len(), 1);
    assert_eq!(gateway.record("/").await?["client"], "127.0.0.1");
    Ok(())
}

#[tokio::test]
async fn claims_of_a_trusted_proxy_are_kept_and_added_to() -> io::Result<()> {
    let (_echo, gateway) = through(TRUSTING).await?;
    let answer = ask(&gateway, CLAIMS).await?;
    assert_eq!(answer.all_headers("x-forwarded-for"), ["6.6.6.6, 7.7.7.7, 127.0.0.1"]);
    assert_eq!(answer.all_headers("x-forwarded-proto"), ["https"]);
    assert_eq!(answer.all_headers("x-forwarded-host"), ["evil.example"]);
    assert_eq!(answer.all_headers("x-request-id"), ["mine"]);
    // A proxy that is trusted spells them right: these come from whoever is behind it.
    assert_no_twins(&answer);
    assert_eq!(gateway.record("/").await?["client"], "7.7.7.7");
    Ok(())
}

#[tokio::test]
async fn the_client_is_the_last_address_that_is_not_trusted() -> io::Result<()> {
    let (_echo, gateway) = through(TRUSTING).await?;
    for (path, claims, expected) in [
        ("/1", "X-Forwarded-For: 6.6.6.6, 8.8.8.8, 10.0.0.1\r\n", "8.8.8.8"),
        ("/2", "X-Forwarded-For: 10.0.0.9, 10.0.0.1\r\n", "10.0.0.9"),
        ("/3", "X-Forwarded-For: 6.6.6.6, nonsense, 10.0.0.1\r\n", "10.0.0.1"),
        ("/4", "", "127.0.0.1"),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{claims}\r\n");
        gateway.raw().await?.exchange(request).await?;
        assert_eq!(gateway.record(path).await?["client"], expected, "{claims}");
    }
    Ok(())
}

#[tokio::test]
async fn the_standard_form_can_be_chosen() -> io::Result<()> {
    let listener = |form: &str| {
        format!("listeners: [{{name: web, bind: \"127.0.0.1:0\", forwarded_headers: {form}}}]\n")
    };
    let (_echo, gateway) = through(&listener("forwarded")).await?;
    let answer = ask(&gateway, CLAIMS).await?;
    let expected = "for=127.0.0.1;host=\"a.example\";proto=http";
    assert_eq!(answer.all_headers("forwarded"), [expected]);
    assert_eq!(answer.header("x-forwarded-for"), None);

    let (_echo, gateway) = through(&listener("both")).await?;
    let answer = ask(&gateway, CLAIMS).await?;
    assert_eq!(answer.all_headers("forwarded"), [expected]);
    assert_eq!(answer.all_headers("x-forwarded-for"), ["127.0.0.1"]);
    Ok(())
}

#[tokio::test]
async fn the_request_id_is_the_same_everywhere() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    let response = gateway.client().get("/id").await?;
    let id = response.header("x-request-id").map(str::to_owned);
    let id = id.expect("every answer has one");
    assert_eq!(response.answer()?.header("x-request-id"), Some(id.as_str()));
    assert_eq!(gateway.record("/id").await?["request_id"], id);
    let other = gateway.client().get("/id").await?;
    assert_ne!(other.header("x-request-id"), Some(id.as_str()));
    Ok(())
}

#[tokio::test]
async fn whatever_a_client_sends_a_record_is_one_line() -> io::Result<()> {
    let (_echo, gateway) = through("").await?;
    let mut raw = gateway.raw().await?;
    let mut request = b"GET /a%0d%0a%22?secret HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\
        Authorization: secret\r\nUser-Agent: \"\\\t\x80\xff{}\r\n\r\n"
        .to_vec();
    assert_eq!(raw.exchange(&request).await?.status, 200);
    request.splice(4..5, *b"/b");
    assert_eq!(raw.exchange(&request).await?.status, 200);
    let records = gateway.records(2).await?;
    assert_eq!(records.len(), 2, "{records:?}");
    assert_eq!(records[0]["path"], "/a%0d%0a%22");
    assert!(records[0]["user_agent"].as_str().is_some_and(|agent| agent.starts_with("\"\\")));
    assert!(!format!("{records:?}").contains("secret"), "{records:?}");
    Ok(())
}

#[tokio::test]
async fn via_names_the_protocol_the_request_came_by() -> io::Result<()> {
    let (_echo, gateway) = through("").await?;
    let h2 = Client::h2c(gateway.addr()).get("/").await?;
    assert_eq!(h2.answer()?.header("via"), Some("2 portway"));
    assert_eq!(h2.header("via"), Some("1.1 portway"), "the upstream speaks HTTP/1.1");
    let h1 = gateway.raw().await?.exchange("GET / HTTP/1.0\r\nHost: a\r\n\r\n").await?;
    let answer: Answer = serde_json::from_slice(&h1.body)?;
    assert_eq!(answer.header("via"), Some("1.0 portway"));
    Ok(())
}

#[tokio::test]
async fn the_host_is_the_upstreams_the_clients_or_a_fixed_one() -> io::Result<()> {
    let echo = Echo::start().await?;
    let url = echo.url();
    let gateway = Gateway::start(&format!(
        "services:
  - {{name: a, url: \"{url}\", routes: [{{name: upstream, match: {{path: /upstream}}}}]}}
  - {{name: b, url: \"{url}\", host: preserve, routes: [
      {{name: preserve, match: {{path: /preserve}}}},
      {{name: route, match: {{path: /route}}, host: {{fixed: \"route.example:81\"}}}}]}}
  - {{name: c, url: \"{url}\", host: {{fixed: fixed.example}}, routes: [
      {{name: fixed, match: {{path: /fixed}}}}]}}"
    ))
    .await?;
    let authority = echo.addr().to_string();
    for (path, expected) in [
        ("/upstream", authority.as_str()),
        ("/preserve", "a.example:8080"),
        ("/fixed", "fixed.example"),
        ("/route", "route.example:81"),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a.example:8080\r\n\r\n");
        let answer = gateway.raw().await?.exchange(request).await?;
        let answer: Answer = serde_json::from_slice(&answer.body)?;
        assert_eq!(answer.all_headers("host"), [expected], "{path}");
        assert_eq!(answer.header("x-forwarded-host"), Some("a.example:8080"), "{path}");
    }
    Ok(())
}

/// A gateway with these settings before an echo upstream.
async fn through(config: &str) -> io::Result<(portway_testkit::RunningEcho, Gateway)> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&format!("{config}{}", service(&echo.url(), ""))).await?;
    Ok((echo, gateway))
}

/// Asks for `/` of `a.example` with these fields, and says what the upstream got.
async fn ask(gateway: &Gateway, fields: &str) -> io::Result<Answer> {
    let request = format!("GET / HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n");
    let answer = gateway.raw().await?.exchange(request).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Ok(serde_json::from_slice(&answer.body)?)
}

fn assert_no_twins(answer: &Answer) {
    let twins: Vec<_> = answer.headers.iter().filter(|(name, _)| name.contains('_')).collect();
    assert!(twins.is_empty(), "{twins:?}");
}
