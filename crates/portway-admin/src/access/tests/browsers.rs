//! Pages in a browser that would use the API behind somebody's back.

use http::{Method, StatusCode};
use serde_json::json;

use super::{HASH, admin, basic, head, peer, refused, room, room_with};

/// What somebody sees who is kept out by the name they ask for.
const NOT_OURS: (u16, &str) = (403, "host_not_allowed");
const ELSEWHERE: (u16, &str) = (403, "origin_not_allowed");

#[test]
fn a_name_that_is_not_ours_is_not_heard() {
    let any = |bind: &str, allowed: &[&str]| {
        let mut admin = admin(&json!({ "allowed_hosts": allowed }));
        admin.bind = bind.parse().unwrap();
        room_with(&admin, std::sync::Arc::new(crate::access::MemoryTokens::default()))
    };
    let local = any("127.0.0.1:9080", &[]);
    let own = any("10.0.0.7:9080", &[]);
    let all = any("0.0.0.0:9080", &[]);
    let named = any("127.0.0.1:9080", &["admin.example.com", "*.ops.example.com"]);
    for (room, host, heard) in [
        (&local, "localhost:9080", true),
        (&local, "LOCALHOST", true),
        (&local, "127.0.0.1:9080", true),
        (&local, "127.8.8.8", true),
        (&local, "[::1]:1234", true),
        (&local, "10.0.0.7:9080", false),
        (&own, "10.0.0.7:9080", true),
        (&own, "10.0.0.8:9080", false),
        (&own, "[::ffff:10.0.0.7]", true),
        (&all, "10.0.0.8:9080", true),
        (&all, "[2001:db8::1]", true),
        (&named, "admin.example.com", true),
        (&named, "Admin.Example.Com:8443", true),
        (&named, "a.ops.example.com", true),
        (&named, "ops.example.com", false),
        (&named, ".ops.example.com", false),
        (&named, "xops.example.com", false),
        // What a page of an attacker is called, whatever the name points to.
        (&local, "evil.example", false),
        (&local, "evil.example:9080", false),
        (&local, "127.0.0.1.evil.example", false),
        (&local, "localhost.evil.example", false),
        (&local, "localhost.", false),
        (&local, "evil.example@localhost", false),
        (&local, "localhost@evil.example", false),
        (&all, "evil.example", false),
        (&local, "", false),
        (&local, "0x7f000001", false),
        (&local, "127.1", false),
    ] {
        let head = head(Method::GET, "/", &[("host", host)]);
        let result = room.guard.hear(&head, &peer("127.0.0.1"));
        if heard {
            assert!(result.is_ok(), "{host}: {result:?}");
        } else {
            assert_eq!(refused(result), NOT_OURS, "{host}");
        }
    }
}

#[test]
fn there_is_one_name() {
    let guard = room(json!({})).guard;
    let two = head(Method::GET, "/", &[("host", "localhost"), ("host", "localhost")]);
    assert_eq!(refused(guard.hear(&two, &peer("127.0.0.1"))), NOT_OURS);
    for (target, host, heard) in [
        ("http://localhost:9080/", "localhost:9080", true),
        ("http://localhost:9080/", "evil.example", false),
        ("http://evil.example/", "localhost:9080", false),
    ] {
        let head = head(Method::GET, target, &[("host", host)]);
        assert_eq!(guard.hear(&head, &peer("127.0.0.1")).is_ok(), heard, "{target} {host}");
    }
    let mut none = head(Method::GET, "/", &[]);
    none.headers.clear();
    assert_eq!(refused(guard.hear(&none, &peer("127.0.0.1"))), NOT_OURS);
}

