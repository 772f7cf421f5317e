//! Everything together: requests as they come, and what the guard makes of them.

mod audit;
mod browsers;
mod clients;
mod others;
mod passwords;
mod rights;
mod tokens;

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, Request, request::Parts};
use portway_config::Admin;
use serde_json::{Value, json};

use super::{
    Admission, Blocking, Clock, Guard, MemoryTokens, Moment, Peer, Refusal, Surroundings,
    TokenDesk, Tokens,
};

/// Of the password `U*U`, by another implementation (`crypt_blowfish`); of few rounds.
const HASH: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
/// 2027-01-15T08:00:00Z.
const START: u64 = 1_800_000_000;

/// A clock that goes when it is told to.
#[derive(Debug, Default)]
struct TestClock(AtomicU64);

impl TestClock {
    fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1000, SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(START) + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(SeqCst))
    }
}

/// Does work at once, or when it is told to, or not at all; and counts it.
#[derive(Default)]
struct TestThreads {
    runs: AtomicUsize,
    is_busy: AtomicBool,
    holds: AtomicBool,
    held: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl TestThreads {
    fn runs(&self) -> usize {
        self.runs.load(SeqCst)
    }

    fn release(&self) {
        self.holds.store(false, SeqCst);
        let held = std::mem::take(&mut *self.held.lock().unwrap());
        held.into_iter().for_each(|work| work());
    }
}

impl Blocking for TestThreads {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> bool {
        if self.is_busy.load(SeqCst) {
            return false;
        }
        self.runs.fetch_add(1, SeqCst);
        if self.holds.load(SeqCst) {
            self.held.lock().unwrap().push(work);
        } else {
            work();
        }
        true
    }
}

/// A guard and what is around it.
struct Room {
    guard: Guard,
    clock: Arc<TestClock>,
    threads: Arc<TestThreads>,
    desk: TokenDesk,
}

fn admin(access: &Value) -> Admin {
    serde_json::from_value(json!({ "access": access })).unwrap()
}

fn room(access: impl std::borrow::Borrow<Value>) -> Room {
    room_with(&admin(access.borrow()), Arc::new(MemoryTokens::default()))
}

fn room_with(admin: &Admin, tokens: Arc<dyn Tokens>) -> Room {
    let (clock, threads) = (Arc::new(TestClock::default()), Arc::new(TestThreads::default()));
    let desk = TokenDesk::new(Arc::clone(&tokens), clock.clone());
    let surroundings = Surroundings { tokens, clock: clock.clone(), blocking: threads.clone() };
    Room { guard: Guard::new(admin, surroundings).unwrap(), clock, threads, desk }
}

impl Room {
    fn now(&self) -> Moment {
        self.clock.now().into()
    }

    /// A GET from this machine with these fields.
    async fn get(&self, fields: &[(&str, &str)]) -> Result<Admission, Refusal> {
        self.guard.admit(&head(Method::GET, "/api/v1/routes", fields), &peer("127.0.0.1")).await
    }

    /// A GET from somewhere with this `Authorization`.
    async fn log_in(&self, from: &str, authorization: &str) -> Result<Admission, Refusal> {
        let head = head(Method::GET, "/api/v1/routes", &[("authorization", authorization)]);
        self.guard.admit(&head, &peer(from)).await
    }
}

/// The head of a request, for `localhost:9080` unless a field says otherwise.
fn head(method: Method, target: &str, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(target);
    if !fields.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "localhost:9080");
    }
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn peer(address: &str) -> Peer<'static> {
    let address: IpAddr = address.parse().unwrap();
    Peer { address, tls: false, certificate: None }
}

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Status and code of a refusal.
fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>) -> (u16, &'static str) {
    let refusal = result.expect_err("it is refused");
    (refusal.status.as_u16(), refusal.code)
}
