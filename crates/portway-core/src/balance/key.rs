//! The key of a request. Reading it allocates nothing, but where a placeholder is asked for.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use portway_config::{
    HashKey,
    balance::{Candidates, stable_hash},
};

use super::Ask;
use crate::route::query_bytes;

/// The hash of what a request has of this. `None` where it has nothing.
pub(super) fn key(by: &HashKey, ask: Ask<'_>) -> Option<u64> {
    match by {
        HashKey::ClientAddress => Some(of_address(ask.of.client())),
        HashKey::Header(name) => of_field(ask.headers?, name.get()),
        HashKey::Cookie(name) => {
            let request = Candidates::new(ask.of, ask.headers, &[], &[]);
            request.cookie(name.as_str()).map(|value| stable_hash(value.iter().copied()))
        }
        HashKey::Query(name) => query_bytes(ask.of.query(), name).map(stable_hash),
        HashKey::PathParameter(name) => {
            ask.of.parameter(name).map(|text| stable_hash(text.bytes()))
        }
    }
}

fn of_address(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => stable_hash(address.octets()),
        IpAddr::V6(address) => stable_hash(address.octets()),
    }
}

/// Several field lines of one name are one value (RFC 9110 section 5.3).
fn of_field(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next()?.as_bytes().iter();
    let others = lines.flat_map(|line| b", ".iter().chain(line.as_bytes()));
    Some(stable_hash(first.chain(others).copied()))
}

#[cfg(test)]
mod tests {
    use portway_config::balance::Asked;

    use super::*;

    struct Request;

    impl Asked for Request {
        fn client(&self) -> IpAddr {
            "::ffff:10.0.0.1".parse().unwrap()
        }

        fn path(&self) -> Option<&str> {
            Some("/users/7")
        }

        fn query(&self) -> Option<&str> {
            Some("x=1&us%65r=a%20b&user=late")
        }

        fn parameter(&self, name: &str) -> Option<&str> {
            (name == "id").then_some("7")
        }
    }

    #[test]
    fn every_part_of_a_request_can_be_a_key() {
        let mut headers = HeaderMap::new();
        headers.append("x-user", "a".parse().unwrap());
        headers.append("x-user", "b".parse().unwrap());
        headers.append("cookie", "theme=dark; session=s1".parse().unwrap());
        let ask = Ask { of: &Request, headers: Some(&headers) };
        let hash = |text: &str| Some(stable_hash(text.bytes()));
        let name = |text: &str| text.parse().unwrap();
        assert_eq!(key(&HashKey::ClientAddress, ask), Some(stable_hash([10, 0, 0, 1])));
        assert_eq!(key(&HashKey::Header(name("x-user")), ask), hash("a, b"));
        assert_eq!(key(&HashKey::Cookie("session".parse().unwrap()), ask), hash("s1"));
        assert_eq!(key(&HashKey::Query("user".into()), ask), hash("a b"));
        assert_eq!(key(&HashKey::PathParameter("id".into()), ask), hash("7"));
        assert_eq!(key(&HashKey::Header(name("x-none")), ask), None);
        assert_eq!(key(&HashKey::Cookie("none".parse().unwrap()), ask), None);
        assert_eq!(key(&HashKey::Query("none".into()), ask), None);
        assert_eq!(key(&HashKey::PathParameter("none".into()), ask), None);
        let connection = Ask { headers: None, ..ask };
        assert_eq!(key(&HashKey::Header(name("x-user")), connection), None);
    }
}