#[tokio::test]
async fn a_page_from_elsewhere_changes_nothing() {
    let access = json!({
        "allowed_origins": ["https://ui.example.com"], "allowed_hosts": ["gate.example"],
        "basic": [{"username": "ann", "hash": HASH, "role": "admin"}],
    });
    let room = room(access);
    let authorization = basic("ann:U*U");
    let own = ("host", "gate.example:9080");
    for (fields, allowed) in [
        // No browser.
        (vec![own], true),
        // Pages of its own.
        (vec![own, ("origin", "http://gate.example:9080")], true),
        (vec![own, ("origin", "https://gate.example:9080")], true),
        (vec![("host", "gate.example"), ("origin", "http://gate.example")], true),
        (vec![("host", "GATE.example:80"), ("origin", "http://gate.example")], true),
        (vec![own, ("sec-fetch-site", "same-origin")], true),
        (vec![own, ("sec-fetch-site", "none")], true),
        (vec![own, ("referer", "http://gate.example:9080/a?b")], true),
        // Allowed by the configuration.
        (vec![own, ("origin", "https://ui.example.com"), ("sec-fetch-site", "cross-site")], true),
        (vec![own, ("referer", "https://ui.example.com/a")], true),
        // From elsewhere.
        (vec![own, ("origin", "https://evil.example")], false),
        (vec![own, ("origin", "null")], false),
        (vec![own, ("origin", "http://gate.example")], false),
        (vec![own, ("origin", "http://gate.example:9080.evil.example")], false),
        (vec![own, ("origin", "ftp://gate.example:9080")], false),
        (vec![own, ("origin", "http://ui.example.com")], false),
        (
            vec![own, ("origin", "https://ui.example.com"), ("origin", "https://evil.example")],
            false,
        ),
        (vec![own, ("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")], false),
        (vec![own, ("sec-fetch-site", "cross-site")], false),
        (vec![own, ("sec-fetch-site", "same-site")], false),
        (vec![own, ("referer", "https://evil.example/http://gate.example:9080")], false),
        (vec![own, ("referer", "about:blank")], false),
    ] {
        let mut fields = fields;
        fields.push(("authorization", &authorization));
        for method in [Method::PUT, Method::POST, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            let head = head(method.clone(), "/api/v1/routes/a", &fields);
            let result = room.guard.admit(&head, &peer("127.0.0.1")).await;
            if allowed {
                assert!(result.is_ok(), "{method} {fields:?}: {result:?}");
            } else {
                assert_eq!(refused(result), ELSEWHERE, "{method} {fields:?}");
            }
        }
        // Reading is no change, and no page from elsewhere gets to see the answer.
        let get = head(Method::GET, "/api/v1/routes", &fields);
        assert!(room.guard.admit(&get, &peer("127.0.0.1")).await.is_ok());
    }
}

#[test]
fn over_tls_a_page_without_it_is_somebody_elses() {
    let guard = room(json!({})).guard;
    for (tls, origin, heard) in [
        (true, "https://localhost", true),
        (true, "http://localhost", false),
        (false, "http://localhost", true),
        (false, "https://localhost", true),
    ] {
        let head = head(Method::PUT, "/", &[("host", "localhost"), ("origin", origin)]);
        let peer = super::Peer { tls, ..peer("127.0.0.1") };
        assert_eq!(guard.hear(&head, &peer).is_ok(), heard, "{tls} {origin}");
    }
}

#[test]
fn a_page_that_may_is_told_so() {
    let guard = room(json!({"allowed_origins": ["https://ui.example.com"]})).guard;
    let peer = peer("127.0.0.1");
    let ask = |origin| {
        let fields = [("origin", origin), ("access-control-request-method", "PUT")];
        guard.preflight(&head(Method::OPTIONS, "/api/v1/routes/a", &fields), &peer)
    };
    let fields = ask("https://ui.example.com").unwrap().expect("it is a preflight");
    assert_eq!(fields["access-control-allow-origin"], "https://ui.example.com");
    assert!(fields["access-control-allow-methods"].to_str().unwrap().contains("PATCH"));
    assert_eq!(fields["vary"], "Origin");
    assert!(!fields.contains_key("access-control-allow-credentials"));
    assert_eq!(refused(ask("https://evil.example")), ELSEWHERE);
    let plain = head(Method::OPTIONS, "/", &[]);
    assert_eq!(guard.preflight(&plain, &peer).unwrap(), None);
    let get = |origin| guard.cors(&head(Method::GET, "/", &[("origin", origin)]));
    assert!(get("https://ui.example.com").unwrap().contains_key("access-control-expose-headers"));
    assert_eq!(get("https://evil.example"), None);
    assert_eq!(guard.cors(&plain), None);
}

#[tokio::test]
async fn an_open_api_is_closed_to_pages() {
    let room = room(json!({"authentication": "none"}));
    let admission = room.get(&[]).await.unwrap();
    assert!(admission.who.grant.is_full() && room.guard.has_admin());
    assert_eq!(refused(room.get(&[("host", "evil.example")]).await), NOT_OURS);
    let post = head(Method::POST, "/api/v1/apply", &[("origin", "https://evil.example")]);
    let refusal = room.guard.admit(&post, &peer("127.0.0.1")).await.unwrap_err();
    assert_eq!(refusal.status, StatusCode::FORBIDDEN);
}
