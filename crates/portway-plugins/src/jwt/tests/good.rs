//! Tokens that are good, and what becomes of them.

use http::Method;
use portway_plugin::{Consumers, CredentialKind};
use serde_json::{Value, json};

use super::{
    assert_invalid, bear, claims, name,
    signing::{ALL, base64, hmac, jwk, key, now, public, sign, signed, token, token_by},
    stage, with,
};
use crate::fixtures::{SECRET, consumers, credential, identity_table};

/// A token that Alice has signed.
fn by_alice(head: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", base64(head.to_string()), base64(claims.to_string()));
    let signature = hmac(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes(), message.as_bytes());
    format!("{message}.{}", base64(signature))
}

#[tokio::test]
async fn each_algorithm_is_taken_from_its_own_key_only() {
    let keys: Vec<_> = ALL.iter().map(|algorithm| key(algorithm)).collect();
    let all = stage(json!({"keys": keys})).await;
    for one in ALL {
        let seen = bear(&all, &token(one, &claims())).await;
        assert_eq!((seen.status(), name(&seen)), (200, "bob"), "{one}");
        let alone = stage(json!({"keys": [key(one)]})).await;
        for other in ALL {
            let seen = bear(&alone, &token(other, &claims())).await;
            assert_eq!(seen.status() == 200, one == other, "{other} by the key for {one}");
        }
        // Signed with one algorithm, called another.
        let head = json!({"alg": one}).to_string();
        for other in ALL.iter().filter(|other| **other != one) {
            let seen = bear(&all, &signed(other, &head, &claims().to_string())).await;
            assert_invalid(&seen, &format!("{other} called {one}"));
        }
    }
}

#[tokio::test]
async fn a_token_comes_where_the_spec_says() {
    let token = token("ES256", &claims());
    let bearer = format!("Bearer {token}");
    let shouted = format!("BEARER {token}");
    let everywhere = json!({
        "keys": [key("ES256")], "header_names": ["x-token"], "cookie_names": ["sid"],
        "query_names": ["t"],
    });
    let mut no_bearer = everywhere.clone();
    no_bearer["bearer"] = false.into();
    let (cookie, query) = (format!("a=b; sid={token}"), format!("/?t={token}&a=b"));
    for (spec, path, field, status) in [
        (&everywhere, "/", ("authorization", &*bearer), 200),
        (&everywhere, "/", ("authorization", &*shouted), 200),
        (&everywhere, "/", ("authorization", &*token), 401),
        (&everywhere, "/", ("x-token", &*token), 200),
        (&everywhere, "/", ("cookie", &*cookie), 200),
        (&everywhere, &*query, ("x-other", "y"), 200),
        (&no_bearer, "/", ("authorization", &*bearer), 401),
        (&no_bearer, "/", ("x-token", &*token), 200),
    ] {
        let stage = stage(spec.clone()).await;
        let seen = stage.ask(Method::GET, path, &[field]).await;
        assert_eq!(seen.status(), status, "{path} {field:?}");
        if status == 200 {
            let target = seen.target().expect("it was sent on");
            let shown = format!("{} {:?}", target.uri(), target.headers());
            assert!(!shown.contains(&token), "{shown}");
        }
    }
    let open = json!({"keys": [key("ES256")], "hide_credentials": false});
    assert_eq!(bear(&stage(open).await, &token).await.sent("authorization"), bearer);
}

#[tokio::test]
async fn the_options_of_all_such_plugins() {
    let token = by_alice(&json!({"alg": "HS256", "kid": "alice"}), &claims());
    let bearer = format!("Bearer {token}");
    identity_table::<super::Jwt>(json!({}), &[("authorization", &bearer)], "authorization").await;
}

#[tokio::test]
async fn consumers_sign_with_their_own_keys() {
    let stage = stage(json!({})).await;
    for (head, more) in [
        (json!({"alg": "HS256", "kid": "alice"}), json!({})),
        (json!({"alg": "HS256"}), json!({"iss": "alice"})),
        (json!({"alg": "HS256", "kid": "other"}), json!({"iss": "alice"})),
    ] {
        let seen = bear(&stage, &by_alice(&head, &with(claims(), more))).await;
        assert_eq!((seen.status(), name(&seen)), (200, "alice"), "{head}");
        let consumer = seen.consumer.expect("it is known");
        assert_eq!(consumer.claims.as_ref().expect("there are claims")["sub"], "bob");
        assert!(consumer.is_in("staff"));
    }
    let unknown = by_alice(&json!({"alg": "HS256", "kid": "bob"}), &claims());
    assert_invalid(&bear(&stage, &unknown).await, "a key nobody has");
    let other = by_alice(&json!({"alg": "HS384", "kid": "alice"}), &claims());
    assert_invalid(&bear(&stage, &other).await, "another algorithm");
    // Where there are other keys, those of consumers count only if the spec says so.
    let good = by_alice(&json!({"alg": "HS256", "kid": "alice"}), &claims());
    for (consumers, status) in [(None, 401), (Some(false), 401), (Some(true), 200)] {
        let spec = json!({"keys": [key("ES256")], "consumers": consumers});
        assert_eq!(bear(&super::stage(spec).await, &good).await.status(), status);
    }
}

