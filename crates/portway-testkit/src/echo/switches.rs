//! What a query asks the echo upstream to do.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

/// The switches of one request.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Switches {
    pub(super) wait: Duration,
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) trailers: Vec<(HeaderName, HeaderValue)>,
    pub(super) bytes: Option<u64>,
    pub(super) chunked: bool,
    pub(super) close: bool,
    pub(super) events: Option<u64>,
    pub(super) every: Option<Duration>,
}

impl Switches {
    /// Reads a query. Keys that are no switches are left alone: they belong to the caller.
    ///
    /// The error is the text for the person who wrote the query.
    pub(super) fn parse(query: &str) -> Result<Self, String> {
        let mut switches = Self::default();
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(value);
            let wrong = |expected: &str| format!("{key}={value}: expected {expected}\n");
            match key {
                "wait" => switches.wait = duration(&value).ok_or_else(|| wrong(A_DURATION))?,
                "every" => {
                    switches.every = Some(duration(&value).ok_or_else(|| wrong(A_DURATION))?);
                }
                "status" => switches.status = status(&value).ok_or_else(|| wrong(A_STATUS))?,
                "header" => switches.headers.push(field(&value).ok_or_else(|| wrong(A_FIELD))?),
                "trailer" => switches.trailers.push(field(&value).ok_or_else(|| wrong(A_FIELD))?),
                "bytes" => {
                    switches.bytes = Some(value.parse().map_err(|_| wrong("a number of bytes"))?);
                }
                "sse" => {
                    switches.events = Some(value.parse().map_err(|_| wrong("a number of events"))?);
                }
                "chunked" => switches.chunked = boolean(&value).ok_or_else(|| wrong(A_BOOLEAN))?,
                "close" => switches.close = boolean(&value).ok_or_else(|| wrong(A_BOOLEAN))?,
                _ => {}
            }
        }
        Ok(switches)
    }
}

const A_DURATION: &str = "a duration such as 30ms, 2s or 1m30s";
const A_STATUS: &str = "a status from 200 to 599";
const A_FIELD: &str = "name:value";
const A_BOOLEAN: &str = "true or false";

fn status(value: &str) -> Option<StatusCode> {
    let code = value.parse().ok().filter(|code| (200..600).contains(code))?;
    StatusCode::from_u16(code).ok()
}

fn field(value: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = value.split_once(':')?;
    Some((name.parse().ok()?, value.trim().parse().ok()?))
}

fn boolean(value: &str) -> Option<bool> {
    match value {
        "" | "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// One or more whole numbers, each with its unit: `1m30s`.
fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    loop {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(unit_at);
        let next_at = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(next_at);
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            _ => return None,
        };
        total += Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(millis)?);
        if next.is_empty() {
            return Some(total);
        }
        rest = next;
    }
}

/// Undoes percent-encoding; what is not valid stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => nibble(*high).zip(nibble(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            bytes.push(high * 16 + low);
            rest = &rest[3..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        let millis = Duration::from_millis;
        for (text, expected) in [
            ("30ms", Some(millis(30))),
            ("2s", Some(millis(2_000))),
            ("1m30s", Some(millis(90_000))),
            ("", None),
            ("5", None),
            ("ms", None),
            ("1h", None),
            ("-1s", None),
            ("99999999999999999999s", None),
            ("18446744073709551615m", None),
        ] {
            assert_eq!(duration(text), expected, "{text:?}");
        }
    }

    #[test]
    fn switches_are_found_among_other_keys() {
        let query = "a=b&header=x-one:1&status=503&&header=x-two%3A%20t%C3%BC&wait=5ms&chunked";
        let switches = Switches::parse(query).unwrap();
        assert_eq!(switches.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(switches.wait, Duration::from_millis(5));
        assert!(switches.chunked);
        assert_eq!(switches.headers[0], ("x-one".parse().unwrap(), "1".parse().unwrap()));
        assert_eq!(switches.headers[1].1.as_bytes(), "tü".as_bytes());
        assert_eq!(Switches::parse("").unwrap(), Switches::default());
    }

    #[test]
    fn a_wrong_value_is_answered_with_what_was_expected() {
        for (query, expected) in [
            ("status=100", "status=100: expected a status from 200 to 599\n"),
            ("wait=soon", "wait=soon: expected a duration such as 30ms, 2s or 1m30s\n"),
            ("header=a%20b:c", "header=a b:c: expected name:value\n"),
            ("bytes=-1", "bytes=-1: expected a number of bytes\n"),
            ("close=maybe", "close=maybe: expected true or false\n"),
        ] {
            assert_eq!(Switches::parse(query).unwrap_err(), expected);
        }
    }
}
