//! What was changed, the way back, and secrets.

use std::io;

use http::Method;
use serde_json::json;

use super::{Administered, next};

#[tokio::test]
async fn every_change_can_be_looked_at_and_undone() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.reply("a", "/a", "one").await?;
    api.put(
        "/routes/a?message=second+try",
        json!({
        "match": { "path": "/a" }, "target": { "reply": { "body": "two" } } }),
    )
    .await?;
    api.reply("b", "/b", "b").await?;
    let history = api.get("/revisions").await?;
    let all = history["data"].as_array().expect("revisions");
    let numbers: Vec<_> = all.iter().filter_map(|one| one["revision"].as_u64()).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(
        (all[1]["message"].as_str(), all[1]["author"].as_str()),
        (Some("second try"), Some("tester"))
    );
    let second = api.get("/revisions/2").await?;
    let change = &second["data"]["changes"][0];
    assert_eq!(change["before"]["target"]["reply"]["body"], "one");
    assert_eq!(change["after"]["target"]["reply"]["body"], "two");
    let diff = api.get("/diff?from=1").await?;
    assert_eq!(diff["data"].as_array().map(Vec::len), Some(2), "{diff}");
    let (status, body) = api.ask(Method::POST, "/rollback", Some(json!({ "revision": 1 }))).await?;
    assert_eq!((status, body["meta"]["revision"].as_u64()), (200, Some(4)), "{body}");
    assert_eq!(api.seen("/a").await?.1, "one");
    assert_eq!(api.seen("/b").await?.0, 404);
    // The way back can be undone as well.
    let (status, _) = api.ask(Method::POST, "/rollback", Some(json!({ "revision": 3 }))).await?;
    assert_eq!((status, api.seen("/a").await?.1.as_str()), (200, "two"));
    assert_eq!(api.ask(Method::GET, "/revisions/99", None).await?.0, 404);
    let nowhere = json!({ "revision": 99 });
    assert_eq!(api.ask(Method::POST, "/rollback", Some(nowhere)).await?.0, 404);
    let page = api.get("/revisions?limit=2").await?;
    let cursor = page["meta"]["cursor"].as_str().expect("there is more");
    let rest = api.get(&format!("/revisions?cursor={cursor}")).await?;
    assert_eq!(rest["data"].as_array().map(Vec::len), Some(3));
    Ok(())
}

#[tokio::test]
async fn secrets_are_used_and_never_shown() -> io::Result<()> {
    const SECRET: &str = "a-very-secret-text";
    let api = Administered::start("").await?;
    api.put("/secrets/greeting", json!({ "value": SECRET })).await?;
    let route = json!({ "match": { "path": "/s" },
                        "target": { "reply": { "body": "${secret:greeting}" } } });
    api.put("/routes/s", route).await?;
    assert_eq!(api.seen("/s").await?.1, SECRET);
    let consumer = json!({ "keys": [SECRET] });
    api.put("/consumers/c", consumer).await?;
    for path in
        ["/secrets/greeting", "/secrets", "/routes/s", "/consumers/c", "/revisions/1", "/export"]
    {
        let (_, body) = api.ask(Method::GET, path, None).await?;
        assert!(!body.to_string().contains(SECRET), "{path}: {body}");
    }
    // What was read may be written back: the mask stands for what is there.
    let mut spec = api.get("/consumers/c").await?["data"]["spec"].clone();
    spec["groups"] = json!(["gold"]);
    api.put("/consumers/c", spec.clone()).await?;
    let (status, body) = api.ask(Method::PUT, "/consumers/d", Some(spec)).await?;
    assert_eq!((status, body["problems"][0]["code"].as_str()), (422, Some("masked_value")));
    // A secret that changes is taken over by what refers to it.
    api.put("/secrets/greeting", json!({ "value": "changed" })).await?;
    assert_eq!(api.seen("/s").await?.1, "changed");
    let (status, body) = api.ask(Method::DELETE, "/secrets/greeting", None).await?;
    assert_eq!((status, body["code"].as_str()), (409, Some("in_use")), "{body}");
    assert_eq!(api.seen("/s").await?.1, "changed");
    let stored = std::fs::read(api.gateway.path("data").join("portway.redb"))?;
    let secret = SECRET.as_bytes();
    assert!(!stored.windows(secret.len()).any(|window| window == secret), "it lies in the file");
    Ok(())
}

#[tokio::test]
async fn changes_are_told_as_they_come() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.reply("a", "/a", "one").await?;
    let mut events = api.watch(&api.token, 0).await?;
    assert_eq!(next(&mut events).await?.1["revision"], 1);
    api.reply("b", "/b", "b").await?;
    let (_, told) = next(&mut events).await?;
    assert_eq!(
        (told["revision"].as_u64(), told["changes"][0]["name"].as_str()),
        (Some(2), Some("b"))
    );
    Ok(())
}

#[tokio::test]
async fn changes_after_a_restore_are_told_though_their_numbers_were() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.reply("a", "/a", "one").await?;
    let backup = api.backup().await?;
    api.reply("a", "/a", "two").await?;
    api.reply("a", "/a", "three").await?;
    let mut events = api.watch(&api.token, 2).await?;
    assert_eq!(next(&mut events).await?.1["revision"], 3);
    assert_eq!(api.restore(&backup, "").await?.0, 200);
    let (name, told) = next(&mut events).await?;
    assert_eq!((name.as_str(), told["revision"].as_u64()), ("restored", Some(1)));
    api.reply("b", "/b", "b").await?;
    let (name, told) = next(&mut events).await?;
    assert_eq!((name.as_str(), told["revision"].as_u64()), ("revision", Some(2)), "{told}");
    // Whoever comes back with a number of the other history hears of it, too.
    let mut events = api.watch(&api.token, 3).await?;
    let (name, told) = next(&mut events).await?;
    assert_eq!((name.as_str(), told["revision"].as_u64()), ("restored", Some(2)));
    Ok(())
}

#[tokio::test]
async fn whoever_watches_hears_nothing_more_when_their_token_is_revoked() -> io::Result<()> {
    let api = Administered::start("").await?;
    let viewer = api.token(json!({ "name": "v", "role": "viewer" })).await?;
    api.reply("a", "/a", "one").await?;
    let mut events = api.watch(&viewer, 0).await?;
    assert_eq!(next(&mut events).await?.1["revision"], 1);
    assert_eq!(api.ask(Method::DELETE, "/tokens/v", None).await?.0, 200);
    api.reply("a", "/a", "two").await?;
    while let Some(event) = events.next().await? {
        assert_ne!(event.name.as_deref(), Some("revision"), "{}", event.data);
    }
    Ok(())
}
