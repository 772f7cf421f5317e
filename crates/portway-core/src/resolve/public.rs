//! Which addresses belong to the public Internet, for services with `deny_private_addresses`.
//!
//! The blocks are those of the IANA registries for special-purpose addresses (RFC 6890, with the
//! entries added since). For IPv6 only global unicast space (`2000::/3`, RFC 4291 section 2.4) can
//! be public at all. An IPv6 address that stands for an IPv4 address (mapped, NAT64, 6to4) is as
//! public as the IPv4 address: it leads there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether the address can be that of a server on the public Internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

const V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8), // this network, RFC 791; 0.0.0.0 reaches the host itself
    (Ipv4Addr::new(10, 0, 0, 0), 8), // private use, RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10), // shared between carrier and customer, RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8), // loopback, RFC 1122
    (Ipv4Addr::new(169, 254, 0, 0), 16), // link-local, RFC 3927; cloud metadata lives here
    (Ipv4Addr::new(172, 16, 0, 0), 12), // private use, RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24), // IETF protocol assignments, RFC 6890
    (Ipv4Addr::new(192, 0, 2, 0), 24), // documentation, RFC 5737
    (Ipv4Addr::new(192, 88, 99, 0), 24), // 6to4 relays, withdrawn by RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16), // private use, RFC 1918
    (Ipv4Addr::new(198, 18, 0, 0), 15), // benchmarks, RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation, RFC 5737
    (Ipv4Addr::new(203, 0, 113, 0), 24), // documentation, RFC 5737
    (Ipv4Addr::new(224, 0, 0, 0), 4), // multicast, RFC 5771
    (Ipv4Addr::new(240, 0, 0, 0), 4), // reserved, RFC 1112, with the broadcast address
];

/// The blocks inside `2000::/3` that are not public.
const V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo, RFC 2928
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation, RFC 3849
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation, RFC 9637
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    !V4.iter().any(|(block, bits)| {
        let mask = u32::MAX << (u32::BITS - bits);
        address.to_bits() & mask == block.to_bits()
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = inner_v4(address) {
        return is_public_v4(inner);
    }
    let global_unicast = address.segments()[0] & 0xe000 == 0x2000;
    global_unicast
        && !V6.iter().any(|(block, bits)| {
            let mask = u128::MAX << (u128::BITS - bits);
            address.to_bits() & mask == block.to_bits()
        })
}

/// The IPv4 address that packets to this address end up at.
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let embedded =
        |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // IPv4-mapped, RFC 4291 section 2.5.5.2
        [0, 0, 0, 0, 0, 0xffff, high, low]
        // NAT64's well-known prefix, RFC 6052
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        // 6to4, RFC 3056
        | [0x2002, high, low, ..] => Some(embedded(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    /// The first and the last address of every block, and its neighbours outside.
    #[test]
    fn blocks_end_where_the_registry_says() {
        for (private, public) in [
            (&["0.0.0.0", "0.255.255.255"][..], &["1.0.0.0"][..]),
            (&["10.0.0.0", "10.255.255.255"], &["9.255.255.255", "11.0.0.0"]),
            (&["100.64.0.0", "100.127.255.255"], &["100.63.255.255", "100.128.0.0"]),
            (&["127.0.0.1", "127.255.255.255"], &["126.255.255.255", "128.0.0.0"]),
            (
                &["169.254.0.0", "169.254.169.254", "169.254.255.255"],
                &["169.253.255.255", "169.255.0.0"],
            ),
            (&["172.16.0.0", "172.31.255.255"], &["172.15.255.255", "172.32.0.0"]),
            (
                &["192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255"],
                &["192.0.1.0", "192.0.3.0"],
            ),
            (&["192.88.99.0", "192.88.99.255"], &["192.88.98.255", "192.88.100.0"]),
            (&["192.168.0.0", "192.168.255.255"], &["192.167.255.255", "192.169.0.0"]),
            (&["198.18.0.0", "198.19.255.255"], &["198.17.255.255", "198.20.0.0"]),
            (&["198.51.100.0", "198.51.100.255"], &["198.51.99.255", "198.51.101.0"]),
            (&["203.0.113.0", "203.0.113.255"], &["203.0.112.255", "203.0.114.0"]),
            (
                &["224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255"],
                &["223.255.255.255"],
            ),
            (&["2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"], &["2000::1", "2001:200::"]),
            (&["2001:db8::", "2001:db8:ffff::1"], &["2001:db7::1", "2001:db9::"]),
            (&["3fff::", "3fff:fff:ffff::1"], &["3ffe::1", "3fff:1000::"]),
            (&["1fff::1", "4000::1"], &["2000::", "3ffe:ffff::1"]),
        ] {
            for address in private {
                assert!(!is_public(address.parse().unwrap()), "{address} taken for public");
            }
            for address in public {
                assert!(is_public(address.parse().unwrap()), "{address} taken for private");
            }
        }
    }

    #[test]
    fn addresses_with_a_meaning_of_their_own_are_not_public() {
        for address in [
            "::",                  // unspecified
            "::1",                 // loopback
            "::127.0.0.1",         // IPv4-compatible, long withdrawn
            "100::1",              // discard, RFC 6666
            "5f00::1",             // segment routing, RFC 9602
            "64:ff9b:1::8.8.8.8",  // local NAT64, RFC 8215: nobody outside knows where it leads
            "fc00::1",             // unique local, RFC 4193
            "fd12:3456:789a::1",   // unique local
            "fe80::1",             // link-local
            "fec0::1",             // site-local, withdrawn by RFC 3879
            "ff02::1",             // multicast
            "2001:0:5ef5:79fb::1", // Teredo
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address} taken for public");
        }
    }

    #[test]
    fn an_address_is_as_public_as_the_one_it_stands_for() {
        for (address, public) in [
            ("::ffff:8.8.8.8", true),
            ("::ffff:127.0.0.1", false),
            ("::ffff:169.254.169.254", false),
            ("64:ff9b::8.8.8.8", true),
            ("64:ff9b::10.0.0.1", false),
            ("2002:808:808::1", true),
            ("2002:7f00:1::1", false),
            ("2002:c0a8:101::", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn ordinary_servers_are_public() {
        for address in ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001::64"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
