//! What is asked, and at which pace.

use clap::ValueEnum;

/// One of the four routes; `bench/shop` knows what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Route {
    /// Nothing is done
    Items,
    /// The auth service is asked who it is
    MyItems,
    /// JSON is looked at
    Search,
    /// JSON is replaced
    Lookup,
}

/// One of three loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Profile {
    /// 30 % of the direct peak
    Steady,
    /// From nothing to 150 % of the direct peak, until a second is bad
    Ramp,
    /// 120 % of the direct peak
    Stress,
}

impl Route {
    pub(super) const ALL: [Self; 4] = [Self::Items, Self::MyItems, Self::Search, Self::Lookup];

    /// As `bench/shop` calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::MyItems => "my-items",
            Self::Search => "search",
            Self::Lookup => "lookup",
        }
    }
}

impl Profile {
    pub(super) const ALL: [Self; 3] = [Self::Steady, Self::Ramp, Self::Stress];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Ramp => "ramp",
            Self::Stress => "stress",
        }
    }

    /// The heading of its table.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Steady => "Steady: 30 % of the direct peak",
            Self::Ramp => "Ramp: from nothing to 150 % of the direct peak, until a second is bad",
            Self::Stress => "Stress: 120 % of the direct peak",
        }
    }

    /// Requests a second, at the end of a ramp.
    pub(super) fn rate(self, peak: f64) -> u32 {
        let share = match self {
            Self::Steady => 0.3,
            Self::Ramp => 1.5,
            Self::Stress => 1.2,
        };
        // A peak is far below four thousand million, and a share of it is positive.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
        let rate = (peak * share).round().max(1.0) as u32;
        rate
    }

    /// The same, as `shop-ends` takes it.
    pub(super) fn pace(self, peak: f64, seconds: u32) -> String {
        let kind = if self == Self::Ramp { "ramp" } else { "steady" };
        format!("{kind}:{}:{seconds}", self.rate(peak))
    }

    /// Requests that may be under way: as many users as the public benchmark has at most.
    pub(super) fn most(self) -> &'static str {
        match self {
            Self::Steady => "2000",
            Self::Ramp | Self::Stress => "9000",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn rates_are_shares_of_the_peak() {
        assert_eq!(Profile::Steady.pace(10_000.4, 5), "steady:3000:5");
        assert_eq!(Profile::Ramp.pace(10_000.0, 5), "ramp:15000:5");
        assert_eq!(Profile::Stress.pace(10_000.0, 5), "steady:12000:5");
    }
}
