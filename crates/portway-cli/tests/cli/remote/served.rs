//! A gateway that runs, for commands to ask.

use std::{fs, io, path::Path};

use portway_testkit::{Client, Process, client::Response, free_port};
use serde_json::Value;
use tempfile::TempDir;

use super::{PORTWAY, bad, good, with};

/// A gateway with an admin API, and a token that may do everything.
pub(super) struct Gateway {
    home: TempDir,
    pub(super) admin: String,
    pub(super) token: String,
    process: Process,
}

impl Gateway {
    pub(super) async fn start() -> io::Result<Self> {
        Self::with_access("").await
    }

    /// One that lets in others, too.
    pub(super) async fn with_access(access: &str) -> io::Result<Self> {
        let home = tempfile::tempdir()?;
        let port = free_port()?;
        let text = format!(
            "listeners: [{{name: web, bind: '127.0.0.1:0'}}]\nprobes: {{bind: '127.0.0.1:0'}}\n\
             admin: {{bind: '127.0.0.1:{port}', {access}}}\nstore: {{kind: memory}}\n"
        );
        let file = home.path().join("gateway.yaml");
        fs::write(&file, text)?;
        let file = file.display().to_string();
        let process = Process::start(PORTWAY, &["run", &file, "--cores", "1"], &[])?;
        process.wait_for_line(|line| line.contains(" serving ")).await?;
        let first = process.wait_for_line(|line| line.trim().starts_with("pwt_")).await?;
        let admin = format!("http://127.0.0.1:{port}");
        let mut gateway = Self { home, admin, token: first.trim().to_owned(), process };
        // The first token is there to make another.
        let made = gateway.good(&["token", "create", "admin", "--role", "admin"]).await;
        gateway.token = made.trim().to_owned();
        Ok(gateway)
    }

    pub(super) fn path(&self) -> &Path {
        self.home.path()
    }

    pub(super) async fn run(&self, arguments: &[&str]) -> std::process::Output {
        self.with_input(arguments, "").await
    }

    /// The same with text on standard input.
    pub(super) async fn with_input(&self, arguments: &[&str], input: &str) -> std::process::Output {
        let variables = [("PORTWAY_ADMIN", &*self.admin), ("PORTWAY_TOKEN", &*self.token)];
        with(self.path(), arguments, &variables, input).await
    }

    /// What a command prints as JSON.
    pub(super) async fn json(&self, arguments: &[&str]) -> Value {
        let said = self.good(&[arguments, &["-o", "json"]].concat()).await;
        serde_json::from_str(&said).expect("it is JSON")
    }

    pub(super) async fn good(&self, arguments: &[&str]) -> String {
        good(&self.run(arguments).await)
    }

    pub(super) async fn bad(&self, arguments: &[&str], code: i32) -> String {
        bad(&self.run(arguments).await, code)
    }

    /// The status of a request, and the path that the upstream saw.
    pub(super) async fn get(&self, path: &str) -> (u16, Option<String>) {
        let asked = self.ask(path).await.expect("the gateway listens");
        (asked.status.as_u16(), asked.answer().ok().map(|answer| answer.path))
    }

    pub(super) async fn ask(&self, path: &str) -> io::Result<Response> {
        self.client().await?.get(path).await
    }

    pub(super) async fn client(&self) -> io::Result<Client> {
        // The admin API has an address of its own.
        let is_it = |line: &str| line.contains(" listening ") && line.contains("listener=\"web\"");
        let line = self.process.wait_for_line(is_it).await?;
        let address = line.split("address=").nth(1).and_then(|rest| rest.split(' ').next());
        let address = address.and_then(|text| text.parse().ok());
        Ok(Client::h1(address.ok_or_else(|| io::Error::other(line.clone()))?))
    }
}
