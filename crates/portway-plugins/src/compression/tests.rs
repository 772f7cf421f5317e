use std::{
    collections::VecDeque,
    future::poll_fn,
    io::Read,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Method, response::Builder};
use http_body::{Body as HttpBody, Frame};
use portway_plugin::{Body, Error, Problem, Response, ResponseExt};
use portway_testkit::plugin::{Seen, Stage};
use serde_json::{Value, json};

use super::Compression;

const ALL: &str = "br, zstd, gzip";

fn long() -> String {
    "all work and no play ".repeat(200)
}

/// Answers with a long text and these fields.
async fn stage(spec: Value, fields: &'static [(&'static str, &'static str)]) -> Stage {
    answering(spec, move |mut builder| {
        if !fields.iter().any(|(name, _)| *name == "content-type") {
            builder = builder.header("content-type", "text/html; charset=utf-8");
        }
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        builder.body(Body::from(long())).unwrap()
    })
    .await
}

async fn answering(
    spec: Value,
    answer: impl Fn(Builder) -> Response + Send + Sync + 'static,
) -> Stage {
    let stage = Stage::of::<Compression>(spec).await.unwrap();
    stage.target(move |_| Ok(answer(http::Response::builder())))
}

async fn ask(stage: &Stage, accepted: &str) -> Seen {
    stage.ask(Method::GET, "/", &[("accept-encoding", accepted)]).await
}

async fn body(seen: &mut Seen) -> Bytes {
    seen.result.as_mut().unwrap().buffer(1 << 24).await.unwrap()
}

fn decoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match encoding {
        "br" => drop(brotli::Decompressor::new(body, 4096).read_to_end(&mut out).unwrap()),
        "zstd" => out = zstd::decode_all(body).unwrap(),
        "gzip" => drop(flate2::read::GzDecoder::new(body).read_to_end(&mut out).unwrap()),
        _ => out = body.to_vec(),
    }
    out
}

fn problem(spec: Value) -> Problem {
    Stage::unstarted::<Compression>(spec).unwrap_err()
}

#[tokio::test]
async fn each_coding_can_be_read_again() {
    let stage = stage(json!({}), &[("etag", "\"1\""), ("accept-ranges", "bytes")]).await;
    for encoding in ["br", "zstd", "gzip"] {
        let mut seen = ask(&stage, encoding).await;
        assert_eq!(seen.header("content-encoding"), encoding);
        assert_eq!((seen.header("vary"), seen.header("etag")), ("Accept-Encoding", "W/\"1\""));
        for gone in ["content-length", "accept-ranges"] {
            assert!(!seen.headers().contains_key(gone), "{gone}");
        }
        let body = body(&mut seen).await;
        assert!(body.len() < 400, "{encoding}: {}", body.len());
        assert_eq!(decoded(encoding, &body), long().as_bytes(), "{encoding}");
    }
}

#[tokio::test]
async fn who_does_not_want_it_gets_it_as_it_is() {
    let stage = stage(json!({}), &[("etag", "\"1\""), ("content-length", "4200")]).await;
    for accepted in ["", "identity", "deflate", "br;q=0", "*;q=0"] {
        let mut seen = ask(&stage, accepted).await;
        assert_eq!(seen.header("vary"), "Accept-Encoding", "a cache must know");
        assert_eq!((seen.header("content-encoding"), seen.header("etag")), ("", "\"1\""));
        assert_eq!(seen.header("content-length"), "4200");
        assert_eq!(body(&mut seen).await, long());
    }
}

#[tokio::test]
async fn the_configuration_says_which_coding_and_how_hard() {
    let stage = stage(json!({"encodings": ["gzip", "br"]}), &[]).await;
    assert_eq!(ask(&stage, ALL).await.header("content-encoding"), "gzip");
    assert_eq!(ask(&stage, "zstd").await.header("content-encoding"), "");
    // Words in no order: a coding that tries harder finds more.
    let words = || {
        let mut state = 1_u32;
        (0..20_000).fold(String::new(), |text, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text + ["alpha ", "beta ", "gamma ", "delta "][(state >> 30) as usize]
        })
    };
    for (encoding, key, low, high) in
        [("br", "br_level", 0, 9), ("zstd", "zstd_level", 1, 15), ("gzip", "gzip_level", 1, 9)]
    {
        let mut sizes = Vec::new();
        for level in [low, high] {
            let stage = answering(json!({key: level}), move |builder| {
                builder.header("content-type", "text/plain").body(Body::from(words())).unwrap()
            })
            .await;
            let body = body(&mut ask(&stage, encoding).await).await;
            assert_eq!(decoded(encoding, &body), words().as_bytes());
            sizes.push(body.len());
        }
        assert!(sizes[1] < sizes[0], "{encoding} {sizes:?}");
    }
}

