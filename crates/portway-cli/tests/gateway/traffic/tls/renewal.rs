//! Certificates that are replaced while they are used, and what `portway check` says of bad ones.

use std::{fs, io, path::PathBuf};

use portway_testkit::{
    Client, DEADLINE, RawClient, Signal,
    process::Command,
    tls::{ClientTls, Identity},
    within,
};

use super::{GET, Issuer, REPLY, secure, shown};
use crate::fixture::{Gateway, PORTWAY};

/// The files of the pair that is replaced.
fn files(issuer: &Issuer) -> (PathBuf, PathBuf) {
    let dir = issuer.dir.path();
    (dir.join("a.example.crt.pem"), dir.join("a.example.key.pem"))
}

/// Replaces both files, each at one stroke.
fn replace(issuer: &Issuer, identity: &Identity) -> io::Result<()> {
    let fresh = identity.write_named(issuer.dir.path(), "fresh")?;
    let (cert, key) = files(issuer);
    fs::rename(fresh.key, key)?;
    fs::rename(fresh.cert, cert)
}

/// Waits until new connections are shown a certificate with this second name.
async fn until_shown(gateway: &Gateway, tls: &ClientTls, second: &str) -> io::Result<()> {
    let asking = async {
        while !shown(gateway.addr(), tls).await?.iter().any(|name| name == second) {
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    within(DEADLINE, "the new certificate", asking).await
}

#[tokio::test]
async fn a_new_pair_is_shown_to_new_connections_and_old_ones_live_on() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let gateway = Gateway::start(&secure(&format!("certificates: [{pair}]"), REPLY)).await?;
    let tls = issuer.client("a.example");
    let mut open = RawClient::connect_tls(gateway.addr(), &tls).await?;
    assert_eq!(open.exchange(GET).await?.status, 200);
    for number in 1..4 {
        let name = format!("renewed{number}.example");
        replace(&issuer, &issuer.authority.issue(&["a.example", &name])?)?;
        until_shown(&gateway, &tls, &name).await?;
        assert_eq!(open.exchange(GET).await?.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn a_bad_pair_changes_nothing_and_is_told_until_a_good_one_comes() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let gateway = Gateway::start(&secure(&format!("certificates: [{pair}]"), REPLY)).await?;
    let (cert, key) = files(&issuer);
    let (tls, probes) = (issuer.client("a.example"), Client::h1(gateway.probes()));
    let mut open = RawClient::connect_tls(gateway.addr(), &tls).await?;
    let expired = issuer.authority.order(&["a.example"]).expired().issue()?;
    let mut live = vec!["a.example".to_owned()];
    for (number, (what, code)) in [
        ("mismatch", "certificate_mismatch"),
        ("half", "bad_certificate"),
        ("empty", "bad_value"),
        ("half a key", "bad_private_key"),
        ("expired", "expired_certificate"),
        ("gone", "unreadable_file"),
    ]
    .into_iter()
    .enumerate()
    {
        let other = issuer.authority.issue(&["a.example"])?;
        match what {
            "mismatch" => fs::write(&cert, other.cert_pem)?,
            "half" => fs::write(&cert, &other.cert_pem[..other.cert_pem.len() / 2])?,
            "empty" => fs::write(&cert, "")?,
            "half a key" => fs::write(&key, &other.key_pem[..other.key_pem.len() / 2])?,
            "expired" => replace(&issuer, &expired)?,
            _ => fs::remove_file(&cert)?,
        }
        // A file that is gone may be about to come back: only who asks is told.
        gateway.process.signal(Signal::HUP)?;
        // Each file that changes may be one try; the last one decides.
        let telling = async {
            while !probes.get("/readyz").await?.text().contains(code) {
                tokio::task::yield_now().await;
            }
            Ok(())
        };
        within(DEADLINE, &format!("{code} for {what}"), telling).await?;
        gateway.process.wait_for_line(|line| line.contains(code)).await?;
        let log = gateway.process.stderr().join("\n");
        assert!(!log.contains("PRIVATE KEY"), "{log}");
        assert_eq!(shown(gateway.addr(), &tls).await?, live, "{what}");
        assert_eq!(open.exchange(GET).await?.status, 200);
        assert_eq!(gateway.metric("portway_config_last_reload_successful", &[]).await?, 0.0);
        let ready = probes.get("/readyz").await?;
        assert_eq!(ready.status, 200);
        let body = ready.text();
        assert!(body.contains("\"rejected\"") && body.contains(code), "{what}: {body}");

        let name = format!("mended{number}.example");
        replace(&issuer, &issuer.authority.issue(&["a.example", &name])?)?;
        until_shown(&gateway, &tls, &name).await?;
        live = vec!["a.example".to_owned(), name];
        let mended = async {
            while gateway.metric("portway_config_last_reload_successful", &[]).await? < 1.0 {}
            Ok(())
        };
        within(DEADLINE, "an applied configuration", Box::pin(mended)).await?;
    }
    assert_eq!(open.exchange(GET).await?.status, 200);
    Ok(())
}

/// What `portway check` says of a configuration, and whether it accepts it.
pub(in super::super) async fn check(issuer: &Issuer, config: &str) -> io::Result<(bool, String)> {
    let file = issuer.dir.path().join("checked.yaml");
    fs::write(&file, config)?;
    let mut command = Command::new(PORTWAY);
    command.arg("check").arg(file);
    let output = within(DEADLINE, "end of the check", command.output()).await?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

#[tokio::test]
async fn check_says_where_tls_is_wrong_and_what_may_help() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let other = issuer.pair(&["other.example"])?;
    let key_of = |pair: &str| pair.split_once(", key").expect("it has a key").1.to_owned();
    let mismatch = pair.replace(&key_of(&pair), &key_of(&other));
    let missing = pair.replace("a.example.crt", "nobody.crt");
    let (good, said) = check(&issuer, &secure(&format!("certificates: [{pair}]"), REPLY)).await?;
    assert!(good, "{said}");
    for (tls, code, place, hint) in [
        (mismatch, "certificate_mismatch", "listeners[0].tls.certificates[0].key", "hint"),
        (missing, "unreadable_file", "listeners[0].tls.certificates[0].cert", "hint: see that"),
    ] {
        let config = secure(&format!("certificates: [{tls}]"), REPLY);
        let (good, said) = check(&issuer, &config).await?;
        assert!(!good, "{said}");
        for expected in [code, place, "checked.yaml:1:", hint] {
            assert!(said.contains(expected), "{expected} is not in\n{said}");
        }
    }
    let suite = format!("certificates: [{pair}], cipher_suites: [TLS_AES_128_GCM_SHA25]");
    let (good, said) = check(&issuer, &secure(&suite, REPLY)).await?;
    assert!(!good, "{said}");
    for expected in ["listeners[0].tls.cipher_suites[0]", "TLS_AES_128_GCM_SHA256"] {
        assert!(said.contains(expected), "{expected} is not in\n{said}");
    }
    Ok(())
}
