//! A running gateway of a document.

use std::net::SocketAddr;

use portway::{
    Builder, Server,
    config::{Catalog, Checked, Config, NoLookup, Problem, load, value::Name},
};
use portway_testkit::Client;

/// What a document says, where the program has protocols of these names.
pub(crate) fn checked(document: &str, protocols: &[&str]) -> Result<Checked<Config>, Vec<Problem>> {
    let names = protocols.iter().map(|name| name.parse::<Name>().expect("a name")).collect();
    let catalog = Catalog::with_protocols(portway::plugins::registry(), names);
    let mut text = format!("probes: {{enabled: false}}\nlog: {{level: error}}\n{document}");
    if !text.contains("access_log:") {
        text.push_str("access_log: {enabled: false}\n");
    }
    load(&text, "test.yaml", &NoLookup, &catalog)?.check()
}

/// Serves a document without an access log.
pub(crate) async fn serve(builder: Builder, document: &str) -> Server {
    let config = checked(document, &["shout"]).expect("the document is right");
    builder.cores(2).start(config).await.expect("the gateway starts")
}

/// A listener and a service called `shop` that takes all requests, with `more` keys.
pub(crate) fn shop(url: &str, more: &str) -> String {
    format!(
        "listeners: [{{name: web, bind: '127.0.0.1:0'}}]\n\
         services: [{{name: shop, url: '{url}'{more}, routes: [{{name: all}}]}}]\n"
    )
}

/// Where the listener of this name listens.
pub(crate) fn at(server: &Server, listener: &str) -> SocketAddr {
    let addresses = server.addresses();
    addresses.iter().find(|(name, _)| name == listener).expect("it is there").1
}

/// A client of the listener `web`.
pub(crate) fn client(server: &Server) -> Client {
    Client::h1(at(server, "web"))
}

/// The code in the answer for an error.
pub(crate) async fn code(client: &Client, path: &str) -> (u16, String) {
    let answer = client.get(path).await.expect("an answer");
    let text = answer.text().into_owned();
    let code = serde_json::from_str::<serde_json::Value>(&text).ok();
    let code = code.and_then(|body| body["code"].as_str().map(str::to_owned));
    (answer.status.as_u16(), code.unwrap_or(text))
}
