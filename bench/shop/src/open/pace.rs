//! When requests begin.

use std::{str::FromStr, time::Duration};

/// How many requests a second, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as answers come, on so many connections: what the ends can do at most.
    Peak {
        /// Requests that are under way at the same time.
        connections: usize,
        /// For so long.
        length: Duration,
    },
    /// The same number all the time.
    Steady {
        /// Requests a second.
        rate: f64,
        /// For so long.
        length: Duration,
    },
    /// From nothing to a number, evenly. It ends early when a second was bad.
    Ramp {
        /// Requests a second at the end.
        rate: f64,
        /// For so long.
        length: Duration,
    },
}

impl Pace {
    /// For how long.
    #[must_use]
    pub fn length(self) -> Duration {
        match self {
            Self::Peak { length, .. } | Self::Steady { length, .. } | Self::Ramp { length, .. } => {
                length
            }
        }
    }

    /// When the request of this number begins, counted from the start. `None` where it begins as
    /// soon as another has ended.
    pub(super) fn due(self, number: u64) -> Option<Duration> {
        // No run has as many requests as a float counts exactly.
        let number = number as f64;
        match self {
            Self::Peak { .. } => None,
            Self::Steady { rate, .. } => Some(Duration::from_secs_f64(number / rate)),
            // The number of requests until t is rate * t² / (2 * length).
            Self::Ramp { rate, length } => {
                Some(Duration::from_secs_f64((2.0 * length.as_secs_f64() * number / rate).sqrt()))
            }
        }
    }
}

/// `peak:64:2`, `steady:2500:10`, `ramp:20000:30`: the number, then seconds.
impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is none of peak:64:2, steady:2500:10, ramp:20000:30");
        let mut parts = text.split(':');
        let (Some(kind), Some(number), Some(seconds), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let seconds: u64 = seconds.parse().map_err(|_| wrong())?;
        let length = Duration::from_secs(seconds);
        let rate: u32 = number.parse().map_err(|_| wrong())?;
        if rate == 0 || seconds == 0 {
            return Err(wrong());
        }
        match kind {
            "peak" => Ok(Self::Peak { connections: rate as usize, length }),
            "steady" => Ok(Self::Steady { rate: f64::from(rate), length }),
            "ramp" => Ok(Self::Ramp { rate: f64::from(rate), length }),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_read_off_a_word() {
        let length = Duration::from_secs(3);
        assert_eq!("steady:10:3".parse(), Ok(Pace::Steady { rate: 10.0, length }));
        assert_eq!("ramp:10:3".parse(), Ok(Pace::Ramp { rate: 10.0, length }));
        assert_eq!("peak:10:3".parse(), Ok(Pace::Peak { connections: 10, length }));
        for wrong in ["steady:10", "steady:0:3", "steady:10:0", "sprint:10:3", "peak:1:1:1"] {
            assert!(wrong.parse::<Pace>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_steady_pace_is_even_and_a_ramp_ends_at_its_rate() {
        let length = Duration::from_secs(10);
        let steady = Pace::Steady { rate: 100.0, length };
        assert_eq!(steady.due(250), Some(Duration::from_millis(2500)));
        // Half of what a steady pace would have sent, and the last gap is that of the full rate.
        let ramp = Pace::Ramp { rate: 100.0, length };
        assert_eq!(ramp.due(500), Some(length));
        let gap = ramp.due(500).unwrap() - ramp.due(499).unwrap();
        assert!((0.0099..0.0101).contains(&gap.as_secs_f64()), "{gap:?}");
    }
}
