//! Bodies: splitting changes nothing, and what was decoded is encoded so that it reads the same.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request};
use portway_http1::{
    body::{Decoded, Decoder, Framing},
    client::{Connection, Options},
    error::BodyError,
    head::Scan,
    limits::HeadLimits,
};

use super::{
    pieces::Pieces,
    wire::{Cuts, End, Wire, run},
};

/// Bits 0 and 1: the framing. Bit 2: the end is looked for as early as can be.
pub(crate) fn check(input: &[u8]) {
    let &[mode, seed, ref bytes @ ..] = input else { return };
    let framing = match mode & 3 {
        0 | 1 => Framing::Chunked,
        2 => Framing::Length(bytes.len() as u64 / 2),
        _ => Framing::UntilClose,
    };
    let whole = decode(framing, bytes, Cuts::new(0), false);
    let early = mode & 4 != 0;
    let split = decode(framing, bytes, Cuts::new(seed), early);
    assert_eq!(split.end, whole.end);
    if whole.end == Ending::Malformed {
        // What came together with a malformed end may be lost with it.
        assert!(whole.data.starts_with(&split.data), "never more than there is");
        assert!(early || whole.data.len() == split.data.len());
        return;
    }
    assert_eq!((&split.data, &split.trailers), (&whole.data, &whole.trailers));
    assert_eq!(split.rest, whole.rest, "not a byte more than the body");
    if whole.end == Ending::Whole {
        encoded(&whole, Cuts::new(seed));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Whole,
    Incomplete,
    Malformed,
}

#[derive(Debug)]
struct Outcome {
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
    end: Ending,
    rest: Vec<u8>,
}

fn decode(framing: Framing, bytes: &[u8], mut cuts: Cuts, early: bool) -> Outcome {
    let mut decoder = Decoder::new(framing);
    let (mut here, mut at, mut eof) = (BytesMut::new(), 0, false);
    let (mut data, mut trailers) = (Vec::new(), None);
    let end = loop {
        let left = decoder.left();
        let decoded = match decoder.decode(&mut here, eof) {
            Ok(Decoded::Data(part)) => {
                assert!(!part.is_empty() && trailers.is_none());
                if let (Some(before), Some(after)) = (left, decoder.left()) {
                    assert_eq!(before - after, part.len() as u64);
                }
                data.extend_from_slice(&part);
                if early { decoder.settle(&mut here) } else { Ok(()) }
            }
            Ok(Decoded::Trailers(section)) => {
                assert!(trailers.replace(section).is_none());
                Ok(())
            }
            Ok(Decoded::End) => break Ending::Whole,
            Ok(Decoded::More) => {
                assert!(!eof, "more is asked for behind the end");
                eof = at == bytes.len();
                let next = at + cuts.piece(bytes.len() - at);
                here.extend_from_slice(&bytes[at..next]);
                at = next;
                Ok(())
            }
            Err(error) => Err(error),
        };
        match decoded {
            Ok(()) => {}
            Err(BodyError::Incomplete) => break Ending::Incomplete,
            Err(error) => {
                assert!(error.is_malformed(), "{error}");
                break Ending::Malformed;
            }
        }
    };
    assert_eq!(decoder.is_done(), end == Ending::Whole);
    let rest = [&here[..], &bytes[at..]].concat();
    if end == Ending::Malformed {
        here.extend_from_slice(b"\r\n0\r\n\r\n");
        assert!(decoder.decode(&mut here, false).is_err(), "what is malformed stays so");
    }
    Outcome { data, trailers, end, rest }
}

/// Sends it as a request's body, and reads that.
fn encoded(outcome: &Outcome, cuts: Cuts) {
    let body = Pieces::unsized_with(&outcome.data, outcome.trailers.clone(), cuts);
    let (wire, output) = Wire::server(b"", End::Silent, cuts);
    let mut request = Request::post("http://a/").body(body).expect("a request");
    let connection = Connection::new(wire, HeadLimits::default());
    let options = Options { wait: Some(Duration::from_secs(1)), ..Options::default() };
    run(async move { connection.exchange(&mut request, options).await.map(drop) })
        .expect_err("nobody answers");
    let out = output.take();
    let end = Scan::default().advance(&out, &HeadLimits::default());
    let Ok(Some(end)) = end else { panic!("{out:?}") };
    let out: Bytes = out.slice(end..);
    let again = decode(Framing::Chunked, &out, Cuts::new(0), true);
    assert_eq!((again.end, again.rest.len()), (Ending::Whole, 0), "{out:?}");
    assert_eq!(again.data, outcome.data);
    let none = HeaderMap::new();
    assert_eq!(
        again.trailers.as_ref().unwrap_or(&none),
        outcome.trailers.as_ref().unwrap_or(&none)
    );
}
