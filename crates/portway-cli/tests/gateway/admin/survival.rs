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
    let client = portway_testkit::Client::h1(api.address());
    let backup = ask(&client, &api.token, Method::GET, "/api/v1/backup", None).await?;
    assert_eq!(backup.status, 200);
    api.reply("kept", "/kept", "changed").await?;
    api.reply("new", "/new", "new").await?;
    let restore = async |body: bytes::Bytes| {
        let request = http::Request::post("/api/v1/restore")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {}", api.token))
            .body(http_body_util::Full::new(body))
            .map_err(io::Error::other)?;
        io::Result::Ok(client.request(request).await?.status.as_u16())
    };
    let torn = backup.body.slice(..backup.body.len() - 1);
    assert_eq!(restore(torn).await?, 422);
    assert_eq!(api.seen("/kept").await?.1, "changed");
    assert_eq!(restore(backup.body.clone()).await?, 200);
    assert_eq!(api.seen("/kept").await?.1, "s3cret");
    assert_eq!(api.seen("/new").await?.0, 404);
    api.reply("after", "/after", "after").await?;
    assert_eq!(api.seen("/after").await?.1, "after");
    Ok(())
}
