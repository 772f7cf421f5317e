//! Which of several endpoints takes a request.
//!
//! A service with one endpoint never gets here, unless it asks for a key or has a balancer of its
//! own. What is exact over all cores costs one padded atomic per service (in turn) or a few per
//! endpoint (fewest requests, least time), paid by the services that use it alone. This room knows
//! weights, counts and times; it opens nothing and knows nobody's health.
//!
//! State belongs to one service. A reload that leaves balance and endpoints as they are goes on
//! with it; where endpoints come and go, those that stay keep their counts.

mod consistent_hash;
mod custom;
mod key;
mod least_request;
mod least_time;
mod permit;
mod random;
mod round_robin;

use std::{
    net::IpAddr,
    sync::{Arc, atomic::AtomicU32},
};

use http::HeaderMap;
use portway_config::{
    Balance,
    balance::{Asked, Balancers, Endpoint},
};
use portway_plugin::Result;

use consistent_hash::ConsistentHash;
pub(crate) use consistent_hash::score;
use custom::Custom;
use least_request::LeastRequest;
use least_time::LeastTime;
pub(crate) use permit::Permit;
use random::Random;
use round_robin::RoundRobin;

/// A number on a cache line of its own, so that cores which count do not slow their neighbours.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded(AtomicU32);

/// Shares in turn, where nothing of a request matters.
#[derive(Clone, Debug)]
pub(crate) enum Turns {
    /// There is nothing to choose.
    Only,
    /// Nobody takes requests: every weight is zero.
    Nobody,
    Several(Arc<RoundRobin>),
}

/// The balancing of one service.
#[derive(Clone, Debug)]
pub(crate) enum Picker {
    Turns(Turns),
    Random(Arc<Random>),
    LeastRequest(Arc<LeastRequest>),
    LeastTime(Arc<LeastTime>),
    ConsistentHash(Arc<ConsistentHash>),
    Custom(Arc<Custom>),
}

/// An endpoint among which is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Tells it from the others, now and in other revisions and processes.
    pub(crate) id: u64,
    pub(crate) endpoint: Endpoint,
}

/// What of a request may decide.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) of: &'a dyn Asked,
    /// `None` for a connection.
    pub(crate) headers: Option<&'a HeaderMap>,
}

/// The endpoint that was chosen.
#[derive(Debug, Default)]
pub(crate) struct Pick {
    pub(crate) index: usize,
    /// To be kept until the answer's last byte.
    pub(crate) permit: Option<Permit>,
    /// By which to choose among the endpoint's addresses as well.
    pub(crate) key: Option<u64>,
}

/// A connection of which nothing is known but where it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection(pub(crate) IpAddr);

impl Turns {
    pub(crate) fn new(weights: &[u16]) -> Self {
        if weights.iter().all(|&weight| weight == 0) {
            return Self::Nobody;
        }
        if weights.len() == 1 {
            Self::Only
        } else {
            Self::Several(Arc::new(RoundRobin::new(weights)))
        }
    }

    /// The next one that is not among those tried already.
    pub(crate) fn next(&self, tried: &[usize]) -> Option<usize> {
        match self {
            Self::Nobody => None,
            Self::Only => tried.is_empty().then_some(0),
            Self::Several(turns) => turns.pick(tried),
        }
    }
}

impl Picker {
    /// A picker for these endpoints, which goes on where the one of the `previous` revision was.
    pub(crate) fn new(
        balance: &Balance,
        members: &[Member],
        balancers: &Balancers,
        previous: Option<&Self>,
    ) -> Self {
        let weights: Vec<u16> = members.iter().map(|member| member.endpoint.weight).collect();
        let turns = || Turns::new(&weights);
        if weights.iter().all(|&weight| weight == 0) {
            return Self::Turns(Turns::Nobody);
        }
        match balance {
            Balance::ConsistentHash(by) => {
                Self::ConsistentHash(Arc::new(ConsistentHash::new(by.clone(), members, turns())))
            }
            Balance::Custom(name) => {
                Self::Custom(Arc::new(Custom::new(balancers.get(name), members)))
            }
            Balance::Random if members.len() > 1 => Self::Random(Arc::new(Random::new(&weights))),
            Balance::LeastRequest if members.len() > 1 => {
                let previous = match previous {
                    Some(Self::LeastRequest(previous)) => Some(&**previous),
                    _ => None,
                };
                Self::LeastRequest(Arc::new(LeastRequest::new(members, previous)))
            }
            Balance::LeastTime if members.len() > 1 => {
                let previous = match previous {
                    Some(Self::LeastTime(previous)) => Some(&**previous),
                    _ => None,
                };
                Self::LeastTime(Arc::new(LeastTime::new(members, previous)))
            }
            _ => Self::Turns(turns()),
        }
    }

