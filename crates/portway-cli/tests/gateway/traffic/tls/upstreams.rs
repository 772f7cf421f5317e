//! TLS to upstreams: verified, or nothing is sent.

use std::{fs, io};

use portway_testkit::{
    DEADLINE, Echo, RawUpstream, RunningEcho,
    process::Command,
    tls::{Authority, Order, ServerTls, Version},
    within,
};

use super::Issuer;
use crate::fixture::{Gateway, PORTWAY, complete, service};

/// An upstream over TLS.
async fn echo(tls: &ServerTls) -> io::Result<RunningEcho> {
    Ok(Echo::anywhere().await?.tls(tls)?.spawn())
}

/// A service whose TLS is spoken like this.
fn to(echo: &RunningEcho, tls: &str) -> String {
    service(&format!("https://{}", echo.addr()), &format!("tls: {{{tls}}},"))
}

#[tokio::test]
async fn a_verified_upstream_is_spoken_to_on_one_connection() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let identity = issuer.authority.issue(&["up.example", "127.0.0.1"])?;
    let ca = issuer.ca()?;
    for (offered, protocol) in [(&["http/1.1"][..], "HTTP/1.1"), (&["h2", "http/1.1"], "HTTP/2.0")]
    {
        for (name, asked) in [("", None), (", server_name: up.example", Some("up.example"))] {
            let echo = echo(&ServerTls::new(&identity).alpn(offered)).await?;
            let tls = format!("ca: \"{ca}\"{name}");
            let gateway = Gateway::start_with(&to(&echo, &tls), &["--cores", "1"]).await?;
            let client = gateway.client();
            for _ in 0..5 {
                let answer = client.get("/").await?.answer()?;
                assert_eq!(answer.protocol, protocol);
                // An address is never asked for by name (RFC 6066 section 3).
                assert_eq!(answer.tls.expect("it is TLS").server_name.as_deref(), asked);
            }
            assert_eq!(echo.connections(), 1, "{offered:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn who_cannot_prove_their_name_gets_no_byte_of_a_request() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let (ca, names) = (issuer.ca()?, &["127.0.0.1"]);
    let order = || issuer.authority.order(names);
    for (what, identity, reason) in [
        ("wrong name", issuer.authority.issue(&["other.example"])?, "not valid for name"),
        ("expired", order().expired().issue()?, "expired"),
        ("not yet valid", order().not_yet_valid().issue()?, "not valid yet"),
        ("for a client", order().client().issue()?, "invalid peer certificate"),
        ("self-signed", Order::self_signed(names).issue()?, "invalid peer certificate"),
        ("a stranger's", Authority::new()?.issue(names)?, "invalid peer certificate"),
    ] {
        let upstream =
            RawUpstream::start_tls(&ServerTls::new(&identity), async |c| c.close()).await?;
        let url = format!("https://{}", upstream.addr());
        let config = service(&url, &format!("tls: {{ca: \"{ca}\"}},"));
        let gateway = Gateway::start(&config).await?;
        let answer = gateway.client().get("/").await?;
        assert_eq!(answer.status, 502, "{what}");
        let text = answer.text();
        assert!(text.contains("upstream_tls"), "{what}: {text}");
        assert!(!text.contains("certificate"), "{what}: {text}");
        let record = gateway.record("/").await?;
        assert_eq!(record["error"], "upstream_tls", "{what}");
        let log = [record.to_string(), gateway.process.stderr().join("\n")].join("\n");
        assert!(log.contains(reason), "{what}: {reason} is not in\n{log}");
        assert_eq!(upstream.count_of("GET / HTTP/1.1"), 0);
    }
    Ok(())
}

#[tokio::test]
async fn an_upstream_without_tls_gets_no_clear_text() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&to(&echo, "")).await?;
    let answer = gateway.client().get("/").await?;
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("upstream_tls"), "{}", answer.text());
    assert_eq!(echo.requests(), 0);
    Ok(())
}

#[tokio::test]
async fn the_gateway_shows_its_certificate_to_upstreams_that_ask() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let (ca, up) = (issuer.ca()?, issuer.authority.issue(&["127.0.0.1"])?);
    let ours = issuer.authority.order(&[]).client().common_name("gateway").issue()?;
    let files = ours.write_named(issuer.dir.path(), "ours")?;
    let shown = format!(
        "ca: \"{ca}\", cert: \"{}\", key: \"{}\"",
        files.cert.display(),
        files.key.display()
    );
    let echo = echo(&ServerTls::new(&up).require_client(&issuer.authority)).await?;
    let gateway = Gateway::start(&to(&echo, &shown)).await?;
    let answer = gateway.client().get("/").await?.answer()?;
    let peer = answer.tls.expect("it is TLS").peer_subject;
    assert_eq!(peer.as_deref(), Some("CN=gateway"));
    let nameless = Gateway::start(&to(&echo, &format!("ca: \"{ca}\""))).await?;
    assert_eq!(nameless.client().get("/").await?.status, 502);
    assert_eq!(echo.requests(), 1);
    Ok(())
}

#[tokio::test]
async fn an_upstream_that_is_too_old_is_not_spoken_to() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let (ca, up) = (issuer.ca()?, issuer.authority.issue(&["127.0.0.1"])?);
    let echo = echo(&ServerTls::new(&up).only(Version::Tls12)).await?;
    for (min, status) in [("1.2", 200), ("1.3", 502)] {
        let tls = format!("ca: \"{ca}\", min_version: \"{min}\"");
        let gateway = Gateway::start(&to(&echo, &tls)).await?;
        assert_eq!(gateway.client().get("/").await?.status, status, "{min}");
    }
    assert_eq!(echo.requests(), 1);
    Ok(())
}

#[tokio::test]
async fn verification_can_be_left_out_and_check_warns() -> io::Result<()> {
    let echo = echo(&ServerTls::new(&Order::self_signed(&["other.example"]).issue()?)).await?;
    let config = to(&echo, "insecure_skip_verify: true");
    let gateway = Gateway::start(&config).await?;
    assert_eq!(gateway.client().get("/").await?.status, 200);
    let file = gateway.path("checked.yaml");
    fs::write(&file, complete(&config, file.parent().expect("it is in a directory")))?;
    let mut command = Command::new(PORTWAY);
    let output =
        within(DEADLINE, "end of the check", command.arg("check").arg(file).output()).await?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("warning[insecure_skip_verify]"), "{said}");
    Ok(())
}
