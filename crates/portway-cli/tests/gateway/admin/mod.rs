//! The admin API from end to end: the real executable, its store on a disk, real clients.

mod access;
mod bodies;
mod certificates;
mod changes;
mod collections;
mod explorer;
mod full;
mod history;
mod live;
mod namespaces;
mod races;
mod storm;
mod survival;

use std::{io, net::SocketAddr, path::PathBuf};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use portway_testkit::{Client, EventStream, client::Response, process::Command};
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
        administrator(run(directory()?, config).await?).await
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

    /// A token of a name, for what it says.
    async fn token(&self, wanted: Value) -> io::Result<String> {
        let (status, body) = self.ask(Method::POST, "/tokens", Some(wanted)).await?;
        assert_eq!(status, 201, "{body}");
        Ok(body["data"]["token"].as_str().expect("a token").to_owned())
    }

    /// What somebody else is answered.
    async fn ask_as(&self, token: &str, path: &str) -> io::Result<(u16, Value)> {
        let client = Client::h1(self.address());
        let path = format!("/api/v1{path}");
        let response = ask(&client, token, Method::GET, &path, None).await?;
        let value = serde_json::from_slice(response.text().as_bytes()).unwrap_or(Value::Null);
        Ok((response.status.as_u16(), value))
    }

    /// Everything the store holds.
    async fn backup(&self) -> io::Result<Bytes> {
        let client = Client::h1(self.address());
        let backup = ask(&client, &self.token, Method::GET, "/api/v1/backup", None).await?;
        assert_eq!(backup.status, 200, "{}", backup.text());
        Ok(backup.body)
    }

    /// Puts a backup in the place of everything; `query` begins with a question mark.
    async fn restore(&self, backup: &Bytes, query: &str) -> io::Result<(u16, Value)> {
        self.send(Method::POST, &format!("/restore{query}"), backup.clone()).await
    }

    /// Asks for something with a body as it is.
    async fn send(&self, method: Method, path: &str, body: Bytes) -> io::Result<(u16, Value)> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("host", "localhost")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Full::new(body))
            .map_err(io::Error::other)?;
        let response = Client::h1(self.address()).request(request).await?;
        let value = serde_json::from_slice(response.text().as_bytes()).unwrap_or(Value::Null);
        Ok((response.status.as_u16(), value))
    }

    /// The events of changes, from the one after `seen` on.
    async fn watch(&self, token: &str, seen: u64) -> io::Result<EventStream> {
        let request = Request::get("/api/v1/watch")
            .header("host", "localhost")
            .header("last-event-id", seen.to_string())
            .header("authorization", format!("Bearer {token}"))
            .body(http_body_util::Empty::<Bytes>::new())
            .map_err(io::Error::other)?;
        EventStream::over(Client::h1(self.address()).open(request).await?)
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

/// The next event that is no outcome: its name and its data.
async fn next(events: &mut EventStream) -> io::Result<(String, Value)> {
    loop {
        let event = events.next().await?.ok_or_else(|| io::Error::other("it ended"))?;
        let name = event.name.unwrap_or_default();
        if name != "outcome" {
            return Ok((name, serde_json::from_str(&event.data).map_err(io::Error::other)?));
        }
    }
}

/// Somebody who may do everything with a gateway that was started for the first time.
async fn administrator(gateway: Gateway) -> io::Result<Administered> {
    let first = first_token(&gateway).await?;
    let admin = Client::h1(gateway.listener("admin"));
    let wanted = json!({ "name": "tester", "role": "admin" });
    let made = ask(&admin, &first, Method::POST, "/api/v1/tokens", Some(&wanted)).await?;
    assert_eq!(made.status, 201, "{}", made.text());
    let token = made.json::<Value>()?["data"]["token"].as_str().expect("a token").to_owned();
    Ok(Administered { gateway, token })
}

/// Starts a gateway on what may be in the directory already.
async fn run(dir: TempDir, config: &str) -> io::Result<Gateway> {
    let file = configured(&dir, config)?;
    let mut command = Command::new(PORTWAY);
    command.arg("run").arg(file);
    Gateway::spawn(dir, &mut command).await
}

/// Writes the configuration of a gateway with an admin API, whose store is in its own directory.
fn configured(dir: &TempDir, config: &str) -> io::Result<PathBuf> {
    let file = dir.path().join(FILE);
    let store = dir.path().join("data");
    let is_told = config.starts_with("admin:");
    let admin = if is_told { "" } else { "admin: {bind: \"127.0.0.1:0\"}\n" };
    let config = format!("{admin}store: {{directory: {}}}\n{config}", store.display());
    std::fs::write(&file, complete(&config, dir.path()))?;
    Ok(file)
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
