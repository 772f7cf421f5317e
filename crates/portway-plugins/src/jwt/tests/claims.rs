//! What a token has to claim.

use serde_json::{Value, json};

use super::{
    assert_invalid, bear,
    signing::{key, now, signed, token},
    stage, with,
};

#[tokio::test]
async fn times() {
    let stage = stage(json!({"keys": [key("HS256")], "leeway": "10s"})).await;
    let now = now();
    for (claims, good) in [
        (json!({"exp": now + 60}), true),
        (json!({"exp": now - 5}), true),
        (json!({"exp": now - 20}), false),
        (json!({"exp": 0}), false),
        (json!({"exp": -1}), false),
        (json!({"exp": 1e300}), true),
        (json!({"exp": u64::MAX}), true),
        (json!({"exp": (now + 60).to_string()}), false),
        (json!({"exp": null}), false),
        (json!({"exp": [now + 60]}), false),
        (json!({"exp": true}), false),
        (json!({}), false),
        (json!({"exp": now + 60, "nbf": now - 60}), true),
        (json!({"exp": now + 60, "nbf": now + 5}), true),
        (json!({"exp": now + 60, "nbf": now + 30}), false),
        (json!({"exp": now + 60, "nbf": now.to_string()}), false),
        (json!({"exp": now + 60, "nbf": null}), false),
        (json!({"exp": now + 60, "iat": now + 5000}), true),
        (json!({"exp": now + 60, "iat": "now"}), false),
        (json!({"exp": now as f64 + 60.5}), true),
    ] {
        let claims = with(claims, json!({"sub": "bob"}));
        let seen = bear(&stage, &token("HS256", &claims)).await;
        if good {
            assert_eq!(seen.status(), 200, "{claims}");
        } else {
            assert_invalid(&seen, &claims.to_string());
        }
    }
    // A number that no number can hold.
    let claims = r#"{"sub":"bob","exp":1e999}"#;
    assert_invalid(&bear(&stage, &signed("HS256", r#"{"alg":"HS256"}"#, claims)).await, claims);
    let eternal = super::stage(json!({"keys": [key("HS256")], "require_expiry": false})).await;
    for _ in 0..2 {
        let seen = bear(&eternal, &token("HS256", &json!({"sub": "bob"}))).await;
        assert_eq!(seen.status(), 200);
    }
}

#[tokio::test]
async fn who_issued_it_and_for_whom() {
    let spec = json!({
        "keys": [key("HS256")], "issuers": ["https://a/", "https://b/"], "audiences": ["shop", "x"],
        "required_claims": {"scope": ["read", "write"], "tenant": []},
    });
    let stage = stage(spec).await;
    let good = json!({
        "sub": "bob", "exp": now() + 60, "iss": "https://a/", "aud": "shop", "scope": "list read",
        "tenant": 1,
    });
    for (more, is_good) in [
        (json!({}), true),
        (json!({"iss": "https://b/"}), true),
        (json!({"iss": "https://a"}), false),
        (json!({"iss": "https://c/"}), false),
        (json!({"iss": ["https://a/"]}), false),
        (json!({"aud": ["other", "x"]}), true),
        (json!({"aud": ["other"]}), false),
        (json!({"aud": []}), false),
        (json!({"aud": "shop x"}), false),
        (json!({"aud": "Shop"}), false),
        (json!({"aud": ["shop", 1]}), false),
        (json!({"aud": {"shop": 1}}), false),
        (json!({"aud": null}), false),
        (json!({"scope": ["write"]}), true),
        (json!({"scope": "reads"}), false),
        (json!({"tenant": ""}), true),
        (json!({"tenant": null}), false),
    ] {
        let claims = with(good.clone(), more);
        let seen = bear(&stage, &token("HS256", &claims)).await;
        if is_good {
            assert_eq!(seen.status(), 200, "{claims}");
        } else {
            assert_invalid(&seen, &claims.to_string());
        }
    }
    for missing in ["iss", "aud", "scope", "tenant"] {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(missing);
        assert_invalid(&bear(&stage, &token("HS256", &claims)).await, missing);
    }
    let lax = super::stage(json!({"keys": [key("HS256")]})).await;
    let other: Value = with(good, json!({"iss": "https://z/", "aud": "z"}));
    assert_eq!(bear(&lax, &token("HS256", &other)).await.status(), 200);
}
