//! In turn, each as often as its weight says, spread evenly.

use std::sync::atomic::Ordering::Relaxed;

use super::Padded;

/// The longest cycle. Weights that need a longer one are rounded to shares of it.
const MAX_CYCLE: u32 = 4096;

/// A cycle that is gone through by all cores together.
#[derive(Debug)]
pub(crate) struct RoundRobin {
    cycle: Box<[u16]>,
    next: Padded,
}

impl RoundRobin {
    pub(super) fn new(weights: &[u16]) -> Self {
        Self { cycle: smooth(&shares(weights)), next: Padded::default() }
    }

    pub(super) fn pick(&self, tried: &[usize]) -> Option<usize> {
        let start = self.next.0.fetch_add(1, Relaxed) as usize;
        let length = self.cycle.len();
        (0..length)
            .map(|step| usize::from(self.cycle[(start.wrapping_add(step)) % length]))
            .find(|index| !tried.contains(index))
    }
}

/// The weights divided by what they have in common, and scaled down if the cycle would be too
/// long. An endpoint with any weight keeps a share.
fn shares(weights: &[u16]) -> Vec<u32> {
    let common = weights.iter().fold(0, |common, &weight| gcd(common, weight.into())).max(1);
    let shares: Vec<u32> = weights.iter().map(|&weight| u32::from(weight) / common).collect();
    let total: u32 = shares.iter().sum();
    if total <= MAX_CYCLE {
        return shares;
    }
    let scale = |share: u32| match share {
        0 => 0,
        _ => (u64::from(share) * u64::from(MAX_CYCLE) / u64::from(total)).max(1),
    };
    shares.into_iter().map(|share| u32::try_from(scale(share)).unwrap_or(MAX_CYCLE)).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The smooth weighted round robin of nginx: at each turn everybody gains its share, the one
/// furthest ahead is chosen and pays the total. Heavy endpoints are spread over the cycle instead
/// of coming in a row.
fn smooth(shares: &[u32]) -> Box<[u16]> {
    let total: i64 = shares.iter().map(|&share| i64::from(share)).sum();
    let mut credit = vec![0_i64; shares.len()];
    (0..total)
        .map(|_| {
            for (credit, &share) in credit.iter_mut().zip(shares) {
                *credit += i64::from(share);
            }
            // Among equals the first: `max_by_key` alone would take the last.
            let ahead = (0..credit.len()).rev().max_by_key(|&index| credit[index]).unwrap_or(0);
            credit[ahead] -= total;
            u16::try_from(ahead).unwrap_or(u16::MAX)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(weights: &[u16], count: usize) -> Vec<usize> {
        let turns = RoundRobin::new(weights);
        (0..count).map(|_| turns.pick(&[]).expect("somebody has weight")).collect()
    }

    #[test]
    fn everybody_in_turn_and_heavy_ones_are_spread() {
        assert_eq!(turns(&[1, 1, 1], 6), [0, 1, 2, 0, 1, 2]);
        assert_eq!(turns(&[5, 1, 1], 7), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(turns(&[200, 100], 3), [0, 1, 0]);
    }

    #[test]
    fn no_weight_no_turn() {
        assert!(turns(&[1, 0, 1], 10).iter().all(|&index| index != 1));
    }

    #[test]
    fn huge_weights_keep_their_shares() {
        let picked = turns(&[u16::MAX, 1], MAX_CYCLE as usize);
        assert!(picked.contains(&1));
        assert!(picked.iter().filter(|&&index| index == 0).count() > 4000);
    }

    #[test]
    fn one_that_was_tried_is_passed_over() {
        let turns = RoundRobin::new(&[1, 1]);
        assert_eq!(turns.pick(&[0]), Some(1));
        assert_eq!(turns.pick(&[0]), Some(1));
        assert_eq!(turns.pick(&[0, 1]), None);
    }
}
