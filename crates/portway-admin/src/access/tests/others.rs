//! People whom somebody else vouches for.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use portway_config::{ClientCertificate, Role};
use serde_json::{Value, json};

use super::{Room, START, bearer, head, peer, refused, room};
use crate::access::{By, Peer, Refusal, Verb, Who};

const SECRET: &str = "a secret that is long enough for HS256 to take";
const NOT_GOOD: (u16, &str) = (401, "invalid_token");

fn jwt_room(more: Value) -> Room {
    let mut jwt = json!({
        "keys": [{"algorithm": "HS256", "secret": SECRET}], "audiences": ["portway-admin"],
        "issuers": ["https://id.example.com/"],
    });
    merge(&mut jwt, more);
    room(json!({ "jwt": jwt }))
}

fn merge(into: &mut Value, more: Value) {
    let Value::Object(more) = more else { panic!("it is an object") };
    into.as_object_mut().unwrap().extend(more);
}

fn claims(more: Value) -> Value {
    let mut claims = json!({
        "iss": "https://id.example.com/", "aud": "portway-admin", "sub": "ann", "role": "editor",
        "exp": START + 60,
    });
    merge(&mut claims, more);
    claims
}

fn message(head: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(head), encode(claims))
}

fn signed(head: &Value, claims: &Value) -> String {
    let message = message(head, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn show(room: &Room, claims: &Value) -> Result<Who, Refusal> {
    let token = signed(&json!({"alg": "HS256"}), claims);
    Ok(room.log_in("192.0.2.1", &bearer(&token)).await?.who)
}

#[tokio::test]
async fn claims_say_who_it_is_and_what_they_may() {
    let plain = jwt_room(json!({}));
    let mapped = jwt_room(json!({
        "name_claim": "email", "role_claim": "realm_access.roles", "namespaces_claim": "teams",
        "roles": {"gateway-admins": "admin", "developers": "editor"},
    }));
    let who = show(&plain, &claims(json!({}))).await.unwrap();
    assert_eq!((&*who.name, who.by, who.grant.role), ("ann", By::Jwt, Role::Editor));
    assert!(who.allows(Verb::Put, "route", Some("any")).is_ok());
    for (roles, teams, role, shop, bank) in [
        (json!(["developers"]), json!(["shop"]), Role::Editor, true, false),
        (json!(["x", "developers", "gateway-admins"]), json!("*"), Role::Admin, true, true),
        (json!("developers"), json!(["shop", "not a name", 7]), Role::Editor, true, false),
        (json!(["developers"]), json!(null), Role::Editor, false, false),
    ] {
        let said = claims(json!({
            "email": "ann@example.com", "realm_access": {"roles": roles}, "teams": teams,
        }));
        let who = show(&mapped, &said).await.unwrap();
        assert_eq!((&*who.name, who.grant.role), ("ann@example.com", role), "{said}");
        assert_eq!(who.allows(Verb::Put, "route", Some("shop")).is_ok(), shop, "{said}");
        assert_eq!(who.allows(Verb::Put, "route", Some("bank")).is_ok(), bank, "{said}");
    }
    // Names that stand for themselves do so no more where others are given.
    let said = claims(json!({"email": "a@b", "realm_access": {"roles": ["admin"]}}));
    assert_eq!(refused(show(&mapped, &said).await), (403, "forbidden"));
}

#[tokio::test]
async fn a_token_that_is_not_for_us_is_refused() {
    let room = jwt_room(json!({}));
    for (more, seen) in [
        (json!({"aud": "shop"}), NOT_GOOD),
        (json!({"aud": null}), NOT_GOOD),
        (json!({"iss": "https://evil.example/"}), NOT_GOOD),
        (json!({"exp": START - 11}), NOT_GOOD),
        (json!({"exp": null}), NOT_GOOD),
        (json!({"nbf": START + 60}), NOT_GOOD),
        (json!({"sub": ""}), NOT_GOOD),
        (json!({"sub": ["ann"]}), NOT_GOOD),
        (json!({"role": "root"}), (403, "forbidden")),
        (json!({"role": null}), (403, "forbidden")),
    ] {
        assert_eq!(refused(show(&room, &claims(more.clone())).await), seen, "{more}");
    }
    let mut forever = claims(json!({}));
    forever.as_object_mut().unwrap().remove("exp");
    assert_eq!(refused(show(&room, &forever).await), NOT_GOOD);
    assert!(room.guard.has_admin());
}

#[tokio::test]
async fn a_token_that_is_not_signed_by_us_is_refused() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    // The SubjectPublicKeyInfo of a point on P-256 (RFC 5480).
    let prefix = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let prefix = (0..prefix.len()).step_by(2).map(|at| u8::from_str_radix(&prefix[at..at + 2], 16));
    let der: Vec<u8> =
        prefix.map(Result::unwrap).chain(pair.public_key().as_ref().to_vec()).collect();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    let room = jwt_room(json!({"keys": [{"id": "k", "algorithm": "ES256", "public_key": pem}]}));
    let good = message(&json!({"alg": "ES256", "kid": "k"}), &claims(json!({})));
    let signature = pair.sign(&SystemRandom::new(), good.as_bytes()).unwrap();
    let good = format!("{good}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert!(room.log_in("192.0.2.1", &bearer(&good)).await.is_ok());
    let confused = message(&json!({"alg": "HS256", "kid": "k"}), &claims(json!({})));
    let by_public_key = hmac::Key::new(hmac::HMAC_SHA256, pem.as_bytes());
    let tag = hmac::sign(&by_public_key, confused.as_bytes());
    let none = message(&json!({"alg": "none"}), &claims(json!({"role": "admin"})));
    for bad in [
        format!("{confused}.{}", URL_SAFE_NO_PAD.encode(tag)),
        format!("{none}."),
        none,
        signed(&json!({"alg": "HS256"}), &claims(json!({}))),
        format!("{good}A"),
        good.replacen('.', "..", 1),
    ] {
        assert_eq!(refused(room.log_in("192.0.2.1", &bearer(&bad)).await), NOT_GOOD, "{bad}");
    }
    let nobody = super::room(json!({}));
    assert_eq!(refused(nobody.log_in("192.0.2.1", &bearer(&good)).await), NOT_GOOD);
}

#[tokio::test]
async fn a_line_that_says_nothing_is_for_nobody() {
    let room = room(json!({"certificates": [{"role": "admin"}]}));
    let shown = ClientCertificate { subject: "CN=ann", fingerprint: "", dns: &[], uris: &[] };
    let peer = Peer { tls: true, certificate: Some(shown), ..peer("192.0.2.1") };
    let request = head(http::Method::GET, "/", &[]);
    assert_eq!(refused(room.guard.admit(&request, &peer).await), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_certificate_says_who_it_is() {
    let fingerprint = "ab".repeat(32);
    let room = room(json!({"certificates": [
        {"uri": "spiffe://example.org/ops/*", "role": "admin"},
        {"uri": "spiffe://example.org/ci", "dns": "ci.example.org", "role": "editor", "namespaces": ["shop"]},
        {"subject": "CN=ann,O=Example", "role": "viewer"},
        {"dns": "*.team.example.org", "role": "viewer"},
        {"fingerprint": fingerprint.to_uppercase(), "role": "editor"},
    ]}));
    assert!(room.guard.has_admin());
    let other = "00".repeat(32);
    for (subject, print, dns, uris, role) in [
        ("", &other, &[][..], &["spiffe://example.org/ops/ann"][..], Some(Role::Admin)),
        ("", &other, &[], &["spiffe://example.org/opsx/ann"], None),
        ("", &other, &["ci.example.org"], &["spiffe://example.org/ci"], Some(Role::Editor)),
        ("", &other, &[], &["spiffe://example.org/ci"], None),
        ("", &other, &["ci.example.org"], &[], None),
        ("CN=ann,O=Example", &other, &[], &[], Some(Role::Viewer)),
        ("CN=ann,O=Example,C=DE", &other, &[], &[], None),
        ("CN=ann", &other, &["a.TEAM.example.org"], &[], Some(Role::Viewer)),
        ("CN=ann", &other, &["team.example.org"], &[], None),
        ("CN=ann", &other, &["*.team.example.org"], &[], None),
        ("CN=ann", &other, &["a.team.example.org.evil.example"], &[], None),
        ("CN=x", &fingerprint, &[], &[], Some(Role::Editor)),
    ] {
        let names = |list: &[&str]| list.iter().map(|name| Box::from(*name)).collect::<Vec<_>>();
        let (dns, uris) = (names(dns), names(uris));
        let shown = ClientCertificate { subject, fingerprint: print, dns: &dns, uris: &uris };
        let peer = Peer { tls: true, certificate: Some(shown), ..peer("192.0.2.1") };
        let request = head(http::Method::GET, "/", &[]);
        let admitted = room.guard.admit(&request, &peer).await;
        let found = admitted.as_ref().ok().map(|admission| admission.who.grant.role);
        assert_eq!(found, role, "{subject} {dns:?} {uris:?}");
        if let Ok(admission) = admitted {
            assert_eq!(admission.who.by, By::Certificate);
            assert!(!admission.who.name.is_empty());
        }
        // Credentials that are not good are not made up for by a certificate.
        let request = head(http::Method::GET, "/", &[("authorization", "Bearer pwt_x")]);
        assert_eq!(refused(room.guard.admit(&request, &peer).await), NOT_GOOD);
        room.clock.advance(60);
    }
}
