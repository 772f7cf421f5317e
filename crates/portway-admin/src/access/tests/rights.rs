//! Who may do what.

use portway_config::Role;
use serde_json::{Value, from_value, json};

use super::super::{By, Grant, Kind, Scope, Verb, Who, rights::Word};

fn who(role: Role, namespaces: &[&str]) -> Who {
    let namespaces = namespaces.iter().map(|name| name.parse().unwrap()).collect();
    let grant = Grant::of(role).within(namespaces);
    Who { name: "ann".into(), by: By::Basic, grant }
}

fn grant(value: Value) -> Grant {
    from_value(value).unwrap()
}

/// By kind: what viewer, editor and admin may do, first those of the namespace `shop`, then those
/// of all namespaces. Six marks: read in `shop`, in another one, in all; write in `shop`, in
/// another one, in all.
const TABLE: &[(&[&str], [&str; 3], [&str; 3])] = &[
    (
        &["service", "route", "plugin", "consumer", "secret", "collection", "document"],
        ["x--...", "x--x--", "x--x--"],
        ["xxx...", "xxxxxx", "xxxxxx"],
    ),
    (
        &["namespace", "listener", "domain", "revision", "traffic", "debug-token", "extension"],
        ["x--...", "x--...", "x--..."],
        ["xxx...", "xxxxxx", "xxxxxx"],
    ),
    (&["certificate"], ["x--...", "x--...", "x--..."], ["xxx...", "xxx...", "xxxxxx"]),
    (
        &["kind", "plugin-type", "status"],
        ["xxx...", "xxx...", "xxx..."],
        ["xxx...", "xxx...", "xxxxxx"],
    ),
    (
        &["token", "audit", "backup", "key"],
        ["......", "......", "......"],
        ["......", "......", "xxxxxx"],
    ),
];

#[test]
fn every_role_and_verb_and_kind_and_namespace() {
    let roles = [Role::Viewer, Role::Editor, Role::Admin];
    let mut kinds = 0;
    for (names, in_shop, everywhere) in TABLE {
        for (namespaces, rows) in [(["shop"], in_shop), (["*"], everywhere)] {
            for (role, row) in roles.into_iter().zip(rows) {
                let who = who(role, &namespaces);
                for (name, verb) in names.iter().flat_map(|name| Verb::ALL.map(|verb| (name, verb)))
                {
                    let row = if verb.is_write() { &row[3..] } else { &row[..3] };
                    let asked = [Some("shop"), Some("bank"), None];
                    for (namespace, mark) in asked.into_iter().zip(row.chars()) {
                        let may = who.allows(verb, name, namespace).is_ok();
                        let what =
                            format!("{role:?} of {namespaces:?}: {verb:?} {name} {namespace:?}");
                        assert_eq!(may, mark == 'x', "{what}");
                    }
                }
            }
        }
        kinds += names.len();
    }
    assert_eq!(kinds, Kind::all().count(), "a kind is not in the table");
}

#[test]
fn what_nobody_knows_is_for_nobody() {
    let admin = who(Role::Admin, &["*"]);
    for kind in ["", "*", "routess", "Route", "module", "rout"] {
        assert!(admin.allows(Verb::Get, kind, None).is_err(), "{kind}");
    }
    assert!(admin.allows(Verb::Get, "routes", None).is_ok());
    assert!(admin.allows(Verb::Get, "status", None).is_ok());
    assert!(who(Role::Admin, &[]).allows(Verb::Get, "route", Some("shop")).is_err());
}

#[test]
fn a_grant_is_narrowed_by_kind_and_verb() {
    let grant = grant(json!({
        "role": "editor", "namespaces": ["shop", "bank"], "kinds": ["route"], "verbs": ["get", "put"],
    }));
    let who = Who { name: "ci".into(), by: By::Token, grant };
    for (verb, kind, namespace, may) in [
        (Verb::Put, "route", Some("shop"), true),
        (Verb::Get, "route", Some("bank"), true),
        (Verb::Get, "route", None, false),
        (Verb::Patch, "route", Some("shop"), false),
        (Verb::List, "route", Some("shop"), false),
        (Verb::Put, "service", Some("shop"), false),
        (Verb::Put, "route", Some("other"), false),
        (Verb::Get, "status", None, false),
    ] {
        let allowed = who.allows(verb, kind, namespace);
        assert_eq!(allowed.is_ok(), may, "{verb:?} {kind} {namespace:?}: {allowed:?}");
    }
    let why = who.allows(Verb::Put, "route", Some("other")).unwrap_err().to_string();
    assert_eq!(why, "you may not put a route: the namespace \"other\" is not yours");
}

#[test]
fn nobody_gives_others_more_than_they_have() {
    let full = Grant::of(Role::Admin);
    let by_token = |grant: &Grant| Who { name: "a".into(), by: By::Token, grant: grant.clone() };
    for (has, gives, may) in [
        (json!({"role": "admin"}), json!({"role": "admin"}), true),
        (json!({"role": "admin"}), json!({"role": "viewer", "namespaces": ["shop"]}), true),
        (json!({"role": "editor"}), json!({"role": "viewer"}), false),
        // One that may make tokens and nothing else must not make one that may do the rest.
        (json!({"role": "admin", "kinds": ["token"]}), json!({"role": "admin"}), false),
        (
            json!({"role": "admin", "kinds": ["token"]}),
            json!({"role": "admin", "kinds": ["token"]}),
            true,
        ),
        (
            json!({"role": "admin", "verbs": ["put"]}),
            json!({"role": "viewer", "verbs": ["get"]}),
            false,
        ),
        (
            json!({"role": "admin", "verbs": ["put", "get"]}),
            json!({"role": "viewer", "verbs": ["get"]}),
            true,
        ),
        (
            json!({"role": "admin", "namespaces": ["shop"]}),
            json!({"role": "admin", "namespaces": ["shop"]}),
            false,
        ),
    ] {
        let allowed = by_token(&grant(has.clone())).may_grant(&grant(gives.clone()));
        assert_eq!(allowed.is_ok(), may, "{has} gives {gives}: {allowed:?}");
    }
    let first = Who { name: "first".into(), by: By::FirstToken, grant: full.clone() };
    assert!(first.may_grant(&full).is_ok());
    assert!(first.may_grant(&grant(json!({"role": "viewer"}))).is_err());
    assert!(first.may_grant(&grant(json!({"role": "admin", "kinds": ["route"]}))).is_err());
}

#[test]
fn scopes_are_written_as_words() {
    let full: Grant = grant(json!({"role": "admin"}));
    assert_eq!(full, Grant::of(Role::Admin));
    assert!(full.is_full());
    let said = serde_json::to_value(&full).unwrap();
    assert_eq!(said, json!({"role": "admin", "namespaces": ["*"], "kinds": ["*"], "verbs": ["*"]}));
    for bad in [
        json!({"role": "root"}),
        json!({"role": "admin", "verbs": ["drop"]}),
        json!({"role": "admin", "kinds": ["module"]}),
        json!({"role": "admin", "namespaces": ["a b"]}),
    ] {
        assert!(from_value::<Grant>(bad.clone()).is_err(), "{bad}");
    }
    let schema = schemars::schema_for!(Grant).to_value();
    let words = schema.pointer("/$defs/VerbScope/enum").and_then(Value::as_array).unwrap();
    assert_eq!(words.len(), Verb::ALL.len() + 1);
    assert!(schema.pointer("/$defs/KindScope/enum").is_some(), "{schema}");
    assert_eq!("get".parse(), Ok(Scope::One(Verb::Get)));
}
