//! Who is let in, by each list.

use std::{net::IpAddr, sync::Arc};

use http::Method;
use portway_plugin::{Consumer, Next, Plugin, Problem, Request, Response, Result};
use portway_testkit::plugin::{Seen, Stage};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Acl, AclSpec};

/// The plugin behind one that knows who asks.
struct Known(Option<Arc<Consumer>>, Acl);

#[derive(Deserialize, JsonSchema)]
struct KnownSpec {
    name: Option<String>,
    #[serde(default)]
    groups: Vec<Box<str>>,
    claims: Option<Value>,
    acl: AclSpec,
}

impl Plugin for Known {
    const NAME: &'static str = "acl";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = KnownSpec;

    fn create(spec: KnownSpec) -> Result<Self, Problem> {
        let consumer = spec.name.map(|name| {
            let claims = spec.claims.and_then(|claims| claims.as_object().cloned()).map(Arc::new);
            Arc::new(Consumer { groups: spec.groups.into(), claims, ..Consumer::named(&name) })
        });
        Ok(Self(consumer, Acl::create(spec.acl)?))
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        if let Some(consumer) = &self.0 {
            assert!(next.exchange().identify(Arc::clone(consumer)));
        }
        self.1.call(request, next).await
    }
}

async fn ask(mut who: Value, acl: Value, client: &str) -> Seen {
    who.as_object_mut().unwrap().insert("acl".into(), acl);
    let mut stage = Stage::of::<Known>(who).await.expect("the spec is good");
    stage.known.client = Some(client.parse::<IpAddr>().unwrap());
    stage.ask(Method::GET, "/", &[]).await
}

#[tokio::test]
async fn each_list_lets_in_and_keeps_out() {
    let alice = json!({
        "name": "alice", "groups": ["staff"], "claims": {"scope": "a b", "tenant": {"id": 7}},
    });
    let nobody = json!({});
    for (who, list, client, on) in [
        (&alice, json!({"consumers": ["bob", "alice"]}), "192.0.2.1", true),
        (&alice, json!({"consumers": ["Alice", "ali"]}), "192.0.2.1", false),
        (&alice, json!({"groups": ["staff"]}), "192.0.2.1", true),
        (&alice, json!({"groups": ["alice", "scope"]}), "192.0.2.1", false),
        (&alice, json!({"claims": {"scope": ["b"]}}), "192.0.2.1", true),
        (&alice, json!({"claims": {"scope": ["c"]}}), "192.0.2.1", false),
        (&alice, json!({"claims": {"scope": []}}), "192.0.2.1", true),
        (&alice, json!({"claims": {"tenant.id": ["7"]}}), "192.0.2.1", true),
        (&nobody, json!({"addresses": ["192.0.2.0/24"]}), "192.0.2.1", true),
        (&nobody, json!({"addresses": ["192.0.2.0/24"]}), "::ffff:192.0.2.1", true),
        (&nobody, json!({"addresses": ["192.0.2.0/24"]}), "192.0.3.1", false),
        (&alice, json!({"consumers": ["bob"], "groups": ["staff"]}), "192.0.2.1", true),
        (&alice, json!({"expression": "'staff' in consumer.groups"}), "192.0.2.1", true),
        (&alice, json!({"expression": "consumer.claims.tenant.id == 8"}), "192.0.2.1", false),
        (&nobody, json!({"expression": "request.method == 'GET'"}), "192.0.2.1", true),
        (&nobody, json!({"expression": "client.ip == '192.0.2.2'"}), "192.0.2.1", false),
        (&nobody, json!({"expression": "has(consumer.name)"}), "192.0.2.1", false),
        (&alice, json!({"consumers": ["bob"], "expression": "true"}), "192.0.2.1", true),
        (&alice, json!({"consumers": ["alice"], "expression": "false"}), "192.0.2.1", true),
    ] {
        let allowed = ask(who.clone(), json!({"allow": list}), client).await;
        assert_eq!(allowed.status(), if on { 200 } else { 403 }, "allow {list} {client}");
        let denied = ask(who.clone(), json!({"deny": list}), client).await;
        assert_eq!(denied.status(), if on { 403 } else { 200 }, "deny {list} {client}");
        let both = json!({"allow": {"addresses": ["0.0.0.0/0"]}, "deny": list});
        let both = ask(who.clone(), both, client).await;
        assert_eq!(both.status(), if on { 403 } else { 200 }, "both {list} {client}");
    }
}

#[tokio::test]
async fn nobody_is_on_no_list_of_consumers() {
    for list in
        [json!({"consumers": ["a"]}), json!({"groups": ["a"]}), json!({"claims": {"a": []}})]
    {
        for acl in [json!({"allow": list}), json!({"deny": list})] {
            let seen = ask(json!({}), acl.clone(), "192.0.2.1").await;
            assert_eq!((seen.status(), seen.code()), (403, "acl_denied"), "{acl}");
            assert!(seen.targets.is_empty());
        }
    }
}

#[tokio::test]
async fn an_expression_that_comes_to_nothing_keeps_out() {
    let alice = json!({"name": "alice", "claims": {"tier": 7}});
    for who in [json!({}), alice] {
        for expression in [
            // What is not there, a number, a text, what cannot be compared, what is no header.
            "consumer.claims.level == 'gold'",
            "1",
            "request.method",
            "client.ip > 3",
            "request.headers['x-none'] == ''",
            "[1][3] == 1",
        ] {
            for acl in [
                json!({"allow": {"expression": expression}}),
                json!({"deny": {"expression": expression}}),
                json!({"allow": {"expression": "true"}, "deny": {"expression": expression}}),
            ] {
                let seen = ask(who.clone(), acl.clone(), "192.0.2.1").await;
                assert_eq!((seen.status(), seen.code()), (403, "acl_denied"), "{acl}");
                assert!(seen.targets.is_empty());
            }
            // Another list lets in all the same.
            let acl = json!({"allow": {"addresses": ["192.0.2.1"], "expression": expression}});
            assert_eq!(ask(who.clone(), acl, "192.0.2.1").await.status(), 200);
        }
    }
}

#[tokio::test]
async fn the_access_record_says_by_which_list() {
    let acl = json!({"allow": {"groups": ["staff"]}, "deny": {"consumers": ["eve"]}});
    let eve = ask(json!({"name": "eve", "groups": ["staff"]}), acl.clone(), "192.0.2.1").await;
    assert_eq!(format!("{:?}", eve.notes).matches("consumers").count(), 1);
    assert!(!format!("{:?}", eve.result).contains("consumers"));
    let bob = ask(json!({"name": "bob"}), acl, "192.0.2.1").await;
    assert!(format!("{:?}", bob.notes).contains("allow"));
}

#[tokio::test]
async fn a_list_that_says_nothing_is_refused() {
    for spec in [json!({}), json!({"allow": {}, "deny": {"groups": []}})] {
        let problem = Stage::of::<Acl>(spec).await.expect_err("it is refused");
        assert_eq!(problem.path, "allow");
    }
    for list in [
        json!({"addresses": ["10.0.0.1/8"]}),
        json!({"expression": "request.method =="}),
        json!({"expression": "nobody.name == 'a'"}),
        json!({"expression": true}),
    ] {
        assert!(Stage::of::<Acl>(json!({"allow": list})).await.is_err(), "{list}");
    }
}
