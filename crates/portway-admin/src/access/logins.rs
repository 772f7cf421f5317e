//! How often a client may be wrong about who it is.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Failures at once that cost nothing but the 401.
const FREE: u32 = 10;
/// The time after which one failure is forgotten.
const FORGET: Duration = Duration::from_secs(6);
/// The clients that are remembered. An attacker with more addresses than that has as many guesses
/// anyway; what counts is that a table of them has an end.
const MOST: usize = 16 * 1024;

/// Failed logins by client. Each failure pushes the moment at which a client's slate is clean
/// further away; who is too far from it is not heard. A client is an IPv4 address, or the /64 that
/// an IPv6 address is in: one host usually has all of it.
#[derive(Debug, Default)]
pub(super) struct Logins(Mutex<HashMap<IpAddr, Duration>>);

impl Logins {
    /// Whether the client is heard at the time `now`; otherwise how long it has to wait.
    pub(super) fn heard(&self, client: IpAddr, now: Duration) -> Result<(), Duration> {
        self.with(|table| wait(table, network(client), now).map_or(Ok(()), Err))
    }

    /// Counts a failure, if the client is heard. To be called before a guess is looked at, so that
    /// guesses at the same time are counted too; a good one is [forgiven](Self::forgive).
    pub(super) fn count(&self, client: IpAddr, now: Duration) -> Result<(), Duration> {
        self.with(|table| {
            let client = network(client);
            if let Some(wait) = wait(table, client, now) {
                return Err(wait);
            }
            if table.len() >= MOST && !table.contains_key(&client) {
                make_room(table, now);
            }
            let clean = table.entry(client).or_default();
            *clean = (*clean).max(now) + FORGET;
            Ok(())
        })
    }

    /// Takes back what [`Self::count`] has counted.
    pub(super) fn forgive(&self, client: IpAddr) {
        self.with(|table| {
            if let Some(clean) = table.get_mut(&network(client)) {
                *clean = clean.saturating_sub(FORGET);
            }
        });
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.with(|table| table.len())
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<IpAddr, Duration>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn wait(table: &HashMap<IpAddr, Duration>, client: IpAddr, now: Duration) -> Option<Duration> {
    let heard_from = table.get(&client)?.saturating_sub(FORGET * (FREE - 1));
    Some(heard_from.checked_sub(now)?).filter(|wait| !wait.is_zero())
}

/// Forgets the clean ones; if that is not enough, the cleaner half.
fn make_room(table: &mut HashMap<IpAddr, Duration>, now: Duration) {
    table.retain(|_, clean| *clean > now);
    if table.len() >= MOST {
        let mut times: Vec<Duration> = table.values().copied().collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        table.retain(|_, clean| *clean > median);
    }
}

fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & (u128::MAX << 64)).into()),
    }
}
