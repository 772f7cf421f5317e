//! Hours and minutes, and where the day begins.

use std::{fmt, str::FromStr};

use super::text::{InvalidValue, Quoted, text_form};

/// A minute of the day: `00:00` to `24:00`, which is the end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

/// How far a clock is ahead of UTC: `+08:00`, `-03:30`, `+00:00`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcOffset(i16);

impl TimeOfDay {
    /// The seconds from the beginning of the day, to its end at most.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0 as u32 * 60
    }
}

impl UtcOffset {
    /// The seconds.
    #[must_use]
    pub const fn seconds(self) -> i32 {
        self.0 as i32 * 60
    }
}

impl FromStr for TimeOfDay {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let minutes = minutes(text).filter(|minutes| *minutes <= 24 * 60);
        minutes.map(Self).ok_or_else(|| {
            InvalidValue::new(format!("{} is not a time of the day", Quoted(text)))
                .hint("write hours and minutes, 00:00 to 24:00")
        })
    }
}

impl FromStr for UtcOffset {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        // Clocks are from twelve hours behind to fourteen ahead.
        const MOST: i16 = 14 * 60;
        let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(rest), _) => (1, rest),
            (None, Some(rest)) => (-1, rest),
            (None, None) => (0, ""),
        };
        let minutes = minutes(rest).and_then(|minutes| i16::try_from(minutes).ok());
        let minutes = minutes.filter(|minutes| *minutes <= MOST);
        minutes.map(|minutes| Self(sign * minutes)).ok_or_else(|| {
            InvalidValue::new(format!("{} is not an offset from UTC", Quoted(text)))
                .hint("write +08:00, -03:30 or +00:00")
        })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = (if self.0 < 0 { '-' } else { '+' }, self.0.unsigned_abs());
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

text_form!(TimeOfDay, "portway-time-of-day", "a time of the day", ["22:00", "06:30"]);
text_form!(UtcOffset, "portway-utc-offset", "an offset from UTC", ["+08:00", "-03:30"]);

/// `hh:mm` and nothing else.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str| {
        let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        two.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_alike() {
        for (text, seconds) in [("00:00", 0), ("06:30", 23_400), ("24:00", 86_400)] {
            let time: TimeOfDay = text.parse().unwrap();
            assert_eq!((time.seconds(), time.to_string().as_str()), (seconds, text));
        }
        for bad in ["", "6:30", "24:01", "25:00", "12:60", "12", "12:00:00", "-1:00", "+1:00"] {
            assert!(bad.parse::<TimeOfDay>().is_err(), "{bad}");
        }
    }

    #[test]
    fn offsets_are_read_and_written_alike() {
        for (text, seconds) in
            [("+00:00", 0), ("+08:00", 28_800), ("-03:30", -12_600), ("+14:00", 50_400)]
        {
            let offset: UtcOffset = text.parse().unwrap();
            assert_eq!((offset.seconds(), offset.to_string().as_str()), (seconds, text));
        }
        for bad in ["", "08:00", "+8:00", "+15:00", "Z", "UTC", "Europe/Rome", "+-1:00"] {
            assert!(bad.parse::<UtcOffset>().is_err(), "{bad}");
        }
    }
}
