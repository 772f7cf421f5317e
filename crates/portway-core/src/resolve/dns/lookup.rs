//! One look-up of a name: the hosts file, then A and AAAA at the name servers.

use std::{net::IpAddr, pin::pin, time::Duration};

use hickory_resolver::{
    net::{DnsError, NetError},
    proto::rr::{Name as DnsName, RecordType},
};

use super::{
    super::found::{Found, LOOKUP_DEADLINE, LookupError, leave_out_unreachable_v6},
    Servers,
    stub::Stub,
};

/// How long one family's answer waits for the other's. Some name servers never answer AAAA.
const OTHER_FAMILY: Duration = Duration::from_secs(1);
/// The hosts file gives no time to live. Looking whether it changed is cheap.
const HOSTS_TTL: Duration = Duration::from_secs(5);

impl Servers {
    /// Looks `host` up. `known` are the addresses found earlier: when only one family can be asked
    /// about, those of the other one are kept.
    pub(in crate::resolve) async fn look_up(
        &self,
        host: &str,
        known: &[IpAddr],
    ) -> Result<Found, LookupError> {
        let stub = self.current().map_err(LookupError::Failed)?;
        let addresses = stub.hosts_file_says(host);
        if !addresses.is_empty() {
            return Ok(Found { addresses, ttl: HOSTS_TTL });
        }
        match tokio::time::timeout(LOOKUP_DEADLINE, ask_servers(&stub, host, known)).await {
            Ok(result) => result,
            Err(_) => Err(LookupError::Failed(NetError::Timeout)),
        }
    }
}

/// Goes through the search list. A server's error about one name does not end the search, as in
/// the system's own resolver; silence does, because the next name could be somebody else's.
async fn ask_servers(stub: &Stub, host: &str, known: &[IpAddr]) -> Result<Found, LookupError> {
    let mut failure = None;
    for name in stub.candidates(host).map_err(LookupError::Failed)? {
        let (v4, v6) = both_families(
            ask(stub, name.clone(), RecordType::A),
            ask(stub, name, RecordType::AAAA),
        )
        .await;
        match combine(v4, v6, known) {
            Ok(found) => return Ok(found),
            Err(LookupError::NoAddresses) => {}
            Err(LookupError::Failed(error @ NetError::Dns(_))) => failure = Some(error),
            Err(silence) => return Err(silence),
        }
    }
    Err(failure.map_or(LookupError::NoAddresses, LookupError::Failed))
}

/// Waits for both answers, but for the second one only a while once the first has addresses.
async fn both_families(
    v4: impl Future<Output = Result<Found, LookupError>>,
    v6: impl Future<Output = Result<Found, LookupError>>,
) -> (Result<Found, LookupError>, Result<Found, LookupError>) {
    let (mut v4, mut v6) = (pin!(v4), pin!(v6));
    tokio::select! {
        first = &mut v4 => {
            let second = second_family(first.is_ok(), v6).await;
            (first, second)
        }
        first = &mut v6 => {
            let second = second_family(first.is_ok(), v4).await;
            (second, first)
        }
    }
}

async fn second_family(
    first_is_good: bool,
    second: impl Future<Output = Result<Found, LookupError>>,
) -> Result<Found, LookupError> {
    if !first_is_good {
        return second.await;
    }
    match tokio::time::timeout(OTHER_FAMILY, second).await {
        Ok(result) => result,
        Err(_) => Err(LookupError::Failed(NetError::Timeout)),
    }
}

async fn ask(stub: &Stub, name: DnsName, kind: RecordType) -> Result<Found, LookupError> {
    let lookup = match stub.client.lookup(name, kind).await {
        Ok(lookup) => lookup,
        Err(NetError::Dns(DnsError::NoRecordsFound(_))) => return Err(LookupError::NoAddresses),
        Err(error) => return Err(LookupError::Failed(error)),
    };
    let records = lookup.answers();
    let addresses = records.iter().filter_map(|record| record.data.ip_addr()).collect::<Vec<_>>();
    if addresses.is_empty() {
        return Err(LookupError::NoAddresses);
    }
    // The aliases on the way count: a change of one changes the answer.
    let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
    Ok(Found { addresses, ttl: Duration::from_secs(ttl.into()) })
}

/// The answer of both families together.
fn combine(
    v4: Result<Found, LookupError>,
    v6: Result<Found, LookupError>,
    known: &[IpAddr],
) -> Result<Found, LookupError> {
    let (mut found, other, other_is_v6) = match (v4, v6) {
        (Ok(v4), v6) => (v4, v6, true),
        (v4, Ok(v6)) => (v6, v4, false),
        (Err(failed @ LookupError::Failed(_)), _) | (_, Err(failed)) => return Err(failed),
    };
    match other {
        Ok(other) => {
            found.ttl = found.ttl.min(other.ttl);
            found.addresses.extend(other.addresses);
        }
        Err(LookupError::NoAddresses) => {}
        Err(LookupError::Failed(_)) => {
            found.addresses.extend(known.iter().filter(|known| known.is_ipv6() == other_is_v6));
        }
    }
    leave_out_unreachable_v6(&mut found.addresses);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        net::IpAddr,
        time::Duration,
    };

    use hickory_resolver::net::NetError;

    use super::{Found, LookupError, both_families, combine};

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn found(ttl: u64, texts: &[&str]) -> Result<Found, LookupError> {
        Ok(Found { addresses: addresses(texts), ttl: Duration::from_secs(ttl) })
    }

    fn none() -> Result<Found, LookupError> {
        Err(LookupError::NoAddresses)
    }

    fn failed() -> Result<Found, LookupError> {
        Err(LookupError::Failed(NetError::Timeout))
    }

    #[test]
    fn both_families_are_used_for_the_shorter_time() {
        let both = combine(found(60, &["127.0.0.1"]), found(5, &["::ffff:127.0.0.2"]), &[]);
        assert_eq!(both.unwrap().ttl, Duration::from_secs(5));
        let v6 = combine(none(), found(7, &["2001:db8::1"]), &[]);
        assert_eq!(v6.unwrap(), found(7, &["2001:db8::1"]).unwrap());
    }

    #[test]
    fn a_family_nobody_answered_about_keeps_its_addresses() {
        let known = addresses(&["127.0.0.8", "127.0.0.9", "2001:db8::8"]);
        let v6 = combine(failed(), found(7, &["2001:db8::1"]), &known).unwrap();
        let expected = addresses(&["127.0.0.8", "127.0.0.9"]);
        assert_eq!(
            v6.addresses.iter().filter(|ip| ip.is_ipv4()).copied().collect::<Vec<_>>(),
            expected
        );
        let denied = combine(none(), found(7, &["2001:db8::1"]), &known).unwrap();
        assert_eq!(denied.addresses, addresses(&["2001:db8::1"]));
    }

    #[test]
    fn nobody_knows_is_not_the_same_as_there_are_none() {
        assert!(matches!(combine(none(), none(), &[]), Err(LookupError::NoAddresses)));
        assert!(matches!(combine(failed(), none(), &[]), Err(LookupError::Failed(_))));
        assert!(matches!(combine(none(), failed(), &[]), Err(LookupError::Failed(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_ignores_one_family_does_not_hold_up_the_other() {
        let (v4, v6) = both_families(ready(found(1, &["127.0.0.1"])), pending()).await;
        assert!(v4.is_ok());
        assert!(matches!(v6, Err(LookupError::Failed(_))));
        let (v4, v6) = both_families(pending(), ready(found(1, &["::1"]))).await;
        assert!(matches!(v4, Err(LookupError::Failed(_))));
        assert!(v6.is_ok());
    }
}
