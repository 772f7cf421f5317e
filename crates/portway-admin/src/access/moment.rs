//! Times as the API writes and reads them (RFC 3339).

use std::{
    borrow::Cow,
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use portway_config::value;
use portway_core::telemetry::rfc3339;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A time, to the millisecond, from 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(u64);

/// When something ends: a time, or how long it lasts from now on (`30d`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Expiry {
    /// At this time.
    At(Moment),
    /// After this long.
    After(value::Duration),
}

/// A text is no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidMoment(&'static str);

impl Moment {
    /// So many milliseconds after 1970 began.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970 began.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// So much later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long ago `earlier` was; nothing for what is yet to come.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Expiry {
    /// The time it is, seen from `now`.
    #[must_use]
    pub fn from(self, now: Moment) -> Moment {
        match self {
            Self::At(moment) => moment,
            Self::After(time) => now.after(time.get()),
        }
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        Self(0).after(time.duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        read(text).ok_or(InvalidMoment("a time is written as 2027-01-31T12:00:00Z"))
    }
}

impl FromStr for Expiry {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        if let Ok(moment) = text.parse() {
            return Ok(Self::At(moment));
        }
        let expected = "a time is written as 30d, 12h or 2027-01-31T12:00:00Z";
        // Days, which other durations do not have: nothing else lasts that long.
        let days = text.strip_suffix('d').filter(|days| days.bytes().all(|b| b.is_ascii_digit()));
        let days = days.and_then(|days| days.parse::<u32>().ok());
        let hours = days.map(|days| format!("{}h", u64::from(days) * 24));
        let time = hours.as_deref().unwrap_or(text).parse();
        time.map(Self::After).map_err(|_| InvalidMoment(expected))
    }
}

/// `2027-01-31T12:00:00Z`, with a fraction of a second and an offset where they are.
fn read(text: &str) -> Option<Moment> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| {
        let digits = bytes.get(from..to)?;
        let is_number = digits.iter().all(u8::is_ascii_digit);
        is_number.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
    };
    let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return None;
    }
    let (millis, zone) = fraction(&bytes[19..])?;
    let seconds = days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let seconds = match zone {
        [b'Z' | b'z'] => seconds,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let at = bytes.len() - 5;
            let (hours, minutes) = (number(at, at + 2)?, number(at + 3, at + 5)?);
            let offset = (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)?;
            if *sign == b'+' { seconds.checked_sub(offset)? } else { seconds + offset }
        }
        _ => return None,
    };
    Some(Moment(seconds * 1000 + millis))
}

/// Milliseconds, and what follows them.
fn fraction(rest: &[u8]) -> Option<(u64, &[u8])> {
    let Some(digits) = rest.strip_prefix(b".") else { return Some((0, rest)) };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at(length);
    let three = digits.iter().copied().chain(std::iter::repeat(b'0')).take(3);
    let millis = three.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    (1..=9).contains(&length).then_some((millis, rest))
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// From 1970-01-01 to this day.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let leap_days = |year: u64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let years = (year - 1970) * 365 + leap_days(year) - leap_days(1970);
    years + (1..month).map(|month| days_of(year, month)).sum::<u64>() + day - 1
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What has no four-digit year is written as the last one that has.
        let time = UNIX_EPOCH.checked_add(Duration::from_millis(self.0));
        f.write_str(&rfc3339(time.unwrap_or(UNIX_EPOCH + Duration::from_secs(253_402_300_799))))
    }
}

impl fmt::Display for InvalidMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidMoment {}

impl TryFrom<String> for Moment {
    type Error = InvalidMoment;

    fn try_from(text: String) -> Result<Self, InvalidMoment> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

impl TryFrom<String> for Expiry {
    type Error = InvalidMoment;

    fn try_from(text: String) -> Result<Self, InvalidMoment> {
        text.parse()
    }
}

impl From<Expiry> for String {
    fn from(expiry: Expiry) -> Self {
        match expiry {
            Expiry::At(moment) => moment.to_string(),
            Expiry::After(time) => time.to_string(),
        }
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

impl JsonSchema for Expiry {
    fn schema_name() -> Cow<'static, str> {
        "Expiry".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["30d", "2027-01-31T12:00:00Z"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for millis in [0, 951_782_399_999, 951_782_400_001, 1_709_251_199_050, 4_107_542_400_000] {
            let moment = Moment::from_millis(millis);
            assert_eq!(moment.to_string().parse(), Ok(moment), "{moment}");
        }
        for (text, same) in [
            ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00.000Z"),
            ("2027-01-31t12:00:00.5z", "2027-01-31T12:00:00.500Z"),
            ("2027-01-31 12:00:00.123456789+02:30", "2027-01-31T09:30:00.123Z"),
            ("2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00.000Z"),
        ] {
            assert_eq!(text.parse::<Moment>().map(|moment| moment.to_string()), Ok(same.into()));
        }
        assert!(Moment::from_millis(u64::MAX).to_string().starts_with("9999-12-31T23:59:59"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2027-01-31",
            "2027-02-29T00:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-01-31T24:00:00Z",
            "2027-01-31T12:00:60Z",
            "2027-01-31T12:00:00",
            "2027-01-31T12:00:00.Z",
            "2027-01-31T12:00:00+0200",
            "2027-01-31T12:00:00Zx",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "+027-01-31T12:00:00Z",
            "2027-01-31T12:00:0é",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn something_ends_at_a_time_or_after_a_while() {
        let now: Moment = "2027-01-01T00:00:00Z".parse().unwrap();
        for (text, end) in [
            ("30d", "2027-01-31T00:00:00.000Z"),
            ("90s", "2027-01-01T00:01:30.000Z"),
            ("2028-01-01T00:00:00Z", "2028-01-01T00:00:00.000Z"),
        ] {
            let expiry: Expiry = text.parse().unwrap();
            assert_eq!(expiry.from(now).to_string(), end, "{text}");
            assert_eq!(String::from(expiry).parse(), Ok(expiry));
        }
        for bad in ["", "tomorrow", "d", "+3d", "-3d", "1d12h", "99999d", "4294967295d"] {
            assert!(bad.parse::<Expiry>().is_err(), "{bad}");
        }
    }
}
