//! The bridge for browsers: splitting changes nothing, no byte of a message is changed, and the end
//! of the call is always the last frame.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use portway_core::fuzzing::{from_grpc, to_grpc};

use super::{
    body::{body, read},
    pieces,
};

/// What the upstream's trailers become.
const LAST: &[u8] = b"\x80\0\0\0\x10grpc-status: 0\r\n";

/// Bit 0: the text form. Bit 1: an answer. Bit 2: it has trailers.
pub(crate) fn check(input: &[u8]) {
    let &[mode, seed, ref bytes @ ..] = input else { return };
    let text = mode & 1 != 0;
    if mode & 2 != 0 {
        return answer(bytes, seed, text, mode & 4 != 0);
    }
    let request = |seed| {
        let body = to_grpc(body(&pieces(seed, bytes), None), text).expect("gRPC-Web");
        let (data, ended_well) = read(body);
        (data.concat(), ended_well)
    };
    let (whole, split) = (request(0), request(seed));
    assert_eq!(split.1, whole.1);
    // What came together with a mistake may be lost with it.
    assert!(split.0.starts_with(&whole.0));
    assert!(text || bytes.starts_with(&split.0), "nothing is added");
    if !whole.1 {
        return;
    }
    assert_eq!(split.0, whole.0);
    assert!(is_messages(&whole.0), "nothing but messages reaches the upstream");
    // What the browser said, said back to it.
    answer(&whole.0, seed, true, true);
    answer(&whole.0, seed, false, true);
}

fn answer(bytes: &[u8], seed: u8, text: bool, has_trailers: bool) {
    let trailers = has_trailers.then(|| {
        HeaderMap::from_iter([(
            HeaderName::from_static("grpc-status"),
            HeaderValue::from_static("0"),
        )])
    });
    let pieces = pieces(seed, bytes);
    let (data, ended_well) =
        read(from_grpc(body(&pieces, trailers), text).expect("an answer of gRPC"));
    let data: Vec<Bytes> = match text {
        true => data.iter().map(|text| decoded(text)).collect(),
        false => data,
    };
    assert_eq!(ended_well, is_messages(bytes));
    if !ended_well {
        assert!(bytes.starts_with(&data.concat()));
        return;
    }
    let (last, messages) = data.split_last().expect("a last frame");
    assert_eq!(messages, pieces, "each piece at once");
    if has_trailers {
        assert_eq!(last, LAST);
    } else {
        assert!(last.starts_with(b"\x80\0\0\0") && last[5..].starts_with(b"grpc-status: 2\r\n"));
    }
}

/// Whether the bytes are whole messages of gRPC and nothing else.
fn is_messages(mut bytes: &[u8]) -> bool {
    while let Some((&[flag, a, b, c, d], rest)) = bytes.split_first_chunk() {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let Some(next) = rest.get(length..).filter(|_| flag & 0x80 == 0) else { return false };
        bytes = next;
    }
    bytes.is_empty()
}

/// base64, one letter after the other, by the letter's place in the alphabet.
fn decoded(text: &[u8]) -> Bytes {
    assert!(text.len().is_multiple_of(4));
    let letters = text.iter().take_while(|letter| **letter != b'=');
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in letters {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => panic!("{} is no letter of base64", letter.escape_ascii()),
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.extend(u8::try_from(bits >> count & 0xff));
        }
    }
    bytes.into()
}
