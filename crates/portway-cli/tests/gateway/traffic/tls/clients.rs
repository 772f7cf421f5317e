//! Certificates of clients: who is asked, who is let in, and what upstreams learn of them.

use std::{io, net::SocketAddr};

use portway_testkit::{
    Client, Echo, RawClient,
    tls::{Authority, ClientTls, Identity, Version},
};

use super::{GET, Issuer, REPLY, openssl_saying, resumes, secure};
use crate::fixture::{Gateway, service};

const HOSTS: &[&str] = &["open.example", "asked.example", "strict.example", "other.example"];

/// A client's certificate.
fn billing(authority: &Authority) -> io::Result<Identity> {
    let order = authority.order(&["c.example"]).client().common_name("billing");
    order.uri("spiffe://test/billing").email("billing@c.example").issue()
}

/// A listener whose hosts ask for different things: `open.example` and all others for nothing,
/// `asked.example` for a certificate or none, `strict.example` for one, `other.example` for one of
/// another authority.
fn by_host(issuer: &Issuer, other: &Authority, rest: &str) -> io::Result<String> {
    let (pair, ca) = (issuer.pair(HOSTS)?, issuer.ca()?);
    let hosts = format!(
        "hosts: [{{hosts: [asked.example], client_certificates: {{mode: optional, ca: \"{ca}\"}}}}, \
         {{hosts: [strict.example], client_certificates: {{mode: required, ca: \"{ca}\"}}}}, \
         {{hosts: [other.example], client_certificates: {{mode: required, ca: {:?}}}}}]",
        other.cert_pem()
    );
    Ok(secure(&format!("certificates: [{pair}], {hosts}"), rest))
}

/// Whether a request is answered on a connection of its own. Under TLS 1.3 a client learns after
/// the handshake that its certificate was refused.
async fn let_in(gateway: &Gateway, tls: &ClientTls) -> bool {
    match RawClient::connect_tls(gateway.addr(), tls).await {
        Ok(mut client) => client.exchange(GET).await.is_ok_and(|answer| answer.status == 200),
        Err(_) => false,
    }
}

#[tokio::test]
async fn a_listener_asks_for_certificates_or_insists_on_them() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let (pair, ca) = (issuer.pair(&["a.example"])?, issuer.ca()?);
    let ours = billing(&issuer.authority)?;
    let strangers = billing(&Authority::new()?)?;
    let expired = issuer.authority.order(&["c.example"]).client().expired().issue()?;
    for (mode, nobody, stranger) in
        [("off", true, true), ("optional", true, false), ("required", false, false)]
    {
        let asked = match mode {
            "off" => "mode: off".to_owned(),
            _ => format!("mode: {mode}, ca: \"{ca}\""),
        };
        let tls = format!("certificates: [{pair}], client_certificates: {{{asked}}}");
        let gateway = Gateway::start(&secure(&tls, REPLY)).await?;
        for version in [Version::Tls12, Version::Tls13] {
            let tls = issuer.client("a.example").only(version);
            let with = |identity| tls.clone().identity(identity);
            assert!(let_in(&gateway, &with(&ours)).await, "{mode} {version:?}");
            assert_eq!(let_in(&gateway, &tls).await, nobody, "{mode} {version:?}");
            for identity in [&strangers, &expired] {
                assert_eq!(let_in(&gateway, &with(identity)).await, stranger, "{mode} {version:?}");
            }
        }
        let failed = 2 * (usize::from(!nobody) + 2 * usize::from(!stranger));
        gateway.refuses("handshake_failed", failed).await?;
    }
    Ok(())
}

