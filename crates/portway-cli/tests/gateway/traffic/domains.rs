//! Domains: the host of a request says whose routes are candidates.

use std::{io, net::SocketAddr};

use portway_testkit::{Client, RawClient, tls::ClientTls};

use super::tls::{Issuer, shown};
use crate::fixture::Gateway;

/// Two namespaces whose routes cannot be told apart but by their domains.
const TENANTS: &str = "
namespaces: [{name: a}, {name: b}]
domains:
  - {name: a, namespace: a, patterns: [a.example, '*.a.example', '/a[0-9]+\\.example/']}
  - {name: b, namespace: b, patterns: ['*.example']}
  - {name: first, namespace: b, priority: 1, patterns: ['first.*']}
routes:
  - {name: all, target: {reply: {body: default}}}
  - {name: all, namespace: a, target: {reply: {body: a}}}
  - {name: all, namespace: b, target: {reply: {body: b}}}
  - {name: only, namespace: b, match: {path: /only}, target: {reply: {body: only b}}}
";

/// The status and the body of an answer for a host.
async fn ask(at: SocketAddr, host: &str, path: &str) -> io::Result<(u16, String)> {
    let mut client = RawClient::connect(at).await?;
    let answer = client.exchange(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await?;
    Ok((answer.status, answer.text().into_owned()))
}

/// Asks for hosts, which belong to these.
async fn all_belong(gateway: &Gateway, hosts: &[(&str, &str)]) -> io::Result<()> {
    for (host, namespace) in hosts {
        let answer = ask(gateway.addr(), host, "/").await?;
        assert_eq!(answer, (200, (*namespace).to_owned()), "{host}");
    }
    Ok(())
}

#[tokio::test]
async fn only_the_routes_of_a_hosts_namespace_are_candidates() -> io::Result<()> {
    let gateway = Gateway::start(TENANTS).await?;
    let hosts = [
        ("a.example", "a"),
        ("A.Example:8080", "a"),
        ("x.a.example", "a"),
        ("first.a.example", "b"),
        ("a7.example", "b"),
        ("b.example", "b"),
        ("elsewhere", "default"),
    ];
    all_belong(&gateway, &hosts).await?;
    assert_eq!(ask(gateway.addr(), "b.example", "/only").await?.1, "only b");
    assert_eq!(ask(gateway.addr(), "a.example", "/only").await?.1, "a");
    let h2 = Client::h2c(gateway.addr());
    let request = http::Request::get("http://x.a.example/").body(String::new());
    assert_eq!(h2.request(request.map_err(io::Error::other)?).await?.text(), "a");
    // The expression is before the suffix now, and all of it is live at once.
    gateway
        .reload(&TENANTS.replace("namespace: a, patterns", "namespace: a, priority: 2, patterns"))
        .await?;
    all_belong(&gateway, &[("a7.example", "a"), ("first.a.example", "a"), ("b.example", "b")]).await
}

#[tokio::test]
async fn a_host_of_no_domain_is_nobodys_when_default_is_switched_off() -> io::Result<()> {
    let off = TENANTS.replace("{name: b}]", "{name: b}, {name: default, enabled: false}]");
    let gateway = Gateway::start(&off).await?;
    all_belong(&gateway, &[("a.example", "a"), ("b.example", "b")]).await?;
    let (status, body) = ask(gateway.addr(), "elsewhere", "/").await?;
    assert_eq!((status, body.contains("no_domain")), (404, true), "{body}");
    // Without a host there is no domain either.
    let mut client = gateway.raw().await?;
    let answer = client.exchange("GET / HTTP/1.0\r\n\r\n").await?;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("no_domain"), "{}", answer.text());

    let mut early = gateway.raw().await?;
    assert_eq!(early.exchange("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").await?.status, 200);
    let strict = format!("listeners: [{{name: web, bind: \"127.0.0.1:0\", strict: true}}]\n{off}");
    gateway.reload(&strict).await?;
    // Whoever was let in before is told.
    let answer = early.exchange("GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n").await?;
    assert_eq!(answer.status, 404);
    early.expect_closed().await?;
    all_belong(&gateway, &[("a.example", "a"), ("b.example", "b")]).await?;
    let mut client = gateway.raw().await?;
    client.send("GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n").await?;
    client.expect_closed().await?;
    Ok(())
}

