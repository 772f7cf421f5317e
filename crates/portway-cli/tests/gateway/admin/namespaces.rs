//! What somebody sees whose rights are one namespace, or some kinds.

use std::io;

use http::Method;
use portway_testkit::Client;
use serde_json::{Value, json};

use super::{Administered, ask, next};

#[tokio::test]
async fn history_tells_of_nothing_in_other_namespaces() -> io::Result<()> {
    let api = Administered::start("namespaces: [{name: shop}, {name: bank}]").await?;
    let wanted = json!({ "name": "v", "role": "viewer", "namespaces": ["shop"] });
    let viewer = api.token(wanted).await?;
    let put = async |namespace: &str, name: &str, text: &str| {
        let path = format!("/routes/{name}?namespace={namespace}");
        let matched = json!({ "path": format!("/{name}") });
        api.put(&path, json!({ "match": matched, "target": { "reply": { "body": text } } })).await
    };
    put("bank", "vault", "one").await?;
    put("shop", "cart", "one").await?;
    let both = json!({ "routes": [
        { "name": "vault", "namespace": "bank", "match": { "path": "/vault" },
          "target": { "reply": { "body": "two" } } },
        { "name": "cart", "namespace": "shop", "match": { "path": "/cart" },
          "target": { "reply": { "body": "two" } } },
    ] });
    assert_eq!(api.ask(Method::POST, "/apply", Some(both)).await?.0, 200);
    put("bank", "vault", "three").await?;
    let seen = async |path: &str| {
        let (status, body) = api.ask_as(&viewer, path).await?;
        assert!(!body.to_string().contains("vault"), "{path}: {body}");
        io::Result::Ok((status, body))
    };
    let numbers = |body: &Value| -> Vec<_> {
        let all = body["data"].as_array().cloned().unwrap_or_default();
        all.iter().filter_map(|one| one["revision"].as_u64()).collect()
    };
    let (status, listed) = seen("/revisions").await?;
    assert_eq!((status, numbers(&listed)), (200, vec![3, 2]), "{listed}");
    assert_eq!(listed["data"][0]["summary"]["updated"], 1);
    let (_, page) = seen("/revisions?limit=1").await?;
    assert_eq!(numbers(&page), [3]);
    let cursor = page["meta"]["cursor"].as_str().expect("there is more").to_owned();
    assert_eq!(numbers(&seen(&format!("/revisions?limit=1&cursor={cursor}")).await?.1), [2]);
    assert_eq!(seen("/revisions/1").await?.0, 404);
    let (_, third) = seen("/revisions/3").await?;
    assert_eq!(third["data"]["changes"].as_array().map(Vec::len), Some(1), "{third}");
    let (_, diff) = seen("/diff?from=1").await?;
    assert_eq!(diff["data"].as_array().map(Vec::len), Some(1), "{diff}");
    let mut events = api.watch(&viewer, 0).await?;
    assert_eq!(next(&mut events).await?.1["revision"], 2);
    let (_, told) = next(&mut events).await?;
    assert_eq!(
        (told["revision"].as_u64(), told["changes"].as_array().map(Vec::len)),
        (Some(3), Some(1))
    );
    put("bank", "vault", "four").await?;
    put("shop", "cart", "four").await?;
    assert_eq!(next(&mut events).await?.1["revision"], 6);
    // Whoever has every namespace sees all of it.
    assert_eq!(numbers(&api.get("/revisions").await?), [6, 5, 4, 3, 2, 1]);
    Ok(())
}

#[tokio::test]
async fn what_a_document_lacks_is_taken_away_in_its_own_namespaces_alone() -> io::Result<()> {
    let mut api = Administered::start("namespaces: [{name: shop}, {name: bank}]").await?;
    let route = |namespace: &str, name: &str| {
        json!({ "name": name, "namespace": namespace, "labels": { "team": "web" },
                "match": { "path": format!("/{namespace}/{name}") },
                "target": { "reply": { "body": name } } })
    };
    let of = ["shop", "bank", "default"];
    let all: Vec<_> = of.iter().flat_map(|one| [route(one, "a"), route(one, "b")]).collect();
    let world = json!({ "name": "tmp", "labels": { "team": "web" } });
    let all = json!({ "namespaces": [world], "routes": all });
    assert_eq!(api.ask(Method::POST, "/apply", Some(all)).await?.0, 200);
    let deleted = async |api: &Administered, query: &str, routes: Value| {
        let path = format!("/apply?prune=team=web{query}");
        let document = json!({ "routes": routes });
        let (status, body) = api.ask(Method::POST, &path, Some(document)).await?;
        assert_eq!(status, 200, "{body}");
        let gone =
            body["data"].as_array().into_iter().flatten().filter(|one| one["action"] == "delete");
        let id = |one: &Value| format!("{}/{}", one["namespace"], one["name"]).replace('"', "");
        io::Result::Ok(gone.map(id).collect::<Vec<_>>())
    };
    // Who has one namespace is not in the way of what stands in others.
    let editor = json!({ "name": "e", "role": "editor", "namespaces": ["shop"] });
    let editor = api.token(editor).await?;
    let admin = std::mem::replace(&mut api.token, editor);
    assert_eq!(deleted(&api, "", json!([route("shop", "a")])).await?, ["shop/b"]);
    assert_eq!(deleted(&api, "&namespace=shop", json!([])).await?, ["shop/a"]);
    api.token = admin;
    let named = json!([route("bank", "a")]);
    assert_eq!(
        deleted(&api, "&namespace=default&dry_run=true", named.clone()).await?,
        ["bank/b", "default/a", "default/b"]
    );
    assert_eq!(deleted(&api, "", json!([])).await?, ["default/a", "default/b"]);
    assert_eq!(deleted(&api, "&all_namespaces=true", named).await?, ["default/tmp", "bank/b"]);
    Ok(())
}