    /// Chooses an endpoint that is not among those tried already.
    ///
    /// # Errors
    /// A balancer of one's own has failed.
    pub(crate) fn pick(&self, tried: &[usize], ask: Ask<'_>) -> Result<Option<Pick>> {
        let chosen = |index| Pick { index, ..Pick::default() };
        Ok(match self {
            Self::Turns(turns) => turns.next(tried).map(chosen),
            Self::Random(random) => random.pick(tried).map(chosen),
            Self::LeastRequest(loads) => loads.pick(tried),
            Self::LeastTime(times) => times.pick(tried),
            Self::ConsistentHash(hash) => hash.pick(tried, ask),
            Self::Custom(custom) => return custom.pick(tried, ask),
        })
    }
}

impl Asked for Connection {
    fn client(&self) -> IpAddr {
        self.0
    }

    fn path(&self) -> Option<&str> {
        None
    }

    fn query(&self) -> Option<&str> {
        None
    }

    fn parameter(&self, _: &str) -> Option<&str> {
        None
    }
}

#[cfg(test)]
mod tests {
    use portway_plugin::balance::stable_hash;

    use super::*;

    /// Endpoints of these weights, named `e0`, `e1` and so on.
    pub(super) fn members(weights: &[u16]) -> Vec<Member> {
        let named =
            weights.iter().enumerate().map(|(number, weight)| (format!("e{number}"), *weight));
        named.map(|(name, weight)| member(&name, weight)).collect()
    }

    pub(super) fn member(name: &str, weight: u16) -> Member {
        Member { id: stable_hash(name.bytes()), endpoint: Endpoint::new(name, weight) }
    }

    fn pick(picker: &Picker, tried: &[usize]) -> Option<usize> {
        let from = Connection([10, 0, 0, 1].into());
        let ask = Ask { of: &from, headers: None };
        picker.pick(tried, ask).unwrap().map(|pick| pick.index)
    }

    fn every_balance() -> Vec<Balance> {
        use portway_config::HashKey;
        let hash = Balance::ConsistentHash(HashKey::ClientAddress);
        vec![Balance::RoundRobin, Balance::LeastRequest, Balance::Random, Balance::LeastTime, hash]
    }

    #[test]
    fn nobody_is_chosen_twice_for_one_request_and_nobody_without_weight() {
        for balance in every_balance() {
            let picker = Picker::new(&balance, &members(&[1, 0, 2]), &Balancers::default(), None);
            let first = pick(&picker, &[]).unwrap();
            let second = pick(&picker, &[first]).unwrap();
            assert_eq!((first + second, first.abs_diff(second)), (2, 2), "{balance:?}");
            assert_eq!(pick(&picker, &[first, second]), None, "{balance:?}");
            let nobody = Picker::new(&balance, &members(&[0, 0]), &Balancers::default(), None);
            assert_eq!(pick(&nobody, &[]), None, "{balance:?}");
        }
    }

    #[test]
    fn counts_stay_with_endpoints_that_stay() {
        for balance in [Balance::LeastRequest, Balance::LeastTime] {
            let [a, b, c] = ["a", "b", "c"].map(|name| member(name, 1));
            let none = Balancers::default();
            let old = Picker::new(&balance, &[a.clone(), b.clone()], &none, None);
            let from = Connection([10, 0, 0, 1].into());
            let ask = Ask { of: &from, headers: None };
            let on_a = old.pick(&[1], ask).unwrap().unwrap();
            let new = Picker::new(&balance, &[c, a, b], &none, Some(&old));
            let held: Vec<_> = (0..2).map(|_| new.pick(&[], ask).unwrap().unwrap()).collect();
            let mut chosen: Vec<_> = held.iter().map(|pick| pick.index).collect();
            chosen.sort_unstable();
            assert_eq!(chosen, [0, 2], "{balance:?}: a is busy with a request of before");
            drop((on_a, held));
        }
    }
}
