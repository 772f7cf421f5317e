//! Medians with their spread.

use serde::Serialize;

/// The middle of some samples and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// `None` without samples.
    pub(crate) fn of(samples: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = sorted.first().zip(sorted.last())?;
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self { median, min, max })
    }
}

/// The spread of `of[i] / to[i]`. Samples of one round were taken side by side, so what slowed
/// the machine down in that round is in both and leaves the ratio alone.
pub(crate) fn ratio(of: &[f64], to: &[f64]) -> Option<Spread> {
    Spread::of(of.iter().zip(to).filter(|(_, to)| **to > 0.0).map(|(of, to)| of / to))
}

/// A percentile of samples that are in order.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Spread, percentile, ratio};

    #[test]
    fn a_percentile_is_one_of_the_samples() {
        let samples: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!([percentile(&samples, 50), percentile(&samples, 99)], [50.0, 99.0]);
        assert_eq!(percentile(&[], 50), 0.0);
    }

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middles() {
        let spread = |samples: &[f64]| Spread::of(samples.iter().copied());
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(spread(&[4.0, 1.0]), Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine was half as fast in the second round: the ratio does not see it.
        let expected = Some(Spread { median: 1.5, min: 1.5, max: 1.5 });
        assert_eq!(ratio(&[3.0, 6.0], &[2.0, 4.0]), expected);
    }
}
