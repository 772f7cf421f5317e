use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use http_body::{Body as HttpBody, Frame};
use portway_plugin::{Body, Error};
use portway_testkit::plugin::{Seen, Stage};
use serde_json::json;

use super::RequestSizeLimit;

/// A body that does not say how long it is, with trailers at its end.
struct Pieces(VecDeque<&'static [u8]>, Option<HeaderMap>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let piece = self.0.pop_front().map(|piece| Frame::data(Bytes::from_static(piece)));
        let frame = piece.or_else(|| self.1.take().map(Frame::trailers));
        Poll::Ready(frame.map(Ok))
    }
}

async fn stage(max: &str) -> Stage {
    Stage::of::<RequestSizeLimit>(json!({"max": max})).await.expect("the spec is good")
}

async fn stream(stage: &Stage, pieces: &[&'static [u8]]) -> Seen {
    let trailers = HeaderMap::from_iter([(
        http::HeaderName::from_static("x-sum"),
        HeaderValue::from_static("a long trailer counts for nothing"),
    )]);
    let body = Body::stream(Pieces(pieces.iter().copied().collect(), Some(trailers)));
    let mut request = http::Request::new(body);
    *request.method_mut() = Method::POST;
    stage.call(request).await
}

fn refused(seen: &Seen) -> bool {
    let refused = seen.status() == 413;
    assert_eq!(refused, seen.target().is_none());
    if refused {
        assert_eq!((seen.code(), seen.header("connection")), ("body_too_large", "close"));
    }
    refused
}

#[tokio::test]
async fn a_body_is_measured_whether_or_not_it_says_how_long_it_is() {
    let stage = stage("5B").await;
    for (body, too_large) in [("", false), ("12345", false), ("123456", true)] {
        let seen = stage.send(Method::POST, "/", &[], body).await;
        assert_eq!(refused(&seen), too_large, "{body}");
    }
    for (pieces, too_large) in [
        (&[][..], false),
        (&[&b"123"[..], b"45"], false),
        (&[b"123", b"", b"456"], true),
        (&[b"123456"], true),
    ] {
        assert_eq!(refused(&stream(&stage, pieces).await), too_large, "{pieces:?}");
    }
}

#[tokio::test]
async fn a_length_that_is_told_is_enough_to_refuse() {
    let stage = stage("5B").await;
    for (length, too_large) in
        [("5", false), ("6", true), ("18446744073709551615", true), ("nonsense", false)]
    {
        let headers = [("content-length", length)];
        let seen = stage.ask(Method::POST, "/", &headers).await;
        assert_eq!(refused(&seen), too_large, "{length}");
    }
}

#[tokio::test]
async fn the_limit_is_the_one_of_the_spec() {
    let body = vec![b'x'; 1 << 20];
    for (spec, more, too_large) in [
        (json!({}), 0, false),
        (json!({}), 1, true),
        (json!({"max": "1MB"}), 0, true),
        (json!({"max": 0}), 1, false),
    ] {
        let stage = Stage::of::<RequestSizeLimit>(spec.clone()).await.expect("the spec is good");
        let body = [&body[..], &vec![b'x'; more]].concat();
        let seen = stage.send(Method::PUT, "/", &[], body).await;
        assert_eq!(refused(&seen), too_large, "{spec}");
    }
    for spec in [json!({"max": "-1"}), json!({"max": "many"})] {
        assert!(Stage::of::<RequestSizeLimit>(spec).await.is_err());
    }
}
