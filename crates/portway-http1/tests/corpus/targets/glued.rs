//! A client's connection glued to a server's: what one side says is what the other hears.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use portway_http1::{
    client::{self, Home},
    error::HeadError,
    limits::HeadLimits,
    server::{self, Body, Service},
};
use tokio::io::{DuplexStream, duplex};

use super::{
    pieces::Pieces,
    record::Record,
    wire::{Cuts, run},
};

/// Bit 0: the service answers before it has read the request. Bits 1 to 3: what lies between both.
/// The rest of the input is a program: what is said in up to eight exchanges.
pub(crate) fn check(input: &[u8]) {
    let &[mode, seed, ref program @ ..] = input else { return };
    let cuts = Cuts::new(seed);
    let mut program = Program(program);
    let plans: Vec<_> = (0..8).map_while(|_| program.exchange()).collect();
    let room = [1, 2, 7, 64, 500, 4096, 20_000, 100_000][usize::from(mode >> 1) % 8];
    run(async move {
        let mut idle = None;
        let record = Record::default();
        for (number, plan) in plans.iter().enumerate() {
            let connection = idle.take().unwrap_or_else(|| {
                let (here, there) = duplex(room);
                let script = Script {
                    early: mode & 1 == 1,
                    cuts,
                    record: record.clone(),
                    plans: plans.clone(),
                };
                let options = server::Options::default();
                let server = server::Connection::new(there, BytesMut::new(), options);
                tokio::spawn(server.serve(script, std::future::pending()));
                client::Connection::new(here, HeadLimits::default())
            });
            idle = exchange(connection, plan, cuts).await;
            let seen = record.all();
            assert_eq!(seen.len(), number + 1, "a request is seen once");
            plan.request.check(&seen[number].headers);
            assert_eq!(seen[number].method, plan.request.method);
            assert_eq!(seen[number].target, plan.request.path);
            if mode & 1 == 0 {
                assert!(seen[number].whole);
                assert_eq!(seen[number].body, plan.request.body);
                assert_eq!(seen[number].trailers, plan.request.trailers());
                let stays = idle.is_some();
                assert!(stays, "an exchange that is complete on both sides leaves its connection");
            }
        }
    });
}

/// Runs one exchange. Returns the connection if it can take another.
async fn exchange(
    connection: client::Connection<DuplexStream>,
    plan: &Plan,
    cuts: Cuts,
) -> Option<client::Connection<DuplexStream>> {
    let mut request = plan.request.to_request(cuts);
    let answer = connection.exchange(&mut request, client::Options::default()).await;
    let answer = answer.unwrap_or_else(|failure| panic!("{:?}", failure.reason));
    let shelf = Shelf::default();
    let (head, body, upload) = answer.into_parts(shelf.clone());
    let upload = upload.map(tokio::spawn);
    assert_eq!(head.status, plan.status());
    plan.answer.check(&head.headers);
    let body = body.collect().await.expect("the answer is whole");
    let trailers = body.trailers().cloned().unwrap_or_default();
    let has_none = plan.request.method == Method::HEAD || plan.status() != StatusCode::OK;
    if has_none {
        assert!(body.to_bytes().is_empty());
    } else {
        assert_eq!(body.to_bytes(), plan.answer.body);
        assert_eq!(trailers, plan.answer.trailers());
    }
    if let Some(upload) = upload {
        upload.abort();
    }
    shelf.0.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Keeps the connection that is given back.
#[derive(Clone, Debug, Default)]
struct Shelf(Arc<Mutex<Option<client::Connection<DuplexStream>>>>);

impl Home<DuplexStream> for Shelf {
    fn give_back(self, connection: client::Connection<DuplexStream>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }
}

/// What is said in an exchange.
#[derive(Clone, Debug)]
struct Plan {
    request: Message,
    answer: Message,
}

#[derive(Clone, Debug)]
struct Message {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
    sized: bool,
}

impl Plan {
    fn status(&self) -> StatusCode {
        match self.answer.path.len() % 4 {
            0 => StatusCode::NO_CONTENT,
            1 => StatusCode::NOT_MODIFIED,
            _ => StatusCode::OK,
        }
    }
}

impl Message {
    fn to_request(&self, cuts: Cuts) -> Request<Pieces> {
        let mut request = Request::new(self.pieces(cuts));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.path.parse().expect("a path of letters");
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("a"));
        request
    }

    fn pieces(&self, cuts: Cuts) -> Pieces {
        if self.sized {
            Pieces::sized(&self.body, cuts)
        } else {
            let trailers = Some(self.trailers()).filter(|trailers| !trailers.is_empty());
            Pieces::unsized_with(&self.body, trailers, cuts)
        }
    }

    /// Behind a body that does not know its size.
    fn trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        if !self.sized && self.body.len() % 2 == 1 {
            trailers.insert("x-sum", HeaderValue::from(self.body.len()));
        }
        trailers
    }

    /// All fields of the plan have come, and none but what the wire says for itself.
    fn check(&self, headers: &HeaderMap) {
        let mut headers = headers.clone();
        for name in [
            header::HOST,
            header::CONTENT_LENGTH,
            header::TRANSFER_ENCODING,
            header::DATE,
            header::CONNECTION,
        ] {
            headers.remove(name);
        }
        assert_eq!(headers, self.headers);
    }
}

