//! Heads that are malformed, or that two servers could read differently (faults C6 and C7).

use std::io;

use portway_testkit::{
    RawUpstream,
    frames::{Frame, FrameConnection, StreamAnswer, code, fields, kind, request},
    raw::script::always,
};

use super::{Siege, WIRES, Wire};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

type Field = (&'static str, &'static str);

const METHOD: Field = (":method", "GET");
const SCHEME: Field = (":scheme", "http");
const AUTHORITY: Field = (":authority", "a.example");
const PATH: Field = (":path", "/x");

/// Fields that make a request malformed that is right without them (RFC 9113 section 8.2).
const FIELDS: &[Field] = &[
    ("X-Upper", "a"),
    ("x-uppeR", "a"),
    ("", "a"),
    ("x-cr\r", "a"),
    ("x-lf\nhost", "a"),
    ("x-nul\0", "a"),
    ("x space", "a"),
    (" x", "a"),
    ("x ", "a"),
    ("x:y", "a"),
    ("x\ty", "a"),
    ("x\u{7f}", "a"),
    ("x\u{e9}", "a"),
    ("x-value", "a\rb"),
    ("x-value", "a\nb"),
    ("x-value", "a\r\nhost: evil.example"),
    ("x-value", "a\0b"),
    ("x-value", " a"),
    ("x-value", "a "),
    ("x-value", "\ta"),
    ("x-value", "a\t"),
    ("connection", "close"),
    ("connection", "x-value"),
    ("keep-alive", "timeout=5"),
    ("proxy-connection", "keep-alive"),
    ("transfer-encoding", "chunked"),
    ("upgrade", "websocket"),
    ("te", "gzip"),
    ("te", "trailers, gzip"),
    (":method", "POST"),
    (":path", "/other"),
    (":unknown", "a"),
    (":status", "200"),
    (":protocol", "websocket"),
    ("content-length", "-1"),
    ("content-length", "+0"),
    ("content-length", "0x0"),
    ("content-length", "0, 0"),
    ("content-length", ""),
    ("content-length", "99999999999999999999"),
];

