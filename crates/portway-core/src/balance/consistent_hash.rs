//! The same endpoint for the same key.
//!
//! Weighted rendezvous hashing: Thaler and Ravishankar, "Using name-based mappings to increase hit
//! rates", IEEE/ACM Transactions on Networking 6(1), 1998, with the logarithmic weights of
//! Schindelhauer and Schomaker, "Weighted distributed hash tables", SPAA 2005. Every endpoint draws
//! a number from the key and its own name, and the best one takes the request. So an endpoint that
//! comes takes keys from all others by its weight, one that goes leaves its keys to all others by
//! theirs, no other key moves, and neither order nor neighbours matter.
//!
//! A table as Maglev's (NSDI 2016) answers in one step, but moves some keys of others as well, is
//! exact for weights only as far as it is long, and takes 128 KiB a service. Here a request costs
//! some nanoseconds for each endpoint, which a thousand of them make a few microseconds.

use portway_config::HashKey;

use super::{Ask, Member, Pick, Turns, key::key};

/// Endpoints by what they draw.
#[derive(Debug)]
pub(crate) struct ConsistentHash {
    by: HashKey,
    ids: Box<[u64]>,
    weights: Box<[u16]>,
    /// For requests without the key.
    turns: Turns,
}

impl ConsistentHash {
    pub(super) fn new(by: HashKey, members: &[Member], turns: Turns) -> Self {
        let ids = members.iter().map(|member| member.id).collect();
        let weights = members.iter().map(|member| member.endpoint.weight).collect();
        Self { by, ids, weights, turns }
    }

    pub(super) fn pick(&self, tried: &[usize], ask: Ask<'_>) -> Option<Pick> {
        let key = key(&self.by, ask);
        let index = match key {
            Some(key) => self.best(key, tried),
            None => self.turns.next(tried),
        };
        index.map(|index| Pick { index, permit: None, key })
    }

    /// The endpoint that takes a key, or the next one of those that were not tried.
    fn best(&self, key: u64, tried: &[usize]) -> Option<usize> {
        let mut best = None;
        let mut soonest = f64::INFINITY;
        for (index, (id, weight)) in self.ids.iter().zip(&self.weights).enumerate() {
            let (chance, weight) = (unit(score(key, *id)), f64::from(*weight));
            // An arrival of a Poisson process as fast as the weight: the first of several is each
            // by its share. The logarithm is never less than this: few have to be taken.
            if 1.0 - chance >= soonest * weight || weight == 0.0 || tried.contains(&index) {
                continue;
            }
            let arrives = -chance.ln() / weight;
            if arrives < soonest {
                (best, soonest) = (Some(index), arrives);
            }
        }
        best
    }
}

/// What the one of this id draws for a key: the finalizer of `SplitMix64`.
pub(crate) const fn score(key: u64, id: u64) -> u64 {
    let mut drawn = (key ^ id).wrapping_add(0x9e37_79b9_7f4a_7c15);
    drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    drawn ^ (drawn >> 31)
}

/// A number between 0 and 1, and neither.
fn unit(drawn: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what there is room for")]
    let drawn = (drawn >> 11) as f64;
    (drawn + 0.5) / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use portway_plugin::balance::stable_hash;

    use super::{super::tests::member, *};

    const KEYS: usize = 40_000;

    fn hash(endpoints: &[(&str, u16)]) -> ConsistentHash {
        let members: Vec<_> =
            endpoints.iter().map(|(name, weight)| member(name, *weight)).collect();
        let weights: Vec<_> = endpoints.iter().map(|(_, weight)| *weight).collect();
        ConsistentHash::new(HashKey::ClientAddress, &members, Turns::new(&weights))
    }

    /// Who takes each of many keys, by name.
    fn takers<'a>(endpoints: &[(&'a str, u16)], tried: &[usize]) -> Vec<&'a str> {
        let hash = hash(endpoints);
        let keys = (0..KEYS).map(|number| stable_hash(format!("user-{number}").bytes()));
        keys.map(|key| endpoints[hash.best(key, tried).unwrap()].0).collect()
    }

    fn count(takers: &[&str], name: &str) -> usize {
        takers.iter().filter(|taker| **taker == name).count()
    }

    fn near(count: usize, expected: usize) -> bool {
        count.abs_diff(expected) * 20 <= expected
    }

    #[test]
    fn each_has_the_share_of_its_weight() {
        let takers = takers(&[("a", 1), ("b", 0), ("c", 3), ("d", 4)], &[]);
        let counts = ["a", "b", "c", "d"].map(|name| count(&takers, name));
        assert_eq!(counts[1], 0);
        assert!(near(counts[0], 5_000) && near(counts[2], 15_000), "{counts:?}");
        assert!(near(counts[3], 20_000), "{counts:?}");
    }

    #[test]
    fn no_key_moves_but_those_of_the_endpoint_that_goes_or_comes() {
        let with = takers(&[("a", 1), ("b", 2), ("c", 1)], &[]);
        let without = takers(&[("c", 1), ("a", 1)], &[]);
        for (before, after) in with.iter().zip(&without) {
            assert!(before == after || *before == "b", "{before} -> {after}");
        }
        // And those fall to the others by their weights.
        let moved = with.iter().zip(&without).filter(|(before, _)| **before == "b");
        let to_a = moved.filter(|(_, after)| **after == "a").count();
        assert!(near(to_a, count(&with, "b") / 2), "{to_a}");
    }

    #[test]
    fn a_weight_that_grows_takes_keys_and_gives_none() {
        let before = takers(&[("a", 1), ("b", 1), ("c", 1)], &[]);
        let after = takers(&[("a", 1), ("b", 2), ("c", 1)], &[]);
        let moved = before.iter().zip(&after).filter(|(before, after)| before != after);
        assert!(moved.clone().all(|(_, after)| *after == "b"));
        assert!(near(moved.count(), KEYS / 2 - KEYS / 3));
    }

    #[test]
    fn one_that_was_tried_counts_as_one_that_is_not_there() {
        let tried = takers(&[("a", 1), ("b", 2), ("c", 1)], &[1]);
        assert_eq!(tried, takers(&[("a", 1), ("c", 1)], &[]));
    }

    /// Gateways of two versions stand beside each other while one takes the place of the other.
    #[test]
    fn the_mapping_never_changes() {
        let takers = takers(&[("a", 1), ("b", 2), ("c", 3)], &[]);
        assert_eq!(takers[..12].concat(), "cbabbbcbacaa");
    }
}
