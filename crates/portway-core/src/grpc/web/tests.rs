//! Both bodies in both forms, cut anywhere.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use http::{Response as HttpResponse, StatusCode};
use http_body::{Body as HttpBody, Frame};
use portway_plugin::Error;

use super::*;

const MESSAGES: &[u8] = b"\0\0\0\0\x05hello\0\0\0\0\0\x01\0\0\0\x02\x80\0";

/// A body of frames that are there already.
struct Frames(VecDeque<Result<Frame<Bytes>, Error>>);

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Poll::Ready(self.0.pop_front())
    }
}

fn pieces(bytes: &[u8], size: usize) -> Vec<Result<Frame<Bytes>, Error>> {
    bytes.chunks(size).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect()
}

fn body(frames: Vec<Result<Frame<Bytes>, Error>>) -> Body {
    Body::stream(Frames(frames.into()))
}

/// All frames of a body that never keeps anybody waiting, which all are data.
fn read(mut body: Body) -> (Vec<Bytes>, Option<Error>) {
    let mut data = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match Pin::new(&mut body).poll_frame(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => data.push(frame.into_data().expect("data")),
            Poll::Ready(Some(Err(error))) => {
                assert!(matches!(Pin::new(&mut body).poll_frame(&mut cx), Poll::Ready(None)));
                return (data, Some(error));
            }
            Poll::Ready(None) => return (data, None),
            Poll::Pending => panic!("everything is there"),
        }
    }
}

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    fields.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn bridge(request: Kind, response: Kind) -> Bridge {
    Bridge { request, response }
}

/// What gRPC's body said, from a body of gRPC-Web that may be base64 with padding anywhere.
fn binary(kind: Kind, data: &[Bytes]) -> Vec<u8> {
    let mut decoder = base64::Decoder::default();
    let decoded = data.iter().map(|data| match kind {
        Kind::WebText => decoder.decode(data).expect("base64"),
        _ => data.clone(),
    });
    decoded.collect::<Vec<_>>().concat()
}

fn answer(fields: &[(&'static str, &'static str)], body: Body) -> Response {
    let mut response = HttpResponse::new(body);
    *response.headers_mut() = headers(fields);
    response
}

const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");

#[test]
fn the_head_becomes_one_of_grpc() {
    let mut web = headers(&[
        ("content-type", "application/grpc-web-text+proto"),
        ("accept", "application/grpc-web-text"),
        ("content-length", "20"),
        ("x-grpc-web", "1"),
        ("x-user-agent", "grpc-web-javascript/0.1"),
        ("grpc-timeout", "5S"),
    ]);
    let bridge = Bridge::open(&mut web).unwrap();
    assert_eq!((bridge.request, bridge.response), (Kind::WebText, Kind::WebText));
    let expected = headers(&[
        ("content-type", "application/grpc+proto"),
        ("te", "trailers"),
        ("x-user-agent", "grpc-web-javascript/0.1"),
        ("grpc-timeout", "5S"),
    ]);
    assert_eq!(web, expected);
    // And is none of gRPC-Web any more.
    assert_eq!(Bridge::open(&mut web), None);
    assert_eq!(web, expected);
}

#[test]
fn requests_pass_however_they_are_cut() {
    let text = base64::encode(MESSAGES);
    // Each message with its own padding, and padding within a message.
    let padded: Vec<u8> = [&MESSAGES[..4], &MESSAGES[4..10], &MESSAGES[10..15], &MESSAGES[15..]]
        .iter()
        .flat_map(|part| base64::encode(part))
        .collect();
    for (kind, bytes) in
        [(Kind::Web, MESSAGES), (Kind::WebText, &text[..]), (Kind::WebText, &padded[..])]
    {
        for size in 1..=bytes.len() {
            let (data, error) = read(bridge(kind, kind).request(body(pieces(bytes, size))));
            assert_eq!(data.concat(), MESSAGES, "{kind:?} in pieces of {size}");
            assert!(error.is_none() && data.iter().all(|data| !data.is_empty()));
        }
    }
    assert!(read(bridge(Kind::WebText, Kind::Web).request(Body::empty())).0.is_empty());
}

#[test]
fn requests_that_are_no_messages_are_the_clients_fault() {
    for (kind, bytes) in [
        (Kind::Web, &b"\x80\0\0\0\0"[..]),
        (Kind::Web, b"\0\0\0\0\x05hell"),
        (Kind::Web, b"\0\0"),
        (Kind::WebText, b"AAAAAA"),
        (Kind::WebText, b"AAAA!AA="),
        (Kind::WebText, b"AAAAAAA"),
        (Kind::WebText, b"gAAAAAA="),
    ] {
        for size in 1..=bytes.len() {
            let (_, error) = read(bridge(kind, kind).request(body(pieces(bytes, size))));
            let error = error.unwrap_or_else(|| panic!("{}", bytes.escape_ascii()));
            assert_eq!(
                (error.status(), error.code()),
                (StatusCode::BAD_REQUEST, "bad_request_body")
            );
        }
    }
    let gone = Error::client(StatusCode::BAD_REQUEST, "gone", "gone");
    let (_, error) = read(bridge(Kind::Web, Kind::Web).request(body(vec![Err(gone)])));
    assert_eq!(error.unwrap().code(), "gone");
}

