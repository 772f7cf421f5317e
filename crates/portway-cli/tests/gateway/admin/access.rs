//! Who is let in.

use std::io;

use http::Method;
use portway_testkit::Client;
use serde_json::json;

use super::{Administered, ask};

#[tokio::test]
async fn nobody_gets_in_without_a_good_token() -> io::Result<()> {
    let api = Administered::start("").await?;
    let client = Client::h1(api.address());
    let anonymous = client.get("/api/v1/routes").await?;
    assert_eq!(anonymous.status, 401);
    assert!(anonymous.header("www-authenticate").is_some_and(|how| how.starts_with("Bearer")));
    let wrong = ask(&client, "pwt_nobody_knows", Method::GET, "/api/v1/routes", None).await?;
    assert_eq!(wrong.status, 401);
    assert!(!wrong.text().contains("pwt_nobody"), "{}", wrong.text());
    // What the data plane listens on knows nothing of it.
    assert_eq!(api.seen("/api/v1/routes").await?.0, 404);
    Ok(())
}

#[tokio::test]
async fn a_token_is_good_for_what_it_says_and_no_longer_than_it_lives() -> io::Result<()> {
    let api = Administered::start("namespaces: [{name: shop}]").await?;
    let wanted = json!({ "name": "shop", "role": "editor", "namespaces": ["shop"] });
    let (status, body) = api.ask(Method::POST, "/tokens", Some(wanted)).await?;
    assert_eq!(status, 201, "{body}");
    let token = body["data"]["token"].as_str().expect("a token");
    let client = Client::h1(api.address());
    let route = json!({ "match": { "path": "/x" }, "target": { "reply": {} } });
    let write = async |path: &str| {
        let response = ask(&client, token, Method::PUT, path, Some(&route)).await?;
        io::Result::Ok(response.status.as_u16())
    };
    assert_eq!(write("/api/v1/routes/x?namespace=shop").await?, 201);
    assert_eq!(write("/api/v1/routes/x").await?, 403);
    let tokens = ask(&client, token, Method::GET, "/api/v1/tokens", None).await?;
    assert_eq!(tokens.status, 403);
    assert_eq!(api.ask(Method::DELETE, "/tokens/shop", None).await?.0, 200);
    assert_eq!(write("/api/v1/routes/x?namespace=shop").await?, 401);
    let (_, listed) = api.ask(Method::GET, "/tokens", None).await?;
    assert!(!listed.to_string().contains(token), "{listed}");
    Ok(())
}

#[tokio::test]
async fn pages_from_elsewhere_are_kept_out() -> io::Result<()> {
    let api = Administered::start("").await?;
    let client = Client::h1(api.address());
    let send = async |field: &str, value: &str| {
        let request = http::Request::put("/api/v1/routes/x")
            .header("host", if field == "host" { value } else { "localhost" })
            .header("authorization", format!("Bearer {}", api.token));
        let request = if field == "host" { request } else { request.header(field, value) };
        let body = r#"{"match": {"path": "/x"}, "target": {"reply": {}}}"#;
        let body = http_body_util::Full::new(bytes::Bytes::from(body));
        let response = client.request(request.body(body).map_err(io::Error::other)?).await?;
        io::Result::Ok(response.status.as_u16())
    };
    assert_eq!(send("host", "rebound.example").await?, 403);
    assert_eq!(send("origin", "https://evil.example").await?, 403);
    assert_eq!(send("x-other", "1").await?, 201);
    Ok(())
}

#[tokio::test]
async fn the_document_of_the_api_is_there_for_everybody() -> io::Result<()> {
    let api = Administered::start("").await?;
    let client = Client::h1(api.address());
    let document = client.get("/openapi.json").await?.json::<serde_json::Value>()?;
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/api/v1/routes/{name}"]["put"].is_object());
    assert_eq!(client.get("/healthz").await?.status, 200);
    let page = client.get("/").await?;
    assert!(page.text().contains("/explorer.js"));
    assert!(
        page.header("content-security-policy")
            .is_some_and(|policy| policy.contains("script-src 'self'"))
    );
    assert!(client.get("/explorer.js").await?.text().contains("openapi.json"));
    Ok(())
}

#[tokio::test]
async fn a_list_is_no_object() -> io::Result<()> {
    let api = Administered::start("").await?;
    for path in ["/debug-tokens", "/tokens", "/explain", "/rollback"] {
        let (status, body) = api.ask(Method::POST, path, Some(json!([null, null]))).await?;
        assert_eq!((status, &body["code"]), (400, &json!("bad_value")), "{path}: {body}");
    }
    Ok(())
}

#[tokio::test]
async fn who_asked_for_what_can_be_read_back() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("audit.log");
    let to_file = format!("admin: {{bind: '127.0.0.1:0', audit_log: {}}}", file.display());
    // From memory, and from a file.
    for config in ["", &to_file] {
        let api = Administered::start(config).await?;
        api.reply("a", "/a", "a").await?;
        let client = Client::h1(api.address());
        let wrong = ask(&client, "pwt_nobody_knows", Method::GET, "/api/v1/routes", None).await?;
        assert_eq!(wrong.status, 401);
        let told = api.get("/audit?limit=2").await?;
        let one = |at: usize, key: &str| told["data"][at][key].clone();
        assert_eq!((one(0, "status"), one(0, "author")), (json!(401), json!("")), "{told}");
        assert_eq!((one(1, "path"), one(1, "revision")), (json!("/api/v1/routes/a"), json!(1)));
        assert_eq!(one(1, "author"), "tester");
        let cursor = told["meta"]["cursor"].as_str().expect("there is more").to_owned();
        let rest = api.get(&format!("/audit?cursor={cursor}")).await?;
        assert_eq!(rest["data"][0]["path"], "/api/v1/tokens", "{rest}");
        let editor = api.token(json!({ "name": "e", "role": "editor" })).await?;
        assert_eq!(api.ask_as(&editor, "/audit").await?.0, 403);
    }
    Ok(())
}

#[tokio::test]
async fn nothing_of_the_document_is_done_for_a_stranger() -> io::Result<()> {
    let api = Administered::start("").await?;
    let client = Client::h1(api.address());
    let document = client.get("/openapi.json").await?.json::<serde_json::Value>()?;
    let paths = document["paths"].as_object().expect("paths");
    let mut count = 0;
    for (path, operations) in paths {
        for method in operations.as_object().expect("operations").keys() {
            let path = path.replace(['{', '}'], "");
            let request = http::Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(&path)
                .header("host", "localhost")
                .header("content-type", "application/json")
                .body(http_body_util::Full::new(bytes::Bytes::from("{}")))
                .map_err(io::Error::other)?;
            let response = client.request(request).await?;
            assert_eq!(response.status, 401, "{method} {path}: {}", response.text());
            let how = response.header("www-authenticate").unwrap_or_default();
            assert!(how.starts_with("Bearer"), "{method} {path}: {how}");
            count += 1;
        }
    }
    assert!(count > 60, "{count}");
    Ok(())
}
