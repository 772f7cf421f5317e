use std::{future::pending, sync::Mutex};

use http::Method;
use portway_plugin::{
    Body, BoxFuture, Chain, Error, Exchange, Host, Next, Plugin, Request, Response, Result,
};
use portway_testkit::plugin::{Known, Stage};
use serde_json::{Value, json};

use super::{ConcurrencyLimit, ConcurrencyLimitSpec};

async fn stage(spec: Value) -> Stage {
    Stage::of::<ConcurrencyLimit>(spec).await.expect("the spec is good")
}

#[tokio::test]
async fn a_request_counts_to_the_last_byte_of_its_answer() {
    let stage = stage(json!({"max": 2})).await;
    let (one, mut two) = (stage.get("/").await, stage.get("/").await);
    assert_eq!((one.status(), two.status()), (200, 200));
    let refused = stage.get("/").await;
    assert_eq!((refused.status(), refused.code()), (503, "concurrency_limited"));
    assert_eq!(refused.header("retry-after"), "1");
    assert!(refused.target().is_none());
    // One answer is read to its end and one is not wanted any more.
    assert_eq!(two.text().await, "ok");
    drop(two);
    let three = stage.get("/").await;
    assert_eq!(three.status(), 200);
    drop(one);
    assert_eq!(stage.get("/").await.status(), 200);
}

#[tokio::test]
async fn a_request_that_fails_counts_no_longer() {
    let stage = stage(json!({"max": 1})).await.target(|_| Err(Error::gateway("broken", "broken")));
    for _ in 0..3 {
        assert_eq!(stage.get("/").await.code(), "broken");
    }
}

#[tokio::test]
async fn keys_and_status_are_those_of_the_spec() {
    let spec = json!({"max": 1, "by": {"header": "x-key"}, "missing": "pass", "status": 429});
    let stage = stage(spec).await;
    let ask = async |key| stage.ask(Method::GET, "/", &[("x-key", key)]).await;
    let (a, b) = (ask("a").await, ask("b").await);
    assert_eq!((a.status(), b.status()), (200, 200));
    assert_eq!(ask("a").await.status(), 429);
    let free = [stage.get("/").await, stage.get("/").await];
    assert!(free.iter().all(|seen| seen.status() == 200));
}

/// Nothing behind it ever answers.
struct Silent(Mutex<Vec<Request>>);

impl Chain for Silent {
    fn run<'a>(
        &'a self,
        _: usize,
        request: Request,
        _: &'a Exchange<'a>,
    ) -> BoxFuture<'a, Result<Response>> {
        self.0.lock().unwrap().push(request);
        Box::pin(pending())
    }

    fn host(&self, _: usize) -> &Host {
        unreachable!("it asks nothing of the host")
    }

    fn ended(&self, _: usize, _: &Result<Response>, _: bool) {}
}

#[tokio::test]
async fn a_client_that_leaves_counts_no_longer_and_leaves_nothing_behind() {
    let spec: ConcurrencyLimitSpec = serde_json::from_value(json!({"max": 3})).unwrap();
    let plugin = ConcurrencyLimit::create(spec).unwrap();
    let (known, silent) = (Known::default(), Silent(Mutex::default()));
    let exchange = Exchange::new(&known);
    let mut waiting = Vec::new();
    for at in 0..5 {
        let next = Next::new(&silent, &exchange, 1);
        let mut call = Box::pin(plugin.call(Request::new(Body::empty()), next));
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx)));
        assert_eq!(polled.await.is_pending(), at < 3, "{at}");
        waiting.push(call);
    }
    assert_eq!((silent.0.lock().unwrap().len(), plugin.table.len()), (3, 1));
    drop(waiting);
    assert_eq!(plugin.table.len(), 0);
}

#[test]
fn never_more_at_once_over_all_threads() {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    let keys = crate::keys::Keys::new(serde_json::from_value(json!({})).unwrap());
    let (known, request) = (Known::default(), Request::new(Body::empty()));
    let key = keys.of(&request, &Exchange::new(&known)).unwrap().unwrap();
    let (table, busy) = (super::table::Table::new(), AtomicU32::new(0));
    let served: u32 = std::thread::scope(|scope| {
        let work = || {
            let mut served = 0;
            for _ in 0..20_000 {
                if let Some(permit) = table.enter(key, 3) {
                    assert!(busy.fetch_add(1, SeqCst) < 3);
                    served += 1;
                    std::thread::yield_now();
                    busy.fetch_sub(1, SeqCst);
                    drop(permit);
                }
            }
            served
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("never too many")).sum()
    });
    assert!(served > 20_000 / 8, "{served}");
    assert_eq!(table.len(), 0);
}

#[tokio::test]
async fn nonsense_is_refused() {
    for spec in [json!({}), json!({"max": 0}), json!({"max": 1, "status": 200})] {
        assert!(Stage::of::<ConcurrencyLimit>(spec.clone()).await.is_err(), "{spec}");
    }
}
