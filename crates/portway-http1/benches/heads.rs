//! What a head costs: `cargo bench -p portway-http1 --bench heads` prints nanoseconds.
//! Without `--bench` it only checks that it runs.

use std::{env, hint::black_box, time::Instant};

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode};
use portway_http1::{
    body::{Decoded, Decoder, Framing},
    head::{Connection, Scan, encode_request, encode_response, parse_request, parse_response},
    limits::HeadLimits,
};

const REQUEST: &[u8] = b"GET /api/v1/items?page=2&sort=name HTTP/1.1\r\n\
    Host: shop.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\
    Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig\r\n\r\n";

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Content-Type: application/json\r\n\
    Content-Length: 1024\r\n\
    Cache-Control: no-store\r\n\
    Vary: Accept-Encoding\r\n\r\n";

fn main() {
    // Cargo says so when the figures are wanted.
    let rounds = if env::args().any(|argument| argument == "--bench") { 200_000 } else { 10 };
    let request = Bytes::from_static(REQUEST);
    let scan = scanned(&request);
    let head = parse_request(&request, &scan).expect("a request");
    let mut parsed = Request::new(());
    *parsed.uri_mut() = head.uri;
    *parsed.headers_mut() = head.headers;
    measure("request: find the end", rounds, || scanned(black_box(&request)));
    measure("request: parse", rounds, || parse_request(black_box(&request), &scan));
    let mut out = BytesMut::with_capacity(4096);
    measure("request: encode", rounds, || {
        out.clear();
        encode_request(black_box(&parsed), Framing::None, &mut out);
    });

    let answer = Bytes::from_static(ANSWER);
    let scan = scanned(&answer);
    let head = parse_response(&answer, &scan, &Method::GET).expect("an answer");
    let mut parsed = Response::new(());
    *parsed.status_mut() = StatusCode::OK;
    *parsed.headers_mut() = head.headers;
    measure("answer: find the end", rounds, || scanned(black_box(&answer)));
    measure("answer: parse", rounds, || parse_response(black_box(&answer), &scan, &Method::GET));
    measure("answer: encode", rounds, || {
        out.clear();
        let connection = Connection::Default;
        encode_response(
            black_box(&parsed),
            &Method::GET,
            Framing::Length(1024),
            connection,
            &mut out,
        );
    });

    let chunks = [&b"400\r\n"[..], &[b'x'; 1024], b"\r\n0\r\n\r\n"].concat();
    measure("body: decode a chunk of 1 KiB", rounds, || {
        let (mut decoder, mut bytes) =
            (Decoder::new(Framing::Chunked), BytesMut::from(&chunks[..]));
        while let Ok(Decoded::Data(data)) = decoder.decode(&mut bytes, false) {
            black_box(data);
        }
    });
}

fn scanned(head: &[u8]) -> Scan {
    let mut scan = Scan::default();
    let end = scan.advance(head, &HeadLimits::default()).expect("a head");
    assert_eq!(end, Some(head.len()));
    scan
}

/// The best of five runs: the others were disturbed.
fn measure<T>(what: &str, rounds: u32, mut work: impl FnMut() -> T) {
    let run = |_| {
        let begun = Instant::now();
        for _ in 0..rounds {
            black_box(work());
        }
        begun.elapsed()
    };
    let best = (0..5).map(run).min().expect("five runs");
    println!("{what:32} {:6} ns", best.as_nanos() / u128::from(rounds));
}
