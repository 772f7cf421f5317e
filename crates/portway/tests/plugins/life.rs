//! Instances over several configurations: what is kept, what is made anew, what ends.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use portway::plugin::{Host, Next, Plugin, Problem, Registry, Request, Response, Result};
use portway_testkit::eventually;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::Mutex as Turn;

use crate::fixture::{Gateway, one_route};

/// Instances that were started and not dropped, and their background work.
static ALIVE: AtomicUsize = AtomicUsize::new(0);
static WORKING: AtomicUsize = AtomicUsize::new(0);
/// The tests of this file share the counters: one at a time.
static TURN: Turn<()> = Turn::const_new(());

/// Counts the requests it has seen.
struct Counting {
    word: String,
    seen: Mutex<u32>,
}

#[derive(Deserialize, JsonSchema)]
struct CountingSpec {
    /// Said before the number.
    word: String,
}

struct Working;

impl Drop for Working {
    fn drop(&mut self) {
        WORKING.fetch_sub(1, SeqCst);
    }
}

impl Plugin for Counting {
    const NAME: &'static str = "counting";
    type Spec = CountingSpec;

    fn create(spec: CountingSpec) -> Result<Self, Problem> {
        Ok(Self { word: spec.word, seen: Mutex::new(0) })
    }

    async fn start(&self, host: &Host) {
        ALIVE.fetch_add(1, SeqCst);
        WORKING.fetch_add(1, SeqCst);
        let working = Working;
        host.spawn(async move {
            let _working = working;
            std::future::pending::<()>().await;
        });
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let seen = {
            let mut seen = self.seen.lock().expect("nobody panics");
            *seen += 1;
            *seen
        };
        let mut response = next.run(request).await?;
        let said = format!("{} {seen}", self.word);
        response.headers_mut().insert("x-seen", said.parse().expect("it is a word and a number"));
        Ok(response)
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        // One that was only checked was never started.
        let _ = ALIVE.fetch_update(SeqCst, SeqCst, |alive| alive.checked_sub(1));
    }
}

fn registry() -> Registry {
    Registry::new().with::<Counting>()
}

async fn seen(gateway: &Gateway) -> String {
    gateway
        .client()
        .get("/")
        .await
        .expect("an answer")
        .header("x-seen")
        .unwrap_or_default()
        .to_owned()
}

const SHARED: &str = "plugins: [{name: one, counting: {word: WORD}}]\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_keeps_its_state_while_its_spec_stays() {
    let _turn = TURN.lock().await;
    let shared = |word: &str, more: &str| {
        let document = one_route(&format!("[one{more}]"));
        SHARED.replace("WORD", word) + &document
    };
    let mut gateway = Gateway::start(&shared("a", ""), registry()).await;
    assert_eq!(seen(&gateway).await, "a 1");
    gateway.apply(&shared("a", ", {tag: {word: more}}")).await;
    assert_eq!(seen(&gateway).await, "a 2", "another plugin beside it changes nothing");
    gateway.apply(&shared("b", "")).await;
    assert_eq!(seen(&gateway).await, "b 1", "another spec is another instance");
    gateway.apply(&one_route("[{counting: {word: c}}]")).await;
    assert_eq!(seen(&gateway).await, "c 1");
    gateway.apply(&(one_route("[{counting: {word: c}}]") + "stream_drain: 1s\n")).await;
    assert_eq!(seen(&gateway).await, "c 2", "one that is not shared stays too");
}

#[tokio::test(flavor = "multi_thread")]
async fn background_work_ends_with_its_instance() {
    let _turn = TURN.lock().await;
    // The gateway of the test before may still be ending.
    eventually("nothing works any more", || WORKING.load(SeqCst) == 0).await.unwrap();
    let mut gateway = Gateway::start(&one_route("[{counting: {word: a}}]"), registry()).await;
    assert_eq!(WORKING.load(SeqCst), 1, "it was started before the first request");
    gateway.apply(&one_route("[{counting: {word: b}}]")).await;
    assert_eq!(seen(&gateway).await, "b 1");
    // The last view of the old revision is dropped with each core's next look.
    eventually("the old instance's work is over", || WORKING.load(SeqCst) == 1).await.unwrap();
    gateway.apply(&one_route("[]")).await;
    eventually("all of its work is over", || WORKING.load(SeqCst) == 0).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_finish_on_the_old_instance() {
    let _turn = TURN.lock().await;
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let (inner, waiting) = (Arc::clone(&gate), Arc::<AtomicUsize>::default());
    let count = Arc::clone(&waiting);
    let registry = registry().hook("wait", move |request, next| {
        let gate = Arc::clone(&inner);
        count.fetch_add(1, SeqCst);
        Box::pin(async move {
            let _permit = gate.acquire().await;
            next.run(request).await
        })
    });
    let document = |word| one_route(&format!("[{{counting: {{word: {word}}}}}, {{wait: {{}}}}]"));
    let mut gateway = Gateway::start(&document("old"), registry).await;
    let client = gateway.client();
    let asked = tokio::spawn(async move { client.get("/").await });
    eventually("the request waits", || waiting.load(SeqCst) == 1).await.unwrap();
    gateway.apply(&document("new")).await;
    gate.add_permits(10);
    let response = asked.await.unwrap().unwrap();
    assert_eq!(response.header("x-seen"), Some("old 1"));
    assert_eq!(seen(&gateway).await, "new 1");
}
