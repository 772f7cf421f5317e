//! Names and passwords, and how often somebody may be wrong.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::atomic::Ordering::SeqCst,
    time::Duration,
};

use portway_config::Role;
use serde_json::{Value, json};

use super::{HASH, Room, admin, basic, bearer, refused, room};
use crate::access::{Blocking, By, Threads, logins::Logins};

const WRONG: (u16, &str) = (401, "invalid_credentials");
const TOO_MANY: (u16, &str) = (429, "too_many_logins");
/// Costs as much as [`HASH`], and is of no password anybody has.
const OTHER: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeX";

fn access() -> Value {
    json!({"basic": [
        {"username": "ann", "hash": HASH, "role": "admin"},
        {"username": "bob", "hash": OTHER, "role": "editor", "namespaces": ["shop"]},
        {"username": "eve", "hash": HASH, "role": "viewer"},
    ]})
}

async fn fail(room: &Room, from: &str, times: usize) {
    for n in 0..times {
        let guess = basic(&format!("ann:guess {n}"));
        assert_eq!(refused(room.log_in(from, &guess).await), WRONG, "{n}");
    }
}

#[tokio::test]
async fn a_right_password_is_let_in_and_remembered() {
    let room = room(access());
    for (after, runs) in [(0, 1), (59, 1), (2, 2)] {
        room.clock.advance(after);
        let who = room.log_in("192.0.2.1", &basic("ann:U*U")).await.unwrap().who;
        assert_eq!((&*who.name, who.by, who.grant.role), ("ann", By::Basic, Role::Admin));
        assert_eq!(room.threads.runs(), runs);
    }
    let eve = room.log_in("192.0.2.1", &basic("eve:U*U")).await.unwrap().who;
    assert_eq!((eve.grant.role, room.threads.runs()), (Role::Viewer, 3));
    // It is forgotten with the hash it was right for.
    let mut changed = access();
    changed["basic"][0]["hash"] = OTHER.into();
    let guard = room.guard.renewed(&admin(&changed)).unwrap();
    let room = Room { guard, ..room };
    assert_eq!(refused(room.log_in("192.0.2.1", &basic("ann:U*U")).await), WRONG);
}

#[tokio::test]
async fn a_name_that_nobody_has_looks_like_one_that_somebody_has() {
    let room = room(access());
    let mut seen = Vec::new();
    for (number, pair) in
        ["ann:wrong", "bob:U*U", "nobody:U*U", ":U*U", "someone:"].iter().enumerate()
    {
        let refusal = room.log_in(&format!("192.0.2.{number}"), &basic(pair)).await.unwrap_err();
        // Each is hashed, once.
        assert_eq!(room.threads.runs(), number + 1, "{pair}");
        seen.push((refusal.status, refusal.code, refusal.detail, format!("{:?}", refusal.headers)));
    }
    assert!(seen.windows(2).all(|two| two[0] == two[1]), "{seen:?}");
    assert!(seen[0].3.contains("Basic realm") && seen[0].3.contains("Bearer realm"), "{seen:?}");
    // It stays out, however often it asks with a password that is somebody's.
    for _ in 0..3 {
        assert_eq!(refused(room.log_in("192.0.2.99", &basic("nobody:U*U")).await), WRONG);
    }
}

#[tokio::test]
async fn who_is_wrong_too_often_is_not_heard() {
    let room = room(access());
    fail(&room, "192.0.2.1", 10).await;
    assert_eq!(room.threads.runs(), 10);
    let right = basic("ann:U*U");
    let refusal = room.log_in("192.0.2.1", &right).await.unwrap_err();
    assert_eq!((refusal.status.as_u16(), refusal.code), TOO_MANY);
    assert_eq!(refusal.headers["retry-after"], "6");
    assert_eq!(room.threads.runs(), 10, "nothing is hashed for them");
    // A new configuration does not make anybody forget it.
    let guard = room.guard.renewed(&admin(&access())).unwrap();
    let room = Room { guard, ..room };
    assert_eq!(refused(room.log_in("192.0.2.1", &right).await), TOO_MANY);
    assert!(room.log_in("192.0.2.2", &right).await.is_ok(), "others are heard");
    room.clock.advance(5);
    assert_eq!(refused(room.log_in("192.0.2.1", &right).await), TOO_MANY);
    room.clock.advance(1);
    assert!(room.log_in("192.0.2.1", &right).await.is_ok());
    fail(&room, "192.0.2.1", 1).await;
    assert_eq!(refused(room.log_in("192.0.2.1", &right).await), TOO_MANY);
}