#[tokio::test]
async fn hosts_ask_for_what_they_need() -> io::Result<()> {
    let (issuer, other) = (Issuer::new()?, Authority::new()?);
    let gateway = Gateway::start(&by_host(&issuer, &other, REPLY)?).await?;
    let (ours, others) = (billing(&issuer.authority)?, billing(&other)?);
    for (host, nobody, with_ours, with_others) in [
        ("open.example", true, true, true),
        ("asked.example", true, true, false),
        ("strict.example", false, true, false),
        ("other.example", false, false, true),
    ] {
        let tls = issuer.client(host);
        let ask = async |tls: &ClientTls| {
            Client::https(gateway.addr(), tls)
                .get("/")
                .await
                .is_ok_and(|answer| answer.status == 200)
        };
        assert_eq!(ask(&tls).await, nobody, "{host}");
        assert_eq!(ask(&tls.clone().identity(&ours)).await, with_ours, "{host}");
        assert_eq!(ask(&tls.identity(&others)).await, with_others, "{host}");
    }
    Ok(())
}

/// RFC 9110 section 15.5.20.
#[tokio::test]
async fn a_connection_carries_no_request_for_a_host_that_asks_more() -> io::Result<()> {
    let (issuer, other) = (Issuer::new()?, Authority::new()?);
    let gateway = Gateway::start(&by_host(&issuer, &other, REPLY)?).await?;
    let ours = billing(&issuer.authority)?;
    for alpn in [&["h2"][..], &["http/1.1"]] {
        for (opened_for, asked, status) in [
            ("open.example", "strict.example", 421),
            ("open.example", "STRICT.example.", 421),
            ("open.example", "asked.example", 421),
            ("open.example", "other.example", 421),
            ("asked.example", "strict.example", 421),
            ("strict.example", "other.example", 421),
            ("strict.example", "strict.example", 200),
            ("strict.example", "open.example", 200),
            ("asked.example", "open.example", 200),
            ("open.example", "else.example", 200),
        ] {
            let tls = issuer.client(opened_for).identity(&ours).alpn(alpn);
            let client = Client::https(gateway.addr(), &tls);
            let ask = async |host: &str| {
                let host = format!("{host}:{}", gateway.addr().port());
                let request = http::Request::get("/").header("host", host);
                client.request(request.body(String::new()).map_err(io::Error::other)?).await
            };
            let answer = ask(asked).await?;
            assert_eq!(answer.status, status, "{opened_for} {asked}");
            if status == 421 {
                assert!(answer.text().contains("misdirected_request"), "{}", answer.text());
            }
            // The connection may be used for what it was opened for.
            assert_eq!(ask(opened_for).await?.status, 200);
            assert_eq!(client.connections(), 1, "{opened_for} {asked}");
        }
    }
    Ok(())
}

/// RFC 8446 section 4.6.1; CVE-2025-23419.
#[tokio::test]
async fn a_session_of_one_policy_does_not_skip_another() -> io::Result<()> {
    let (issuer, other) = (Issuer::new()?, Authority::new()?);
    let gateway = Gateway::start(&by_host(&issuer, &other, REPLY)?).await?;
    let ours = billing(&issuer.authority)?;
    let dir = issuer.dir.path();
    let session = dir.join("session.pem").display().to_string();
    let ours = ours.write_named(dir, "client")?;
    let (cert, key) = (ours.cert.display().to_string(), ours.key.display().to_string());
    for version in ["-tls1_2", "-tls1_3"] {
        // A ticket of the open host, and one of the strict host.
        for opened_for in ["open.example", "strict.example"] {
            let keep = [version, "-servername", opened_for, "-sess_out", &session];
            let keep = [&keep[..], &["-cert", &cert, "-key", &key]].concat();
            let said = ask(gateway.addr(), &keep, opened_for).await?;
            assert!(said.contains("HTTP/1.1 200"), "{version} {opened_for}: {said}");
            for host in HOSTS {
                let reuse = [version, "-servername", host, "-sess_in", &session];
                let said = ask(gateway.addr(), &reuse, host).await?;
                let reused = said.contains("Reused, ");
                assert_eq!(reused, *host == opened_for, "{version} {opened_for} {host}: {said}");
                let served = said.contains("HTTP/1.1 200");
                let free = matches!(*host, "open.example" | "asked.example");
                assert_eq!(served, free || reused, "{version} {opened_for} {host}: {said}");
            }
        }
    }
    Ok(())
}

