//! A gateway with plugins of the test's own.

use std::net::SocketAddr;

use portway::{
    Builder, Server,
    config::{Catalog, NoLookup, Problem, load},
    plugin::{Next, Plugin, Registry, Request, Response, Result},
};
use portway_testkit::{Client, Echo, RunningEcho};
use schemars::JsonSchema;
use serde::Deserialize;

/// A running gateway, and the upstream behind it.
pub(crate) struct Gateway {
    pub(crate) server: Server,
    pub(crate) echo: RunningEcho,
    catalog: Catalog,
}

impl Gateway {
    /// Starts one. `@ECHO@` in the document is the upstream.
    pub(crate) async fn start(document: &str, registry: Registry) -> Self {
        let echo = Echo::start().await.expect("an upstream starts");
        let catalog = Catalog::new(registry.with::<Tag>());
        let config = checked(document, &echo.url(), &catalog).expect("the document is right");
        let server = Builder::new().cores(2).start(config).await.expect("the gateway starts");
        Self { server, echo, catalog }
    }

    /// Goes over to another document.
    pub(crate) async fn apply(&mut self, document: &str) {
        let config =
            checked(document, &self.echo.url(), &self.catalog).expect("the document is right");
        self.server.apply(config).await.expect("it can be taken over");
    }

    /// Where the listener of this name listens.
    pub(crate) fn at(&self, listener: &str) -> SocketAddr {
        let addresses = self.server.addresses();
        addresses.iter().find(|(name, _)| name == listener).expect("it is there").1
    }

    /// A client of the listener `web`.
    pub(crate) fn client(&self) -> Client {
        Client::h1(self.at("web"))
    }

    /// The tags a GET of `path` collects on its way to the upstream.
    pub(crate) async fn tags(&self, path: &str) -> String {
        let response = self.client().get(path).await.expect("an answer");
        let answer = response.answer().expect("the upstream answered");
        answer.header("x-tags").unwrap_or_default().to_owned()
    }
}

fn checked(
    document: &str,
    echo: &str,
    catalog: &Catalog,
) -> Result<portway::config::Checked<portway::config::Config>, Vec<Problem>> {
    let process = "probes: {enabled: false}\nlog: {level: error}\n";
    let text = format!("{process}{}", document.replace("@ECHO@", echo));
    load(&text, "test.yaml", &NoLookup, catalog)?.check()
}

/// A document with one route for everything, with these plugins.
pub(crate) fn one_route(plugins: &str) -> String {
    format!(
        "access_log: {{enabled: false}}\n\
         listeners: [{{name: web, bind: '127.0.0.1:0'}}]\n\
         services: [{{name: echo, url: '@ECHO@', routes: [{{name: all, plugins: {plugins}}}]}}]\n"
    )
}

/// Leaves its tag on requests and answers.
pub(crate) struct Tag(String);

/// What a tag says.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct TagSpec {
    /// The word.
    word: String,
}

impl Plugin for Tag {
    const NAME: &'static str = "tag";
    type Spec = TagSpec;

    fn create(spec: TagSpec) -> Result<Self, Problem> {
        Ok(Self(spec.word))
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        add(request.headers_mut(), &self.0);
        let mut result = next.run(request).await;
        match &mut result {
            Ok(response) => add(response.headers_mut(), &self.0),
            Err(error) => add(error.headers_mut(), &self.0),
        }
        result
    }
}

fn add(headers: &mut http::HeaderMap, word: &str) {
    let said = headers.get("x-tags").and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    let all = if said.is_empty() { word.to_owned() } else { format!("{said} {word}") };
    headers.insert("x-tags", all.parse().expect("tags are words"));
}
