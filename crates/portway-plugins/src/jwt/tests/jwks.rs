//! Keys that are fetched.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use portway_plugin::{Body, Error, Level, Response, Result};
use portway_testkit::plugin::Stage;
use serde_json::{Value, json};
use tokio::time::advance;

use super::{
    Jwt, assert_invalid, bear, claims,
    signing::{base64, jwk, token, token_by},
};

/// An identity provider, and how often it was asked.
#[derive(Clone)]
struct Provider {
    answer: Arc<Mutex<Option<(u16, String)>>>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    /// Publishes these keys.
    fn of(keys: &[Value]) -> Self {
        let provider = Self { answer: Arc::default(), asked: Arc::default() };
        provider.publish(keys);
        provider
    }

    fn publish(&self, keys: &[Value]) {
        self.say(200, json!({"keys": keys}).to_string());
    }

    fn say(&self, status: u16, text: String) {
        *self.answer.lock().unwrap() = Some((status, text));
    }

    fn leave(&self) {
        *self.answer.lock().unwrap() = None;
    }

    fn asked(&self) -> usize {
        self.asked.load(Relaxed)
    }

    /// A plugin that asks it, started.
    async fn stage(&self, more: Value) -> Stage {
        let url = "https://id.example.com/keys?v=1";
        let spec = json!({"jwks": super::with(json!({"url": url}), more)});
        let provider = self.clone();
        let stage = Stage::unstarted::<Jwt>(spec).expect("the spec is good");
        let stage = stage.fetched(move |request| {
            assert_eq!(request.uri(), url);
            assert_eq!(request.method(), "GET");
            provider.answer()
        });
        stage.start().await;
        stage
    }

    fn answer(&self) -> Result<Response> {
        self.asked.fetch_add(1, Relaxed);
        let answer = self.answer.lock().unwrap().clone();
        let (status, text) = answer.ok_or_else(|| {
            Error::upstream(http::StatusCode::BAD_GATEWAY, "upstream_connect", "no connection")
        })?;
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        Ok(response)
    }
}

