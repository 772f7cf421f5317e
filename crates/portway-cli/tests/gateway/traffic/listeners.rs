//! Listeners: which hosts they serve, who is sent to `https`, sockets of other families, proxies
//! in front.

use std::{io, net::SocketAddr};

use portway_testkit::{
    Client, Echo, RawClient,
    tls::{Authority, ClientTls},
};

use crate::fixture::{Gateway, directory, service};

const REPLY: &str = "routes: [{name: all, target: {reply: {body: ok}}}]";

/// A listener `web` with these keys, and the rest of a configuration.
fn listening(keys: &str, rest: &str) -> String {
    format!("listeners: [{{name: web, bind: \"127.0.0.1:0\", {keys}}}]\n{rest}")
}

/// The `tls` of a listener with a certificate for these names, and a client that trusts it.
fn tls(names: &[&str], more: &str) -> io::Result<(String, ClientTls)> {
    let authority = Authority::new()?;
    let identity = authority.issue(names)?;
    let keys = format!(
        "tls: {{certificates: [{{cert: {:?}, key: {:?}}}]{more}}}",
        identity.cert_pem, identity.key_pem
    );
    Ok((keys, ClientTls::trusting(&authority).server_name(names[0])))
}

/// Asks for a host and a target on a connection without TLS: the status, and where it is sent.
async fn ask(at: SocketAddr, host: &str, target: &str) -> io::Result<(u16, Option<String>)> {
    let mut client = RawClient::connect(at).await?;
    let answer = client.exchange(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await?;
    Ok((answer.status, answer.headers.get("location").map(str::to_owned)))
}

#[tokio::test]
async fn one_port_takes_both_tls_and_plain_http() -> io::Result<()> {
    let (keys, client) = tls(&["a.example"], ", accept_plain: true")?;
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&listening(&keys, &service(&echo.url(), ""))).await?;
    let proto = async |client: Client| {
        let answer = client.get("/").await?.answer()?;
        io::Result::Ok(answer.header("x-forwarded-proto").map(str::to_owned))
    };
    let https = client.alpn(&["h2"]);
    assert_eq!(proto(Client::https(gateway.addr(), &https)).await?.as_deref(), Some("https"));
    assert_eq!(proto(gateway.client()).await?.as_deref(), Some("http"));
    assert_eq!(proto(Client::h2c(gateway.addr())).await?.as_deref(), Some("http"));
    Ok(())
}

#[tokio::test]
async fn clients_without_tls_are_sent_to_https() -> io::Result<()> {
    let (keys, client) = tls(&["a.example"], ", accept_plain: true")?;
    let keys =
        format!("{keys}, redirect_https: {{hosts: [a.example, \"*.b.example\"], port: 8443}}");
    let gateway = Gateway::start(&listening(&keys, REPLY)).await?;
    for (host, target, location) in [
        ("a.example", "/x/%20y?q=1&q=%2F", Some("https://a.example:8443/x/%20y?q=1&q=%2F")),
        ("a.example:80", "/", Some("https://a.example:8443/")),
        ("www.b.example", "/?", Some("https://www.b.example:8443/?")),
        ("c.example", "/", None),
    ] {
        let (status, to) = ask(gateway.addr(), host, target).await?;
        assert_eq!((status, to.as_deref()), (if location.is_some() { 308 } else { 200 }, location));
    }
    assert_eq!(Client::https(gateway.addr(), &client).get("/").await?.status, 200);

    let usual = Gateway::start(&listening("redirect_https: {}", REPLY)).await?;
    let sent = ask(usual.addr(), "a.example:8080", "/x").await?;
    assert_eq!(sent, (308, Some("https://a.example/x".to_owned())));
    Ok(())
}

#[tokio::test]
async fn hosts_that_are_not_allowed_are_misdirected() -> io::Result<()> {
    let keys = "allowed_domains: [a.example, \"*.b.example\"]";
    let gateway = Gateway::start(&listening(keys, REPLY)).await?;
    for (host, status) in
        [("a.example", 200), ("A.example:80", 200), ("x.b.example", 200), ("c.example", 421)]
    {
        assert_eq!(ask(gateway.addr(), host, "/").await?.0, status, "{host}");
    }
    Ok(())
}