#[tokio::test]
async fn a_namespace_that_is_switched_off_serves_nothing_and_gives_its_hosts_to_nobody()
-> io::Result<()> {
    let off = TENANTS.replace("{name: b}]", "{name: b, enabled: false}]");
    let gateway = Gateway::start(&off).await?;
    all_belong(&gateway, &[("a.example", "a"), ("elsewhere", "default")]).await?;
    for path in ["/", "/only"] {
        let (status, body) = ask(gateway.addr(), "b.example", path).await?;
        assert_eq!((status, body.contains("no_domain")), (404, true), "{body}");
    }
    gateway.reload(TENANTS).await?;
    all_belong(&gateway, &[("b.example", "b")]).await
}

#[tokio::test]
async fn domains_bring_certificates_which_are_renewed_as_they_change() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let (own, a) = (issuer.pair(&["own.example"])?, issuer.pair(&["a.example"])?);
    let wild = issuer.pair(&["*.b.example"])?;
    let config = |own: &str, a: &str| {
        format!(
            "listeners: [{{name: web, bind: \"127.0.0.1:0\", tls: {{{own}}}}}]
namespaces: [{{name: a}}]
certificates:
  - {{name: shown, namespace: a, {a}}}
  - {{name: shown, {wild}}}
domains:
  - {{name: a, namespace: a, patterns: [a.example], certificate: shown}}
  - {{name: own, namespace: a, priority: 9, patterns: [own.example], certificate: shown}}
  - {{name: b, patterns: ['*.b.example', '*.c.example'], certificate: shown}}
routes: [{{name: all, target: {{reply: {{body: default}}}}}}, \
 {{name: all, namespace: a, target: {{reply: {{body: a}}}}}}]",
            a = a.trim_matches(['{', '}']),
            wild = wild.trim_matches(['{', '}']),
        )
    };
    let listed = format!("certificates: [{own}]");
    let gateway = Gateway::start(&config(&listed, &a)).await?;
    let names = async |name: &str| shown(gateway.addr(), &issuer.client(name)).await;
    assert_eq!(names("own.example").await?, ["own.example"], "the listener's own is first");
    assert_eq!(names("a.example").await?, ["a.example"]);
    assert_eq!(names("x.b.example").await?, ["*.b.example"]);
    let https = |name: &str| Client::https(gateway.addr(), &issuer.client(name));
    assert_eq!(https("a.example").get("/").await?.text(), "a");
    assert_eq!(https("x.b.example").get("/").await?.text(), "default");
    let labels = ["name=\"a.example\"", "listener=\"web\""];
    let expiry = "portway_tls_certificate_not_after_seconds";
    assert!(gateway.metric(expiry, &labels).await? > 0.0, "{}", gateway.metrics().await?);

    // An open connection stays; new ones are shown the new certificate.
    let tls = issuer.client("a.example");
    let mut open = RawClient::connect_tls(gateway.addr(), &tls).await?;
    let renewed = issuer.authority.issue(&["a.example", "renewed.example"])?;
    let renewed = issuer.written("renewed", &renewed)?;
    gateway.reload(&config(&listed, &renewed)).await?;
    assert_eq!(names("a.example").await?, ["a.example", "renewed.example"]);
    let get = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
    assert_eq!(open.exchange(get).await?.text(), "a");

    // A listener needs none of its own then.
    gateway.reload(&config("", &a)).await?;
    assert_eq!(names("a.example").await?, ["a.example"]);
    let nobody = ClientTls::trusting(&issuer.authority).server_name("a.example").without_sni();
    assert_eq!(shown(gateway.addr(), &nobody).await?, ["a.example"]);
    Ok(())
}

#[tokio::test]
async fn a_pair_that_does_not_fit_is_refused_where_it_is_declared() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let (a, other) = (issuer.pair(&["a.example"])?, issuer.pair(&["other.example"])?);
    let key = |pair: &str| pair.split_once(", key").expect("it has a key").1.to_owned();
    let mismatch = a.replace(&key(&a), &key(&other));
    let config = format!(
        "listeners: [{{name: web, bind: \"127.0.0.1:0\", tls: {{certificates: [{other}]}}}}]
certificates: [{{name: shown, {}]
domains: [{{name: a, patterns: [a.example], certificate: shown}}]
{}",
        mismatch.trim_start_matches('{'),
        super::tls::REPLY,
    );
    let (good, said) = super::tls::check(&issuer, &config).await?;
    assert!(!good, "{said}");
    for expected in ["certificate_mismatch", "certificates[0].key", "checked.yaml:2:"] {
        assert!(said.contains(expected), "{expected} is not in\n{said}");
    }
    Ok(())
}
