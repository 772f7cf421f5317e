//! Which addresses the gateway asks on behalf of plugins.

use std::net::{IpAddr, SocketAddr};

use arc_swap::ArcSwap;

/// Refuses addresses that a URL in a configuration has no business to reach: those that answer
/// for the machine (link-local, where clouds keep their credentials), none in particular, and the
/// gateway's own probe and admin listeners. Asked after a name was resolved, for each connection.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    own: ArcSwap<Vec<SocketAddr>>,
}

impl Guard {
    /// From now on these are the gateway's own.
    pub(crate) fn set_own(&self, own: Vec<SocketAddr>) {
        self.own.store(own.into());
    }

    /// Why the address is not to be asked.
    pub(crate) fn refusal(&self, address: SocketAddr) -> Option<&'static str> {
        let ip = address.ip().to_canonical();
        let own = |own: &SocketAddr| {
            own.port() == address.port()
                && (own.ip().to_canonical() == ip || own.ip().is_unspecified() && ip.is_loopback())
        };
        if ip.is_unspecified() || ip.is_multicast() {
            Some("the address is nobody's")
        } else if is_link_local(ip) {
            Some("the address is link-local")
        } else if self.own.load().iter().any(own) {
            Some("the address is the gateway's own probe or admin listener")
        } else {
            None
        }
    }
}

/// Link-local addresses (RFC 3927, RFC 4291), broadcast, and where AWS keeps its metadata in IPv6.
fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => {
            ip.is_unicast_link_local() || ip.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_for_the_machine_is_refused() {
        let guard = Guard::default();
        guard.set_own(vec!["0.0.0.0:9000".parse().unwrap(), "127.0.0.1:9100".parse().unwrap()]);
        for bad in [
            "169.254.169.254:80",
            "[::ffff:169.254.169.254]:80",
            "[fe80::1]:80",
            "[fd00:ec2::254]:80",
            "0.0.0.0:80",
            "[::]:80",
            "224.0.0.1:80",
            "127.0.0.1:9000",
            "127.0.0.1:9100",
            "[::ffff:127.0.0.1]:9100",
        ] {
            assert!(guard.refusal(bad.parse().unwrap()).is_some(), "{bad}");
        }
        for good in ["127.0.0.1:80", "10.0.0.1:9000", "[2001:db8::1]:443", "192.0.2.1:9100"] {
            assert!(guard.refusal(good.parse().unwrap()).is_none(), "{good}");
        }
    }
}
