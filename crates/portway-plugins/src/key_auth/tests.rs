//! Keys, good and bad.

use http::Method;
use portway_testkit::plugin::{Seen, Stage};
use serde_json::{Value, json};

use super::KeyAuth;
use crate::fixtures::{consumers, identity_table};

async fn stage(spec: Value) -> Stage {
    let mut stage = Stage::of::<KeyAuth>(spec).await.expect("the spec is good");
    stage.known.consumers = consumers();
    stage
}

async fn ask(spec: Value, path: &str, headers: &[(&str, &str)]) -> Seen {
    stage(spec).await.ask(Method::GET, path, headers).await
}

fn name(seen: &Seen) -> Option<&str> {
    seen.consumer.as_ref().map(|consumer| &*consumer.name)
}

#[tokio::test]
async fn a_key_comes_where_the_spec_says() {
    let everywhere = json!({
        "key_names": ["x-key"], "query_names": ["key"], "cookie_names": ["ck"], "bearer": true,
    });
    for (spec, path, field, status) in [
        (json!({}), "/", ("apikey", "alice-key"), 200),
        (json!({}), "/?apikey=alice-key", ("x", "y"), 401),
        (json!({}), "/", ("authorization", "Bearer alice-key"), 401),
        (everywhere.clone(), "/", ("x-key", "alice-key"), 200),
        (everywhere.clone(), "/", ("apikey", "alice-key"), 401),
        (everywhere.clone(), "/?key=alice%2Dkey", ("x", "y"), 200),
        (everywhere.clone(), "/", ("cookie", "a=b; ck=alice-key"), 200),
        (everywhere, "/", ("authorization", "bearer alice-key"), 200),
    ] {
        let seen = ask(spec.clone(), path, &[field]).await;
        assert_eq!(seen.status(), status, "{spec} {path} {field:?}");
        if status == 200 {
            assert_eq!(name(&seen), Some("alice"));
            let target = seen.target().unwrap();
            let shown = format!("{:?} {:?}", target.uri(), target.headers());
            assert!(!shown.contains("alice-key") && !shown.contains("alice%2Dkey"), "{shown}");
        }
    }
}

#[tokio::test]
async fn wrong_keys_are_refused_with_a_challenge() {
    for key in ["", "alice-ke", "alice-keyx", "ALICE-KEY", "alice-key "] {
        let seen = ask(json!({"realm": "the shop"}), "/", &[("apikey", key)]).await;
        // White space around a value is no part of it, and is taken off before plugins see it.
        assert_eq!((seen.status(), seen.code()), (401, "invalid_credentials"), "{key:?}");
        assert_eq!(seen.header("www-authenticate"), "Key realm=\"the shop\"");
        assert!(seen.targets.is_empty() && name(&seen).is_none());
        assert!(!format!("{:?}", seen.result).contains("alice-"));
    }
    // The digest is no key.
    let digest = "72ee9d4355ccb9d3a4c9dbf37382e38e75c1b1a225b5bd1f729ee91bbda30c20";
    assert_eq!(ask(json!({}), "/", &[("apikey", digest)]).await.status(), 401);
    let only_bearer = json!({"key_names": [], "bearer": true});
    let seen = ask(only_bearer, "/", &[("authorization", "Bearer x")]).await;
    assert_eq!(seen.header("www-authenticate"), "Bearer realm=\"portway\"");
}

#[tokio::test]
async fn several_keys_are_refused() {
    let two = [("apikey", "alice-key"), ("apikey", "alice-key")];
    let seen = ask(json!({}), "/", &two).await;
    assert_eq!((seen.status(), seen.code()), (401, "ambiguous_credentials"));
    let spec = json!({"query_names": ["k"]});
    let seen = ask(spec, "/?k=alice-key", &[("apikey", "alice-key")]).await;
    assert_eq!(seen.code(), "ambiguous_credentials");
}

#[tokio::test]
async fn the_options_of_all_such_plugins() {
    identity_table::<KeyAuth>(json!({}), &[("apikey", "alice-key")], "apikey").await;
}

#[tokio::test]
async fn a_key_that_is_not_hidden_is_sent_on() {
    let spec = json!({"hide_credentials": false});
    assert_eq!(ask(spec, "/", &[("apikey", "alice-key")]).await.sent("apikey"), "alice-key");
}

#[tokio::test]
async fn specs_that_make_no_sense() {
    for (spec, path, says) in [
        (json!({"key_names": []}), "key_names", "no place"),
        (json!({"key_names": ["a b"]}), "", "a b"),
        (json!({"query_names": ["a=b"]}), "", "a=b"),
        (json!({"realm": "a\nb"}), "", "field value"),
        (json!({"anonymous": ""}), "", "empty"),
    ] {
        let problem = Stage::of::<KeyAuth>(spec.clone()).await.expect_err("it is refused");
        assert_eq!(problem.path, path, "{spec}");
        assert!(problem.message.contains(says), "{spec}: {problem}");
    }
}