async fn pass(seconds: u64) {
    advance(Duration::from_secs(seconds)).await;
    // Those who have been waiting for the time do their work.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn keys_of_all_kinds_are_read() {
    let algorithms = ["RS256", "ES256", "ES384", "EdDSA"];
    let keys: Vec<_> = algorithms.iter().map(|one| jwk(one, one)).collect();
    let provider = Provider::of(&keys);
    let stage = provider.stage(json!({})).await;
    for algorithm in algorithms {
        for token in [token_by(algorithm, algorithm, &claims()), token(algorithm, &claims())] {
            assert_eq!(bear(&stage, &token).await.status(), 200, "{algorithm}");
        }
    }
    assert_eq!(provider.asked(), 1);
    // The key of another name, and the algorithm the key is not for.
    assert_invalid(&bear(&stage, &token_by("ES256", "RS256", &claims())).await, "another key");
    assert_invalid(
        &bear(&stage, &token_by("RS256", "PS256", &claims())).await,
        "another algorithm",
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_is_good_for_what_it_says() {
    let said = |more: Value| super::with(jwk("RS256", "k"), more);
    for (key, taken, good) in [
        (said(json!({})), json!(null), "RS256"),
        (said(json!({})), json!(["PS256", "RS256"]), "PS256"),
        (said(json!({})), json!(["ES256"]), ""),
        (said(json!({"alg": "PS384"})), json!(null), "PS384"),
        (said(json!({"alg": "RS512"})), json!(["RS256"]), ""),
        (said(json!({"alg": "HS256"})), json!(null), ""),
        (said(json!({"use": "sig"})), json!(null), "RS256"),
        (said(json!({"use": "enc"})), json!(null), ""),
        (said(json!({"key_ops": ["verify"]})), json!(null), "RS256"),
        (said(json!({"key_ops": ["encrypt"]})), json!(null), ""),
        (said(json!({"n": base64([0xc5; 128])})), json!(null), ""),
        (said(json!({"n": "!"})), json!(null), ""),
        (said(json!({"x5c": ["ignored"], "new": 1})), json!(null), "RS256"),
    ] {
        // There is always another key, so that it is the key that is not taken, not the document.
        let provider = Provider::of(&[key.clone(), jwk("EdDSA", "other"), jwk("ES256", "third")]);
        let more = if taken.is_null() { json!({}) } else { json!({"algorithms": taken}) };
        let stage = provider.stage(more).await;
        for algorithm in ["RS256", "RS512", "PS256", "PS384"] {
            let seen = bear(&stage, &token_by("k", algorithm, &claims())).await;
            assert_eq!(seen.status() == 200, algorithm == good, "{algorithm} by {key} of {taken}");
        }
    }
    let symmetric = json!({"kty": "oct", "kid": "k", "k": base64(super::signing::SECRET)});
    let stage = Provider::of(&[symmetric, jwk("ES256", "e")]).stage(json!({})).await;
    assert_invalid(&bear(&stage, &token_by("k", "HS256", &claims())).await, "a published secret");
}

#[tokio::test(start_paused = true)]
async fn without_keys_it_fails_closed_and_says_so() {
    let provider = Provider::of(&[]);
    provider.leave();
    let stage = provider.stage(json!({"cooldown": "10s"})).await;
    let good = token_by("a", "ES256", &claims());
    let seen = bear(&stage, &good).await;
    assert_eq!((seen.status(), seen.code()), (503, "jwks_unavailable"));
    assert!(seen.targets.is_empty() && !seen.header("retry-after").is_empty());
    let log = stage.log();
    assert_eq!(log.len(), 1, "{log:?}");
    assert!(log[0].0 == Level::Warn && log[0].1.contains("id.example.com"), "{log:?}");
    assert!(log[0].1.contains("no connection"), "{log:?}");
    // Whoever has no token is told so all the same.
    assert_eq!(stage.get("/").await.status(), 401);
    let asked = provider.asked();
    assert_eq!(asked, 1, "not more than once in a pause");
    provider.publish(&[jwk("ES256", "a")]);
    pass(11).await;
    assert_eq!(bear(&stage, &good).await.status(), 200);
    assert_eq!(provider.asked(), asked + 1);
    assert!(
        stage.log().iter().any(|(level, text)| *level == Level::Info && text.contains("again"))
    );
}

#[tokio::test(start_paused = true)]
async fn documents_that_are_no_keys() {
    let large = json!({"keys": [jwk("ES256", "a")], "x": "y".repeat(1024 * 1024)}).to_string();
    let good = json!({"keys": [jwk("ES256", "a")]}).to_string();
    for (status, text) in [
        (500, good.clone()),
        (302, good.clone()),
        (404, "no".to_owned()),
        (200, "<html>".to_owned()),
        (200, String::new()),
        (200, "{}".to_owned()),
        (200, "[]".to_owned()),
        (200, json!({"keys": []}).to_string()),
        (200, json!({"keys": {}}).to_string()),
        (200, json!({"keys": [1, null, {"kty": "EC"}]}).to_string()),
        (200, large),
    ] {
        let provider = Provider::of(&[]);
        provider.say(status, text.clone());
        let stage = provider.stage(json!({})).await;
        let seen = bear(&stage, &token_by("a", "ES256", &claims())).await;
        assert_eq!(seen.status(), 503, "{status} {text:.60}");
        assert_eq!(stage.log().len(), 1, "{status} {text:.60}");
    }
    let provider = Provider::of(&[]);
    provider.say(200, good);
    let stage = provider.stage(json!({})).await;
    assert_eq!(bear(&stage, &token_by("a", "ES256", &claims())).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let provider = Provider::of(&[jwk("ES256", "old")]);
    let stage = provider.stage(json!({"cooldown": "30s", "refresh": "1h"})).await;
    let (old, new) = (token_by("old", "ES256", &claims()), token_by("new", "EdDSA", &claims()));
    assert_eq!(bear(&stage, &old).await.status(), 200);
    provider.publish(&[jwk("EdDSA", "new")]);
    // The pause after the first fetch is not over.
    assert_invalid(&bear(&stage, &new).await, "too early");
    assert_eq!(provider.asked(), 1);
    pass(31).await;
    assert_eq!(bear(&stage, &new).await.status(), 200);
    assert_eq!(provider.asked(), 2);
    // The old key is gone, though the token was remembered.
    assert_invalid(&bear(&stage, &old).await, "the old key");
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_unknown_keys_leads_to_one_fetch() {
    let provider = Provider::of(&[jwk("ES256", "a")]);
    let stage = provider.stage(json!({"cooldown": "30s", "refresh": "1h"})).await;
    pass(31).await;
    let tokens: Vec<_> =
        (0..4).map(|n| token_by(&format!("unknown-{n}"), "ES256", &claims())).collect();
    let (a, b, c, d) = tokio::join!(
        bear(&stage, &tokens[0]),
        bear(&stage, &tokens[1]),
        bear(&stage, &tokens[2]),
        bear(&stage, &tokens[3]),
    );
    for seen in [a, b, c, d] {
        assert_invalid(&seen, "a key nobody knows");
    }
    assert_eq!(provider.asked(), 2);
    for n in 0..100 {
        let token = token_by(&format!("more-{n}"), "ES256", &claims());
        assert_invalid(&bear(&stage, &token).await, "a key nobody knows");
    }
    assert_eq!(provider.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_keys_count_while_the_provider_is_down() {
    let provider = Provider::of(&[jwk("ES256", "a")]);
    let more = json!({"refresh": "60s", "cooldown": "20s", "max_stale": "1h"});
    let stage = provider.stage(more).await;
    let good =
        || token_by("a", "ES256", &super::with(claims(), json!({"exp": 99_999_999_999_u64})));
    provider.leave();
    pass(61).await;
    assert_eq!(provider.asked(), 2);
    assert_eq!(bear(&stage, &good()).await.status(), 200);
    assert_eq!(stage.log().len(), 1);
    for _ in 0..10 {
        pass(21).await;
    }
    assert_eq!(provider.asked(), 12, "again after each pause");
    assert_eq!(stage.log().len(), 1, "but it is said once");
    pass(3600).await;
    let seen = bear(&stage, &good()).await;
    assert_eq!((seen.status(), seen.code()), (503, "jwks_unavailable"));
    provider.publish(&[jwk("ES256", "a")]);
    pass(21).await;
    assert_eq!(bear(&stage, &good()).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_again_after_a_while() {
    let provider = Provider::of(&[jwk("ES256", "a")]);
    let stage = provider.stage(json!({"refresh": "60s"})).await;
    let good = token_by("a", "ES256", &claims());
    for asked in 1..5 {
        assert_eq!(bear(&stage, &good).await.status(), 200);
        assert_eq!(provider.asked(), asked);
        pass(60).await;
    }
    // The same keys: what was remembered still counts.
    assert_eq!(stage.counted("verified"), 1);
}
