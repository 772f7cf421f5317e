//! What stands in a client's certificate is its issuer's word and may be odd: routes match it as
//! it is, and nothing in it forges what upstreams are told.

use std::io;

use portway_testkit::{Client, Echo, process::Command, tls::Identity};

use super::{Issuer, secure};
use crate::fixture::{Gateway, service};

/// The SHA-256 of a certificate as openssl finds it, in lower-case hexadecimal.
async fn fingerprint(issuer: &Issuer, name: &str, identity: &Identity) -> io::Result<String> {
    let files = identity.write_named(issuer.dir.path(), name)?;
    let mut command = Command::new("openssl");
    command.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(files.cert);
    let output = command.output().await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, hash) = text.trim().split_once('=').ok_or_else(|| io::Error::other(text.clone()))?;
    Ok(hash.replace(':', "").to_ascii_lowercase())
}

#[tokio::test]
async fn a_route_is_for_the_one_certificate_with_a_fingerprint() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let (pair, ca) = (issuer.pair(&["a.example"])?, issuer.ca()?);
    let order = || issuer.authority.order(&["c.example"]).client().common_name("billing");
    // Two of the same name.
    let (known, other) = (order().issue()?, order().issue()?);
    let hash = fingerprint(&issuer, "known", &known).await?;
    assert_eq!(hash.len(), 64, "{hash}");
    let tls =
        format!("certificates: [{pair}], client_certificates: {{mode: optional, ca: \"{ca}\"}}");
    let route = |name: &str, value: &str| {
        format!(
            "{{name: {name}, match: {{path: /{name}, client_certificate: \
             [{{name: fingerprint, exact: \"{value}\"}}]}}, target: {{reply: {{body: ok}}}}}}"
        )
    };
    let (mine, short) = (route("mine", &hash), route("short", &hash[..62]));
    let gateway = Gateway::start(&secure(&tls, &format!("routes: [{mine}, {short}]"))).await?;
    let anonymous = issuer.client("a.example");
    for alpn in ["h2", "http/1.1"] {
        for (tls, status) in [
            (anonymous.clone().identity(&known), 200),
            (anonymous.clone().identity(&other), 404),
            (anonymous.clone(), 404),
        ] {
            let client = Client::https(gateway.addr(), &tls.alpn(&[alpn]));
            assert_eq!(client.get("/mine").await?.status, status, "{alpn}");
            assert_eq!(client.get("/short").await?.status, 404, "{alpn}");
        }
    }
    Ok(())
}

/// The elements of one `X-Forwarded-Client-Cert`, as a careful upstream reads it: keys, and values
/// in quotes in which a backslash takes the next character as it is.
fn elements(value: &str) -> Vec<(String, String)> {
    let mut elements = Vec::new();
    let mut rest = value.chars();
    loop {
        let key: String = rest.by_ref().take_while(|&it| it != '=').collect();
        if key.is_empty() {
            return elements;
        }
        let (mut text, mut quoted) = (String::new(), false);
        while let Some(next) = rest.next() {
            match next {
                '"' => quoted = !quoted,
                '\\' if quoted => text.extend(rest.next()),
                ';' | ',' if !quoted => break,
                other => text.push(other),
            }
        }
        elements.push((key, text));
    }
}

#[tokio::test]
async fn a_name_in_a_certificate_forges_nothing() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let (pair, ca) = (issuer.pair(&["a.example"])?, issuer.ca()?);
    let tls =
        format!("certificates: [{pair}], client_certificates: {{mode: required, ca: \"{ca}\"}}");
    let echo = Echo::start().await?;
    let admin = "match: {path: /admin, client_certificate: \
                 [{name: uri, exact: \"spiffe://test/admin\"}]}, target: {reply: {body: admin}}";
    let config = format!("{}\nroutes: [{{name: admin, {admin}}}]", service(&echo.url(), ""));
    let gateway = Gateway::start(&secure(&tls, &config)).await?;
    for name in [
        "spiffe://test/\";URI=\"spiffe://test/admin",
        "spiffe://test/a\\\";URI=\"spiffe://test/admin",
        "spiffe://test/a\",Hash=00;URI=\"spiffe://test/admin",
        "spiffe://test/admin\0.evil.example",
        "spiffe://test/admin\r\nX-Forwarded-Client-Cert: Hash=00",
        "spiffe://test/admin\\",
        "spiffe://test/a;URI=spiffe://test/admin",
    ] {
        let order = issuer.authority.order(&["c.example"]).client();
        let identity = order.common_name("a\",Hash=00;Subject=\"CN=admin").uri(name).issue()?;
        for alpn in ["h2", "http/1.1"] {
            let tls = issuer.client("a.example").identity(&identity).alpn(&[alpn]);
            let client = Client::https(gateway.addr(), &tls);
            let answer = client.get("/admin").await?;
            // A certificate that nobody can read may be refused; it is never taken for another.
            assert_ne!(answer.text(), "admin", "{name:?}");
            let answer = answer.answer()?;
            let told = answer.all_headers("x-forwarded-client-cert");
            assert_eq!(told.len(), 1, "{name:?}: {told:?}");
            let told = elements(told[0]);
            let keys: Vec<&str> = told.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(keys.iter().filter(|key| **key == "Hash").count(), 1, "{told:?}");
            assert!(keys.iter().filter(|key| **key == "URI").count() <= 1, "{told:?}");
            assert!(keys.iter().filter(|key| **key == "Subject").count() <= 1, "{told:?}");
            let forged = |(key, value): &(String, String)| match key.as_str() {
                "Hash" => value.len() != 64,
                "URI" => value == "spiffe://test/admin",
                "Subject" => value == "CN=admin",
                _ => key != "DNS",
            };
            assert!(!told.iter().any(forged), "{name:?}: {told:?}");
        }
    }
    Ok(())
}
