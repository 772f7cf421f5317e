//! Tokens, good and bad, signed with real keys.

mod abuse;
mod claims;
mod good;
mod jwks;
mod signing;
mod spec;

use http::Method;
use portway_testkit::plugin::{Seen, Stage};
use serde_json::{Value, json};

use super::Jwt;
use crate::fixtures::consumers;

/// A started plugin; Alice is a consumer.
async fn stage(spec: Value) -> Stage {
    let mut stage = Stage::of::<Jwt>(spec).await.expect("the spec is good");
    stage.known.consumers = consumers();
    stage
}

async fn bear(stage: &Stage, token: &str) -> Seen {
    let authorization = format!("Bearer {token}");
    stage.ask(Method::GET, "/", &[("authorization", &authorization)]).await
}

/// The name of whoever it turned out to be.
fn name(seen: &Seen) -> &str {
    seen.consumer.as_ref().map_or("", |consumer| &consumer.name)
}

/// Refused as RFC 6750 says, and not sent on.
fn assert_invalid(seen: &Seen, what: &str) {
    assert_eq!((seen.status(), seen.code()), (401, "invalid_token"), "{what}");
    let challenge = "Bearer realm=\"portway\", error=\"invalid_token\"";
    assert_eq!(seen.header("www-authenticate"), challenge, "{what}");
    assert!(seen.targets.is_empty() && seen.consumer.is_none(), "{what}");
}

/// Claims that are good for an hour.
fn claims() -> Value {
    json!({"sub": "bob", "exp": signing::now() + 3600})
}

/// Some more of them.
fn with(mut claims: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("claims are an object") };
    claims.as_object_mut().expect("claims are an object").extend(more);
    claims
}
