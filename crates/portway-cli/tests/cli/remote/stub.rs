//! An admin API that says what the test wants, and keeps what it was asked.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
};

use portway::config::{Catalog, Kind};
use portway_testkit::{RawConnection, RawUpstream, raw::RawRequest, tls::ServerTls};
use serde_json::{Value, json};

/// Answers by the beginning of the request line; the first one that fits is given.
pub(super) type Answers = &'static [(&'static str, u16, &'static str)];

pub(super) struct Stub {
    upstream: RawUpstream,
    asked: Arc<Mutex<Vec<RawRequest>>>,
}

impl Stub {
    pub(super) async fn start(answers: Answers) -> io::Result<Self> {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let upstream = RawUpstream::start(script(answers, Arc::clone(&asked))).await?;
        Ok(Self { upstream, asked })
    }

    pub(super) async fn start_tls(tls: &ServerTls, answers: Answers) -> io::Result<Self> {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let upstream = RawUpstream::start_tls(tls, script(answers, Arc::clone(&asked))).await?;
        Ok(Self { upstream, asked })
    }

    pub(super) fn port(&self) -> u16 {
        self.upstream.addr().port()
    }

    pub(super) fn url(&self) -> String {
        self.upstream.url()
    }

    /// The requests since this was asked last, without those for the kinds.
    pub(super) fn asked(&self) -> Vec<RawRequest> {
        let mut asked = std::mem::take(&mut *self.asked.lock().expect("no test panics with it"));
        asked.retain(|request| !request.line.starts_with("GET /api/v1/kinds"));
        asked
    }

    /// The only request since this was asked last: its line and its body.
    pub(super) fn only(&self) -> (String, Value) {
        let asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        let line = asked[0].line.trim_end_matches(" HTTP/1.1").to_owned();
        (line, serde_json::from_slice(&asked[0].body).unwrap_or_default())
    }
}

type Run = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

fn script(
    answers: Answers,
    asked: Arc<Mutex<Vec<RawRequest>>>,
) -> impl Fn(RawConnection) -> Run + Send + Sync + 'static {
    move |mut connection| {
        let asked = Arc::clone(&asked);
        Box::pin(async move {
            let request = connection.read_request().await?;
            let (status, body) = answer(answers, &request.line);
            asked.lock().expect("no test panics with it").push(request);
            let kind = match (status, body.starts_with("id:")) {
                (_, true) => "text/event-stream",
                (200..300, _) => "application/json",
                _ => "application/problem+json",
            };
            let head = format!(
                "HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            connection.write(head + &body).await?;
            connection.close()
        })
    }
}

fn answer(answers: Answers, line: &str) -> (u16, String) {
    let given = answers.iter().find(|(begin, ..)| line.starts_with(begin));
    match given {
        Some((_, status, body)) => (*status, (*body).to_owned()),
        None if line.starts_with("GET /api/v1/kinds") => (200, kinds()),
        None => (404, json!({ "status": 404, "code": "not_found", "detail": line }).to_string()),
    }
}

/// As a gateway tells them.
fn kinds() -> String {
    let catalog = Catalog::default();
    let whole = catalog.schema();
    let kinds = Kind::ALL.iter().map(|kind| {
        let definition = whole["properties"][kind.plural()]["items"]["$ref"].as_str();
        let definition = definition.and_then(|to| whole.pointer(to.trim_start_matches('#')));
        let mut schema = definition.expect("every kind has a list").clone();
        schema["$defs"] = whole["$defs"].clone();
        json!({
            "kind": kind.singular(),
            "plural": kind.plural(),
            "short": kind.short(),
            "namespaced": kind.is_namespaced(),
            "schema": schema,
        })
    });
    json!({ "data": kinds.collect::<Value>(), "meta": {} }).to_string()
}