#[tokio::test]
async fn a_malformed_field_goes_nowhere() -> io::Result<()> {
    let upstream = RawUpstream::start(always(OK)).await?;
    let siege = Siege::of(&upstream.url(), "").await?;
    let mut wrong = Vec::new();
    for wire in WIRES {
        for field in FIELDS {
            let list = [METHOD, SCHEME, AUTHORITY, PATH, *field];
            refused(&siege, wire, fields(&list), &format!("{field:?}"), &mut wrong).await?;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(upstream.count_of("\r\n\r\n"), 0, "{:?}", upstream.received());
    siege.end().await
}

#[tokio::test]
async fn what_says_where_a_request_goes_is_there_once_and_first() -> io::Result<()> {
    let upstream = RawUpstream::start(always(OK)).await?;
    let siege = Siege::of(&upstream.url(), "").await?;
    let regular = ("x-value", "a");
    let lists: &[&[Field]] = &[
        &[METHOD, SCHEME, AUTHORITY, regular, PATH],
        &[regular, METHOD, SCHEME, AUTHORITY, PATH],
        &[METHOD, METHOD, SCHEME, AUTHORITY, PATH],
        &[METHOD, SCHEME, SCHEME, AUTHORITY, PATH],
        &[METHOD, SCHEME, AUTHORITY, AUTHORITY, PATH],
        &[METHOD, SCHEME, AUTHORITY, PATH, PATH],
        &[METHOD, SCHEME, AUTHORITY, (":authority", "b.example"), PATH],
        &[SCHEME, AUTHORITY, PATH],
        &[METHOD, AUTHORITY, PATH],
        &[METHOD, SCHEME, AUTHORITY],
        &[METHOD, SCHEME, PATH],
        &[],
        &[(":method", ""), SCHEME, AUTHORITY, PATH],
        &[(":method", "GET "), SCHEME, AUTHORITY, PATH],
        &[(":method", "GET /evil HTTP/1.1\r\nx:"), SCHEME, AUTHORITY, PATH],
        &[(":method", "G\0T"), SCHEME, AUTHORITY, PATH],
        &[METHOD, (":scheme", ""), AUTHORITY, PATH],
        &[METHOD, (":scheme", "ht tp"), AUTHORITY, PATH],
        &[METHOD, (":scheme", "http://b.example/?"), AUTHORITY, PATH],
        &[METHOD, (":scheme", "ftp"), AUTHORITY, PATH],
        &[METHOD, (":scheme", "1"), AUTHORITY, PATH],
        &[METHOD, SCHEME, AUTHORITY, (":path", "")],
        &[METHOD, SCHEME, AUTHORITY, (":path", "x")],
        &[METHOD, SCHEME, AUTHORITY, (":path", "*")],
        &[METHOD, SCHEME, AUTHORITY, (":path", "/x y")],
        &[METHOD, SCHEME, AUTHORITY, (":path", "/x HTTP/1.1\r\nhost: evil")],
        &[METHOD, SCHEME, AUTHORITY, (":path", "/x\0")],
        &[METHOD, SCHEME, AUTHORITY, (":path", "http://b.example/x")],
        &[METHOD, SCHEME, AUTHORITY, (":path", "/%2e%2e/x")],
        &[METHOD, SCHEME, (":authority", ""), PATH],
        &[METHOD, SCHEME, (":authority", "a b"), PATH],
        &[METHOD, SCHEME, (":authority", "a.example/b"), PATH],
        &[METHOD, SCHEME, (":authority", "user@a.example"), PATH],
        &[METHOD, SCHEME, (":authority", "a.example\r\nx: y"), PATH],
        &[METHOD, SCHEME, (":authority", "a.example:99999999"), PATH],
        &[METHOD, SCHEME, AUTHORITY, PATH, ("host", "b.example")],
        &[METHOD, SCHEME, AUTHORITY, PATH, ("host", "a.example:81")],
        &[METHOD, SCHEME, AUTHORITY, PATH, ("host", "a.example"), ("host", "b.example")],
        &[METHOD, SCHEME, PATH, ("host", "a.example"), ("host", "b.example")],
        &[METHOD, SCHEME, PATH, ("host", "a b")],
        &[(":method", "CONNECT"), AUTHORITY],
        &[(":method", "CONNECT"), SCHEME, AUTHORITY, PATH],
        &[(":method", "TRACE"), SCHEME, AUTHORITY, PATH],
    ];
    let mut wrong = Vec::new();
    for wire in WIRES {
        for list in lists {
            refused(&siege, wire, fields(list), &format!("{list:?}"), &mut wrong).await?;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(upstream.count_of("\r\n\r\n"), 0, "{:?}", upstream.received());
    siege.end().await
}

/// What is odd and right all the same, with the one `Host` the upstream gets.
#[tokio::test]
async fn a_request_that_is_odd_but_right_is_served_with_one_host() -> io::Result<()> {
    let upstream = RawUpstream::start(always(OK)).await?;
    let siege = Siege::of(&upstream.url(), "host: preserve,").await?;
    let lists: &[&[Field]] = &[
        &[METHOD, SCHEME, AUTHORITY, PATH],
        &[PATH, AUTHORITY, SCHEME, METHOD],
        &[METHOD, SCHEME, AUTHORITY, PATH, ("host", "a.example")],
        &[METHOD, SCHEME, PATH, ("host", "a.example")],
        &[METHOD, SCHEME, AUTHORITY, PATH, ("te", "trailers")],
        &[METHOD, SCHEME, AUTHORITY, PATH, ("content-length", "0")],
        &[METHOD, SCHEME, AUTHORITY, PATH, ("cookie", "a=b"), ("cookie", "c=d")],
        &[METHOD, SCHEME, AUTHORITY, PATH, ("x-value", "")],
    ];
    for (number, list) in lists.iter().enumerate() {
        let mut client = siege.attacker(Wire::Plain).await?;
        client.send(&Frame::headers(1, fields(list)).end()).await?;
        assert_eq!(client.answer(1).await?.statuses, [200], "{list:?}");
        assert_eq!(upstream.count_of("\r\nhost: "), number + 1, "{list:?}");
        assert_eq!(upstream.count_of("\r\nhost: a.example\r\n"), number + 1, "{list:?}");
    }
    assert_eq!(upstream.count_of("\r\ncookie: a=b; c=d\r\n"), 1, "RFC 9113 section 8.2.3");
    siege.end().await
}

/// The library leaves out what is behind `#` and what trailers say of the request's target, where
/// RFC 9113 sections 8.1 and 8.3.1 have it refuse both. Nothing of it may go on.
#[tokio::test]
async fn what_the_library_leaves_out_is_left_out_for_everybody() -> io::Result<()> {
    let upstream = RawUpstream::start(always(OK)).await?;
    let siege = Siege::of(&upstream.url(), "").await?;
    let mut attacker = siege.attacker(Wire::Plain).await?;
    let list = [METHOD, SCHEME, AUTHORITY, (":path", "/x?y#/secret")];
    attacker.send(&Frame::headers(1, fields(&list)).end()).await?;
    assert_eq!(attacker.answer(1).await?.statuses, [200]);
    assert_eq!(upstream.count_of("GET /x?y HTTP/1.1\r\n"), 1, "{:?}", upstream.received());
    for (stream, pseudo) in [(3, (":path", "/secret")), (5, (":status", "200"))] {
        let block = request("POST", "http://a.example/x", &[]);
        let trailers = Frame::headers(stream, fields(&[pseudo])).end();
        attacker.send_all(&[Frame::headers(stream, block), trailers]).await?;
        assert_eq!(attacker.answer(stream).await?.statuses, [200], "{pseudo:?}");
    }
    assert_eq!(upstream.count_of("POST /x HTTP/1.1\r\n"), 2, "{:?}", upstream.received());
    for forbidden in ["secret", ":path", ":status"] {
        assert_eq!(upstream.count_of(forbidden), 0, "{:?}", upstream.received());
    }
    siege.end().await
}

#[tokio::test]
async fn malformed_trailers_never_end_a_request() -> io::Result<()> {
    let upstream = RawUpstream::start(always(OK)).await?;
    let siege = Siege::of(&upstream.url(), "").await?;
    for wire in WIRES {
        for (what, trailers) in [
            ("in upper case", Frame::headers(1, fields(&[("X-Sum", "1")])).end()),
            ("of a connection", Frame::headers(1, fields(&[("connection", "x")])).end()),
            ("a line of their own", Frame::headers(1, fields(&[("x", "a\r\nb: c")])).end()),
            ("and no end", Frame::headers(1, fields(&[("x-sum", "1")]))),
        ] {
            let mut attacker = siege.attacker(wire).await?;
            let block = request("POST", "http://a.example/x", &[]);
            attacker.send(&Frame::headers(1, block)).await?;
            attacker.send(&Frame::data(1, "hello")).await?;
            attacker.send(&trailers).await?;
            let said = outcome(&mut attacker).await?;
            let reset = said.reset == Some(code::PROTOCOL_ERROR) && said.statuses.is_empty();
            assert!(reset || said.statuses == [400], "{what} {wire:?}: {said:?}");
        }
    }
    assert_eq!(upstream.count_of("0\r\n\r\n"), 0, "{:?}", upstream.received());
    siege.end().await
}

/// Sends a head on a connection of its own, and notes it if it is not refused.
async fn refused(
    siege: &Siege,
    wire: Wire,
    block: Vec<u8>,
    what: &str,
    wrong: &mut Vec<String>,
) -> io::Result<()> {
    let mut attacker = siege.attacker(wire).await?;
    attacker.send(&Frame::headers(1, block).end()).await?;
    let said = outcome(&mut attacker).await?;
    let refused = match (&*said.statuses, said.reset) {
        ([], Some(code)) => code == code::PROTOCOL_ERROR,
        ([400 | 404 | 405], None) => true,
        _ => false,
    };
    if !refused {
        wrong.push(format!("{what} {wire:?}: {said:?}"));
    }
    Ok(())
}

/// How stream 1 ends: by an answer, a reset, or the end of its connection, whose code is then as
/// good as a reset's.
async fn outcome(attacker: &mut FrameConnection) -> io::Result<StreamAnswer> {
    let mut said = StreamAnswer::default();
    while let Some(frame) = attacker.next().await? {
        match frame.kind {
            kind::HEADERS => said.statuses.extend(portway_testkit::frames::status(&frame.payload)),
            kind::GOAWAY | kind::RST_STREAM => said.reset = frame.error_code(),
            _ => {}
        }
        if frame.is_end() || said.reset.is_some() {
            break;
        }
    }
    Ok(said)
}
