//! The same bytes for this crate and for hyper: what both accept means the same, and this crate
//! accepts nothing that hyper refuses. Should it have to, the case belongs here with its reason.

use std::{convert::Infallible, future::Future, pin::Pin};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use portway_http1::{
    client::{self, Home},
    error::HeadError,
    limits::HeadLimits,
    server::{self, Body, Service},
};

use super::{
    record::{Record, Seen},
    wire::{Cuts, End, Wire, run},
};

/// Bit 0: an answer. Bits 1 and 2: its request's method.
pub(crate) fn check(input: &[u8]) {
    let &[mode, seed, ref bytes @ ..] = input else { return };
    let cuts = Cuts::new(seed);
    if mode & 1 == 0 {
        requests(bytes, cuts);
    } else {
        let method = [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS]
            [usize::from(mode >> 1) % 4]
            .clone();
        answer(bytes, cuts, &method);
    }
}

fn requests(bytes: &[u8], cuts: Cuts) {
    let ours = our_requests(bytes, cuts);
    let theirs = their_requests(bytes);
    for (number, ours) in ours.iter().enumerate() {
        let Some(theirs) = theirs.get(number) else { panic!("hyper refuses {ours:?}") };
        if !ours.whole {
            // Refused in the middle, or not whole: what was read so far must agree.
            return assert_eq!((&ours.method, &ours.target), (&theirs.method, &theirs.target));
        }
        assert!(theirs.whole, "hyper refuses the body of {ours:?}: {theirs:?}");
        assert_eq!(
            (&ours.method, &ours.target, &kept(&ours.headers), &ours.body),
            (&theirs.method, &theirs.target, &kept(&theirs.headers), &theirs.body)
        );
        trailers(&ours.trailers, &theirs.trailers);
        if ours.method == Method::CONNECT {
            // hyper hands the connection over.
            return;
        }
    }
}

fn our_requests(bytes: &[u8], cuts: Cuts) -> Vec<Seen> {
    let (wire, _output) = Wire::client(bytes, End::Closed, cuts);
    let options = server::Options { half_close: true, ..server::Options::default() };
    let connection = server::Connection::new(wire, BytesMut::new(), options);
    let record = Record::default();
    run(connection.serve(Script(record.clone()), std::future::pending()));
    record.all()
}

fn their_requests(bytes: &[u8]) -> Vec<Seen> {
    let (wire, _output) = Wire::client(bytes, End::Closed, Cuts::new(0));
    let record = Record::default();
    let service = hyper::service::service_fn(|request: Request<hyper::body::Incoming>| {
        let (record, number) = (record.clone(), record.head(&request));
        async move {
            record.body(number, request.into_body()).await;
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.half_close(true);
    // How it ends is its own matter.
    let _ = run(builder.serve_connection(TokioIo::new(wire), service));
    record.all()
}

/// Reads everything.
struct Script(Record);

impl Service for Script {
    type Body = Empty<Bytes>;
    type Future = Pin<Box<dyn Future<Output = Response<Empty<Bytes>>>>>;

    fn call(&self, request: Request<Body>) -> Self::Future {
        let (record, number) = (self.0.clone(), self.0.head(&request));
        Box::pin(async move {
            record.body(number, request.into_body()).await;
            Response::new(Empty::new())
        })
    }

    fn refuse(&self, error: HeadError) -> Response<Empty<Bytes>> {
        let mut refusal = Response::new(Empty::new());
        *refusal.status_mut() = error.status();
        refusal
    }
}

/// An answer as a client saw it.
#[derive(Debug)]
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    trailers: HeaderMap,
    whole: bool,
}

fn answer(bytes: &[u8], cuts: Cuts, method: &Method) {
    let Some(ours) = our_answer(bytes, cuts, method) else { return };
    let theirs = their_answer(bytes, method);
    let Some(theirs) = theirs else { panic!("hyper refuses {ours:?}") };
    assert_eq!((ours.status, kept(&ours.headers)), (theirs.status, kept(&theirs.headers)));
    if !ours.whole {
        return;
    }
    assert!(theirs.whole, "hyper refuses the body of {ours:?}: {theirs:?}");
    assert_eq!(ours.body, theirs.body);
    trailers(&ours.trailers, &theirs.trailers);
}

fn our_answer(bytes: &[u8], cuts: Cuts, method: &Method) -> Option<Answered> {
    let (wire, _output) = Wire::server(bytes, End::Closed, cuts);
    let connection = client::Connection::new(wire, HeadLimits::default());
    run(async move {
        let answer =
            connection.exchange(&mut request(method), client::Options::default()).await.ok()?;
        let (head, body, _upload) = answer.into_parts(Nowhere);
        Some(collect(head.status, head.headers, body).await)
    })
}

fn their_answer(bytes: &[u8], method: &Method) -> Option<Answered> {
    let (wire, _output) = Wire::server(bytes, End::Closed, Cuts::new(0));
    run(async move {
        let io = TokioIo::new(wire);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.ok()?;
        tokio::spawn(connection);
        let (head, body) = sender.send_request(request(method)).await.ok()?.into_parts();
        Some(collect(head.status, head.headers, body).await)
    })
}

fn request(method: &Method) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = method.clone();
    request.headers_mut().insert(header::HOST, header::HeaderValue::from_static("a"));
    request
}

async fn collect<B>(status: StatusCode, headers: HeaderMap, mut body: B) -> Answered
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let (data, trailers) = (Vec::new(), HeaderMap::new());
    let mut answered = Answered { status, headers, body: data, trailers, whole: false };
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return answered };
        match frame.into_data() {
            Ok(data) => answered.body.extend_from_slice(&data),
            Err(frame) => answered.trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    answered.whole = true;
    answered
}

/// Drops what is given back.
struct Nowhere;

impl Home<Wire> for Nowhere {
    fn give_back(self, _: client::Connection<Wire>) {}
}

/// Without what a `Connection` says of keeping and closing: this crate has heeded it already.
fn kept(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    let is_heeded = |option: &str| matches!(option.trim(), "close" | "keep-alive");
    let all = headers.get_all(header::CONNECTION).iter().cloned().collect::<Vec<_>>();
    headers.remove(header::CONNECTION);
    for value in all {
        let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        if !text.split(',').all(is_heeded) {
            headers.append(header::CONNECTION, value);
        }
    }
    headers
}

/// This crate drops some trailers, and adds none.
fn trailers(ours: &HeaderMap, theirs: &HeaderMap) {
    for name in ours.keys() {
        assert!(ours.get_all(name).iter().eq(theirs.get_all(name)), "{name}");
    }
}
