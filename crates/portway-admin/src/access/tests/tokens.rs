//! The API's own tokens.

use std::sync::Arc;

use portway_config::Role;
use serde_json::{Value, from_value, json};

use super::{HASH, Room, admin, basic, bearer, refused, room, room_with};
use crate::access::{
    BoxFuture, By, Grant, MemoryTokens, Moment, NewToken, Stored, TokenError, TokenRecord,
    TokenRequest, Tokens, TokensFailed, Verb, Who,
};

const NOT_GOOD: (u16, &str) = (401, "invalid_token");

fn somebody(role: Role) -> Who {
    Who { name: "ann".into(), by: By::Basic, grant: Grant::of(role) }
}

async fn make(room: &Room, request: Value) -> Result<NewToken, TokenError> {
    room.desk.make(&somebody(Role::Admin), from_value(request).unwrap()).await
}

async fn who(room: &Room, token: &str) -> Who {
    room.log_in("192.0.2.1", &bearer(token)).await.unwrap().who
}

#[tokio::test]
async fn a_token_lets_in_until_it_is_revoked() {
    let room = room(json!({}));
    let request =
        json!({"name": "ci", "role": "editor", "namespaces": ["shop"], "kinds": ["route"]});
    let made = make(&room, request).await.unwrap();
    assert!(made.token.starts_with("pwt_") && made.token.len() == 71, "{}", made.token);
    let who = who(&room, &made.token).await;
    assert_eq!((&*who.name, who.by), ("ci", By::Token));
    assert!(who.allows(Verb::Put, "route", Some("shop")).is_ok());
    assert!(who.allows(Verb::Put, "route", Some("bank")).is_err());
    let shown =
        serde_json::to_value(room.desk.list(&somebody(Role::Admin)).await.unwrap()).unwrap();
    assert_eq!(shown[0]["created_by"], "ann");
    assert_eq!(shown[0]["created_at"], "2027-01-15T08:00:00.000Z");
    assert!(!shown.to_string().contains("digest") && !shown.to_string().contains("\"token\""));
    room.desk.revoke(&somebody(Role::Admin), "ci").await.unwrap();
    assert_eq!(refused(room.log_in("192.0.2.1", &bearer(&made.token)).await), NOT_GOOD);
    let again = room.desk.revoke(&somebody(Role::Admin), "ci").await;
    assert!(matches!(again, Err(TokenError::NotFound)), "{again:?}");
}

#[tokio::test]
async fn a_token_ends() {
    let room = room(json!({}));
    let made = make(&room, json!({"name": "ci", "role": "viewer", "expires": "1h"})).await.unwrap();
    assert_eq!(made.view.expires_at.unwrap().to_string(), "2027-01-15T09:00:00.000Z");
    room.clock.advance(3599);
    who(&room, &made.token).await;
    room.clock.advance(1);
    assert_eq!(refused(room.log_in("192.0.2.1", &bearer(&made.token)).await), NOT_GOOD);
}

#[tokio::test]
async fn what_makes_no_token_is_refused() {
    let room = room(json!({}));
    make(&room, json!({"name": "ci", "role": "viewer"})).await.unwrap();
    for (request, why) in [
        (json!({"name": "ci", "role": "viewer"}), "another token has this name"),
        (json!({"name": "first-start", "role": "viewer"}), "another token has this name"),
        (
            json!({"name": "a", "role": "viewer", "verbs": []}),
            "a list of what it is good for is empty",
        ),
        (
            json!({"name": "a", "role": "viewer", "expires": "2020-01-01T00:00:00Z"}),
            "expired already",
        ),
    ] {
        let error = make(&room, request.clone()).await.unwrap_err().to_string();
        assert!(error.contains(why), "{request}: {error}");
    }
    for role in [Role::Viewer, Role::Editor] {
        let request = from_value(json!({"name": "b", "role": "viewer"})).unwrap();
        let made = room.desk.make(&somebody(role), request).await;
        assert!(matches!(made, Err(TokenError::Denied(_))), "{made:?}");
        assert!(room.desk.list(&somebody(role)).await.is_err());
        assert!(room.desk.revoke(&somebody(role), "ci").await.is_err());
    }
}

#[tokio::test]
async fn a_token_that_is_wrong_says_nothing() {
    let room = room(json!({}));
    let made = make(&room, json!({"name": "ci", "role": "admin"})).await.unwrap();
    let other = make(&room, json!({"name": "cd", "role": "viewer"})).await.unwrap();
    // The id of one and the secret of another; the checksum would tell.
    let (id, secret) = (&made.token[..13], &other.token[13..]);
    let mut seen = Vec::new();
    for token in [format!("{id}{secret}"), made.token.replace('_', "-"), "pwt_a_b".to_owned()] {
        let refusal = room.log_in("192.0.2.1", &bearer(&token)).await.unwrap_err();
        seen.push((refusal.status.as_u16(), refusal.code, refusal.detail));
    }
    assert!(seen.windows(2).all(|two| two[0] == two[1]), "{seen:?}");
    assert_eq!((seen[0].0, seen[0].1), NOT_GOOD);
    // Who tries on is not answered any more, but a token cannot be guessed: a good one is taken.
    for _ in 3..10 {
        assert_eq!(refused(room.log_in("192.0.2.1", &bearer("pwt_x")).await), NOT_GOOD);
    }
    let refusal = room.log_in("192.0.2.1", &bearer("pwt_x")).await.unwrap_err();
    assert_eq!(refusal.code, "too_many_logins");
    assert!(refusal.headers.contains_key("retry-after"));
    who(&room, &made.token).await;
}

