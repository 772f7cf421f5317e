//! By chance, each as often as its weight says.

/// Sums of weights, in which a number falls to one endpoint. Nothing is shared between cores: each
/// thread has a generator of its own.
#[derive(Debug)]
pub(crate) struct Random {
    /// Up to and with each endpoint.
    sums: Box<[u32]>,
}

impl Random {
    pub(super) fn new(weights: &[u16]) -> Self {
        let sum = |sum: &mut u32, weight: &u16| {
            *sum = sum.saturating_add(u32::from(*weight));
            Some(*sum)
        };
        Self { sums: weights.iter().scan(0, sum).collect() }
    }

    pub(super) fn pick(&self, tried: &[usize]) -> Option<usize> {
        let all = self.sums.last().copied().filter(|all| *all > 0)?;
        if tried.is_empty() {
            let ball = fastrand::u32(..all);
            return Some(self.sums.partition_point(|sum| *sum <= ball));
        }
        let weight = |index: usize| {
            let before = index.checked_sub(1).map_or(0, |before| self.sums[before]);
            if tried.contains(&index) { 0 } else { self.sums[index] - before }
        };
        let left: u32 = (0..self.sums.len()).map(weight).sum();
        let mut ball = (left > 0).then(|| fastrand::u32(..left))?;
        (0..self.sums.len()).find(|index| {
            let (rest, is_here) = ball.overflowing_sub(weight(*index));
            ball = if is_here { ball } else { rest };
            is_here
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(weights: &[u16], tried: &[usize]) -> Vec<usize> {
        fastrand::seed(7);
        let random = Random::new(weights);
        let mut counts = vec![0; weights.len()];
        for _ in 0..40_000 {
            counts[random.pick(tried).expect("somebody has weight")] += 1;
        }
        counts
    }

    fn near(count: usize, expected: usize) -> bool {
        count.abs_diff(expected) * 20 <= expected
    }

    #[test]
    fn each_has_the_share_of_its_weight() {
        let counts = shares(&[1, 0, 3, 4], &[]);
        assert_eq!(counts[1], 0);
        assert!(near(counts[0], 5_000) && near(counts[2], 15_000), "{counts:?}");
        assert!(near(counts[3], 20_000), "{counts:?}");
    }

    #[test]
    fn the_share_of_those_that_were_tried_falls_to_the_others() {
        let counts = shares(&[1, 0, 3, 4], &[3]);
        assert_eq!((counts[1], counts[3]), (0, 0));
        assert!(near(counts[0], 10_000) && near(counts[2], 30_000), "{counts:?}");
        assert_eq!(Random::new(&[1, 2]).pick(&[0, 1]), None);
    }
}
