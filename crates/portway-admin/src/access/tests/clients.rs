//! From which address somebody asks.

use serde_json::{Value, json};

use super::{head, peer, refused, room};

const NOT_FROM_THERE: (u16, &str) = (403, "address_not_allowed");

/// The address that counts, or none where the request is refused.
fn client(access: &Value, from: &str, forwarded: &[&str]) -> Option<String> {
    let fields: Vec<_> = forwarded.iter().map(|line| ("x-forwarded-for", *line)).collect();
    let head = head(http::Method::GET, "/", &fields);
    match room(access.clone()).guard.hear(&head, &peer(from)) {
        Ok(client) => Some(client.to_string()),
        Err(refusal) => {
            assert_eq!((refusal.status.as_u16(), refusal.code), NOT_FROM_THERE);
            None
        }
    }
}

#[test]
fn only_trusted_proxies_speak_for_others() {
    let trusted = json!({"trusted_proxies": ["10.0.0.0/8"]});
    for (access, from, forwarded, counts) in [
        (&json!({}), "192.0.2.1", &["127.0.0.1"][..], Some("192.0.2.1")),
        (&json!({}), "::ffff:192.0.2.1", &[], Some("192.0.2.1")),
        (&trusted, "192.0.2.1", &["127.0.0.1"], Some("192.0.2.1")),
        (&trusted, "10.0.0.1", &[], Some("10.0.0.1")),
        (&trusted, "10.0.0.1", &["192.0.2.1"], Some("192.0.2.1")),
        (&trusted, "10.0.0.1", &["127.0.0.1, 192.0.2.1"], Some("192.0.2.1")),
        (&trusted, "10.0.0.1", &["127.0.0.1", "192.0.2.1,10.0.0.2"], Some("192.0.2.1")),
        (&trusted, "10.0.0.1", &["[2001:db8::1]:443"], Some("2001:db8::1")),
        (&trusted, "10.0.0.1", &["[2001:db8::1]"], Some("2001:db8::1")),
        (&trusted, "10.0.0.1", &["192.0.2.1:80"], Some("192.0.2.1")),
        (&trusted, "10.0.0.1", &["unknown"], None),
        (&trusted, "10.0.0.1", &[""], None),
        (&trusted, "10.0.0.1", &["127.0.0.1, "], None),
    ] {
        let found = client(access, from, forwarded);
        assert_eq!(found.as_deref(), counts, "{access} {from} {forwarded:?}");
    }
}

#[test]
fn so_many_proxies_are_passed() {
    let depth = |depth: u16| json!({"trusted_proxies": ["10.0.0.0/8"], "forwarded_depth": depth});
    for (number, forwarded, counts) in [
        (1, &["192.0.2.1"][..], Some("192.0.2.1")),
        (1, &["127.0.0.1, 192.0.2.1"], Some("192.0.2.1")),
        (1, &["127.0.0.1", "192.0.2.1"], Some("192.0.2.1")),
        (2, &["127.0.0.1, 192.0.2.1, 10.0.0.2"], Some("192.0.2.1")),
        (2, &["127.0.0.1", "192.0.2.1, 10.0.0.2"], Some("192.0.2.1")),
        (2, &["127.0.0.1, 192.0.2.1", "10.0.0.2"], Some("192.0.2.1")),
        (2, &["10.0.0.2"], None),
        (1, &[], None),
        (2, &["unknown, 10.0.0.2"], None),
    ] {
        let found = client(&depth(number), "10.0.0.1", forwarded);
        assert_eq!(found.as_deref(), counts, "{number} {forwarded:?}");
    }
    // Who comes by no proxy is not believed, however deep.
    assert_eq!(client(&depth(1), "192.0.2.9", &["127.0.0.1"]).as_deref(), Some("192.0.2.9"));
}

#[test]
fn who_is_not_on_the_list_is_not_heard() {
    let access = json!({
        "allow": ["192.0.2.0/24", "2001:db8::/32"], "trusted_proxies": ["10.0.0.1"],
    });
    for (from, forwarded, heard) in [
        ("192.0.2.7", &[][..], true),
        ("::ffff:192.0.2.7", &[], true),
        ("2001:db8::1", &[], true),
        ("127.0.0.1", &[], false),
        ("192.0.3.1", &["192.0.2.7"], false),
        ("10.0.0.1", &["192.0.2.7"], true),
        ("10.0.0.1", &["192.0.2.7, 192.0.3.1"], false),
        ("10.0.0.1", &[], false),
    ] {
        assert_eq!(client(&access, from, forwarded).is_some(), heard, "{from} {forwarded:?}");
    }
}

#[tokio::test]
async fn nobody_is_asked_for_a_password_who_is_not_heard() {
    let access = json!({
        "allow": ["192.0.2.0/24"],
        "basic": [{"username": "ann", "hash": super::HASH, "role": "admin"}],
    });
    let room = room(access);
    assert_eq!(refused(room.log_in("127.0.0.1", &super::basic("ann:U*U")).await), NOT_FROM_THERE);
    assert_eq!(room.threads.runs(), 0);
    let admission = room.log_in("192.0.2.7", &super::basic("ann:U*U")).await.unwrap();
    assert_eq!(admission.client.to_string(), "192.0.2.7");
}
