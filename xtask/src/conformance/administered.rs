//! The gateway whose admin API is judged: with a store of its own and one resource of each kind.

use std::{fs, net::SocketAddr};

use anyhow::{Context, bail};
use http::{Method, Request, StatusCode};
use portway_testkit::{Client, Process, client::Response, free_addr};
use serde_json::{Value, json};

use crate::{bench::sandbox::Sandbox, workspace};

/// The name of everything that the store has from the beginning.
const NAME: &str = "seeded";
/// The name of what is there besides, to be deleted.
const SPARE: &str = "spare";

/// A gateway that runs; dropping it stops it and removes its files.
pub(super) struct Administered {
    /// Where its admin API is.
    pub(super) admin: SocketAddr,
    /// A token that may do everything.
    pub(super) token: String,
    process: Process,
    folder: Sandbox,
}

impl Administered {
    /// Starts the executable of the dev build and writes what is to be there.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let folder = Sandbox::new()?;
        let place = folder.path("administered");
        fs::create_dir_all(&place)?;
        let admin = free_addr()?;
        let file = place.join("portway.yaml");
        let configuration = format!(
            "listeners: [{{name: filed, bind: \"127.0.0.1:0\"}}]\n\
             namespaces: [{{name: filed}}]\n\
             services: [{{name: filed, url: \"http://127.0.0.1:9\", routes: [{{name: filed}}]}}]\n\
             admin: {{bind: \"{admin}\"}}\n\
             store: {{directory: {}}}\n\
             probes: {{bind: \"127.0.0.1:0\"}}\n\
             access_log: {{path: /dev/null}}\n",
            place.join("data").display(),
        );
        fs::write(&file, configuration)?;
        let executable = workspace::executable(&workspace::metadata()?, "debug", "portway");
        let process = Process::start(&executable, &["run", &file.display().to_string()], &[])
            .with_context(|| format!("cannot start {}", executable.display()))?;
        process.wait_for_line(|line| line.contains(" serving ")).await?;
        let first = process.wait_for_line(|line| line.trim().starts_with("pwt_")).await?;
        let token = first.trim().to_owned();
        let mut gateway = Self { admin, token, process, folder };
        let wanted = json!({ "name": "judge", "role": "admin" });
        let made: Value = gateway.ask(Method::POST, "/tokens", &wanted).await?.json()?;
        let token = made["data"]["token"].as_str().context("no token was made")?;
        token.clone_into(&mut gateway.token);
        gateway.seed().await?;
        Ok(gateway)
    }

    /// What it says about its API.
    pub(super) async fn document(&self) -> anyhow::Result<Value> {
        Ok(Client::h1(self.admin).get("/openapi.json").await?.json()?)
    }

    /// A file of this name among those that are removed at the end.
    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path(name)
    }

    /// What it said but for the audit, for a report of a failure.
    pub(super) fn said(&self) -> Vec<String> {
        let lines = self.process.stderr();
        let lines = lines.into_iter().filter(|line| !line.contains(" portway::audit"));
        lines.collect()
    }

    /// One resource of each kind that needs no file, and a document.
    async fn seed(&self) -> anyhow::Result<()> {
        let each = |what: fn(&str) -> Value| {
            let named = [NAME, SPARE].map(|name| {
                let mut one = what(name);
                one["name"] = name.into();
                one
            });
            json!(named)
        };
        let document = json!({
            "namespaces": each(|_| json!({})),
            "secrets": each(|_| json!({ "value": "s" })),
            "domains": each(|name| json!({ "patterns": [format!("{name}.test")] })),
            "collections": each(|_| json!({})),
            "plugins": each(|_| json!({ "cors": { "origins": ["*"] } })),
            "consumers": each(|_| json!({})),
            "services": each(|_| json!({ "url": "http://127.0.0.1:9" })),
            "routes": each(|name| {
                json!({ "match": { "path": format!("/{name}") }, "target": { "reply": {} } })
            }),
        });
        self.ask(Method::POST, "/apply", &document).await?;
        for id in [NAME, SPARE] {
            let path = format!("/documents/{id}?collection={NAME}");
            self.ask(Method::PUT, &path, &json!({ "a": 1 })).await?;
        }
        let token = json!({ "name": SPARE, "role": "viewer" });
        self.ask(Method::POST, "/tokens", &token).await?;
        Ok(())
    }

    /// Asks for something that must work.
    async fn ask(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Response> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", self.token))
            .body(body.to_string())?;
        let answer = Client::h1(self.admin).request(request).await?;
        if !matches!(answer.status, StatusCode::OK | StatusCode::CREATED) {
            bail!("{path} was answered {}: {}", answer.status, answer.text());
        }
        Ok(answer)
    }
}