#[test]
fn trailers_become_the_last_frame() {
    let trailers =
        headers(&[("grpc-status", "5"), ("grpc-message", "no %25"), ("X-Id-Bin", "AQ==")]);
    for kind in [Kind::Web, Kind::WebText] {
        for size in 1..=MESSAGES.len() {
            let mut frames = pieces(MESSAGES, size);
            let count = frames.len();
            frames.push(Ok(Frame::trailers(trailers.clone())));
            let response = bridge(Kind::Web, kind).response(answer(&[GRPC], body(frames)));
            assert_eq!(
                response.headers()["content-type"],
                format!("{}+proto", kind.media_type()).as_str()
            );
            let (data, error) = read(response.into_body());
            assert!(error.is_none());
            // Nothing waits for what comes after it.
            assert_eq!(data.len(), count + 1);
            let bytes = binary(kind, &data);
            let (messages, last) = bytes.split_at(MESSAGES.len());
            assert_eq!(messages, MESSAGES);
            let text = b"grpc-status: 5\r\ngrpc-message: no %25\r\nx-id-bin: AQ==\r\n";
            assert_eq!(last, [&[0x80, 0, 0, 0, 54], &text[..]].concat());
        }
    }
}

#[test]
fn a_call_that_ends_with_its_head_has_a_last_frame_too() {
    let fields = [
        GRPC,
        ("grpc-status", "7"),
        ("grpc-message", "no"),
        ("x-other", "1"),
        ("content-length", "0"),
    ];
    let response = bridge(Kind::Web, Kind::Web).response(answer(&fields, Body::empty()));
    assert_eq!(
        *response.headers(),
        headers(&[("content-type", "application/grpc-web+proto"), ("x-other", "1")])
    );
    let (data, _) = read(response.into_body());
    assert_eq!(data.concat(), b"\x80\0\0\0\x22grpc-status: 7\r\ngrpc-message: no\r\n");
}

#[test]
fn a_call_whose_end_nobody_said_has_failed() {
    let read = |frames| {
        let response = bridge(Kind::Web, Kind::Web).response(answer(&[GRPC], body(frames)));
        let (data, error) = read(response.into_body());
        (String::from_utf8_lossy(&data.concat()).into_owned(), error.map(|error| error.code()))
    };
    let (said, error) = read(pieces(MESSAGES, 7));
    assert!(said.contains("grpc-status: 2\r\n") && error.is_none(), "{said}");
    // Cut off between messages it can be said, within one it cannot.
    let cut = || Error::upstream(StatusCode::BAD_GATEWAY, "upstream_reset", "the upstream left");
    for (end, whole) in [(10, true), (15, true), (9, false), (12, false)] {
        let mut frames = pieces(&MESSAGES[..end], 4);
        frames.push(Err(cut()));
        let (said, error) = read(frames);
        assert_eq!(said.contains("grpc-status: 14\r\ngrpc-message: the upstream left\r\n"), whole);
        assert_eq!(error, (!whole).then_some("upstream_reset"));
    }
    assert_eq!(read(pieces(&MESSAGES[..9], 4)).1, Some("upstream_protocol"));
    // An upstream cannot put words into the gateway's mouth.
    let (said, error) = read(pieces(b"\x80\0\0\0\x10grpc-status: 0\r\n", 30));
    assert_eq!((said.as_str(), error), ("", Some("upstream_protocol")));
}

#[test]
fn a_page_and_a_failure_of_the_gateway_are_read_by_browsers_too() {
    let page = Body::from(Bytes::from_static(b"<h1>no</h1>"));
    let mut page = answer(&[("content-type", "text/html")], page);
    *page.status_mut() = StatusCode::NOT_FOUND;
    let response = bridge(Kind::Web, Kind::Web).response(page);
    assert_eq!(response.status(), StatusCode::OK);
    let (data, _) = read(response.into_body());
    assert!(String::from_utf8_lossy(&data.concat()).contains("grpc-status: 12\r\n"));

    let error = Error::client(StatusCode::NOT_FOUND, "no_route", "no route");
    let response = crate::grpc::refusal(&error, Kind::WebText);
    assert_eq!(*response.headers(), headers(&[("content-type", "application/grpc-web-text")]));
    let (data, _) = read(response.into_body());
    assert_eq!(
        binary(Kind::WebText, &data)[5..],
        b"grpc-status: 12\r\ngrpc-message: no route\r\nportway-error-code: no_route\r\n"[..]
    );
}