#[tokio::test]
async fn a_well_formed_token_with_another_secret_is_refused() {
    let tokens = Arc::new(MemoryTokens::default());
    let room = room_with(&admin(&json!({})), tokens.clone());
    let made = make(&room, json!({"name": "ci", "role": "admin"})).await.unwrap();
    let other = make(&room, json!({"name": "cd", "role": "admin"})).await.unwrap();
    let kept = async |id: &str| tokens.get(id).await.unwrap().unwrap();
    let (record, digest) = (kept(&made.view.id).await, kept(&other.view.id).await.digest);
    for digest in [digest, String::new(), record.digest[1..].to_owned()] {
        tokens.delete(&record.id).await.unwrap();
        let changed = TokenRecord { digest, ..record.clone() };
        assert_eq!(tokens.create(changed).await.unwrap(), Stored::New);
        assert_eq!(refused(room.log_in("192.0.2.1", &bearer(&made.token)).await), NOT_GOOD);
    }
    tokens.delete(&record.id).await.unwrap();
    tokens.create(record).await.unwrap();
    who(&room, &made.token).await;
}

#[tokio::test]
async fn its_use_is_noted_to_the_hour() {
    let tokens = Arc::new(Counted::default());
    let room = room_with(&admin(&json!({})), tokens.clone());
    let made = make(&room, json!({"name": "ci", "role": "viewer"})).await.unwrap();
    let used = async || tokens.kept.get(&made.view.id).await.unwrap().unwrap().last_used_at;
    assert_eq!(used().await, None);
    for (after, touched) in [(0, 1), (3599, 1), (1, 2), (10, 2)] {
        room.clock.advance(after);
        who(&room, &made.token).await;
        assert_eq!(tokens.touched(), touched);
    }
    assert_eq!(used().await.unwrap().to_string(), "2027-01-15T09:00:00.000Z");
    // One that is gone does not come back by being used.
    tokens.kept.delete(&made.view.id).await.unwrap();
    tokens.kept.touch(&made.view.id, room.now()).await.unwrap();
    assert_eq!(tokens.kept.list().await.unwrap(), []);
}

#[tokio::test]
async fn the_first_token_makes_one_token_and_is_gone() {
    let room = room(json!({}));
    let first = room.desk.first(room.guard.has_admin()).await.unwrap().expect("there is no other");
    let bearer_of_first = who(&room, &first.token).await;
    assert_eq!(bearer_of_first.by, By::FirstToken);
    for (verb, kind) in [(Verb::Put, "extension"), (Verb::Get, "route"), (Verb::List, "token")] {
        let denied = bearer_of_first.allows(verb, kind, None).unwrap_err().to_string();
        assert!(denied.contains("by POST /api/v1/tokens, and nothing else"), "{verb:?} {denied}");
    }
    let make = async |name: &str, role: &str| {
        let request = from_value(json!({"name": name, "role": role})).unwrap();
        room.desk.make(&bearer_of_first, request).await
    };
    assert!(matches!(make("a", "viewer").await, Err(TokenError::Denied(_))));
    let made = make("ann", "admin").await.unwrap();
    assert!(who(&room, &made.token).await.grant.is_full());
    assert_eq!(refused(room.log_in("192.0.2.1", &bearer(&first.token)).await), NOT_GOOD);
    // Who was let in by it a moment ago is too late.
    let late = make("eve", "admin").await;
    assert!(matches!(late, Err(TokenError::Denied(_))), "{late:?}");
    let names: Vec<_> = room.desk.list(&somebody(Role::Admin)).await.unwrap();
    let names: Vec<_> = names.iter().map(|token| token.name.as_str()).collect();
    assert_eq!(names, ["ann"]);
    assert_eq!(room.desk.first(false).await.unwrap(), None, "the next start makes none");
}

#[tokio::test]
async fn the_first_token_is_made_where_nobody_else_can_let_anybody_in() {
    let room = room(json!({}));
    let first = room.desk.first(false).await.unwrap().unwrap();
    let second = room.desk.first(false).await.unwrap().unwrap();
    assert_eq!(refused(room.log_in("192.0.2.1", &bearer(&first.token)).await), NOT_GOOD);
    who(&room, &second.token).await;
    room.clock.advance(24 * 3600);
    assert_eq!(refused(room.log_in("192.0.2.1", &bearer(&second.token)).await), NOT_GOOD);
    // One that may not do everything is not enough, nor one that has ended.
    for (request, enough) in [
        (json!({"name": "a", "role": "editor"}), false),
        (json!({"name": "b", "role": "admin", "kinds": ["token"]}), false),
        (json!({"name": "c", "role": "admin", "expires": "1s"}), false),
        (json!({"name": "d", "role": "admin"}), true),
    ] {
        make(&room, request.clone()).await.unwrap();
        room.clock.advance(1);
        assert_eq!(room.desk.first(false).await.unwrap().is_none(), enough, "{request}");
    }
    let other = super::room(json!({}));
    let left = other.desk.first(false).await.unwrap().unwrap();
    assert_eq!(other.desk.first(true).await.unwrap(), None, "the configuration lets somebody in");
    assert_eq!(refused(other.log_in("192.0.2.1", &bearer(&left.token)).await), NOT_GOOD);
}

