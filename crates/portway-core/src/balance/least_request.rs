//! The endpoint with the fewest requests in flight for its weight.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use super::{Member, Padded, Pick};

/// Requests in flight, counted over all cores.
#[derive(Debug)]
pub(crate) struct LeastRequest {
    endpoints: Box<[Endpoint]>,
    /// Where the search begins, so that equals take turns.
    next: Padded,
}

#[derive(Debug)]
struct Endpoint {
    id: u64,
    weight: u16,
    load: Arc<Padded>,
}

/// One request in flight; it is over when this is dropped.
#[derive(Debug)]
pub(super) struct Load(Arc<Padded>);

impl LeastRequest {
    /// Endpoints that were there before keep their counts.
    pub(super) fn new(members: &[Member], previous: Option<&Self>) -> Self {
        let known = |id| previous?.endpoints.iter().find(|one| one.id == id);
        let endpoint = |member: &Member| Endpoint {
            id: member.id,
            weight: member.endpoint.weight,
            load: known(member.id).map(|one| Arc::clone(&one.load)).unwrap_or_default(),
        };
        Self { endpoints: members.iter().map(endpoint).collect(), next: Padded::default() }
    }

    pub(super) fn pick(&self, tried: &[usize]) -> Option<Pick> {
        let start = self.next.0.fetch_add(1, Relaxed) as usize;
        let count = self.endpoints.len();
        let index = (0..count)
            .map(|step| start.wrapping_add(step) % count)
            .filter(|&index| self.endpoints[index].weight > 0 && !tried.contains(&index))
            .min_by(|&a, &b| self.endpoints[a].compare(&self.endpoints[b]))?;
        let load = Arc::clone(&self.endpoints[index].load);
        load.0.fetch_add(1, Relaxed);
        Some(Pick { index, permit: Some(Load(load).into()), key: None })
    }
}

impl Endpoint {
    /// Compares (load + 1) / weight without dividing: the share an endpoint would carry if it
    /// took this request too.
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let burden = |one: &Self| u64::from(one.load.0.load(Relaxed)) + 1;
        let weight = |one: &Self| u64::from(one.weight);
        (burden(self) * weight(other)).cmp(&(burden(other) * weight(self)))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::members, *};

    fn loads(weights: &[u16]) -> LeastRequest {
        LeastRequest::new(&members(weights), None)
    }

    #[test]
    fn the_idle_one_is_chosen() {
        let loads = loads(&[1, 1]);
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
        let loads = loads(&[3, 1, 0]);
        let held: Vec<_> = (0..8).map(|_| loads.pick(&[]).expect("an endpoint")).collect();
        let count = |index| held.iter().filter(|pick| pick.index == index).count();
        assert_eq!((count(0), count(1), count(2)), (6, 2, 0));
    }

    #[test]
    fn one_that_was_tried_is_passed_over() {
        let loads = loads(&[1, 1]);
        assert_eq!(loads.pick(&[0]).map(|pick| pick.index), Some(1));
        assert!(loads.pick(&[0, 1]).is_none());
    }
}
