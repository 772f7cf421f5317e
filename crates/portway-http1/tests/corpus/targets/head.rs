//! Heads: splitting changes nothing, and what is accepted is written so that it reads the same.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use portway_http1::{
    body::Framing,
    error::HeadError,
    head::{
        Connection, RequestHead, ResponseHead, Scan, encode_request, encode_response,
        parse_request, parse_response,
    },
    limits::HeadLimits,
};

use super::wire::Cuts;

const SMALL: HeadLimits = HeadLimits { target: 40, fields: 4, field_bytes: 200 };

/// For what was written anew, which may be a little longer.
const LARGE: HeadLimits = HeadLimits { target: 16_384, fields: 200, field_bytes: 200_000 };

/// Bit 0: small limits. Bit 1: an answer. Bits 2 and 3: its request's method.
pub(crate) fn check(input: &[u8]) {
    let &[mode, seed, ref bytes @ ..] = input else { return };
    let limits = if mode & 1 == 1 { SMALL } else { HeadLimits::default() };
    let whole = scan(bytes, &limits, Cuts::new(0));
    let split = scan(bytes, &limits, Cuts::new(seed));
    let (end, scan) = match (whole, split) {
        (Ok(Some(whole)), Ok(Some(split))) => {
            assert_eq!((whole.0, whole.1.fields()), (split.0, split.1.fields()));
            split
        }
        (Ok(None), Ok(None)) => return,
        (Err(whole), Err(split)) => return assert_eq!(whole.status(), split.status()),
        (whole, split) => panic!("in one piece {whole:?}, split {split:?}"),
    };
    let head = Bytes::copy_from_slice(&bytes[..end]);
    if mode & 2 == 0 {
        if let Ok(read) = parse_request(&head, &scan) {
            request(&read);
        }
    } else {
        let method = [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS]
            [usize::from(mode >> 2) % 4]
            .clone();
        if let Ok(read) = parse_response(&head, &scan, &method) {
            response(&read, &method);
        }
    }
}

type Found = Result<Option<(usize, Scan)>, HeadError>;

fn scan(bytes: &[u8], limits: &HeadLimits, mut cuts: Cuts) -> Found {
    let (mut scan, mut at) = (Scan::default(), 0);
    loop {
        at += cuts.piece(bytes.len() - at);
        match scan.advance(&bytes[..at], limits)? {
            Some(end) => return Ok(Some((end, scan))),
            None if at == bytes.len() => return Ok(None),
            None => {}
        }
    }
}

fn request(read: &RequestHead) {
    let mut request = Request::new(());
    *request.method_mut() = read.method.clone();
    *request.uri_mut() = read.uri.clone();
    *request.headers_mut() = read.headers.clone();
    if read.version == Version::HTTP_10 && !read.headers.contains_key(header::HOST) {
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("a"));
    }
    let mut out = BytesMut::new();
    encode_request(&request, read.framing, &mut out);
    let out = out.freeze();
    let Ok(Some((end, scan))) = scan(&out, &LARGE, Cuts::new(0)) else { panic!("{out:?}") };
    assert_eq!(end, out.len(), "one head and nothing behind it: {out:?}");
    let again = parse_request(&out, &scan).unwrap_or_else(|error| panic!("{error}: {out:?}"));
    assert_eq!(again.method, read.method);
    assert_eq!(length(again.framing), length(read.framing), "{out:?}");
    assert_eq!(
        kept(&again.headers, again.framing),
        kept(request.headers(), read.framing),
        "{out:?}"
    );
    assert_ne!(again.framing, Framing::UntilClose);
    if read.version == Version::HTTP_11 {
        // Whether to keep a connection is said anew for each.
        assert_eq!(
            (again.upgrades, again.expects_continue),
            (read.upgrades, read.expects_continue)
        );
    }
    let (now, then) = (again.uri.path_and_query(), read.uri.path_and_query());
    let text = |target: &http::uri::PathAndQuery| {
        let text = target.as_str();
        if text.starts_with('?') { format!("/{text}") } else { text.to_owned() }
    };
    if read.method != Method::CONNECT {
        assert_eq!(now.map(text), Some(then.map_or_else(|| "/".to_owned(), text)));
    } else {
        assert_eq!(again.uri, read.uri);
    }
}

fn response(read: &ResponseHead, method: &Method) {
    let mut response = Response::new(());
    *response.status_mut() = read.status;
    *response.headers_mut() = read.headers.clone();
    let mut out = BytesMut::new();
    let connection = if read.keep_alive { Connection::Default } else { Connection::Close };
    encode_response(&response, method, read.framing, connection, &mut out);
    let out = out.freeze();
    let Ok(Some((end, scan))) = scan(&out, &LARGE, Cuts::new(0)) else { panic!("{out:?}") };
    assert_eq!(end, out.len(), "one head and nothing behind it: {out:?}");
    let again =
        parse_response(&out, &scan, method).unwrap_or_else(|error| panic!("{error}: {out:?}"));
    assert_eq!((again.status, again.framing), (read.status, read.framing), "{out:?}");
    assert_eq!(again.keep_alive, read.keep_alive, "{out:?}");
    let (mut now, mut then) =
        (kept(&again.headers, again.framing), kept(&read.headers, read.framing));
    for headers in [&mut now, &mut then] {
        if !read.headers.contains_key(header::DATE) {
            headers.remove(header::DATE);
        }
        headers.remove(header::CONNECTION);
    }
    assert_eq!(now, then, "{out:?}");
    // What has no body by its method or status may still say how long it would have been.
    if *method == Method::HEAD || read.status == StatusCode::NOT_MODIFIED {
        let said = |headers: &HeaderMap| headers.get(header::CONTENT_LENGTH).cloned();
        assert_eq!(said(&again.headers), said(&read.headers));
    }
}

/// All fields but those that frame.
fn kept(headers: &HeaderMap, framing: Framing) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    if framing != Framing::Chunked {
        headers.remove(header::TRAILER);
    }
    headers
}

/// No body is one of no bytes.
fn length(framing: Framing) -> Framing {
    if framing == Framing::None { Framing::Length(0) } else { framing }
}