#[tokio::test]
async fn what_must_not_be_touched_is_not() {
    for fields in [
        &[("content-encoding", "gzip")][..],
        &[("content-encoding", "br, gzip")],
        &[("content-type", "image/png")],
        &[("content-type", "text/event-stream; charset=utf-8")],
        &[("content-type", "application/grpc+proto")],
        &[("content-type", "")],
        &[("cache-control", "public, No-Transform")],
        &[("content-range", "bytes 0-1/2")],
        &[("content-length", "100")],
    ] {
        let spec = json!({"types": ["text/*", "application/*", "application/*+proto"]});
        let stage = stage(spec, fields).await;
        let mut seen = ask(&stage, ALL).await;
        assert!(!seen.headers().contains_key("vary"), "{fields:?}");
        assert_eq!(body(&mut seen).await, long(), "{fields:?}");
    }
    for status in [204, 205, 206, 304] {
        let stage = answering(json!({}), move |builder| {
            let builder = builder.status(status).header("content-type", "text/html");
            builder.body(Body::from(long())).unwrap()
        })
        .await;
        assert_eq!(ask(&stage, ALL).await.header("content-encoding"), "", "{status}");
    }
    let plain = stage(json!({}), &[("content-encoding", "identity")]).await;
    assert_eq!(ask(&plain, "gzip").await.header("content-encoding"), "gzip");
    let asks_not_to = [("accept-encoding", ALL), ("cache-control", "no-transform")];
    let seen = plain.ask(Method::GET, "/", &asks_not_to).await;
    assert_eq!(seen.header("content-encoding"), "identity");
}

#[tokio::test]
async fn an_answer_to_head_keeps_its_head() {
    let stage = stage(json!({}), &[("content-length", "4200")]).await;
    let seen = stage.ask(Method::HEAD, "/", &[("accept-encoding", ALL)]).await;
    assert_eq!((seen.header("content-encoding"), seen.header("vary")), ("", "Accept-Encoding"));
    assert_eq!(seen.header("content-length"), "4200");
}

#[tokio::test]
async fn short_bodies_and_other_types_are_left_alone() {
    for (spec, compressed) in [
        (json!({"min_length": "4200"}), "gzip"),
        (json!({"min_length": "4201"}), ""),
        (json!({"min_length": 0}), "gzip"),
        (json!({"types": ["text/html"]}), "gzip"),
        (json!({"types": ["text/css"]}), ""),
    ] {
        let stage = stage(spec.clone(), &[]).await;
        assert_eq!(ask(&stage, "gzip").await.header("content-encoding"), compressed, "{spec}");
    }
    let unknown = answering(json!({}), |builder| {
        let parts = Parts::default();
        parts.push("short");
        parts.end(None);
        builder.header("content-type", "text/html").body(Body::stream(parts)).unwrap()
    })
    .await;
    assert_eq!(ask(&unknown, "gzip").await.header("content-encoding"), "gzip");
}

