//! What is written reads the same, however it comes.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use proptest::prelude::*;

use super::{Connection, Scan, encode_request, encode_response, parse_request, parse_response};
use crate::{body::Framing, error::HeadError, limits::HeadLimits};

/// Finds a head's end in bytes that come `every` so many at a time.
fn scanned(bytes: &[u8], every: usize) -> Result<Option<(usize, Scan)>, HeadError> {
    let mut scan = Scan::default();
    let ends = (1..).map(|n| (n * every.max(1)).min(bytes.len()));
    for end in ends {
        if let Some(end) = scan.advance(&bytes[..end], &HeadLimits::default())? {
            return Ok(Some((end, scan)));
        }
        if end == bytes.len() {
            return Ok(None);
        }
    }
    Ok(None)
}

fn fields() -> impl Strategy<Value = HeaderMap> {
    // None of these means anything to the wire.
    let field = ("x-[a-z0-9]{1,12}", "[!-~]([ -~]{0,40}[!-~])?");
    proptest::collection::vec(field, 0..20).prop_map(|fields| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(&value).unwrap());
        }
        headers
    })
}

proptest! {
    #[test]
    fn requests(
        headers in fields(),
        method in "[A-Z]{1,8}",
        target in "/[a-zA-Z0-9/._~!$&'()*+,;=:@%-]{0,60}",
        length in proptest::option::of(0_u64..1 << 40),
        every in 1_usize..200,
    ) {
        prop_assume!(method != "CONNECT" && !target.contains('%'));
        let mut request = Request::new(());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        *request.uri_mut() = target.parse().unwrap();
        *request.headers_mut() = headers.clone();
        request.headers_mut().insert("host", HeaderValue::from_static("a"));
        let framing = length.map_or(Framing::Chunked, Framing::Length);
        let mut out = BytesMut::new();
        encode_request(&request, framing, &mut out);
        let out = out.freeze();
        let (end, scan) = scanned(&out, every).unwrap().unwrap();
        prop_assert_eq!(end, out.len());
        let mut read = parse_request(&out, &scan).unwrap();
        prop_assert_eq!(read.method, request.method());
        prop_assert_eq!(read.uri.to_string(), target);
        prop_assert_eq!(read.framing, framing);
        prop_assert!(read.keep_alive);
        for name in ["host", "content-length", "transfer-encoding"] {
            read.headers.remove(name);
        }
        prop_assert_eq!(read.headers, headers);
    }

    #[test]
    fn answers(headers in fields(), status in 200_u16..600, close: bool, every in 1_usize..200) {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        *response.headers_mut() = headers.clone();
        let connection = if close { Connection::Close } else { Connection::Default };
        let mut out = BytesMut::new();
        encode_response(&response, &Method::GET, Framing::Length(7), connection, &mut out);
        let out = out.freeze();
        let (end, scan) = scanned(&out, every).unwrap().unwrap();
        prop_assert_eq!(end, out.len());
        let mut read = parse_response(&out, &scan, &Method::GET).unwrap();
        prop_assert_eq!(read.status, status);
        prop_assert_eq!(read.keep_alive, !close);
        let is_bare = status == 204 || status == 304;
        prop_assert_eq!(read.framing, if is_bare { Framing::None } else { Framing::Length(7) });
        read.headers.remove("content-length");
        prop_assert!(read.headers.remove("date").is_some());
        prop_assert_eq!(read.headers, headers);
    }
}

fn refused(head: &str) -> HeadError {
    match scanned(head.as_bytes(), head.len()) {
        Err(error) => error,
        Ok(found) => {
            let (end, scan) = found.expect("a whole head");
            parse_request(&Bytes::copy_from_slice(&head.as_bytes()[..end]), &scan).unwrap_err()
        }
    }
}

#[test]
fn limits_are_met_exactly() {
    let limits = HeadLimits { target: 1000, fields: 3, field_bytes: 100 };
    let found =
        |head: &str| Scan::default().advance(head.as_bytes(), &limits).map(|end| end.is_some());
    let target = |length| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(length));
    assert_eq!(found(&target(900)), Ok(true));
    assert_eq!(found(&target(1100)), Err(HeadError::TargetTooLong));
    let lines = |count| format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(count));
    assert_eq!(found(&lines(3)), Ok(true));
    assert_eq!(found(&lines(4)), Err(HeadError::TooManyFields));
    let value = |length| format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "1".repeat(length));
    assert_eq!(found(&value(95)), Ok(true));
    assert_eq!(found(&value(96)), Err(HeadError::FieldsTooLarge));
}

#[test]
fn each_flaw_has_its_name() {
    for (head, error) in [
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", HeadError::Version),
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", HeadError::LineEnding),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", HeadError::Host),
        ("GET / HTTP/1.1\r\n\r\n", HeadError::Host),
        ("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::Target),
        ("GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", HeadError::Field),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n", HeadError::Expectation),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            HeadError::UnknownCoding,
        ),
    ] {
        assert_eq!(refused(head), error, "{head}");
    }
}

#[test]
fn what_a_connection_says_of_itself_is_not_passed_on() {
    let head = Bytes::from_static(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\nConnection: x-own, upgrade\r\n\r\n",
    );
    let (_, scan) = scanned(&head, 5).unwrap().unwrap();
    let read = parse_request(&head, &scan).unwrap();
    assert!(!read.keep_alive && read.upgrades);
    let connection: Vec<_> = read.headers.get_all("connection").iter().collect();
    assert_eq!(connection, ["x-own, upgrade"], "only what somebody else must look after");
}