#[tokio::test]
async fn an_admin_by_configuration_retires_it_too() {
    let tokens = Arc::new(MemoryTokens::default());
    let before = room_with(&admin(&json!({})), tokens.clone());
    let first = before.desk.first(before.guard.has_admin()).await.unwrap().unwrap();
    who(&before, &first.token).await;
    let access = json!({"basic": [{"username": "ann", "hash": HASH, "role": "admin"}]});
    let guard = before.guard.renewed(&admin(&access)).unwrap();
    let room = Room { guard, ..before };
    assert_eq!(refused(room.log_in("192.0.2.1", &bearer(&first.token)).await), NOT_GOOD);
    let ann = room.log_in("192.0.2.1", &basic("ann:U*U")).await.unwrap().who;
    let request = from_value(json!({"name": "ci", "role": "admin"})).unwrap();
    room.desk.make(&ann, request).await.unwrap();
    let left = tokens.list().await.unwrap();
    assert!(left.iter().all(|token| !token.first), "{left:?}");
}

#[test]
fn a_slip_is_no_token_for_everything() {
    for bad in [
        json!({"name": "ci", "role": "editor", "namespace": ["shop"]}),
        json!({"name": "ci", "role": "editor", "namespaces": "shop"}),
        json!({"name": "ci", "role": "editor", "expire": "1h"}),
        json!({"name": "ci", "role": "editor", "namespaces": null}),
        json!({"name": "ci"}),
        json!({"name": "c i", "role": "editor"}),
    ] {
        assert!(from_value::<TokenRequest>(bad.clone()).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn without_its_store_nobody_is_let_in_by_a_token() {
    let tokens = Arc::new(Counted::default());
    let room = room_with(&admin(&json!({})), tokens.clone());
    let made = make(&room, json!({"name": "ci", "role": "admin"})).await.unwrap();
    tokens.fail();
    let seen = refused(room.log_in("192.0.2.1", &bearer(&made.token)).await);
    assert_eq!(seen, (503, "store_unavailable"));
    assert!(matches!(room.desk.first(false).await, Err(TokenError::Failed(_))));
}

#[tokio::test]
async fn nothing_shows_a_token() {
    let room = room(json!({}));
    let made = make(&room, json!({"name": "ci", "role": "admin"})).await.unwrap();
    let kept = MemoryTokens::default();
    let record = TokenRecord {
        id: "a".to_owned(),
        name: "a".parse().unwrap(),
        digest: "d1gest".to_owned(),
        grant: Grant::of(Role::Admin),
        created_at: room.now(),
        created_by: "ann".to_owned(),
        expires_at: None,
        last_used_at: None,
        first: false,
    };
    assert_eq!(kept.create(record.clone()).await.unwrap(), Stored::New);
    let shown = format!("{made:?} {:?} {record:?} {kept:?}", room.guard);
    assert!(!shown.contains(&made.token[20..]) && !shown.contains("d1gest"), "{shown}");
    // What is kept is read again as it was.
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<TokenRecord>(&json).unwrap(), record);
}

/// Counts, and fails when it is told to.
#[derive(Default)]
struct Counted {
    kept: MemoryTokens,
    touched: std::sync::atomic::AtomicUsize,
    fails: std::sync::atomic::AtomicBool,
}

impl Counted {
    fn touched(&self) -> usize {
        self.touched.load(std::sync::atomic::Ordering::SeqCst)
    }

    fn fail(&self) {
        self.fails.store(true, std::sync::atomic::Ordering::SeqCst);
    }

    fn failing(&self) -> Result<(), TokensFailed> {
        match self.fails.load(std::sync::atomic::Ordering::SeqCst) {
            true => Err(TokensFailed::because("it is told to")),
            false => Ok(()),
        }
    }
}

impl Tokens for Counted {
    fn get<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<TokenRecord>, TokensFailed>> {
        Box::pin(async move {
            self.failing()?;
            self.kept.get(id).await
        })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<TokenRecord>, TokensFailed>> {
        Box::pin(async move {
            self.failing()?;
            self.kept.list().await
        })
    }

    fn create(&self, record: TokenRecord) -> BoxFuture<'_, Result<Stored, TokensFailed>> {
        self.kept.create(record)
    }

    fn touch<'a>(&'a self, id: &'a str, used: Moment) -> BoxFuture<'a, Result<(), TokensFailed>> {
        self.touched.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.kept.touch(id, used)
    }

    fn delete<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, TokensFailed>> {
        self.kept.delete(id)
    }
}