#[tokio::test]
async fn history_tells_of_nothing_of_other_kinds() -> io::Result<()> {
    let api = Administered::start("").await?;
    let wanted = json!({ "name": "v", "role": "viewer", "kinds": ["revision", "route"] });
    let viewer = api.token(wanted).await?;
    api.put("/consumers/ann", json!({ "labels": { "plan": "gold" } })).await?;
    api.reply("a", "/a", "a").await?;
    assert_eq!(api.ask_as(&viewer, "/consumers").await?.0, 403);
    let seen = async |path: &str| {
        let (status, body) = api.ask_as(&viewer, path).await?;
        let text = body.to_string();
        assert!(!text.contains("ann") && !text.contains("gold"), "{path}: {body}");
        io::Result::Ok((status, body["data"].as_array().map(Vec::len)))
    };
    assert_eq!(seen("/revisions").await?, (200, Some(1)));
    assert_eq!(seen("/revisions/1").await?.0, 404);
    assert_eq!(seen("/revisions/2").await?.0, 200);
    assert_eq!(seen("/diff?from=0").await?, (200, Some(1)));
    let mut events = api.watch(&viewer, 0).await?;
    assert_eq!(next(&mut events).await?.1["revision"], 2);
    // Who sees nothing but history sees that it is there.
    let wanted = json!({ "name": "n", "role": "viewer", "kinds": ["revision"] });
    let nobody = api.token(wanted).await?;
    for path in ["/revisions", "/diff?from=0"] {
        let (status, body) = api.ask_as(&nobody, path).await?;
        assert_eq!((status, &body["data"]), (200, &json!([])), "{path}: {body}");
    }
    Ok(())
}

#[tokio::test]
async fn nothing_is_listed_of_other_namespaces() -> io::Result<()> {
    let api = Administered::start("").await?;
    for namespace in ["shop", "bank"] {
        api.put(&format!("/namespaces/{namespace}"), json!({ "labels": { "x": "y" } })).await?;
        let route = json!({ "match": { "path": format!("/{namespace}-route") },
                            "target": { "reply": {} }, "plugins": [{ "cors": { "origins": ["*"] } }] });
        api.put(&format!("/routes/{namespace}-route?namespace={namespace}"), route).await?;
    }
    let wanted = json!({ "name": "v", "role": "viewer", "namespaces": ["shop"] });
    let viewer = api.token(wanted).await?;
    let client = Client::h1(api.address());
    let seen = async |path: &str| {
        let path = format!("/api/v1{path}");
        let response = ask(&client, &viewer, Method::GET, &path, None).await?;
        let text = response.text().into_owned();
        assert!(!text.contains("bank"), "{path}: {text}");
        io::Result::Ok((response.status.as_u16(), text.contains("shop")))
    };
    for path in [
        "/namespaces",
        "/namespaces?namespace=shop",
        "/namespaces/shop",
        "/export?namespace=shop",
        "/export?kind=namespace",
        "/plugin-types",
        "/plugin-types/cors",
    ] {
        assert_eq!(seen(path).await?, (200, true), "{path}");
    }
    for path in ["/namespaces/default", "/export", "/traffic"] {
        assert_eq!(seen(path).await?, (403, false), "{path}");
    }
    assert_eq!(api.ask_as(&viewer, "/namespaces/bank").await?.0, 403);
    assert_eq!(api.get("/namespaces").await?["meta"]["count"], 2);
    assert!(api.get("/plugin-types/cors").await?.to_string().contains("bank/bank-route"));
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_elsewhere_is_told_to_those_who_have_everything() -> io::Result<()> {
    let api = Administered::start("namespaces: [{name: shop}]").await?;
    let wanted = json!({ "name": "v", "role": "viewer", "namespaces": ["shop"] });
    let viewer = api.token(wanted).await?;
    let (mut all, mut own) = (api.watch(&api.token, 0).await?, api.watch(&viewer, 0).await?);
    let file = std::fs::read_to_string(api.gateway.file())?;
    let vault = "routes: [{name: vault, match: {path: /v}, target: {service: none}}]";
    std::fs::write(api.gateway.file(), format!("{file}\n{vault}\n"))?;
    for (events, told) in [(&mut all, true), (&mut own, false)] {
        loop {
            let event = events.next().await?.ok_or_else(|| io::Error::other("it ended"))?;
            if event.data.contains("\"applied\":false") {
                assert_eq!(event.data.contains("unknown_service"), told, "{}", event.data);
                break;
            }
        }
    }
    let (_, status) = api.ask_as(&viewer, "/status").await?;
    let file = |status: &Value| {
        let origins = status["data"]["origins"].as_array().cloned().unwrap_or_default();
        origins.into_iter().find(|one| one["applied"] == false).expect("one was refused")
    };
    assert_eq!(file(&status)["problems"], json!([]), "{status}");
    let status = api.get("/status").await?;
    assert_eq!(file(&status)["problems"][0]["code"], "unknown_service", "{status}");
    Ok(())
}
