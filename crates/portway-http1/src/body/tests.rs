//! What is encoded decodes to the same, however it comes.

use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::{Decoded, Decoder, Encoder, Framing, Mismatch};
use crate::{error::BodyError, transport::Outbox};

fn written(mut outbox: Outbox) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !outbox.is_empty() {
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(_)) = outbox.poll_write(&mut bytes, &mut cx) else {
            panic!("a buffer takes everything");
        };
    }
    bytes
}

/// What a decoder makes of bytes that come `every` so many at a time.
fn decoded(
    framing: Framing,
    bytes: &[u8],
    every: usize,
) -> Result<(Vec<u8>, HeaderMap, Vec<u8>), BodyError> {
    let mut decoder = Decoder::new(framing);
    let (mut came, mut data, mut trailers) = (BytesMut::new(), Vec::new(), HeaderMap::new());
    let mut rest = bytes.chunks(every.max(1));
    let mut eof = false;
    loop {
        match decoder.decode(&mut came, eof)? {
            Decoded::Data(part) => data.extend_from_slice(&part),
            Decoded::Trailers(all) => trailers = all,
            Decoded::End => break,
            Decoded::More => match rest.next() {
                Some(part) => came.extend_from_slice(part),
                None => eof = true,
            },
        }
    }
    rest.for_each(|part| came.extend_from_slice(part));
    Ok((data, trailers, came.to_vec()))
}

proptest! {
    #[test]
    fn encoding_is_undone_by_decoding(
        parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..5000), 0..6),
        trailer in proptest::option::of("[ -~]{0,20}"),
        every in 1_usize..600,
        chunked: bool,
    ) {
        let whole: Vec<u8> = parts.concat();
        let framing =
            if chunked { Framing::Chunked } else { Framing::Length(whole.len() as u64) };
        let (mut encoder, mut outbox) = (Encoder::new(framing), Outbox::new());
        for part in &parts {
            encoder.data(Bytes::from(part.clone()), &mut outbox).unwrap();
        }
        let trailers = trailer.map(|value| {
            let value = HeaderValue::from_str(value.trim()).unwrap();
            HeaderMap::from_iter([(HeaderName::from_static("x-sum"), value)])
        });
        encoder.end(trailers.as_ref(), &mut outbox).unwrap();
        let mut bytes = written(outbox);
        bytes.extend_from_slice(b"GET /next");
        let (data, came, rest) = decoded(framing, &bytes, every).unwrap();
        prop_assert_eq!(data, whole);
        prop_assert_eq!(rest, b"GET /next", "not a byte more");
        prop_assert_eq!(came, trailers.filter(|_| chunked).unwrap_or_default());
    }
}

#[test]
fn a_body_is_as_long_as_it_says() {
    let mut outbox = Outbox::new();
    let mut encoder = Encoder::new(Framing::Length(3));
    encoder.data(Bytes::from_static(b"ab"), &mut outbox).unwrap();
    assert_eq!(encoder.end(None, &mut outbox), Err(Mismatch));
    assert_eq!(encoder.data(Bytes::from_static(b"cd"), &mut outbox), Err(Mismatch));
    assert_eq!(written(outbox), b"ab", "nothing beyond what was promised");
}

#[test]
fn trailers_that_frame_route_or_prove_are_dropped() {
    let section = b"0\r\nHost: b\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\
        Authorization: x\r\nCookie: a\r\nX-Forwarded-For: 1\r\nVia: x\r\nX-Sum: 1\r\n\r\n";
    let (_, trailers, _) = decoded(Framing::Chunked, section, 7).unwrap();
    assert_eq!(
        trailers,
        HeaderMap::from_iter([(HeaderName::from_static("x-sum"), HeaderValue::from_static("1")),])
    );
    let mut outbox = Outbox::new();
    let host = (http::header::HOST, HeaderValue::from_static("b"));
    Encoder::new(Framing::Chunked).end(Some(&HeaderMap::from_iter([host])), &mut outbox).unwrap();
    assert_eq!(written(outbox), b"0\r\n\r\n");
}

#[test]
fn an_error_stays() {
    let mut decoder = Decoder::new(Framing::Chunked);
    let mut bytes = BytesMut::from(&b"x\r\n5\r\nhello\r\n0\r\n\r\n"[..]);
    assert!(decoder.decode(&mut bytes, false).is_err());
    assert!(decoder.decode(&mut bytes, false).is_err(), "nothing behind it is a body");
    assert!(!decoder.is_done());
}

#[test]
fn extensions_and_trailers_have_a_size() {
    for flood in [
        format!("5;{}\r\n", "a".repeat(64 * 1024)),
        "1;a\r\nx\r\n".repeat(20_000),
        format!("0\r\nX: {}", "a".repeat(64 * 1024)),
        format!("0\r\n{}", "X: 1\r\n".repeat(101) + "\r\n"),
    ] {
        let error = decoded(Framing::Chunked, flood.as_bytes(), 1000).unwrap_err();
        assert!(matches!(error, BodyError::TooLarge), "{error}");
    }
}
