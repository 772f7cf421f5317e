//! `grpc-timeout`: how long a client still waits for a call (gRPC over HTTP/2, "Requests").

use std::{fmt::Write as _, time::Duration};

use bytes::BytesMut;
use http::{HeaderMap, HeaderValue};

/// The field's name.
const FIELD: &str = "grpc-timeout";

/// The most that eight digits hold.
const MOST: u128 = 99_999_999;

/// The units from the finest, in nanoseconds.
const UNITS: [(u8, u128); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60 * 1_000_000_000),
    (b'H', 3600 * 1_000_000_000),
];

/// The field is not a number of at most eight digits and a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadTimeout;

/// Reads how long the client waits. `Ok(None)`: it does not say.
pub(crate) fn read_timeout(headers: &HeaderMap) -> Result<Option<Duration>, BadTimeout> {
    let mut values = headers.get_all(FIELD).into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    // Two of them are two opinions.
    if values.next().is_some() {
        return Err(BadTimeout);
    }
    let (unit, digits) = value.as_bytes().split_last().ok_or(BadTimeout)?;
    let (_, nanos) = UNITS.iter().find(|(letter, _)| letter == unit).ok_or(BadTimeout)?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(BadTimeout);
    }
    let number = digits.iter().fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0'));
    Ok(Some(Duration::from_nanos_u128(number * nanos)))
}

/// Says how long the client still waits, in the finest unit that can. What does not come out even
/// is rounded up: the upstream is not to give up before the gateway does.
pub(crate) fn write_timeout(headers: &mut HeaderMap, left: Duration) {
    let nanos = left.as_nanos();
    let fits = |&&(_, unit): &&(u8, u128)| nanos.div_ceil(unit) <= MOST;
    let &(letter, unit) = UNITS.iter().find(fits).unwrap_or(&UNITS[UNITS.len() - 1]);
    let mut text = BytesMut::with_capacity(9);
    write!(text, "{}{}", nanos.div_ceil(unit).min(MOST), char::from(letter))
        .expect("a buffer that grows takes every text");
    let value = HeaderValue::from_maybe_shared(text.freeze()).expect("digits and a letter");
    headers.insert(FIELD, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Duration>, BadTimeout> {
        let mut headers = HeaderMap::new();
        headers.insert(FIELD, HeaderValue::from_str(text).unwrap());
        read_timeout(&headers)
    }

    fn written(left: Duration) -> HeaderValue {
        let mut headers = HeaderMap::new();
        write_timeout(&mut headers, left);
        assert!(
            read_timeout(&headers).unwrap().unwrap() >= left.min(Duration::from_hours(99_999_999))
        );
        headers[FIELD].clone()
    }

    #[test]
    fn every_unit() {
        for (text, nanos) in [
            ("1n", 1),
            ("1u", 1_000),
            ("1m", 1_000_000),
            ("1S", 1_000_000_000),
            ("1M", 60_000_000_000),
            ("1H", 3_600_000_000_000),
            ("0S", 0),
            ("007m", 7_000_000),
            ("99999999H", 99_999_999 * 3_600_000_000_000),
        ] {
            assert_eq!(read(text), Ok(Some(Duration::from_nanos_u128(nanos))), "{text}");
        }
        assert_eq!(read_timeout(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn what_is_no_timeout() {
        for text in [
            "",
            "S",
            "1",
            "1s",
            "1h",
            "1 S",
            "+1S",
            "-1S",
            "1.5S",
            "123456789n",
            "1SS",
            "0x1S",
            "1S, 1S",
        ] {
            assert_eq!(read(text), Err(BadTimeout), "{text:?}");
        }
        let mut twice = HeaderMap::new();
        twice.append(FIELD, HeaderValue::from_static("1S"));
        twice.append(FIELD, HeaderValue::from_static("1S"));
        assert_eq!(read_timeout(&twice), Err(BadTimeout));
    }

    #[test]
    fn what_is_left_is_said_in_the_finest_unit() {
        for (left, text) in [
            (Duration::ZERO, "0n"),
            (Duration::from_nanos(99_999_999), "99999999n"),
            (Duration::from_nanos(100_000_001), "100001u"),
            (Duration::from_secs(5), "5000000u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(100_000), "100000S"),
            (Duration::from_hours(100_000), "6000000M"),
            (Duration::from_hours(99_999_999), "99999999H"),
            (Duration::MAX, "99999999H"),
        ] {
            assert_eq!(written(left), text);
        }
    }
}
