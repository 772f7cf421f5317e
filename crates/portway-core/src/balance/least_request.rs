//! The endpoint with the fewest requests in flight for its weight.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use super::{Padded, Pick};

/// Requests in flight, counted over all cores.
#[derive(Debug)]
pub(crate) struct LeastRequest {
    loads: Arc<[Padded]>,
    weights: Box<[u16]>,
    /// Where the search begins, so that equals take turns.
    next: Padded,
}

/// One request in flight; it is over when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    loads: Arc<[Padded]>,
    index: usize,
}

impl LeastRequest {
    pub(super) fn new(weights: &[u16]) -> Self {
        let loads = weights.iter().map(|_| Padded::default()).collect();
        Self { loads, weights: weights.into(), next: Padded::default() }
    }

    pub(super) fn pick(&self, tried: &[usize]) -> Option<Pick> {
        let start = self.next.0.fetch_add(1, Relaxed) as usize;
        let count = self.loads.len();
        let index = (0..count)
            .map(|step| start.wrapping_add(step) % count)
            .filter(|&index| self.weights[index] > 0 && !tried.contains(&index))
            .min_by(|&a, &b| self.compare(a, b))?;
        self.loads[index].0.fetch_add(1, Relaxed);
        let permit = Permit { loads: Arc::clone(&self.loads), index };
        Some(Pick { index, permit: Some(permit) })
    }

    /// Compares (load + 1) / weight without dividing: the share an endpoint would carry if it
    /// took this request too.
    fn compare(&self, a: usize, b: usize) -> std::cmp::Ordering {
        let burden = |index: usize| u64::from(self.loads[index].0.load(Relaxed)) + 1;
        let weight = |index: usize| u64::from(self.weights[index]);
        (burden(a) * weight(b)).cmp(&(burden(b) * weight(a)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let load: &AtomicU32 = &self.loads[self.index].0;
        load.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_idle_one_is_chosen() {
        let loads = LeastRequest::new(&[1, 1]);
        let first = loads.pick(&[]).expect("an endpoint");
        let second = loads.pick(&[]).expect("an endpoint");
        assert_ne!(first.index, second.index);
        let free = first.index;
        drop(first);
        assert_eq!(loads.pick(&[]).expect("an endpoint").index, free);
        drop(second);
    }

    #[test]
    fn a_heavier_one_carries_more() {
        let loads = LeastRequest::new(&[3, 1, 0]);
        let held: Vec<_> = (0..8).map(|_| loads.pick(&[]).expect("an endpoint")).collect();
        let count = |index| held.iter().filter(|pick| pick.index == index).count();
        assert_eq!((count(0), count(1), count(2)), (6, 2, 0));
    }

    #[test]
    fn one_that_was_tried_is_passed_over() {
        let loads = LeastRequest::new(&[1, 1]);
        assert_eq!(loads.pick(&[0]).map(|pick| pick.index), Some(1));
        assert!(loads.pick(&[0, 1]).is_none());
    }
}