#[tokio::test]
async fn nothing_that_came_is_held_back() {
    for encoding in ["br", "zstd", "gzip"] {
        let parts = Parts::default();
        let inner = parts.clone();
        let stage = answering(json!({}), move |builder| {
            let body = Body::stream(inner.clone());
            builder.header("content-type", "application/json").body(body).unwrap()
        })
        .await;
        let mut response = ask(&stage, encoding).await.result.unwrap();
        let mut sent = Vec::new();
        for (count, said) in [(1, "{\"a\":1}"), (2, "{\"a\":1}{\"b\":2}")] {
            parts.push(if count == 1 { "{\"a\":1}" } else { "{\"b\":2}" });
            while let Poll::Ready(frame) = poll(&mut response) {
                sent.extend_from_slice(&frame.unwrap().unwrap().into_data().unwrap());
            }
            assert_eq!(readable(encoding, &sent, said.len()), said.as_bytes(), "{encoding}");
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("x-end", "1".parse().unwrap());
        parts.end(Some(trailers));
        loop {
            let Poll::Ready(Some(frame)) = poll(&mut response) else { panic!("trailers come") };
            match frame.unwrap().into_data() {
                Ok(data) => sent.extend_from_slice(&data),
                Err(frame) => {
                    assert_eq!(frame.into_trailers().unwrap()["x-end"], "1");
                    break;
                }
            }
        }
        assert!(matches!(poll(&mut response), Poll::Ready(None)));
        assert_eq!(decoded(encoding, &sent), b"{\"a\":1}{\"b\":2}");
    }
}

#[tokio::test]
async fn a_body_that_fails_fails_and_a_large_one_is_whole() {
    let stage = answering(json!({}), |builder| {
        let parts = Parts::default();
        parts.push("some text");
        parts.0.lock().unwrap().frames.push_back(Err(Error::gateway("broken", "broken")));
        builder.header("content-type", "text/html").body(Body::stream(parts)).unwrap()
    })
    .await;
    let mut seen = ask(&stage, "gzip").await;
    assert!(seen.result.as_mut().unwrap().buffer(1000).await.is_err());
    let zeros = answering(json!({}), |builder| {
        let body = Body::from(Bytes::from(vec![b'0'; 3_000_000]));
        builder.header("content-type", "text/html").body(body).unwrap()
    })
    .await;
    for encoding in ["br", "zstd", "gzip"] {
        let body = body(&mut ask(&zeros, encoding).await).await;
        assert_eq!(decoded(encoding, &body), vec![b'0'; 3_000_000], "{encoding}");
    }
}

#[test]
fn what_a_spec_cannot_mean() {
    assert_eq!(problem(json!({"encodings": []})).path, "encodings");
    assert_eq!(problem(json!({"types": []})).path, "types");
    assert_eq!(problem(json!({"encodings": ["br", "br"]})).path, "encodings[1]");
    for bad in [
        json!({"encodings": ["deflate"]}),
        json!({"br_level": 12}),
        json!({"zstd_level": 0}),
        json!({"gzip_level": 10}),
        json!({"types": ["json"]}),
        json!({"min_length": "1k"}),
    ] {
        assert_eq!(problem(bad.clone()).code, "bad_value", "{bad}");
    }
}

/// What the other side can read, though the stream has not ended.
fn readable(encoding: &str, sent: &[u8], length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    match encoding {
        "br" => brotli::Decompressor::new(sent, 4096).read_exact(&mut out).unwrap(),
        "zstd" => zstd::Decoder::new(sent).unwrap().read_exact(&mut out).unwrap(),
        _ => flate2::read::GzDecoder::new(sent).read_exact(&mut out).unwrap(),
    }
    out
}

fn poll(response: &mut Response) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
    let mut cx = Context::from_waker(std::task::Waker::noop());
    let mut frame = std::pin::pin!(poll_fn(|cx| Pin::new(response.body_mut()).poll_frame(cx)));
    frame.as_mut().poll(&mut cx)
}

/// A body that comes as the test says.
#[derive(Clone, Default)]
struct Parts(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    frames: VecDeque<Result<Frame<Bytes>, Error>>,
    ended: bool,
}

impl Parts {
    fn push(&self, text: &'static str) {
        let frame = Frame::data(Bytes::from_static(text.as_bytes()));
        self.0.lock().unwrap().frames.push_back(Ok(frame));
    }

    fn end(&self, trailers: Option<HeaderMap>) {
        let mut queue = self.0.lock().unwrap();
        queue.frames.extend(trailers.map(|fields| Ok(Frame::trailers(fields))));
        queue.ended = true;
    }
}

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut queue = self.0.lock().unwrap();
        match queue.frames.pop_front() {
            Some(frame) => Poll::Ready(Some(frame)),
            None if queue.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}