#[tokio::test]
async fn the_password_of_somebody_else_is_a_failure_under_any_name() {
    let room = room(json!({"basic": [{"username": "ann", "hash": HASH, "role": "admin"}]}));
    for n in 0..10 {
        let guess = basic(&format!("ghost{n}:U*U"));
        assert_eq!(refused(room.log_in("192.0.2.1", &guess).await), WRONG);
    }
    assert_eq!(refused(room.log_in("192.0.2.1", &basic("ghost:U*U")).await), TOO_MANY);
    assert_eq!(room.threads.runs(), 10);
}

#[tokio::test]
async fn a_remembered_password_cannot_be_guessed_without_end() {
    let room = room(access());
    assert!(room.log_in("192.0.2.1", &basic("ann:U*U")).await.is_ok());
    fail(&room, "192.0.2.7", 10).await;
    // Though it needs no hashing: a guess would cost nothing.
    assert_eq!(refused(room.log_in("192.0.2.7", &basic("ann:U*U")).await), TOO_MANY);
}

#[tokio::test]
async fn an_ipv6_network_is_one_client() {
    let room = room(access());
    for n in 0..10 {
        fail(&room, &format!("2001:db8::{n}"), 1).await;
    }
    let right = basic("ann:U*U");
    assert_eq!(refused(room.log_in("2001:db8::ffff:1", &right).await), TOO_MANY);
    assert!(room.log_in("2001:db8:0:1::1", &right).await.is_ok());
    fail(&room, "::ffff:192.0.2.1", 10).await;
    assert_eq!(refused(room.log_in("192.0.2.1", &right).await), TOO_MANY);
}

#[tokio::test]
async fn guesses_at_the_same_time_are_counted_too() {
    let room = room(access());
    room.threads.holds.store(true, SeqCst);
    let guesses: Vec<_> = (0..30).map(|n| basic(&format!("ann:guess {n}"))).collect();
    let all = guesses.iter().map(|guess| room.log_in("192.0.2.1", guess));
    let seen = together(all.collect(), || room.threads.release()).await;
    assert_eq!(room.threads.runs(), 10);
    let (wrong, many): (Vec<_>, Vec<_>) =
        seen.into_iter().map(refused).partition(|seen| *seen == WRONG);
    assert_eq!((wrong.len(), many.len()), (10, 20));
    assert!(many.iter().all(|seen| *seen == TOO_MANY));
}

#[tokio::test]
async fn one_password_is_hashed_once_however_many_bring_it() {
    let room = room(access());
    room.threads.holds.store(true, SeqCst);
    let right = basic("ann:U*U");
    let all = (0..30).map(|_| room.log_in("192.0.2.1", &right));
    let seen = together(all.collect(), || room.threads.release()).await;
    assert!(seen.iter().all(Result::is_ok), "{seen:?}");
    assert_eq!(room.threads.runs(), 1);
    // It was right, so nothing is held against them.
    fail(&room, "192.0.2.1", 10).await;
}

