use portway_plugin::value::Cidr;
use portway_testkit::plugin::Stage;
use serde_json::{Value, json};

use super::{IpRestriction, ranges::Ranges};

/// Which of these clients may ask.
async fn check(spec: Value, clients: &[(&str, bool)]) {
    let mut stage = Stage::of::<IpRestriction>(spec.clone()).await.expect("the spec is good");
    for (client, may) in clients {
        stage.known.client = Some(client.parse().expect("an address"));
        let headers = [("x-forwarded-for", "10.0.0.1"), ("x-real-ip", "10.0.0.1")];
        let seen = stage.ask(http::Method::GET, "/", &headers).await;
        assert_eq!(seen.target().is_some(), *may, "{client} {spec}");
        if !may {
            assert_eq!((seen.status(), seen.code()), (403, "ip_denied"));
        }
        assert!(seen.marks.is_empty());
    }
}

#[tokio::test]
async fn deny_wins_over_allow() {
    let spec = json!({"allow": ["10.0.0.0/8", "2001:db8::/32"], "deny": ["10.1.0.0/16"]});
    check(
        spec,
        &[
            ("10.0.0.1", true),
            ("10.0.255.255", true),
            ("10.1.0.0", false),
            ("10.1.255.255", false),
            ("10.2.0.0", true),
            ("11.0.0.0", false),
            ("::ffff:10.0.0.1", true),
            ("::ffff:10.1.0.1", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            // Of another family, whatever the bits.
            ("::a00:1", false),
        ],
    )
    .await;
}

#[tokio::test]
async fn without_an_allow_list_everybody_else_may() {
    check(
        json!({"deny": ["192.0.2.7", "::1"]}),
        &[
            ("192.0.2.7", false),
            ("::ffff:192.0.2.7", false),
            ("192.0.2.8", true),
            ("::1", false),
            ("::2", true),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_mark_refuses_nobody() {
    let spec = json!({"allow": ["10.0.0.0/8"], "deny": ["10.0.0.7"], "mark": "internal"});
    let mut stage = Stage::of::<IpRestriction>(spec).await.expect("the spec is good");
    for (client, marked) in [("10.0.0.1", true), ("10.0.0.7", false), ("192.0.2.1", false)] {
        stage.known.client = Some(client.parse().expect("an address"));
        let seen = stage.get("/").await;
        assert_eq!(seen.status(), 200);
        let marks: &[&str] = if marked { &["internal"] } else { &[] };
        assert_eq!(seen.marks.iter().map(|mark| &**mark).collect::<Vec<_>>(), marks, "{client}");
    }
}

/// The ranges say the same as the blocks they are made of.
#[test]
fn ranges_are_the_blocks() {
    let text = [
        "0.0.0.0/32",
        "10.0.0.0/8",
        "10.0.0.0/16",
        "10.255.0.0/16",
        "11.0.0.0/8",
        "192.0.2.7",
        "255.255.255.255",
        "::",
        "2001:db8::/32",
        "2001:db8:1::/48",
        "ffff::/16",
    ];
    let blocks: Vec<Cidr> = text.iter().map(|block| block.parse().expect("a block")).collect();
    let ranges = Ranges::new(&blocks);
    for block in &blocks {
        let (first, last) = (block.net().network(), block.net().broadcast());
        let beside = |address, step: i8| match address {
            std::net::IpAddr::V4(ip) => {
                std::net::Ipv4Addr::from_bits(ip.to_bits().wrapping_add_signed(step.into())).into()
            }
            std::net::IpAddr::V6(ip) => {
                std::net::Ipv6Addr::from_bits(ip.to_bits().wrapping_add_signed(step.into())).into()
            }
        };
        for address in [first, last, beside(first, -1), beside(last, 1), beside(first, 1)] {
            let expected = blocks.iter().any(|block| block.contains(address));
            assert_eq!(ranges.contain(address), expected, "{address}");
        }
    }
    assert!(Ranges::new(&["0.0.0.0/0".parse().unwrap()]).contain("8.8.8.8".parse().unwrap()));
    assert!(!Ranges::new(&["0.0.0.0/0".parse().unwrap()]).contain("::1".parse().unwrap()));
}

#[tokio::test]
async fn nonsense_is_refused() {
    for spec in [
        json!({}),
        json!({"allow": [], "deny": []}),
        json!({"allow": ["10.0.0.0/33"]}),
        json!({"allow": ["10.0.0.1/8"]}),
        json!({"allow": ["example.com"]}),
        json!({"allow": ["10.0.0.0/8"], "mark": "a b"}),
    ] {
        assert!(Stage::of::<IpRestriction>(spec.clone()).await.is_err(), "{spec}");
    }
}
