//! People and programs who show a certificate.

use std::{fs, io, path::Path, process::Output};

use portway_testkit::{
    DEADLINE,
    process::Command,
    tls::{Authority, Files},
    within,
};

use crate::fixture::{FILE, Gateway, PORTWAY, complete, directory};

/// Runs a command against the admin API of a gateway, with this certificate.
async fn portway(
    home: &Path,
    gateway: &Gateway,
    files: Option<&Files>,
    arguments: &[&str],
) -> io::Result<Output> {
    let mut command = Command::new(PORTWAY);
    command.args(arguments).env_clear().env("HOME", home).kill_on_drop(true);
    let address = gateway.listener("admin");
    command.arg("--admin").arg(format!("https://localhost:{}", address.port()));
    command.arg("--cacert").arg(home.join("ca.pem"));
    if let Some(files) = files {
        command.arg("--cert").arg(&files.cert).arg("--key").arg(&files.key);
    }
    within(DEADLINE, "portway", command.output()).await
}

#[tokio::test]
async fn a_certificate_says_who_asks_and_what_they_may() -> io::Result<()> {
    let (own, people, strangers) = (Authority::new()?, Authority::new()?, Authority::new()?);
    let dir = directory()?;
    let home = dir.path().to_owned();
    fs::write(home.join("ca.pem"), own.cert_pem())?;
    fs::write(home.join("people.pem"), people.cert_pem())?;
    let server = own.issue(&["localhost"])?.write_named(&home, "server")?;
    let person = |authority: &Authority, name: &str, file: &str| {
        authority.order(&[name]).client().issue()?.write_named(&home, file)
    };
    let editor = person(&people, "ci.example.org", "editor")?;
    let viewer = person(&people, "look.example.org", "viewer")?;
    let nobody = person(&people, "other.example.org", "nobody")?;
    let stranger = person(&strangers, "ci.example.org", "stranger")?;
    let config = format!(
        "admin:\n  bind: \"127.0.0.1:0\"\n  tls:\n    certificates: [{{cert: {}, key: {}}}]\n    \
         client_certificates: {{mode: optional, ca: {}}}\n  access:\n    certificates:\n    \
         - {{dns: ci.example.org, role: editor}}\n    - {{dns: look.example.org, role: viewer}}\n\
         store: {{kind: memory}}\n",
        server.cert.display(),
        server.key.display(),
        home.join("people.pem").display(),
    );
    let file = home.join(FILE);
    fs::write(&file, complete(&config, &home))?;
    let mut command = Command::new(PORTWAY);
    command.arg("run").arg(file);
    let gateway = Gateway::spawn(dir, &mut command).await?;
    let put = ["put", "route", "r", "match.path=/r", "target.reply.body=by certificate"];
    let run = async |files: Option<&Files>, arguments: &[&str], code: i32| {
        let output = portway(&home, &gateway, files, arguments).await?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        io::Result::Ok(said)
    };
    run(Some(&editor), &put, 0).await?;
    let seen = gateway.client().get("/r").await?;
    assert_eq!(seen.text(), "by certificate");
    run(Some(&viewer), &["get", "route", "r"], 0).await?;
    let said = run(Some(&viewer), &["delete", "route", "r"], 4).await?;
    assert!(said.contains("forbidden"), "{said}");
    // A good certificate of nobody, and none at all, are no credentials.
    run(Some(&nobody), &["get", "route", "r"], 4).await?;
    run(None, &["get", "route", "r"], 4).await?;
    // One of another authority ends the handshake.
    run(Some(&stranger), &["get", "route", "r"], 3).await?;
    // A token that is not good is not made up for by a certificate.
    let token = home.join("token");
    fs::write(&token, "pwt_nobody\n")?;
    let with_token = ["get", "route", "r", "--token-file", &token.display().to_string()];
    run(Some(&editor), &with_token, 4).await?;
    Ok(())
}
