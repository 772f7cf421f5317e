//! Specs that make no sense, and secrets that are not shown.

use aws_lc_rs::{rsa, signature::KeyPair};
use portway_testkit::plugin::Stage;
use serde_json::json;

use super::{
    Jwt,
    signing::{SECRET, key, pem, public},
};

#[tokio::test]
async fn specs_that_make_no_sense() {
    let ec = public("ES256");
    let rsa = public("RS256");
    let two = format!("{rsa}{rsa}");
    let jwks = |more| super::with(json!({"url": "https://id.example.com/"}), more);
    for (spec, path, says) in [
        (json!({"keys": [{"algorithm": "HS256", "secret": "short"}]}), "keys[0].secret", "5 bytes"),
        (json!({"keys": [{"algorithm": "HS256", "secret": rsa}]}), "keys[0].secret", "PEM"),
        (json!({"keys": [key("RS256"), {"algorithm": "HS256"}]}), "keys[1]", "a secret"),
        (json!({"keys": [{"algorithm": "RS256", "secret": SECRET}]}), "keys[0]", "a public_key"),
        (
            json!({"keys": [{"algorithm": "HS256", "secret": SECRET, "public_key": rsa}]}),
            "keys[0]",
            "nothing else",
        ),
        (
            json!({"keys": [{"algorithm": "ES384", "public_key": ec}]}),
            "keys[0].public_key",
            "for this",
        ),
        (
            json!({"keys": [{"algorithm": "EdDSA", "public_key": ec}]}),
            "keys[0].public_key",
            "for this",
        ),
        (
            json!({"keys": [{"algorithm": "RS256", "public_key": ec}]}),
            "keys[0].public_key",
            "for this",
        ),
        (
            json!({"keys": [{"algorithm": "RS256", "public_key": "x"}]}),
            "keys[0].public_key",
            "BEGIN",
        ),
        (json!({"keys": [{"algorithm": "RS256", "public_key": two}]}), "keys[0].public_key", "one"),
        (json!({"keys": [{"algorithm": "none"}]}), "", "none"),
        (json!({"keys": [{"algorithm": "hs256", "secret": SECRET}]}), "", "hs256"),
        (json!({"consumers": false}), "keys", "no keys"),
        (json!({"bearer": false}), "bearer", "no place"),
        (json!({"jwks": {"url": "file:///etc/passwd"}}), "", "file"),
        (json!({"jwks": jwks(json!({"algorithms": ["HS256"]}))}), "jwks.algorithms[0]", "HS256"),
        (json!({"jwks": jwks(json!({"algorithms": []}))}), "jwks.algorithms", "no algorithm"),
        (json!({"jwks": jwks(json!({"refresh": "0"}))}), "jwks.refresh", "more"),
        (json!({"jwks": jwks(json!({"cooldown": "0"}))}), "jwks.cooldown", "more"),
        (json!({"jwks": jwks(json!({"timeout": "0"}))}), "jwks.timeout", "more"),
        (
            json!({"claims_to_headers": {"Host": "sub"}}),
            "claims_to_headers.host",
            "not a field for claims",
        ),
        (
            json!({"claims_to_headers": {"x-consumer-username": "sub"}}),
            "claims_to_headers.x-consumer-username",
            "not a field for claims",
        ),
    ] {
        let problem = Stage::of::<Jwt>(spec.clone()).await.err();
        let problem = problem.unwrap_or_else(|| panic!("{spec} is taken"));
        assert_eq!(problem.path, path, "{spec}");
        assert!(problem.message.contains(says), "{spec}: {problem}");
        assert!(!problem.to_string().contains(SECRET), "{problem}");
    }
}

#[tokio::test]
async fn short_rsa_keys_are_refused() {
    // No library makes them any more: a number of 1024 bits will do, it is never used.
    let mut modulus = vec![0xc5; 128];
    modulus[127] |= 1;
    let mut der = vec![0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00];
    der.extend(&modulus);
    der.extend([0x02, 0x03, 0x01, 0x00, 0x01]);
    let short = pem("RSA PUBLIC KEY", &der);
    for algorithm in ["RS256", "PS512"] {
        let spec = json!({"keys": [{"algorithm": algorithm, "public_key": short}]});
        let problem = Stage::of::<Jwt>(spec).await.expect_err("it is refused");
        assert!(problem.message.contains("2048"), "{problem}");
    }
    // Both forms of PEM are read.
    let pkcs1 = pem("RSA PUBLIC KEY", rsa::KeyPair::public_key(&super::signing::RSA).as_ref());
    let spec = json!({"keys": [{"algorithm": "RS256", "public_key": pkcs1}]});
    assert!(Stage::of::<Jwt>(spec).await.is_ok());
}

#[tokio::test]
async fn secrets_are_shown_nowhere() {
    let stage = super::stage(json!({"keys": [key("HS256")]})).await;
    let seen = super::bear(&stage, "a.b.c").await;
    let shown = format!("{seen:?} {stage:?} {:?}", stage.log());
    assert!(!shown.contains(SECRET) && !shown.contains("a.b.c"), "{shown}");
    let spec: crate::JwtSpec =
        serde_json::from_value(json!({"keys": [key("HS256")]})).expect("a spec");
    assert!(!format!("{spec:?}").contains(SECRET));
    let plugin = <Jwt as portway_plugin::Plugin>::create(spec).expect("a plugin");
    assert!(!format!("{plugin:?}").contains(SECRET));
}
