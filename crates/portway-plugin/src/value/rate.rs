//! How often something may happen.

use std::{fmt, num::NonZeroU32, str::FromStr};

use super::{
    Duration,
    text::{InvalidValue, Quoted, text_form},
};

/// So many in a length of time: `10/s`, `100/1m`, `5000/24h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many. At least one: what may never happen is better refused by name.
    pub count: NonZeroU32,
    /// In how long. Never zero.
    pub window: Duration,
}

impl FromStr for Rate {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (count, window) = text.split_once('/').ok_or_else(|| refusal(text))?;
        let count = count.trim().parse().map_err(|_| refusal(text))?;
        let window = match window.trim() {
            unit @ ("s" | "m" | "h" | "ms") => format!("1{unit}"),
            written => written.to_owned(),
        };
        let window: Duration = window.parse().map_err(|_| refusal(text))?;
        if window.is_zero() { Err(refusal(text)) } else { Ok(Self { count, window }) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.window)
    }
}

text_form!(Rate, "portway-rate", "a rate", ["10/s", "100/1m", "5000/24h"]);

fn refusal(text: &str) -> InvalidValue {
    InvalidValue::new(format!("{} is not a rate", Quoted(text)))
        .hint("write how many, a slash and how long: 100/1m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_written_alike() {
        for (text, shown) in [("10/s", "10/1s"), ("100/1m", "100/1m"), ("5 / 1h30m", "5/1h30m")] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), shown);
        }
        for bad in ["", "10", "0/s", "-1/s", "10/0", "10/", "/s", "10/d", "99999999999/s"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }
}
