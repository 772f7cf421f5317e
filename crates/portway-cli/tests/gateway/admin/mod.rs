//! The admin API from end to end: the real executable, its store on a disk, real clients.

mod access;
mod changes;
mod history;
mod survival;

use std::{io, net::SocketAddr};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use portway_testkit::{Client, client::Response, process::Command};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{FILE, Gateway, PORTWAY, complete, directory};

/// A gateway with an admin API, and somebody who may do everything.
struct Administered {
    gateway: Gateway,
    token: String,
}

impl Administered {
    /// Starts one with this configuration besides, whose store is in its own directory.
    async fn start(config: &str) -> io::Result<Self> {
        let gateway = run(directory()?, config).await?;
        let first = first_token(&gateway).await?;
        let admin = Client::h1(gateway.listener("admin"));
        let wanted = json!({ "name": "tester", "role": "admin" });
        let made = ask(&admin, &first, Method::POST, "/api/v1/tokens", Some(&wanted)).await?;
        assert_eq!(made.status, 201, "{}", made.text());
        let token = made.json::<Value>()?["data"]["token"].as_str().expect("a token").to_owned();
        Ok(Self { gateway, token })
    }

    fn address(&self) -> SocketAddr {
        self.gateway.listener("admin")
    }

    /// Asks for something, and says the status and the body.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> io::Result<(u16, Value)> {
        let client = Client::h1(self.address());
        let path = format!("/api/v1{path}");
        let response = ask(&client, &self.token, method, &path, body.as_ref()).await?;
        let value = serde_json::from_slice(response.text().as_bytes()).unwrap_or(Value::Null);
        Ok((response.status.as_u16(), value))
    }

    async fn get(&self, path: &str) -> io::Result<Value> {
        let (status, body) = self.ask(Method::GET, path, None).await?;
        assert_eq!(status, 200, "{path}: {body}");
        Ok(body)
    }

    /// Writes something that must be taken.
    async fn put(&self, path: &str, body: Value) -> io::Result<Value> {
        let (status, answer) = self.ask(Method::PUT, path, Some(body)).await?;
        assert!(matches!(status, 200 | 201), "{path}: {status} {answer}");
        Ok(answer)
    }

    /// Writes a route that answers with a text.
    async fn reply(&self, name: &str, path: &str, body: &str) -> io::Result<Value> {
        let route = json!({ "match": { "path": path }, "target": { "reply": { "body": body } } });
        self.put(&format!("/routes/{name}"), route).await
    }

    /// What the gateway itself answers.
    async fn seen(&self, path: &str) -> io::Result<(u16, String)> {
        let response = self.gateway.client().get(path).await?;
        Ok((response.status.as_u16(), response.text().into_owned()))
    }
}

/// Starts a gateway on what may be in the directory already.
async fn run(dir: TempDir, config: &str) -> io::Result<Gateway> {
    let file = dir.path().join(FILE);
    let store = dir.path().join("data");
    let admin = "admin: {bind: \"127.0.0.1:0\"}\n";
    let config = format!("{admin}store: {{directory: {}}}\n{config}", store.display());
    std::fs::write(&file, complete(&config, dir.path()))?;
    let mut command = Command::new(PORTWAY);
    command.arg("run").arg(file);
    Gateway::spawn(dir, &mut command).await
}

/// The token that is shown at the first start.
async fn first_token(gateway: &Gateway) -> io::Result<String> {
    let line = gateway.process.wait_for_line(|line| line.trim().starts_with("pwt_")).await?;
    Ok(line.trim().to_owned())
}

async fn ask(
    client: &Client,
    token: &str,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> io::Result<Response> {
    let kind = match method {
        Method::PATCH => "application/merge-patch+json",
        _ => "application/json",
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", kind);
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = request.body(Full::new(Bytes::from(body))).map_err(io::Error::other)?;
    client.request(request).await
}
