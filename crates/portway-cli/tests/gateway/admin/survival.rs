//! What is written stays, whatever happens to the process.

use std::io;

use http::Method;
use serde_json::json;

use super::{Administered, ask, run};
use crate::fixture::Gateway;

/// Ends a gateway at once, and starts another one where it was.
async fn again(api: Administered) -> io::Result<Administered> {
    let Administered { gateway, token } = api;
    let dir = gateway.killed().await?;
    let gateway: Gateway = run(dir, "").await?;
    Ok(Administered { gateway, token })
}

#[tokio::test]
async fn what_was_answered_outlives_a_kill() -> io::Result<()> {
    let mut api = Administered::start("").await?;
    for round in 0..5 {
        let name = format!("r{round}");
        api.reply(&name, &format!("/{name}"), &name).await?;
        // A change may be under way when the end comes.
        let (client, token) = (portway_testkit::Client::h1(api.address()), api.token.clone());
        let half = tokio::spawn(async move {
            let body = json!({ "match": { "path": "/half" }, "target": { "reply": { "body": round.to_string() } } });
            ask(&client, &token, Method::PUT, "/api/v1/routes/half", Some(&body)).await
        });
        api = again(api).await?;
        let answered = half.await.map_err(io::Error::other)?;
        for earlier in 0..=round {
            let name = format!("r{earlier}");
            assert_eq!(api.seen(&format!("/{name}")).await?, (200, name));
        }
        if answered.is_ok_and(|response| response.status.is_success()) {
            assert_eq!(api.seen("/half").await?.1, round.to_string());
        }
    }
    let revisions = api.get("/revisions").await?;
    let newest = revisions["data"][0]["revision"].as_u64().expect("a number");
    assert!((5..=10).contains(&newest), "{newest}");
    Ok(())
}

#[tokio::test]
async fn a_second_process_does_not_take_the_store() -> io::Result<()> {
    let api = Administered::start("").await?;
    let mut other = portway_testkit::process::Command::new(crate::fixture::PORTWAY);
    other.arg("run").arg(api.gateway.file());
    let mut other = portway_testkit::process::Process::spawn(&mut other)?;
    let status = other.wait_exit(portway_testkit::DEADLINE).await?;
    assert!(!status.success());
    let said = other.stderr().join("\n");
    assert!(said.contains("store_unavailable") || said.contains("cannot_listen"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_backup_brings_everything_back() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.put("/secrets/k", json!({ "value": "s3cret" })).await?;
    api.reply("kept", "/kept", "${secret:k}").await?;
    let backup = api.backup().await?;
    api.reply("kept", "/kept", "changed").await?;
    api.reply("new", "/new", "new").await?;
    let torn = backup.slice(..backup.len() - 1);
    assert_eq!(api.restore(&torn, "").await?.0, 422);
    assert_eq!(api.seen("/kept").await?.1, "changed");
    assert_eq!(api.restore(&backup, "").await?.0, 200);
    assert_eq!(api.seen("/kept").await?.1, "s3cret");
    assert_eq!(api.seen("/new").await?.0, 404);
    api.reply("after", "/after", "after").await?;
    assert_eq!(api.seen("/after").await?.1, "after");
    Ok(())
}

#[tokio::test]
async fn a_new_key_seals_everything_and_the_old_one_is_gone() -> io::Result<()> {
    let mut api = Administered::start("").await?;
    api.put("/secrets/k", json!({ "value": "s3cret" })).await?;
    api.put("/secrets/k", json!({ "value": "s3cret, too" })).await?;
    api.reply("kept", "/kept", "${secret:k}").await?;
    let file = api.gateway.path("data").join("secrets.key");
    let old = std::fs::read_to_string(&file)?;
    let (status, body) = api.ask(Method::POST, "/secrets/rotate-key", None).await?;
    // The secret, and what it was before and after each of two changes.
    assert_eq!((status, body["data"]["resealed"].as_u64()), (200, Some(4)), "{body}");
    assert!(body["data"]["key_id"].as_str().is_some_and(|id| id.len() == 16), "{body}");
    let new = std::fs::read_to_string(&file)?;
    let keys = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!((keys(&old), keys(&new)), (1, 1));
    assert_ne!(old, new);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file)?.permissions());
    assert_eq!(mode & 0o777, 0o600);
    api = again(api).await?;
    assert_eq!(api.seen("/kept").await?.1, "s3cret, too");
    let back = json!({ "revision": 1 });
    assert_eq!(api.ask(Method::POST, "/rollback", Some(back)).await?.0, 200);
    api.reply("kept", "/kept", "${secret:k}").await?;
    assert_eq!(api.seen("/kept").await?.1, "s3cret");
    let viewer = api.token(json!({ "name": "e", "role": "editor" })).await?;
    let client = portway_testkit::Client::h1(api.address());
    let path = "/api/v1/secrets/rotate-key";
    assert_eq!(ask(&client, &viewer, Method::POST, path, None).await?.status, 403);
    Ok(())
}
