//! What the tests of several plugins share: consumers, and the table of the options that all
//! plugins have that find out who asks.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use http::Method;
use portway_plugin::{Consumer, Consumers, Credential, CredentialKind, Plugin};
use portway_testkit::plugin::Stage;
use serde_json::Value;

/// A consumer with everything there is.
pub(crate) fn alice() -> Arc<Consumer> {
    Arc::new(Consumer {
        name: "alice".into(),
        custom_id: Some("42".into()),
        groups: ["staff".into(), "ops".into()].into(),
        credential: Some("first".into()),
        ..Consumer::default()
    })
}

/// One credential of [`alice`].
pub(crate) fn credential(
    kind: CredentialKind,
    id: &str,
    secret: &str,
    algorithm: Option<&str>,
) -> (CredentialKind, Credential) {
    let (id, secret) = (id.into(), secret.into());
    let algorithm = algorithm.map(Into::into);
    (kind, Credential { consumer: alice(), id, secret, algorithm })
}

/// The secret that Alice signs tokens with.
pub(crate) const SECRET: &str = "alice signs her tokens with this";

/// Alice, with the key `alice-key`, the password `open`, tokens and the HMAC secret `shared`.
pub(crate) fn consumers() -> Consumers {
    let digest = digest(&SHA256, b"alice-key");
    let key: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let password = bcrypt::hash("open", 4).expect("it can be hashed");
    Consumers::from_iter([
        credential(CredentialKind::Key, &key, "", None),
        credential(CredentialKind::Basic, "alice", &password, None),
        credential(CredentialKind::Jwt, "alice", SECRET, Some("HS256")),
        credential(CredentialKind::Hmac, "alice", "shared", None),
    ])
}

/// Tries the options of [`IdentitySpec`](crate::IdentitySpec) with credentials that are right,
/// which come in `field`.
pub(crate) async fn identity_table<P: Plugin>(spec: Value, good: &[(&str, &str)], field: &str) {
    let stage = async |more: Value| {
        let mut spec = spec.clone();
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut stage = Stage::of::<P>(spec).await.expect("the spec is good");
        stage.known.consumers = consumers();
        stage
    };
    let lies = [
        ("x-consumer-username", "root"),
        ("x-consumer-groups", "admins"),
        ("x-consumer-custom-id", "0"),
        ("x-credential-identifier", "root"),
        ("x-anonymous-consumer", "false"),
        ("x_consumer_username", "root"),
        ("x-consumer_groups", "admins"),
    ];
    let with_lies: Vec<_> = good.iter().chain(&lies).copied().collect();

    // Somebody who is known: the upstream is told, by the gateway alone.
    let seen = stage(serde_json::json!({})).await.ask(Method::GET, "/", &with_lies).await;
    assert_eq!(seen.status(), 200, "{:?}", seen.result);
    assert_eq!(seen.sent("x-consumer-username"), "alice");
    assert_eq!(seen.sent("x-consumer-custom-id"), "42");
    assert_eq!(seen.sent("x-consumer-groups"), "staff, ops");
    assert_eq!(seen.sent("x-credential-identifier"), "first");
    for gone in ["x-anonymous-consumer", "x_consumer_username", "x-consumer_groups", field] {
        assert!(!seen.target().unwrap().headers().contains_key(gone), "{gone}");
    }

    // Nobody.
    let seen = stage(serde_json::json!({})).await.ask(Method::GET, "/", &lies).await;
    assert_eq!((seen.status(), seen.code()), (401, "unauthenticated"));
    assert!(seen.header("www-authenticate").contains("realm="));
    assert!(seen.targets.is_empty());

    // Nobody, who counts as somebody.
    let anonymous = stage(serde_json::json!({"anonymous": "guest"})).await;
    let seen = anonymous.ask(Method::GET, "/", &lies).await;
    assert_eq!(seen.status(), 200);
    assert_eq!(seen.consumer.as_ref().map(|consumer| &*consumer.name), Some("guest"));
    assert_eq!(seen.sent("x-consumer-username"), "guest");
    assert_eq!(seen.sent("x-anonymous-consumer"), "true");
    assert_eq!(seen.sent("x-consumer-groups"), "");
    assert_eq!(anonymous.ask(Method::GET, "/", good).await.sent("x-consumer-username"), "alice");

    // A preflight, and what only looks a little like one.
    let cors = [("origin", "https://a"), ("access-control-request-method", "GET")];
    let preflight: Vec<_> = cors.iter().chain(&lies).copied().collect();
    let seen = stage(serde_json::json!({})).await.ask(Method::OPTIONS, "/", &preflight).await;
    assert_eq!((seen.status(), seen.sent("x-consumer-username")), (200, ""));
    assert!(seen.consumer.is_none());
    let strict = stage(serde_json::json!({"run_on_preflight": true})).await;
    assert_eq!(strict.ask(Method::OPTIONS, "/", &cors).await.status(), 401);
    let plain = stage(serde_json::json!({})).await;
    assert_eq!(plain.ask(Method::OPTIONS, "/", &cors[..1]).await.status(), 401);
    assert_eq!(plain.ask(Method::GET, "/", &cors).await.status(), 401);
}
