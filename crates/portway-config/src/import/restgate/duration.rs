//! Durations as Go writes them: `10s`, `1.5h`, `1h2m3s`, `100us`.

use portway_plugin::value::{Duration, Format, InvalidValue, Quoted};
use schemars::JsonSchema;
use serde::Deserialize;

/// A duration. Zero and less than zero mean no limit; less than a millisecond is one.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(try_from = "serde_json::Value")]
#[schemars(with = "String", extend("type" = ["string", "integer"], "format" = FORMAT.name))]
pub(super) struct GoDuration(pub(super) Duration);

pub(super) const FORMAT: Format = Format {
    name: "restgate-duration",
    noun: "a duration",
    examples: &["10s"],
    check: |text| parse(text).map(drop),
};

impl TryFrom<serde_json::Value> for GoDuration {
    type Error = InvalidValue;

    fn try_from(value: serde_json::Value) -> Result<Self, InvalidValue> {
        match value {
            serde_json::Value::String(text) => parse(&text),
            other => parse(&other.to_string()),
        }
        .map(Self)
    }
}

/// The units, each with its nanoseconds. Longer spellings come first.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 6e10),
    ("h", 3.6e12),
];

fn parse(text: &str) -> Result<Duration, InvalidValue> {
    let refused = || {
        let refused = InvalidValue::new(format!("{} is not a duration", Quoted(text)));
        let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match number {
            true => refused.hint(format!("write {text}s or {text}ms")),
            false => refused.hint("write 500ms, 10s, 1m30s or 2h"),
        }
    };
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if unsigned == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut nanos) = (unsigned, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit = UNITS.iter().find(|(name, _)| *name == unit);
        let (Ok(number), Some((_, unit))) = (number.parse::<f64>(), unit) else {
            return Err(refused());
        };
        nanos += number * unit;
        rest = tail;
    }
    if unsigned.is_empty() {
        return Err(refused());
    }
    let millis = (nanos / 1e6).ceil();
    let longest = Duration::MAX.get().as_secs_f64() * 1e3;
    if millis > longest {
        let message = format!("the duration {} is longer than ten years", Quoted(text));
        return Err(InvalidValue::new(message).hint("write 0 for no limit"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole, not negative, and at most ten years"
    )]
    let millis = millis as u64;
    Ok(if negative { Duration::ZERO } else { Duration::from_millis(millis) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations_are_read() {
        for (text, millis) in [
            ("0", 0),
            ("0s", 0),
            ("10s", 10_000),
            ("1.5s", 1500),
            (".5s", 500),
            ("1h2m3s", 3_723_000),
            ("500ms", 500),
            ("100us", 1),
            ("100µs", 1),
            ("1ns", 1),
            ("+5s", 5000),
            ("-5s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "-", "s", ".s", "5 s", "5d", "1..5s", "1e3s", "99999999h", "inf"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
