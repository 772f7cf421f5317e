//! The rows of `docs/http1.md` that are the wire's, each in one piece and split at every byte.

use std::{cell::Cell, fmt::Write as _, future::Future, pin::Pin, rc::Rc};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use portway_http1::{
    client::{self, Home},
    error::{BodyError, HeadError},
    limits::HeadLimits,
    server::{Body, Connection, End, Options, Service},
};

use crate::{
    table,
    targets::{
        record::Record,
        wire::{self, Cuts, Wire, run},
    },
};

const PAGE: &str = include_str!("../../../../docs/http1.md");

/// Answers when it has read a request; a malformed body is 400.
struct Reads(Record);

impl Service for Reads {
    type Body = Full<Bytes>;
    type Future = Pin<Box<dyn Future<Output = Response<Full<Bytes>>>>>;

    fn call(&self, request: Request<Body>) -> Self::Future {
        let (record, number) = (self.0.clone(), self.0.head(&request));
        Box::pin(async move {
            record.body(number, request.into_body()).await;
            let status = if record.all()[number].whole { 200 } else { 400 };
            Response::builder().status(status).body(Full::default()).expect("an answer")
        })
    }

    fn refuse(&self, error: HeadError) -> Response<Full<Bytes>> {
        Response::builder().status(error.status()).body(Full::default()).expect("an answer")
    }
}

fn serve(bytes: &[u8], cuts: Cuts) -> (String, Record, End) {
    let (wire, output) = Wire::client(bytes, wire::End::Closed, cuts);
    let options = Options { half_close: true, ..Options::default() };
    let connection = Connection::new(wire, BytesMut::new(), options);
    let record = Record::default();
    let end = run(connection.serve(Reads(record.clone()), std::future::pending()));
    (String::from_utf8_lossy(&output.take()).into_owned(), record, end)
}

/// In one piece, in single bytes, and in two pieces that meet anywhere (in a head that is not
/// huge: there is nothing between its bytes).
fn all_cuts(length: usize) -> Vec<Cuts> {
    let halves = if length < 1000 { length } else { 0 };
    [Cuts::new(0), Cuts::bytes()].into_iter().chain((1..halves).map(Cuts::at)).collect()
}

#[test]
fn refused_requests() {
    let rows = table::rows(PAGE, "Requests that are refused");
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row[3] == "wire") {
        let bytes = table::bytes(row[2]);
        for cuts in all_cuts(bytes.len()) {
            let (answer, record, _) = serve(&bytes, cuts);
            let is_refused = answer.starts_with(&format!("HTTP/1.1 {} ", row[4]))
                && answer.contains("connection: close\r\n")
                && answer.matches("HTTP/1.1 ").count() == 1
                && record.all().iter().all(|seen| !seen.whole);
            if !is_refused {
                wrong.push(format!("{} {} {cuts:?}: {answer:?}", row[0], row[1]));
                break;
            }
        }
    }
    assert!(rows.len() > 100 && wrong.is_empty(), "{} rows:\n{}", rows.len(), wrong.join("\n"));
}

#[test]
fn requests_that_are_passed_on() {
    let rows = table::rows(PAGE, "Requests that are passed on");
    for row in &rows {
        let bytes = table::bytes(row[2]);
        for cuts in all_cuts(bytes.len()) {
            let (answer, record, end) = serve(&bytes, cuts);
            assert!(answer.starts_with("HTTP/1.1 200 "), "{row:?}: {answer:?}");
            assert_eq!(end, End::Closed, "{row:?}");
            assert!(record.all().len() == 1 && record.all()[0].whole, "{row:?}");
        }
    }
    assert!(rows.len() > 8);
}

/// Whether a connection was given back.
#[derive(Clone, Default)]
struct Kept(Rc<Cell<bool>>);

impl Home<Wire> for Kept {
    fn give_back(self, _: client::Connection<Wire>) {
        self.0.set(true);
    }
}

/// What a client that is asked by a gateway would get: the words of the table.
async fn ask(bytes: &[u8], end: wire::End, cuts: Cuts) -> Option<String> {
    let (wire, _output) = Wire::server(bytes, end, cuts);
    let connection = client::Connection::new(wire, HeadLimits::default());
    let mut request = Request::get("/").header("host", "a").body(Full::<Bytes>::default()).ok()?;
    let answer = connection.exchange(&mut request, client::Options::default()).await;
    let Ok(answer) = answer else { return Some("502".to_owned()) };
    let kept = Kept::default();
    let (head, body, _upload) = answer.into_parts(kept.clone());
    let mut said = head.status.as_str().to_owned();
    let collected: Result<_, BodyError> = body.collect().await;
    match collected {
        Err(_) => said.push_str(", cut"),
        Ok(body) => {
            let body = body.to_bytes();
            if !body.is_empty() {
                let _ = write!(said, ", `{}`", String::from_utf8_lossy(&body));
            }
        }
    }
    if kept.0.get() {
        said.push_str(", kept");
    }
    Some(said)
}

#[test]
fn answers_of_upstreams() {
    let rows = table::rows(PAGE, "Answers of upstreams");
    let mut wrong = Vec::new();
    for row in &rows {
        let closes = row[2].contains("{close}");
        let end = if closes { wire::End::Closed } else { wire::End::Silent };
        let bytes = table::bytes(&row[2].replace("{close}", ""));
        for cuts in all_cuts(bytes.len()) {
            let said = run(ask(&bytes, end, cuts)).expect("a request");
            // What came later than the answer's end cannot be known to come.
            let late = row[0] == "F5" && said == format!("{}, kept", row[3]);
            if said != row[3] && !late {
                wrong.push(format!("{} {} {cuts:?}: {said}, not {}", row[0], row[1], row[3]));
                break;
            }
        }
        if row[0] == "F5" {
            let said = run(ask(&bytes, end, Cuts::new(0))).expect("a request");
            assert_eq!(said, row[3], "what came along is seen: {row:?}");
        }
    }
    assert!(rows.len() > 20 && wrong.is_empty(), "{} rows:\n{}", rows.len(), wrong.join("\n"));
}
