//! What stands in the place of the stub resolver in a build without it: the system's own
//! (`getaddrinfo`), which does not say for how long an answer is good.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{net::lookup_host, time::timeout};

use super::found::{Found, LOOKUP_DEADLINE, LookupError, leave_out_unreachable_v6};

/// Nobody but the system is asked.
pub(crate) const ASKS_SERVERS: bool = false;
/// As long as most caching name servers take to notice a change themselves.
const TTL: Duration = Duration::from_secs(30);

/// Why the system gave no answer.
pub(super) type Cause = io::Error;

/// The system's, whichever they are.
pub(super) struct Servers;

impl Servers {
    /// Whoever names some has been refused before.
    pub(super) fn new(_: Vec<SocketAddr>) -> Self {
        Self
    }

    /// Looks `host` up, in a thread of its own. The system says alike that there is no address and
    /// that nobody could say: addresses that were found earlier are kept.
    pub(super) async fn look_up(&self, host: &str, _: &[IpAddr]) -> Result<Found, LookupError> {
        let found = timeout(LOOKUP_DEADLINE, lookup_host((host, 0))).await;
        let found = found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let found = found.map_err(LookupError::Failed)?;
        let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        if addresses.is_empty() {
            return Err(LookupError::NoAddresses);
        }
        leave_out_unreachable_v6(&mut addresses);
        Ok(Found { addresses, ttl: TTL })
    }
}
