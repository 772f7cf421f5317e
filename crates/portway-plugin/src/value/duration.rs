//! Lengths of time as people write them.

use std::{fmt, str::FromStr, time};

use super::text::{InvalidValue, Quoted, text_form};

/// A length of time in whole milliseconds: `500ms`, `5s`, `1m30s`, `2h`, or `0`. A number without
/// a unit is refused, for nobody can tell seconds from milliseconds. Where it limits something,
/// `0` switches the limit off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(time::Duration);

/// The units, longest first, each with its milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Duration {
    /// No time at all; as a limit, none.
    pub const ZERO: Self = Self(time::Duration::ZERO);

    /// The longest duration: ten years, so that adding one to a point in time cannot overflow.
    pub const MAX: Self = Self(time::Duration::from_secs(10 * 365 * 24 * 3600));

    /// So many seconds.
    ///
    /// # Panics
    /// Above [`Duration::MAX`].
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        assert!(seconds <= Self::MAX.0.as_secs(), "a duration is at most ten years");
        Self(time::Duration::from_secs(seconds))
    }

    /// So many milliseconds.
    ///
    /// # Panics
    /// Above [`Duration::MAX`].
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        assert!(millis <= Self::MAX.0.as_secs() * 1000, "a duration is at most ten years");
        Self(time::Duration::from_millis(millis))
    }

    /// The length itself.
    #[must_use]
    pub const fn get(self) -> time::Duration {
        self.0
    }

    /// The length as a limit: `None` when it is zero.
    #[must_use]
    pub const fn limit(self) -> Option<time::Duration> {
        if self.0.is_zero() { None } else { Some(self.0) }
    }

    /// Whether it is zero.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.0.is_zero()
    }
}

impl FromStr for Duration {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text == "0" {
            return Ok(Self::ZERO);
        }
        let (mut rest, mut total, mut units) = (text, 0_u64, UNITS.as_slice());
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            let letters = tail.bytes().take_while(|byte| !byte.is_ascii_digit()).count();
            let (unit, tail) = tail.split_at(letters);
            let at = units.iter().position(|(name, _)| *name == unit);
            let (Some(at), Ok(number)) = (at, number.parse::<u64>()) else {
                return Err(refusal(text));
            };
            total = number
                .checked_mul(units[at].1)
                .and_then(|millis| total.checked_add(millis))
                .filter(|total| *total <= Self::MAX.0.as_secs() * 1000)
                .ok_or_else(|| too_long(text))?;
            (rest, units) = (tail, &units[at + 1..]);
        }
        if text.is_empty() { Err(refusal(text)) } else { Ok(Self::from_millis(total)) }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        // Whole milliseconds of at most ten years.
        let mut rest = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        for (unit, millis) in UNITS {
            if rest >= millis {
                write!(f, "{}{unit}", rest / millis)?;
                rest %= millis;
            }
        }
        Ok(())
    }
}

text_form!(
    Duration or number,
    "portway-duration",
    "a duration",
    ["5s", "500ms", "1m30s", "2h", "0"]
);

fn too_long(text: &str) -> InvalidValue {
    InvalidValue::new(format!("the duration {} is longer than ten years", Quoted(text)))
        .hint("write 0 for no limit")
}

/// Guesses what was meant.
fn refusal(text: &str) -> InvalidValue {
    let refused = |why: &str| InvalidValue::new(format!("{} is not a duration{why}", Quoted(text)));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if number(text) {
        return refused(": it has no unit").hint(format!("write {text}s or {text}ms"));
    }
    if matches!(text, "off" | "none" | "never" | "infinite" | "unlimited") {
        return refused("").hint("write 0 to switch it off");
    }
    if text.starts_with('-') {
        return refused(": it is negative").hint("write 0 to switch it off");
    }
    if let Some(days) = text.strip_suffix('d').filter(|days| number(days))
        && let Some(hours) = days.parse::<u64>().ok().and_then(|days| days.checked_mul(24))
    {
        return refused(": there is no unit for days").hint(format!("write {hours}h"));
    }
    if text.contains('.') {
        return refused(": a fraction is written in smaller units").hint("write 1s500ms, not 1.5s");
    }
    refused("").hint("write 500ms, 5s, 1m30s or 2h: units h, m, s, ms in this order")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, (String, String)> {
        let refusal = |bad: InvalidValue| {
            (bad.message.into_owned(), bad.hint.unwrap_or_default().into_owned())
        };
        text.parse::<Duration>().map(|value| value.to_string()).map_err(refusal)
    }

    #[test]
    fn text_is_read_and_written() {
        for (text, shown) in [
            ("0", "0"),
            ("0s", "0"),
            ("500ms", "500ms"),
            ("1500ms", "1s500ms"),
            ("90s", "1m30s"),
            ("1m30s", "1m30s"),
            ("2h", "2h"),
            ("1h2m3s4ms", "1h2m3s4ms"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(shown), "{text}");
        }
        assert_eq!("5s".parse(), Ok(Duration::from_secs(5)));
        assert_eq!(Duration::ZERO.limit(), None);
        assert_eq!(Duration::from_millis(5).limit(), Some(time::Duration::from_millis(5)));
    }

    #[test]
    fn a_refusal_says_what_to_write() {
        for (text, message, hint) in [
            ("5", "\"5\" is not a duration: it has no unit", "write 5s or 5ms"),
            ("off", "\"off\" is not a duration", "write 0 to switch it off"),
            ("-5s", "\"-5s\" is not a duration: it is negative", "write 0 to switch it off"),
            ("2d", "\"2d\" is not a duration: there is no unit for days", "write 48h"),
        ] {
            assert_eq!(parse(text), Err((message.to_owned(), hint.to_owned())));
        }
        for text in ["", " 5s", "5 s", "5S", "s", "30s1m", "5s5s", "1.5s", "5sec", "٥s", "999999h"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("99999999999999999999h").is_err());
        assert!(parse("18446744073709551615h").is_err());
    }
}
