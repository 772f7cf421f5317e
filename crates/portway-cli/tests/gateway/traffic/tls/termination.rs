//! Versions, protocols, certificates and sessions on a listener that ends TLS.

use std::{fs, io};

use portway_testkit::{
    Client, RawClient,
    tls::{ClientTls, Key, KeyForm, Version},
};

use super::{GET, Issuer, REPLY, openssl, resumes, secure, shown};
use crate::fixture::Gateway;

#[tokio::test]
async fn http_1_and_2_are_agreed_on_by_alpn_in_both_versions() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let gateway = Gateway::start(&secure(&format!("certificates: [{pair}]"), REPLY)).await?;
    for (version, name) in [(Version::Tls12, "TLSv1.2"), (Version::Tls13, "TLSv1.3")] {
        for (offered, agreed, http) in [
            (&["h2", "http/1.1"][..], Some("h2"), http::Version::HTTP_2),
            (&["http/1.1", "h2"], Some("h2"), http::Version::HTTP_2),
            (&["http/1.1"], Some("http/1.1"), http::Version::HTTP_11),
            (&[], None, http::Version::HTTP_11),
        ] {
            let tls = issuer.client("a.example").only(version).alpn(offered);
            let client = Client::https(gateway.addr(), &tls);
            let answer = client.get("/").await?;
            assert_eq!((answer.status.as_u16(), answer.version), (200, http), "{offered:?}");
            let secured = client.secured().expect("it is TLS");
            assert_eq!((&*secured.version, secured.alpn.as_deref()), (name, agreed));
        }
    }
    Ok(())
}

#[tokio::test]
async fn without_http_2_only_http_1_is_agreed_on() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let tls = format!("certificates: [{pair}]}}, http2: {{enabled: false");
    let gateway = Gateway::start(&secure(&tls, REPLY)).await?;
    let client = issuer.client("a.example").alpn(&["h2", "http/1.1"]);
    let client = Client::https(gateway.addr(), &client);
    assert_eq!(client.get("/").await?.version, http::Version::HTTP_11);
    Ok(())
}

/// RFC 7301 section 3.2.
#[tokio::test]
async fn clients_that_offer_no_protocol_of_ours_are_told_so() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let gateway = Gateway::start(&secure(&format!("certificates: [{pair}]"), REPLY)).await?;
    let tls = issuer.client("a.example");
    let refused = RawClient::connect_tls(gateway.addr(), &tls.clone().alpn(&["acme-tls/1"])).await;
    let error = refused.err().expect("there is no common protocol").to_string();
    assert!(error.contains("NoApplicationProtocol"), "{error}");
    assert_eq!(Client::https(gateway.addr(), &tls).get("/").await?.status, 200);
    gateway.refuses("handshake_failed", 1).await
}

#[tokio::test]
async fn versions_below_the_oldest_are_refused() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let usual = Gateway::start(&secure(&format!("certificates: [{pair}]"), REPLY)).await?;
    for version in ["-tls1", "-tls1_1"] {
        let said = openssl(usual.addr(), &[version, "-cipher", "ALL:@SECLEVEL=0"]).await?;
        assert!(said.contains(" alert "), "{version}: {said}");
        assert!(said.contains("Cipher is (NONE)"), "{version}: {said}");
    }
    let modern = format!("certificates: [{pair}], min_version: \"1.3\"");
    let modern = Gateway::start(&secure(&modern, REPLY)).await?;
    let tls = issuer.client("a.example");
    let old = RawClient::connect_tls(modern.addr(), &tls.clone().only(Version::Tls12)).await;
    let error = old.err().expect("1.2 is too old").to_string();
    assert!(error.contains("ProtocolVersion"), "{error}");
    assert_eq!(Client::https(modern.addr(), &tls).get("/").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn only_listed_cipher_suites_are_used() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let suites = "cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, \
                  TLS_CHACHA20_POLY1305_SHA256]";
    let gateway =
        Gateway::start(&secure(&format!("certificates: [{pair}], {suites}"), REPLY)).await?;
    for (version, suite) in [
        (Version::Tls12, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        (Version::Tls13, "TLS13_CHACHA20_POLY1305_SHA256"),
    ] {
        let tls = issuer.client("a.example").only(version);
        let secured = RawClient::connect_tls(gateway.addr(), &tls).await?.secured();
        assert_eq!(secured.expect("it is TLS").cipher, suite);
    }
    Ok(())
}

#[tokio::test]
async fn the_name_asked_for_chooses_the_certificate() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let all = [&["first.example"][..], &["a.example"], &["*.b.example"], &["shop.b.example"]];
    let pairs: io::Result<Vec<_>> = all
        .iter()
        .enumerate()
        .map(|(at, names)| issuer.written(&at.to_string(), &issuer.authority.issue(names)?))
        .collect();
    let certificates = format!("certificates: [{}]", pairs?.join(", "));
    let gateway = Gateway::start(&secure(&certificates, REPLY)).await?;
    let anybody = ClientTls::trusting_anybody();
    for (asked, answered) in [
        ("a.example", "a.example"),
        ("A.EXAMPLE", "a.example"),
        ("any.b.example", "*.b.example"),
        ("shop.b.example", "shop.b.example"),
        ("b.example", "first.example"),
        // A wildcard stands for one label (RFC 9525 section 6.3).
        ("x.y.b.example", "first.example"),
        ("stranger.example", "first.example"),
    ] {
        let tls = anybody.clone().server_name(asked);
        assert_eq!(shown(gateway.addr(), &tls).await?, [answered], "{asked}");
    }
    let nameless = anybody.clone().without_sni();
    assert_eq!(shown(gateway.addr(), &nameless).await?, ["first.example"]);

    let strict = format!("{certificates}, strict_sni: true");
    let strict = Gateway::start(&secure(&strict, REPLY)).await?;
    let known = anybody.clone().server_name("any.b.example");
    assert_eq!(shown(strict.addr(), &known).await?, ["*.b.example"]);
    for tls in [nameless, anybody.server_name("stranger.example")] {
        let refused = RawClient::connect_tls(strict.addr(), &tls).await;
        let error = refused.err().expect("nobody is called so").to_string();
        assert!(error.contains("Unrecogni"), "{error}");
    }
    strict.refuses("unknown_name", 2).await
}