#[tokio::test]
async fn a_key_in_the_spec_may_have_a_name() {
    let mut key = key("RS256");
    key["id"] = "k1".into();
    let stage = stage(json!({"keys": [key]})).await;
    for (token, status) in [
        (token_by("k1", "RS256", &claims()), 200),
        (token("RS256", &claims()), 200),
        (token_by("k2", "RS256", &claims()), 401),
    ] {
        assert_eq!(bear(&stage, &token).await.status(), status);
    }
}

#[tokio::test]
async fn claims_name_who_asks() {
    let spec = json!({
        "keys": [key("EdDSA")], "consumer_claim": "user.id", "groups_claim": "realm_access.roles",
    });
    let stage = stage(spec).await;
    let claims = with(
        claims(),
        json!({"user": {"id": "u7"}, "realm_access": {"roles": ["a", "b", "c,admin"]}}),
    );
    let seen = bear(&stage, &token_by("k", "EdDSA", &claims)).await;
    assert_eq!(name(&seen), "u7");
    assert_eq!(seen.sent("x-consumer-username"), "u7");
    assert_eq!(seen.sent("x-consumer-groups"), "a, b");
    assert_eq!(seen.sent("x-credential-identifier"), "k");
    for (bad, what) in [
        (json!({"user": "u7"}), "not there"),
        (json!({"user": {"id": ""}}), "empty"),
        (json!({"user": {"id": ["u7"]}}), "a list"),
    ] {
        let seen = bear(&stage, &token("EdDSA", &with(claims.clone(), bad))).await;
        assert_invalid(&seen, what);
    }
}

#[tokio::test]
async fn claims_are_told_and_lies_are_not() {
    let spec = json!({
        "keys": [key("ES384")], "anonymous": "guest",
        "claims_to_headers": {
            "x-tenant": "tenant.id", "x-scope": "scope", "x-roles": "roles", "x-bad": "bad",
            "x-none": "none",
        },
    });
    let stage = stage(spec).await;
    let claims = with(
        claims(),
        json!({
            "tenant": {"id": 7}, "scope": "a b", "roles": ["x", "y,root", true], "bad": "a\r\nb: c",
        }),
    );
    let bearer = format!("Bearer {}", token("ES384", &claims));
    let lies = [
        ("x-tenant", "1"),
        ("x-scope", "all"),
        ("x-roles", "root"),
        ("x-bad", "1"),
        ("x-none", "1"),
    ];
    let mut headers = lies.to_vec();
    let seen = stage.ask(Method::GET, "/", &headers).await;
    assert_eq!((seen.status(), name(&seen)), (200, "guest"));
    for (name, _) in lies {
        assert!(!seen.target().unwrap().headers().contains_key(name), "{name}");
    }
    headers.push(("authorization", &bearer));
    let seen = stage.ask(Method::GET, "/", &headers).await;
    let told = ["x-tenant", "x-scope", "x-roles", "x-bad", "x-none"].map(|name| seen.sent(name));
    assert_eq!(told, ["7", "a b", "x,true", "", ""]);
    let preflight =
        [("origin", "https://a"), ("access-control-request-method", "GET"), ("x-tenant", "1")];
    let seen = stage.ask(Method::OPTIONS, "/", &preflight).await;
    assert_eq!((seen.status(), seen.sent("x-tenant")), (200, ""));
}

#[tokio::test(start_paused = true)]
async fn a_good_token_is_verified_once_until_it_expires() {
    let stage = stage(json!({"keys": [key("RS256")], "leeway": "5s"})).await;
    let token = token("RS256", &json!({"sub": "bob", "exp": now() + 60}));
    for after in [0, 30, 34] {
        tokio::time::advance(std::time::Duration::from_secs(after)).await;
        assert_eq!(bear(&stage, &token).await.status(), 200);
        assert_eq!(stage.counted("verified"), 1);
    }
    tokio::time::advance(std::time::Duration::from_secs(3)).await;
    assert_invalid(&bear(&stage, &token).await, "it has expired");
    let off = super::stage(json!({"keys": [key("RS256")], "cache": 0})).await;
    for verified in 1..4 {
        assert_eq!(bear(&off, &super::signing::token("RS256", &claims())).await.status(), 200);
        assert_eq!(off.counted("verified"), verified);
    }
}

#[tokio::test]
async fn a_token_that_is_remembered_goes_with_its_key() {
    let mut stage = stage(json!({})).await;
    let token = by_alice(&json!({"alg": "HS256", "kid": "alice"}), &claims());
    for _ in 0..2 {
        assert_eq!(bear(&stage, &token).await.status(), 200);
    }
    assert_eq!(stage.counted("verified"), 1);
    stage.known.consumers = Consumers::from_iter([credential(
        CredentialKind::Jwt,
        "alice",
        "another secret, just as long as the other",
        Some("HS256"),
    )]);
    assert_invalid(&bear(&stage, &token).await, "another secret");
    stage.known.consumers = Consumers::default();
    assert_invalid(&bear(&stage, &token).await, "no consumer");
    stage.known.consumers = consumers();
    assert_eq!(bear(&stage, &token).await.status(), 200);
}

#[test]
fn the_keys_of_these_tests_are_what_they_seem() {
    for algorithm in ALL {
        assert!(!sign(algorithm, b"x").is_empty());
    }
    assert!(public("RS256").contains("PUBLIC KEY") && jwk("RS256", "a")["e"] == "AQAB");
}
