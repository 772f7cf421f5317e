//! Changes that are served when they are answered, and changes that are refused.

use std::io;

use http::Method;
use portway_testkit::Echo;
use serde_json::{Value, json};

use super::Administered;

#[tokio::test]
async fn a_change_is_served_when_it_is_answered() -> io::Result<()> {
    let api = Administered::start("").await?;
    assert_eq!(api.seen("/hello").await?.0, 404);
    for round in 0..20 {
        let text = format!("round {round}");
        api.reply("hello", "/hello", &text).await?;
        assert_eq!(api.seen("/hello").await?, (200, text));
    }
    let (status, _) = api.ask(Method::DELETE, "/routes/hello", None).await?;
    assert_eq!((status, api.seen("/hello").await?.0), (200, 404));
    Ok(())
}

#[tokio::test]
async fn a_wrong_change_tells_everything_and_changes_nothing() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.reply("hello", "/hello", "still here").await?;
    let wrong =
        json!({ "match": { "pth": "/x" }, "target": { "service": "none" }, "priority": "a" });
    let (status, body) = api.ask(Method::PUT, "/routes/hello", Some(wrong)).await?;
    assert_eq!(status, 422, "{body}");
    let problems = body["problems"].as_array().expect("problems");
    let mut paths: Vec<_> = problems.iter().filter_map(|one| one["path"].as_str()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["match.pth", "priority"], "{body}");
    let unknown = json!({ "match": { "path": "/x" }, "target": { "service": "none" } });
    let (status, body) = api.ask(Method::PUT, "/routes/hello", Some(unknown)).await?;
    assert_eq!((status, body["problems"][0]["code"].as_str()), (422, Some("unknown_service")));
    assert_eq!(body["problems"][0]["path"], "target.service");
    for (method, path, status) in [
        (Method::GET, "/routes/none", 404),
        (Method::GET, "/things", 404),
        (Method::POST, "/routes/hello", 405),
        (Method::GET, "/routes?lmit=3", 400),
        (Method::GET, "/routes?limit=x", 400),
        (Method::PUT, "/routes/%20", 400),
    ] {
        let (found, body) = api.ask(method, path, None).await?;
        assert_eq!(found, status, "{path}: {body}");
        assert!(body["code"].is_string() && body["detail"].is_string(), "{body}");
    }
    assert_eq!(api.seen("/hello").await?.1, "still here");
    assert_eq!(api.get("/revisions").await?["data"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[tokio::test]
async fn what_others_need_is_not_taken_away() -> io::Result<()> {
    let upstream = Echo::start().await?;
    let api = Administered::start("").await?;
    let url = format!("http://{}", upstream.addr());
    api.put("/services/up", json!({ "url": url })).await?;
    let route = json!({ "match": { "path": "/up" }, "target": { "service": "up" } });
    api.put("/routes/up", route).await?;
    assert_eq!(api.seen("/up").await?.0, 200);
    let (status, body) = api.ask(Method::DELETE, "/services/up", None).await?;
    assert_eq!((status, body["code"].as_str()), (409, Some("in_use")), "{body}");
    assert_eq!(body["problems"][0]["path"], "route/default/up.target.service");
    assert_eq!(api.seen("/up").await?.0, 200);
    assert_eq!(api.ask(Method::DELETE, "/routes/up", None).await?.0, 200);
    assert_eq!(api.ask(Method::DELETE, "/services/up", None).await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn a_part_of_a_resource_is_changed_by_a_patch() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.reply("hello", "/hello", "one").await?;
    let patch = json!({ "target": { "reply": { "body": "two" } }, "labels": { "team": "a" } });
    let (status, body) = api.ask(Method::PATCH, "/routes/hello", Some(patch)).await?;
    assert_eq!((status, body["data"]["spec"]["labels"]["team"].as_str()), (200, Some("a")));
    assert_eq!(api.seen("/hello").await?.1, "two");
    let listed = api.get("/routes?label=team=a").await?;
    assert_eq!(listed["meta"]["count"], 1);
    assert_eq!(api.get("/routes?label=team=b").await?["meta"]["count"], 0);
    Ok(())
}

#[tokio::test]
async fn what_a_file_owns_is_shown_and_not_edited() -> io::Result<()> {
    let filed = "routes: [{name: filed, match: {path: /filed}, target: {reply: {body: f}}}]";
    let under = "services: [{name: up, url: 'http://127.0.0.1:9', routes: [{name: under, match: {path: /u}}]}]";
    let api = Administered::start(&format!("{filed}\n{under}")).await?;
    let view = api.get("/routes/filed").await?;
    let owner = view["data"]["owner"].as_str().expect("an owner");
    assert!(owner.starts_with("file:") && owner.ends_with("gateway.yaml"), "{owner}");
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let body = json!({ "match": { "path": "/other" }, "target": { "reply": {} } });
        let (status, answer) = api.ask(method, "/routes/filed", Some(body)).await?;
        assert_eq!((status, answer["code"].as_str()), (409, Some("owned_elsewhere")));
        assert!(answer["detail"].as_str().is_some_and(|text| text.contains("gateway.yaml")));
    }
    let listed = api.get("/routes?name=under").await?;
    assert_eq!(listed["data"][0]["spec"]["target"]["service"], "up", "{listed}");
    // And the other way round: the file may not take what the store has.
    api.reply("stored", "/stored", "s").await?;
    let both = "routes: [{name: stored, match: {path: /x}, target: {reply: {}}}]";
    let file = std::fs::read_to_string(api.gateway.file())?;
    std::fs::write(api.gateway.file(), file.replace(filed, both))?;
    let rejected = |line: &str| line.contains("route/default/stored");
    api.gateway.process.wait_for_line(rejected).await?;
    assert_eq!(api.seen("/filed").await?.1, "f");
    Ok(())
}

#[tokio::test]
async fn a_document_is_applied_whole_or_not_at_all() -> io::Result<()> {
    let api = Administered::start("").await?;
    let route = |name: &str, path: &str| {
        json!({ "name": name, "labels": { "set": "a" }, "match": { "path": path },
                "target": { "reply": { "body": name } } })
    };
    let document = json!({ "routes": [route("one", "/1"), route("two", "/2")] });
    let (status, body) =
        api.ask(Method::POST, "/apply?dry_run=true", Some(document.clone())).await?;
    assert_eq!((status, body["data"][0]["action"].as_str()), (200, Some("create")), "{body}");
    assert_eq!(api.seen("/1").await?.0, 404);
    let (status, body) = api.ask(Method::POST, "/apply", Some(document)).await?;
    assert_eq!((status, body["meta"]["revision"].as_u64()), (200, Some(1)), "{body}");
    assert_eq!(api.seen("/2").await?.1, "two");
    let bad = json!({ "routes": [route("three", "/3"), { "name": "four", "match": {} }] });
    let (status, _) = api.ask(Method::POST, "/apply", Some(bad)).await?;
    assert_eq!((status, api.seen("/3").await?.0), (422, 404));
    let less = json!({ "routes": [route("one", "/1")] });
    let (status, body) = api.ask(Method::POST, "/apply?prune=set=a", Some(less)).await?;
    let actions: Vec<_> = body["data"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|change| format!("{} {}", change["name"], change["action"]))
        .collect();
    assert_eq!(status, 200);
    assert_eq!(actions, ["\"one\" \"unchanged\"", "\"two\" \"delete\""]);
    assert_eq!((api.seen("/1").await?.0, api.seen("/2").await?.0), (200, 404));
    Ok(())
}

#[tokio::test]
async fn two_writers_do_not_undo_each_other() -> io::Result<()> {
    let api = Administered::start("").await?;
    let first = api.reply("shared", "/shared", "0").await?;
    let tag = first["data"]["etag"].as_str().expect("a tag").to_owned();
    let write = async |text: &'static str| {
        let client = portway_testkit::Client::h1(api.address());
        let body =
            json!({ "match": { "path": "/shared" }, "target": { "reply": { "body": text } } });
        let request = http::Request::put("/api/v1/routes/shared")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {}", api.token))
            .header("if-match", &tag)
            .body(http_body_util::Full::new(bytes::Bytes::from(body.to_string())))
            .map_err(io::Error::other)?;
        io::Result::Ok(client.request(request).await?.status.as_u16())
    };
    let (a, b) = tokio::join!(write("a"), write("b"));
    let mut statuses = [a?, b?];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    Ok(())
}

#[tokio::test]
async fn a_request_is_explained() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.reply("a", "/a", "a").await?;
    let post = json!({ "match": { "path": "/b", "methods": ["POST"] }, "target": { "reply": {} },
                       "plugins": [{ "cors": { "origins": ["*"] } }] });
    api.put("/routes/b", post).await?;
    let asked = json!({ "method": "POST", "url": "http://x.test/b" });
    let (status, body) = api.ask(Method::POST, "/explain", Some(asked)).await?;
    assert_eq!((status, body["data"]["route"].as_str()), (200, Some("b")), "{body}");
    assert_eq!(body["data"]["chain"][0]["plugin"], "cors");
    let asked = json!({ "url": "http://x.test/b" });
    let (_, body) = api.ask(Method::POST, "/explain", Some(asked)).await?;
    assert_eq!(body["data"]["route"], Value::Null);
    assert_eq!(body["data"]["status"], 405);
    let ruled_out: Vec<_> = body["data"]["candidates"]
        .as_array()
        .expect("candidates")
        .iter()
        .map(|one| format!("{} {}", one["route"], one["ruled_out_by"]))
        .collect();
    assert!(ruled_out.contains(&"\"b\" \"method\"".to_owned()), "{ruled_out:?}");
    Ok(())
}