#[tokio::test]
async fn a_name_has_a_certificate_for_each_kind_of_client() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let rsa = issuer.authority.order(&["a.example"]).key(Key::Rsa2048).issue()?;
    let pairs = [issuer.written("rsa", &rsa)?, issuer.pair(&["a.example"])?];
    let certificates = format!("certificates: [{}]", pairs.join(", "));
    let gateway = Gateway::start(&secure(&certificates, REPLY)).await?;
    for (arguments, signed) in [
        (&["-tls1_3"][..], "ECDSA"),
        (&["-tls1_2"], "ECDSA"),
        (&["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"], "RSA-PSS"),
        (&["-tls1_2", "-sigalgs", "RSA+SHA256"], "RSA"),
        (&["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], "RSA-PSS"),
    ] {
        let arguments = [&["-servername", "a.example"][..], arguments].concat();
        let said = openssl(gateway.addr(), &arguments).await?;
        let expected = format!("Peer signature type: {signed}\n");
        assert!(said.contains(&expected), "{arguments:?}: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn keys_come_in_every_form_and_from_every_place() -> io::Result<()> {
    let issuer = Issuer::new()?;
    for (key, form) in [
        (Key::EcdsaP256, KeyForm::Pkcs8),
        (Key::EcdsaP256, KeyForm::Traditional),
        (Key::Rsa2048, KeyForm::Pkcs8),
        (Key::Rsa2048, KeyForm::Traditional),
    ] {
        let identity = issuer.authority.order(&["a.example"]).key(key).form(form).issue()?;
        let pair = issuer.written("pair", &identity)?;
        let paths = format!("certificates: [{pair}]");
        // Debug writes a line break as YAML does in double quotes.
        let inline = format!(
            "certificates: [{{cert: {:?}, key: {:?}}}]",
            identity.cert_pem, identity.key_pem
        );
        let included = format!("certificates: [{}]", pair.replace(": \"", ": \"${file:"));
        let included = included.replace(".pem\"", ".pem}\"");
        for certificates in [paths, inline, included] {
            let gateway = Gateway::start(&secure(&certificates, REPLY)).await?;
            let client = Client::https(gateway.addr(), &issuer.client("a.example"));
            assert_eq!(client.get("/").await?.status, 200, "{key:?} {form:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_chain_is_sent_along() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let identity = issuer.authority.intermediate()?.issue(&["a.example"])?;
    let pair = issuer.written("pair", &identity)?;
    let gateway = Gateway::start(&secure(&format!("certificates: [{pair}]"), REPLY)).await?;
    let client = Client::https(gateway.addr(), &issuer.client("a.example"));
    assert_eq!(client.get("/").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn sessions_are_resumed_unless_the_listener_says_no() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    for resumption in [true, false] {
        let tls = format!("certificates: [{pair}], resumption: {resumption}");
        let gateway = Gateway::start(&secure(&tls, REPLY)).await?;
        for version in [Version::Tls12, Version::Tls13] {
            let tls = issuer.client("a.example").only(version);
            assert!(!resumes(gateway.addr(), &tls).await?);
            assert_eq!(resumes(gateway.addr(), &tls).await?, resumption, "{version:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_session_outlives_a_change_of_the_certificate() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let gateway = Gateway::start(&secure(&format!("certificates: [{pair}]"), REPLY)).await?;
    let tls = issuer.client("a.example");
    let mut open = RawClient::connect_tls(gateway.addr(), &tls).await?;
    assert_eq!(open.exchange(GET).await?.status, 200);
    let fresh = issuer.authority.issue(&["a.example"])?;
    fs::write(issuer.dir.path().join("a.example.key.pem"), &fresh.key_pem)?;
    gateway
        .after(|| fs::write(issuer.dir.path().join("a.example.crt.pem"), &fresh.cert_pem))
        .await?;
    assert!(resumes(gateway.addr(), &tls).await?);
    assert_eq!(open.exchange(GET).await?.status, 200);
    Ok(())
}
