//! Shares of a whole.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::text::InvalidValue;

/// A share of a whole, 0 to 100, in steps of a ten-thousandth: `5`, `0.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Percent(u32);

impl Percent {
    /// Nothing of it.
    pub const NONE: Self = Self(0);
    /// All of it.
    pub const ALL: Self = Self(100 * Self::STEPS);

    const STEPS: u32 = 10_000;

    /// Whether a draw falls into the share. Of all numbers there are, so many do.
    #[must_use]
    pub const fn takes(self, draw: u32) -> bool {
        (draw as u64 * Self::ALL.0 as u64) >> 32 < self.0 as u64
    }
}

impl TryFrom<f64> for Percent {
    type Error = InvalidValue;

    fn try_from(percent: f64) -> Result<Self, InvalidValue> {
        if !(0.0..=100.0).contains(&percent) {
            return Err(
                InvalidValue::new(format!("{percent} is not a percentage")).hint("use 0 to 100")
            );
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to a million, rounded"
        )]
        let steps = (percent * f64::from(Self::STEPS)).round() as u32;
        if steps == 0 && percent > 0.0 {
            return Err(InvalidValue::new(format!(
                "{percent} percent is too little to tell from 0"
            ))
            .hint("use at least 0.0001"));
        }
        Ok(Self(steps))
    }
}

impl From<Percent> for f64 {
    fn from(percent: Percent) -> Self {
        Self::from(percent.0) / Self::from(Percent::STEPS)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(*self))
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "maximum": 100, "examples": [5, 0.5] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_takes_as_many_draws_as_it_says() {
        // Evenly over all of them.
        let draws = (0..100_000_u32).map(|at| at.wrapping_mul(42_949));
        for (percent, expected) in
            [(0.0, 0), (0.0001, 1), (0.5, 500), (50.0, 50_000), (99.9999, 99_999), (100.0, 100_000)]
        {
            let share = Percent::try_from(percent).unwrap();
            let taken = draws.clone().filter(|draw| share.takes(*draw)).count();
            assert!(taken.abs_diff(expected) <= 2, "{percent}: {taken}");
        }
        assert!(Percent::ALL.takes(u32::MAX) && !Percent::NONE.takes(0));
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for bad in [-0.1, 100.1, f64::NAN, f64::INFINITY, 0.00001] {
            assert!(Percent::try_from(bad).is_err(), "{bad}");
        }
        assert_eq!(Percent::try_from(0.5).unwrap().to_string(), "0.5%");
    }
}