/// Reads a plan from bytes.
struct Program<'a>(&'a [u8]);

impl Program<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn bytes(&mut self, count: usize) -> &[u8] {
        let (bytes, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    fn exchange(&mut self) -> Option<Plan> {
        Some(Plan {
            request: self.message()?,
            answer: self.message().unwrap_or_else(Message::none),
        })
    }

    fn message(&mut self) -> Option<Message> {
        let shape = self.byte()?;
        let method = [Method::GET, Method::POST, Method::HEAD, Method::DELETE]
            [usize::from(shape) % 4]
            .clone();
        let path = format!("/{}", "a".repeat(usize::from(shape >> 2) % 16));
        let mut headers = HeaderMap::new();
        for _ in 0..self.byte().unwrap_or_default() % 8 {
            let (name, length) = (self.byte().unwrap_or_default(), self.byte().unwrap_or_default());
            let value = HeaderValue::from_bytes(self.bytes(length.into()).trim_ascii());
            let name = HeaderName::try_from(format!("x-{}", char::from(b'a' + name % 26)));
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        let (length, times) = (self.byte().unwrap_or_default(), self.byte().unwrap_or_default());
        // Seldom long: it may have to go byte by byte.
        let times_over = if times >= 240 { 200 } else { 1 + usize::from(times % 8) };
        let body = self.bytes(length.into()).repeat(times_over);
        Some(Message { method, path, headers, body, sized: times & 1 == 1 })
    }
}

impl Message {
    fn none() -> Self {
        let (method, path) = (Method::GET, "/aa".to_owned());
        Self { method, path, headers: HeaderMap::new(), body: Vec::new(), sized: true }
    }
}

/// Answers as planned.
struct Script {
    early: bool,
    cuts: Cuts,
    record: Record,
    plans: Vec<Plan>,
}

impl Service for Script {
    type Body = Pieces;
    type Future = Pin<Box<dyn Future<Output = Response<Pieces>> + Send>>;

    fn call(&self, request: Request<Body>) -> Self::Future {
        let number = self.record.head(&request);
        let plan = &self.plans[number];
        let mut answer = Response::new(plan.answer.pieces(self.cuts));
        *answer.status_mut() = plan.status();
        *answer.headers_mut() = plan.answer.headers.clone();
        let (early, record) = (self.early, self.record.clone());
        Box::pin(async move {
            if !early {
                record.body(number, request.into_body()).await;
            }
            answer
        })
    }

    fn refuse(&self, error: HeadError) -> Response<Pieces> {
        panic!("a request was refused: {error}");
    }
}
