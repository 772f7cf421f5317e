//! Kills in the middle of writing.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use http::Method;
use portway_testkit::{Client, eventually};
use serde_json::json;

use super::{Administered, ask, run};

/// Writes two routes at once, again and again, with the next number in both, until the gateway is
/// gone. What was acknowledged last is in `acknowledged`.
async fn write(api: Client, token: String, from: u64, acknowledged: Arc<AtomicU64>) -> u64 {
    for number in from.. {
        let route = |name: &str| {
            json!({
                "name": name,
                "match": { "path": format!("/{name}") },
                "target": { "reply": { "body": number.to_string() } },
            })
        };
        let document = json!({ "routes": [route("left"), route("right")] });
        let sent = ask(&api, &token, Method::POST, "/api/v1/apply", Some(&document)).await;
        match sent {
            Ok(response) if response.status == 200 => {
                acknowledged.store(number, Ordering::SeqCst);
            }
            Ok(response) => panic!("{}: {}", response.status, response.text()),
            Err(_) => return number,
        }
    }
    unreachable!("numbers do not end")
}

#[tokio::test]
async fn what_was_acknowledged_is_there_whenever_the_kill_comes() -> io::Result<()> {
    const ROUNDS: u64 = 6;
    let mut api = Administered::start("").await?;
    let mut next = 1;
    for round in 0..ROUNDS {
        let acknowledged = Arc::new(AtomicU64::new(next - 1));
        let client = Client::h1(api.address());
        let writer = write(client, api.token.clone(), next, Arc::clone(&acknowledged));
        let writer = tokio::spawn(writer);
        // Each time after another number of writes, wherever the one after it may be then.
        let enough = next + 3 + 2 * round;
        eventually("it was written", || acknowledged.load(Ordering::SeqCst) >= enough).await?;
        let Administered { gateway, token } = api;
        let dir = gateway.killed().await?;
        let tried = writer.await.map_err(io::Error::other)?;
        let gateway = run(dir, "").await?;
        api = Administered { gateway, token };

        let known = acknowledged.load(Ordering::SeqCst);
        let (left, right) = (api.seen("/left").await?, api.seen("/right").await?);
        assert_eq!(left, right, "round {round}: half a change");
        let there: u64 = left.1.parse().map_err(io::Error::other)?;
        assert!((known..=tried).contains(&there), "round {round}: {there} of {known}..={tried}");
        let view = api.get("/routes/left").await?;
        assert_eq!(view["data"]["spec"]["target"]["reply"]["body"], left.1);
        // Every change is in the history, once.
        let newest = api.get("/revisions?limit=1").await?["data"][0]["revision"].as_u64();
        assert_eq!(newest, Some(there), "round {round}");
        next = there + 1;
    }
    Ok(())
}
