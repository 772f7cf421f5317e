//! Writers who meet: nobody undoes what another one was told is done.

use std::io;

use http::Method;
use portway_testkit::Client;
use serde_json::{Value, json};

use super::{Administered, ask};

#[tokio::test]
async fn patches_at_once_are_all_there_afterwards() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.reply("shared", "/shared", "0").await?;
    for round in 0..4 {
        let patch = async |writer: u32| {
            let label = format!("r{round}w{writer}");
            let patch = json!({ "labels": { label: "yes" } });
            api.ask(Method::PATCH, "/routes/shared", Some(patch)).await
        };
        let (a, b, c, d, e, f) =
            tokio::try_join!(patch(0), patch(1), patch(2), patch(3), patch(4), patch(5))?;
        for (status, body) in [a, b, c, d, e, f] {
            assert_eq!(status, 200, "{body}");
        }
        let view = api.get("/routes/shared").await?;
        let labels = view["data"]["spec"]["labels"].as_object().map(serde_json::Map::len);
        assert_eq!(labels, Some(6 * (round + 1)), "{view}");
    }
    // Of patches that say what they are laid over, one wins.
    let patch = json!({ "labels": null });
    let missed = "/routes/shared?dry_run=true";
    assert_eq!(api.ask(Method::PATCH, missed, Some(patch)).await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn a_way_back_leads_to_what_was_there_whoever_writes_meanwhile() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.reply("kept", "/kept", "kept").await?;
    for round in 0..8 {
        let back = async || {
            let asked = json!({ "revision": 1 });
            api.ask(Method::POST, "/rollback", Some(asked)).await
        };
        let write = async |writer: u32| {
            let name = format!("n{round}-{writer}");
            api.reply(&name, &format!("/{name}"), "n").await
        };
        api.reply("before", "/before", "before").await?;
        let (told, ..) = tokio::try_join!(back(), write(0), write(1), write(2))?;
        let (status, body) = told;
        assert_eq!(status, 200, "{body}");
        let number = &body["meta"]["revision"];
        let diff = api.get(&format!("/diff?from=1&to={number}")).await?;
        assert_eq!(diff["data"], json!([]), "revision {number} is not what revision 1 was");
    }
    Ok(())
}

#[tokio::test]
async fn a_secret_that_changes_while_somebody_refers_to_it_is_the_new_one() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.put("/secrets/k", json!({ "value": "s0" })).await?;
    for round in 1..20 {
        let value = format!("s{round}");
        let secret = api.put("/secrets/k", json!({ "value": value }));
        let route = async |writer: u32| {
            let body = format!("{writer} {round} ${{secret:k}}");
            api.reply(&format!("r{writer}"), &format!("/r{writer}"), &body).await
        };
        tokio::try_join!(route(0), route(1), secret, route(2), route(3))?;
        for writer in 0..4 {
            let seen = api.seen(&format!("/r{writer}")).await?.1;
            assert_eq!(seen, format!("{writer} {round} {value}"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_secret_that_is_rotated_while_others_write_its_labels_is_the_new_one() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.put("/secrets/k", json!({ "value": "s0" })).await?;
    api.reply("r", "/r", "${secret:k}").await?;
    for round in 1..20 {
        let value = format!("s{round}");
        let labelled = |writer: u32| {
            let labels = json!({ "round": format!("{round}-{writer}") });
            json!({ "name": "k", "value": "(masked)", "labels": labels })
        };
        let put = async |writer: u32| api.put("/secrets/k", labelled(writer)).await;
        let apply = async |writer: u32| {
            let document = json!({ "secrets": [labelled(writer)] });
            api.ask(Method::POST, "/apply", Some(document)).await
        };
        let new = api.put("/secrets/k", json!({ "value": value }));
        let (.., (status, body), _) = tokio::try_join!(put(0), new, put(1), apply(2), put(3))?;
        assert_eq!(status, 200, "{body}");
        assert_eq!(api.seen("/r").await?.1, value);
    }
    Ok(())
}

#[tokio::test]
async fn everybody_is_answered_what_they_have_written_themselves() -> io::Result<()> {
    let api = Administered::start("").await?;
    for round in 0..20 {
        let write = async |writer: u32| {
            let body = format!("{round} {writer}");
            let reply = json!({ "reply": { "body": body } });
            let route = json!({ "match": { "path": "/shared" }, "target": reply });
            let client = Client::h1(api.address());
            let path = "/api/v1/routes/shared";
            let answer = ask(&client, &api.token, Method::PUT, path, Some(&route)).await?;
            let told = answer.json::<Value>()?;
            assert_eq!(told["data"]["spec"], route, "{told}");
            assert_eq!(told["data"]["revision"], told["meta"]["revision"], "{told}");
            assert_eq!(answer.headers["etag"].to_str().ok(), told["data"]["etag"].as_str());
            io::Result::Ok(())
        };
        tokio::try_join!(write(0), write(1), write(2), write(3), write(4), write(5))?;
    }
    Ok(())
}

#[tokio::test]
async fn the_gateway_says_that_it_is_ready() -> io::Result<()> {
    let api = Administered::start("").await?;
    assert_eq!(api.get("/status").await?["data"]["ready"], Value::Bool(true));
    Ok(())
}
