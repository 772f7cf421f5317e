//! Names and passwords, good and bad.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use portway_plugin::{Consumers, CredentialKind};
use portway_testkit::plugin::{Seen, Stage};
use serde_json::{Value, json};

use super::BasicAuth;
use crate::fixtures::{consumers, credential, identity_table};

async fn stage(spec: Value) -> Stage {
    let mut stage = Stage::of::<BasicAuth>(spec).await.expect("the spec is good");
    stage.known.consumers = consumers();
    stage
}

fn basic(pair: impl AsRef<[u8]>) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

async fn ask(stage: &Stage, authorization: &str) -> Seen {
    stage.ask(Method::GET, "/", &[("authorization", authorization)]).await
}

#[tokio::test]
async fn a_right_password_is_let_in() {
    let stage = stage(json!({})).await;
    for authorization in [basic("alice:open"), basic("alice:open").replace("Basic", "bASIC ")] {
        let seen = ask(&stage, &authorization).await;
        assert_eq!(seen.status(), 200, "{:?}", seen.result);
        assert_eq!(seen.sent("authorization"), "");
        assert_eq!(&*seen.consumer.expect("it is known").name, "alice");
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let stage = stage(json!({"realm": "r"})).await;
    let long = "x".repeat(1025);
    for (authorization, status, code) in [
        (basic("alice:opem"), 401, "invalid_credentials"),
        (basic("alice:"), 401, "invalid_credentials"),
        (basic("alice:open:"), 401, "invalid_credentials"),
        (basic("Alice:open"), 401, "invalid_credentials"),
        (basic("bob:open"), 401, "invalid_credentials"),
        (basic(":"), 401, "invalid_credentials"),
        (basic("alice"), 400, "malformed_credentials"),
        (basic("alice:open\0"), 400, "malformed_credentials"),
        (basic("alice\n:open"), 400, "malformed_credentials"),
        (basic(b"alice:\xff"), 400, "malformed_credentials"),
        ("Basic".to_owned(), 400, "malformed_credentials"),
        ("Basic YTpi YTpi".to_owned(), 400, "malformed_credentials"),
        ("Basic YWxpY2U6b3Blbg".to_owned(), 400, "malformed_credentials"),
        ("Basic !".to_owned(), 400, "malformed_credentials"),
        (basic(format!("alice:{long}")), 413, "credentials_too_large"),
        (basic(format!("{long}:open")), 413, "credentials_too_large"),
        (basic("x".repeat(100_000)), 413, "credentials_too_large"),
        ("Bearer x".to_owned(), 401, "unauthenticated"),
    ] {
        let seen = ask(&stage, &authorization).await;
        assert_eq!((seen.status(), seen.code()), (status, code), "{authorization:.80}");
        let challenge = if status == 401 { "Basic realm=\"r\", charset=\"UTF-8\"" } else { "" };
        assert_eq!(seen.header("www-authenticate"), challenge);
        assert!(seen.targets.is_empty());
    }
    let one = basic("alice:open");
    let two = [("authorization", &*one), ("authorization", &*one)];
    let seen = stage.ask(Method::GET, "/", &two).await;
    assert_eq!((seen.status(), seen.code()), (401, "ambiguous_credentials"));
}

#[tokio::test(start_paused = true)]
async fn a_pair_that_was_right_is_hashed_once_a_while() {
    let mut stage = stage(json!({"cache": "10s"})).await;
    let good = basic("alice:open");
    for (after, hashed) in [(0, 1), (9, 1), (1, 2), (9, 2), (10, 3)] {
        tokio::time::advance(Duration::from_secs(after)).await;
        assert_eq!(ask(&stage, &good).await.status(), 200);
        assert_eq!(stage.blocking(), hashed, "after {after} s more");
    }
    // The other core has not seen it, but need not hash it.
    stage.known.core = 1;
    assert_eq!((ask(&stage, &good).await.status(), stage.blocking()), (200, 3));
    // A wrong one is hashed each time, and so is that of nobody.
    for (n, bad) in ["alice:wrong", "alice:wrong", "bob:open", "bob:open"].into_iter().enumerate() {
        assert_eq!(ask(&stage, &basic(bad)).await.status(), 401);
        assert_eq!(stage.blocking(), 4 + n);
    }
    // A new password counts at once.
    let hash = bcrypt::hash("new", 4).unwrap();
    stage.known.consumers =
        Consumers::from_iter([credential(CredentialKind::Basic, "alice", &hash, None)]);
    assert_eq!(ask(&stage, &good).await.status(), 401);
    assert_eq!(ask(&stage, &basic("alice:new")).await.status(), 200);
}

#[tokio::test]
async fn nothing_is_remembered_where_the_cache_is_off() {
    let stage = stage(json!({"cache": "0"})).await;
    for hashed in 1..4 {
        assert_eq!(ask(&stage, &basic("alice:open")).await.status(), 200);
        assert_eq!(stage.blocking(), hashed);
    }
}

#[tokio::test]
async fn a_pair_that_many_bring_at_once_is_hashed_once() {
    let stage = stage(json!({})).await;
    let (good, bad) = (basic("alice:open"), basic("alice:no"));
    let (a, b, c, d) =
        tokio::join!(ask(&stage, &good), ask(&stage, &good), ask(&stage, &bad), ask(&stage, &good));
    assert_eq!([a.status(), b.status(), c.status(), d.status()], [200, 200, 401, 200]);
    assert_eq!(stage.blocking(), 2);
    // One who leaves while it is hashed takes nothing from the others.
    let other = self::stage(json!({})).await;
    {
        let mut left = std::pin::pin!(ask(&other, &good));
        // It has been hashed by then where the thread was quick, which is as good.
        std::future::poll_fn(|cx| {
            let _ = left.as_mut().poll(cx);
            std::task::Poll::Ready(())
        })
        .await;
    }
    assert_eq!(ask(&other, &good).await.status(), 200);
    assert_eq!(other.blocking(), 1);
}

#[tokio::test]
async fn too_many_get_429() {
    let stage = stage(json!({})).await;
    stage.busy(true);
    let good = basic("alice:open");
    let seen = ask(&stage, &good).await;
    assert_eq!((seen.status(), seen.code()), (429, "auth_busy"));
    assert_eq!(seen.header("retry-after"), "1");
    stage.busy(false);
    assert_eq!(ask(&stage, &good).await.status(), 200);
    // Who is known already is let in however busy it is.
    stage.busy(true);
    assert_eq!(ask(&stage, &good).await.status(), 200);
    assert_eq!(ask(&stage, &basic("alice:no")).await.status(), 429);
}

#[tokio::test]
async fn the_options_of_all_such_plugins() {
    let good = basic("alice:open");
    identity_table::<BasicAuth>(json!({}), &[("authorization", &good)], "authorization").await;
    let open = stage(json!({"hide_credentials": false})).await;
    assert_eq!(ask(&open, &good).await.sent("authorization"), good);
}

#[tokio::test]
async fn a_password_is_shown_nowhere() {
    let stage = stage(json!({})).await;
    let seen = ask(&stage, &basic("alice:sesame")).await;
    let shown = format!("{seen:?} {stage:?} {:?}", stage.log());
    assert!(!shown.contains("sesame") && !shown.contains("$2b$"), "{shown}");
}

#[tokio::test]
async fn specs_that_make_no_sense() {
    for spec in [json!({"cache": "1x"}), json!({"realm": "\r\n"}), json!({"anonymous": "a b"})] {
        assert!(Stage::of::<BasicAuth>(spec.clone()).await.is_err(), "{spec}");
    }
}
