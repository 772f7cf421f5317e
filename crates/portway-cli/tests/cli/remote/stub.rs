//! What a gateway does not say, or not to order: a server that answers with what the test wants,
//! and keeps what it was asked.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
};

use portway_testkit::{RawConnection, RawUpstream, raw::RawRequest, tls::ServerTls};
use serde_json::json;

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

    /// The requests since this was asked last.
    pub(super) fn asked(&self) -> Vec<RawRequest> {
        std::mem::take(&mut *self.asked.lock().expect("no test panics with it"))
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
        None => (404, json!({ "status": 404, "code": "not_found", "detail": line }).to_string()),
    }
}