#[tokio::test]
async fn a_strict_listener_says_nothing_to_strangers() -> io::Result<()> {
    let strict = "allowed_domains: [a.example], strict: true";
    let gateway = Gateway::start(&listening(strict, REPLY)).await?;
    assert_eq!(ask(gateway.addr(), "a.example", "/").await?.0, 200);
    let mut stranger = RawClient::connect(gateway.addr()).await?;
    stranger.send("GET / HTTP/1.1\r\nHost: b.example\r\n\r\n").await?;
    stranger.expect_closed().await?;

    let (keys, client) = tls(&["a.example", "b.example"], "")?;
    let gateway = Gateway::start(&listening(&format!("{keys}, {strict}"), REPLY)).await?;
    assert_eq!(Client::https(gateway.addr(), &client).get("/").await?.status, 200);
    for stranger in [client.clone().server_name("b.example"), client.without_sni()] {
        let refused = RawClient::connect_tls(gateway.addr(), &stranger).await;
        let error = refused.err().expect("nobody is called so").to_string();
        assert!(error.contains("Unrecogni"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn routes_belong_to_the_listeners_they_name() -> io::Result<()> {
    let gateway = Gateway::start(
        "listeners: [{name: web, bind: \"127.0.0.1:0\"}, {name: inner, bind: \"127.0.0.1:0\"}]\n\
         routes: [{name: secret, listeners: [inner], match: {path: /secret}, target: {reply: {}}}, \
         {name: open, match: {path: /open}, target: {reply: {}}}]",
    )
    .await?;
    for (listener, secret) in [("web", 404), ("inner", 200)] {
        let client = Client::h1(gateway.listener(listener));
        assert_eq!(client.get("/secret").await?.status, secret, "{listener}");
        assert_eq!(client.get("/open").await?.status, 200, "{listener}");
    }
    Ok(())
}

#[tokio::test]
async fn a_unix_socket_is_served_and_removed_at_the_end() -> io::Result<()> {
    let dir = directory()?;
    let path = dir.path().join("web.sock");
    let echo = Echo::start().await?;
    let listener = format!("listeners: [{{name: web, bind: \"unix:{}\"}}]\n", path.display());
    let gateway = Gateway::start(&(listener + &service(&echo.url(), ""))).await?;
    assert_eq!(Client::unix(&path).get("/").await?.status, 200);
    assert_eq!(Client::unix_h2c(&path).get("/").await?.status, 200);
    assert!(gateway.stop().await?.success());
    assert!(!path.exists());
    Ok(())
}

#[tokio::test]
async fn ipv6_is_spoken_on_both_sides() -> io::Result<()> {
    let echo = Echo::bind("[::1]:0").await?.spawn();
    let listener = "listeners: [{name: web, bind: \"[::1]:0\"}]\n";
    let url = format!("http://{}", echo.addr());
    let gateway = Gateway::start(&format!("{listener}{}", service(&url, ""))).await?;
    assert!(gateway.addr().is_ipv6());
    let answer = gateway.client().get("/").await?.answer()?;
    assert!(answer.peer_addr.is_ipv6());
    assert_eq!(answer.header("x-forwarded-for"), Some("::1"));
    Ok(())
}

#[tokio::test]
async fn a_trusted_proxy_says_who_the_client_is() -> io::Result<()> {
    let echo = Echo::start().await?;
    let trusting = "proxy_protocol: [\"127.0.0.0/8\"]";
    let gateway = Gateway::start(&listening(trusting, &service(&echo.url(), ""))).await?;
    let get = b"GET /p HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x02\0\x01\x01\xbb";
    for (header, client) in [
        (&b"PROXY TCP4 192.0.2.1 192.0.2.2 8080 443\r\n"[..], "192.0.2.1"),
        (b"PROXY TCP6 2001:db8::1 2001:db8::2 8080 443\r\n", "2001:db8::1"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        (second, "192.0.2.7"),
    ] {
        let mut proxy = RawClient::connect(gateway.addr()).await?;
        let answer = proxy.exchange([header, get].concat()).await?;
        assert_eq!(answer.status, 200);
        let text = answer.text();
        assert!(text.contains(&format!("[\"x-forwarded-for\", \"{client}\"]")), "{text}");
    }
    // What a proxy must say is missing.
    let mut proxy = RawClient::connect(gateway.addr()).await?;
    proxy.send(get).await?;
    proxy.expect_closed().await?;
    gateway.refuses("proxy_header", 1).await?;

    // From anybody else it is garbage.
    let trusting = "proxy_protocol: [\"192.0.2.0/24\"]";
    let gateway = Gateway::start(&listening(trusting, &service(&echo.url(), ""))).await?;
    let mut stranger = RawClient::connect(gateway.addr()).await?;
    let header = b"PROXY TCP4 192.0.2.1 192.0.2.2 8080 443\r\n";
    assert_eq!(stranger.exchange([&header[..], get].concat()).await?.status, 400);
    assert_eq!(gateway.client().get("/").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_proxy_speaks_before_tls() -> io::Result<()> {
    let (keys, _) = tls(&["a.example"], ", accept_plain: true")?;
    let keys = format!("{keys}, proxy_protocol: [127.0.0.1]");
    let gateway = Gateway::start(&listening(&keys, REPLY)).await?;
    let mut proxy = RawClient::connect(gateway.addr()).await?;
    proxy.send("PROXY TCP4 192.0.2.1 192.0.2.2 8080 443\r\n").await?;
    // A record that ends at once: the handshake was begun behind the header, and an alert comes.
    proxy.send(b"\x16\x03\x01\xff\xff").await?;
    let alert = proxy.read_to_end().await?;
    assert!(alert.is_empty() || alert[0] == 0x15, "{alert:?}");
    gateway.refuses("not_tls", 1).await
}
