//! Requests that are explained while they are served.

use std::io;

use http::{Method, Request};
use http_body_util::Full;
use portway_testkit::{Client, Echo, client::Response};
use serde_json::{Value, json};

use super::Administered;

const TOKEN: &str = "x-portway-debug";
const ID: &str = "x-portway-debug-id";

async fn send(api: &Administered, path: &str, token: &str) -> io::Result<Response> {
    let request = Request::get(path).header("host", "shop.test").header(TOKEN, token);
    let request = request.header("authorization", "Bearer hidden-words");
    let body = Full::new(bytes::Bytes::new());
    let client = Client::h1(api.gateway.addr());
    client.request(request.body(body).map_err(io::Error::other)?).await
}

async fn token(api: &Administered, wanted: Value) -> io::Result<String> {
    let (status, body) = api.ask(Method::POST, "/debug-tokens", Some(wanted)).await?;
    assert_eq!((status, body["data"]["header"].as_str()), (201, Some("X-Portway-Debug")), "{body}");
    Ok(body["data"]["token"].as_str().expect("a token").to_owned())
}

#[tokio::test]
async fn a_request_with_a_debug_token_is_explained() -> io::Result<()> {
    let upstream = Echo::start().await?;
    let api = Administered::start("").await?;
    api.put("/services/up", json!({ "url": format!("http://{}", upstream.addr()) })).await?;
    let route = json!({ "match": { "path": "/up" }, "target": { "service": "up" },
                        "plugins": [{ "cors": { "origins": ["*"] } }] });
    api.put("/routes/up", route).await?;
    let post =
        json!({ "match": { "path": "/up", "methods": ["POST"] }, "target": { "reply": {} } });
    api.put("/routes/post", post).await?;
    // Before there is a token, and with one that is none, nothing is different.
    let plain = send(&api, "/up", "pwd_none").await?;
    assert_eq!((plain.status.as_u16(), plain.header(ID)), (200, None));
    let good = token(&api, json!({ "expires": "1m" })).await?;
    let wrong = send(&api, "/up", &format!("{good}x")).await?;
    assert_eq!((wrong.status.as_u16(), wrong.header(ID)), (200, None));
    let answer = send(&api, "/up?secret=hidden-words", &good).await?;
    assert_eq!(answer.status, 200);
    // The token goes no further than the gateway.
    assert!(!answer.text().contains(&good), "{}", answer.text());
    let id = answer.header(ID).expect("an id").to_owned();
    let told = api.get(&format!("/explain/{id}")).await?;
    let data = &told["data"];
    assert_eq!(
        (data["route"].as_str(), data["status"].as_u64()),
        (Some("up"), Some(200)),
        "{told}"
    );
    assert_eq!(data["steps"][0]["plugin"], "cors", "{told}");
    assert_eq!(data["steps"][0]["decision"], "passed", "{told}");
    assert_eq!(data["chain"][0]["plugin"], "cors");
    assert_eq!(data["upstream"]["service"], "up");
    assert!(data["upstream"]["took_ms"].as_f64() <= data["took_ms"].as_f64(), "{told}");
    assert_eq!(
        (data["listener"].as_str(), data["host"].as_str()),
        (Some("web"), Some("shop.test"))
    );
    assert_eq!(data["candidates"][0]["ruled_out_by"], "method", "{told}");
    assert!(!told.to_string().contains("hidden-words"), "{told}");
    // One that no route takes is explained, too.
    let lost = send(&api, "/nowhere", &good).await?;
    let id = lost.header(ID).expect("an id").to_owned();
    let told = api.get(&format!("/explain/{id}")).await?;
    assert_eq!((&told["data"]["route"], &told["data"]["status"]), (&Value::Null, &json!(404)));
    assert_eq!(api.ask(Method::GET, "/explain/none", None).await?.0, 404);
    Ok(())
}

#[tokio::test]
async fn a_debug_token_may_be_for_one_route() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.reply("a", "/a", "a").await?;
    api.reply("b", "/b", "b").await?;
    let good = token(&api, json!({ "route": "a" })).await?;
    assert!(send(&api, "/a", &good).await?.header(ID).is_some());
    assert!(send(&api, "/b", &good).await?.header(ID).is_none());
    let unknown = json!({ "route": "c" });
    assert_eq!(api.ask(Method::POST, "/debug-tokens", Some(unknown)).await?.0, 422);
    let viewer = json!({ "name": "v", "role": "viewer" });
    let viewer = api.token(viewer).await?;
    let (client, path) = (Client::h1(api.address()), "/api/v1/debug-tokens");
    let made = super::ask(&client, &viewer, Method::POST, path, Some(&json!({}))).await?;
    assert_eq!(made.status, 403);
    Ok(())
}

#[tokio::test]
async fn requests_of_other_routes_take_no_room_from_those_of_one() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.reply("a", "/a", "a").await?;
    api.reply("b", "/b", "b").await?;
    let good = token(&api, json!({ "route": "a" })).await?;
    let answer = send(&api, "/a", &good).await?;
    let id = answer.header(ID).expect("an id").to_owned();
    let first = api.get(&format!("/explain/{id}")).await?;
    for _ in 0..256 {
        assert!(send(&api, "/b", &good).await?.header(ID).is_none());
    }
    assert_eq!(api.get(&format!("/explain/{id}")).await?["data"], first["data"]);
    Ok(())
}

#[tokio::test]
async fn what_the_api_is_asked_is_no_traffic() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.reply("hello", "/hello", "hello").await?;
    assert_eq!(api.seen("/hello").await?.0, 200);
    assert_eq!(api.seen("/nowhere").await?.0, 404);
    // A token, a route, and two of nobody's.
    api.gateway.records(4).await?;
    let traffic = api.get("/traffic").await?;
    let routes = traffic["data"]["routes"].as_array().expect("routes");
    let mut requests: Vec<_> =
        routes.iter().map(|one| (one["route"].as_str(), one["requests"].as_u64())).collect();
    requests.sort();
    assert_eq!(requests, [(None, Some(1)), (Some("hello"), Some(1))], "{traffic}");
    let of_api = api.gateway.metric("portway_requests_total", &["route=\"-admin\""]).await?;
    assert!(of_api >= 2.0, "{of_api}");
    Ok(())
}