/// What comes of all of them, where something happens once each has got as far as it can.
async fn together<F: Future>(futures: Vec<F>, then: impl FnOnce()) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    let mut then = Some(then);
    std::future::poll_fn(|context| {
        loop {
            for (future, done) in &mut futures {
                if done.is_none()
                    && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
                {
                    *done = Some(output);
                }
            }
            match then.take() {
                Some(then) => then(),
                None => break,
            }
        }
        match futures.iter().all(|(_, done)| done.is_some()) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    futures.into_iter().filter_map(|(_, done)| done).collect()
}

#[tokio::test]
async fn what_nobody_looked_at_is_no_failure() {
    let room = room(access());
    room.threads.is_busy.store(true, SeqCst);
    for _ in 0..30 {
        let refusal = room.log_in("192.0.2.1", &basic("ann:U*U")).await.unwrap_err();
        assert_eq!((refusal.status.as_u16(), refusal.code), TOO_MANY);
        assert_eq!(refusal.headers["retry-after"], "1");
    }
    room.threads.is_busy.store(false, SeqCst);
    assert!(room.log_in("192.0.2.1", &basic("ann:U*U")).await.is_ok());
    fail(&room, "192.0.2.1", 10).await;
}

#[tokio::test]
async fn credentials_have_one_form() {
    let room = room(access());
    let right = basic("ann:U*U");
    let two = [("authorization", &*right), ("authorization", &*right)];
    assert_eq!(refused(room.get(&two).await), (401, "ambiguous_credentials"));
    for (authorization, seen) in [
        ("Basic !".to_owned(), (400, "malformed_credentials")),
        (basic("no colon"), (400, "malformed_credentials")),
        (basic("ann:a\0b"), (400, "malformed_credentials")),
        (basic(&"x".repeat(5000)), (400, "credentials_too_large")),
        ("Digest username=ann".to_owned(), (401, "unauthenticated")),
        ("ann:U*U".to_owned(), (401, "unauthenticated")),
        (bearer("ann:U*U"), (401, "invalid_token")),
        (String::new(), (401, "unauthenticated")),
    ] {
        assert_eq!(
            refused(room.log_in("127.0.0.1", &authorization).await),
            seen,
            "{authorization}"
        );
    }
    assert_eq!(room.threads.runs(), 0);
    assert_eq!(refused(room.get(&[]).await), (401, "unauthenticated"));
}

#[tokio::test]
async fn nobody_is_let_in_by_a_credential_that_comes_with_the_product() {
    let room = room(json!({}));
    assert!(!room.guard.has_admin());
    for known in [
        basic("admin:admin"),
        basic("portway:portway"),
        basic("admin:"),
        basic(":"),
        bearer("edd1c9f034335f136f87ad84b625c8f1"),
        bearer("admin"),
        bearer("pwt_"),
        bearer(""),
    ] {
        assert_eq!(refused(room.log_in("127.0.0.1", &known).await).0, 401, "{known}");
    }
    let refusal = room.get(&[]).await.unwrap_err();
    let challenges: Vec<_> = refusal.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, ["Bearer realm=\"portway\""], "no password is asked for");
}

#[test]
fn the_table_of_clients_has_an_end() {
    let logins = Logins::default();
    let now = Duration::from_secs(1000);
    let worst = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    for _ in 0..10 {
        assert!(logins.count(worst, now).is_ok());
    }
    assert!(logins.count(worst, now).is_err());
    for n in 0..100_000_u32 {
        assert!(logins.count(IpAddr::V4(Ipv4Addr::from_bits(n)), now).is_ok());
        assert!(logins.len() <= 16 * 1024);
    }
    assert!(logins.heard(worst, now).is_err(), "those who come often are not made room of");
    assert!(logins.heard(worst, now + Duration::from_secs(6)).is_ok());
    // An hour later all are forgotten as soon as there is need.
    let later = now + Duration::from_secs(3600);
    for n in 0..17_000_u32 {
        assert!(logins.count(IpAddr::V4(Ipv4Addr::from_bits(!n)), later).is_ok());
    }
    assert!(logins.len() <= 17_000);
}

#[test]
fn threads_do_the_work_and_no_more_than_they_may() {
    use std::sync::mpsc;
    let threads = Threads::new(1, 2);
    let (go, wait) = mpsc::channel::<()>();
    let (done, seen) = mpsc::channel();
    let first = done.clone();
    assert!(threads.run(Box::new(move || {
        wait.recv().unwrap();
        first.send(1).unwrap();
    })));
    let second = done.clone();
    assert!(threads.run(Box::new(move || {
        let _sends_when_dropped = second.send(2);
        panic!("work that panics keeps nobody waiting");
    })));
    let third = done.clone();
    assert!(threads.run(Box::new(move || third.send(3).unwrap())));
    assert!(!threads.run(Box::new(|| unreachable!("there is no room for it"))));
    go.send(()).unwrap();
    let limit = Duration::from_secs(10);
    assert_eq!([(); 3].map(|()| seen.recv_timeout(limit).unwrap()), [1, 2, 3]);
    // The thread may have ended; there is another one then.
    for n in 4..50 {
        let next = done.clone();
        assert!(threads.run(Box::new(move || next.send(n).unwrap())));
        assert_eq!(seen.recv_timeout(limit).unwrap(), n);
    }
}