/// Sends a request through `openssl s_client`, and returns all that it says.
async fn ask(addr: SocketAddr, arguments: &[&str], host: &str) -> io::Result<String> {
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    openssl_saying(addr, &[&["-ign_eof"], arguments].concat(), &request).await
}

#[tokio::test]
async fn a_resumed_session_remembers_the_client() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let (pair, ca) = (issuer.pair(&["a.example"])?, issuer.ca()?);
    let tls =
        format!("certificates: [{pair}], client_certificates: {{mode: required, ca: \"{ca}\"}}");
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&secure(&tls, &service(&echo.url(), ""))).await?;
    for version in [Version::Tls12, Version::Tls13] {
        let tls = issuer.client("a.example").only(version).identity(&billing(&issuer.authority)?);
        assert!(!resumes(gateway.addr(), &tls).await?);
        let client = Client::https(gateway.addr(), &tls);
        let answer = client.get("/").await?.answer()?;
        assert!(client.secured().expect("it is TLS").resumed, "{version:?}");
        let told = answer.header("x-forwarded-client-cert").unwrap_or_default();
        assert!(told.contains("Subject=\"CN=billing\""), "{told}");
    }
    Ok(())
}

#[tokio::test]
async fn upstreams_are_told_who_the_client_is_and_never_by_the_client() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let (pair, ca) = (issuer.pair(&["a.example"])?, issuer.ca()?);
    let tls =
        format!("certificates: [{pair}], client_certificates: {{mode: optional, ca: \"{ca}\"}}");
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&secure(&tls, &service(&echo.url(), ""))).await?;
    let anonymous = issuer.client("a.example");
    let known = anonymous.clone().identity(&billing(&issuer.authority)?);
    for alpn in ["h2", "http/1.1"] {
        for (tls, shown) in [(&anonymous, false), (&known, true)] {
            let client = Client::https(gateway.addr(), &tls.clone().alpn(&[alpn]));
            let request = http::Request::get("/").header("X-Forwarded-Client-Cert", "Hash=forged");
            let request = request.body(String::new()).map_err(io::Error::other)?;
            let answer = client.request(request).await?.answer()?;
            let told = answer.all_headers("x-forwarded-client-cert");
            assert_eq!(told.len(), usize::from(shown), "{told:?}");
            for told in told {
                assert!(told.starts_with("Hash=") && !told.contains("forged"), "{told}");
                for part in
                    ["Subject=\"CN=billing\"", "URI=\"spiffe://test/billing\"", "DNS=\"c.example\""]
                {
                    assert!(told.contains(part), "{part} is not in {told}");
                }
            }
            assert_eq!(answer.header("x-forwarded-proto"), Some("https"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn routes_match_what_a_certificate_says() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let (pair, ca) = (issuer.pair(&["a.example"])?, issuer.ca()?);
    let tls =
        format!("certificates: [{pair}], client_certificates: {{mode: optional, ca: \"{ca}\"}}");
    let parts = [
        ("common_name", "billing"),
        ("subject", "CN=billing"),
        ("uri", "spiffe://test/billing"),
        ("dns", "c.example"),
        ("email", "billing@c.example"),
    ];
    let routes = parts.map(|(part, value)| {
        format!(
            "{{name: {}, match: {{path: /{part}, client_certificate: \
             [{{name: {part}, exact: \"{value}\"}}]}}, target: {{reply: {{body: ok}}}}}}",
            part.replace('_', "-")
        )
    });
    let routes = format!("routes: [{}]", routes.join(", "));
    let gateway = Gateway::start(&secure(&tls, &routes)).await?;
    let anonymous = issuer.client("a.example");
    let known = anonymous.clone().identity(&billing(&issuer.authority)?);
    let other = issuer.authority.order(&["d.example"]).client().common_name("sales").issue()?;
    let other = anonymous.clone().identity(&other);
    for (tls, status) in [(known, 200), (other, 404), (anonymous, 404)] {
        let client = Client::https(gateway.addr(), &tls);
        for (part, _) in parts {
            assert_eq!(client.get(&format!("/{part}")).await?.status, status, "{part}");
        }
    }
    Ok(())
}
