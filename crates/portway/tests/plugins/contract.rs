//! What a plugin may do with a request, and what becomes of it.

use std::{
    fs,
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use portway::plugin::{Body, Consumer, Error, Registry, RequestExt, Response, ResponseExt};
use portway_testkit::{RawClient, WebSocket, eventually};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::fixture::{Gateway, one_route};

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_may_answer_and_may_refuse() {
    let registry = Registry::new()
        .hook("answer", |_, _| {
            Box::pin(async { Ok(Response::new(Body::from("by myself".to_owned()))) })
        })
        .hook("refuse", |_, _| {
            Box::pin(async { Err(Error::client(StatusCode::IM_A_TEAPOT, "teapot", "no coffee")) })
        });
    let document = one_route("[{tag: {word: out}}, {answer: {}}]");
    let mut gateway = Gateway::start(&document, registry).await;
    let response = gateway.client().get("/").await.unwrap();
    assert_eq!((response.text().as_ref(), response.header("x-tags")), ("by myself", Some("out")));
    gateway.apply(&one_route("[{tag: {word: out}}, {refuse: {}}]")).await;
    let response = gateway.client().get("/").await.unwrap();
    assert_eq!((response.status.as_u16(), response.header("x-tags")), (418, Some("out")));
    let body: Value = response.json().unwrap();
    assert_eq!((&body["code"], &body["message"]), (&"teapot".into(), &"no coffee".into()));
    assert_eq!(gateway.echo.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_one_requests_error() {
    let registry = Registry::new().hook("fragile", |request, next| {
        Box::pin(async move {
            assert!(request.uri().path() != "/panic", "as the test wants it");
            next.run(request).await
        })
    });
    let gateway = Gateway::start(&one_route("[{tag: {word: out}}, {fragile: {}}]"), registry).await;
    for _ in 0..3 {
        let response = gateway.client().get("/panic").await.unwrap();
        assert_eq!((response.status.as_u16(), response.header("x-tags")), (500, Some("out")));
        assert!(!response.text().contains("as the test wants it"), "{}", response.text());
        assert_eq!(gateway.client().get("/").await.unwrap().status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn next_may_be_run_again_where_the_body_can_be_replayed() {
    let registry = Registry::new().hook("retry", |mut request, next| {
        Box::pin(async move {
            request.buffer(1024).await?;
            let again = request.try_clone().expect("the body is in memory");
            let first = next.run(request).await?;
            assert_eq!(next.exchange().outcome().tries, 1);
            drop(first);
            next.run(again).await
        })
    });
    let gateway = Gateway::start(&one_route("[{retry: {}}]"), registry).await;
    let request = http::Request::post("/x").header("host", "a");
    let request = request.body(Full::new(Bytes::from_static(b"twice"))).unwrap();
    let response = gateway.client().request(request).await.unwrap();
    assert_eq!(response.answer().unwrap().body.text.as_deref(), Some("twice"));
    assert_eq!(gateway.echo.requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn next_runs_once_at_a_time_and_may_be_given_up() {
    let registry = Registry::new().hook("impatient", |request, next| {
        Box::pin(async move {
            let is_late = request.uri().path() == "/late";
            let first = request.try_clone().expect("it has no body");
            let second = request.try_clone().expect("it has no body");
            let mut first = next.run(first);
            let polled = poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_ready())).await;
            assert!(!polled, "nobody has answered yet");
            let second = next.run(second).await;
            assert_eq!(second.err().map(|error| error.code()), Some("chain_busy"));
            if is_late {
                // The request is on its way when nobody waits for it any more.
                tokio::task::yield_now().await;
            }
            drop(first);
            next.run(request).await
        })
    });
    let gateway = Gateway::start(&one_route("[{impatient: {}}]"), registry).await;
    for path in ["/", "/late"] {
        let response = gateway.client().get(path).await.unwrap();
        assert_eq!(response.answer().unwrap().path, path);
    }
}

/// Knows whether it was woken, and wakes another.
#[derive(Default)]
struct Bell(AtomicBool, Mutex<Option<Waker>>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
        if let Some(waker) = &*self.1.lock().unwrap() {
            waker.wake_by_ref();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn next_wakes_whoever_polls_it() {
    let registry = Registry::new().hook("own-waker", |request, next| {
        Box::pin(async move {
            let bell = Arc::new(Bell::default());
            bell.0.store(true, SeqCst);
            let (mut run, waker) = (next.run(request), Waker::from(Arc::clone(&bell)));
            poll_fn(|cx| {
                *bell.1.lock().unwrap() = Some(cx.waker().clone());
                if !bell.0.swap(false, SeqCst) {
                    return Poll::Pending;
                }
                run.as_mut().poll(&mut Context::from_waker(&waker))
            })
            .await
        })
    });
    let gateway = Gateway::start(&one_route("[{own-waker: {}}]"), registry).await;
    assert_eq!(gateway.client().get("/").await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_above_its_cap_is_refused() {
    let registry = Registry::new()
        .hook("whole-request", |mut request, next| {
            Box::pin(async move {
                request.buffer(10).await?;
                next.run(request).await
            })
        })
        .hook("whole-answer", |request, next| {
            Box::pin(async move {
                let mut response = next.run(request).await?;
                response.buffer(10).await?;
                Ok(response)
            })
        });
    let mut gateway = Gateway::start(&one_route("[{whole-request: {}}]"), registry).await;
    let post = |body: &'static str| {
        let request = http::Request::post("/x").header("host", "a");
        request.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap()
    };
    let client = gateway.client();
    assert_eq!(
        client.request(post("short")).await.unwrap().answer().unwrap().body.text.as_deref(),
        Some("short")
    );
    let refused = client.request(post("eleven bytes")).await.unwrap();
    assert_eq!(refused.status, 413);
    gateway.apply(&one_route("[{whole-answer: {}}]")).await;
    assert_eq!(gateway.client().get("/?bytes=10").await.unwrap().status, 200);
    let refused = gateway.client().get("/?bytes=11").await.unwrap();
    assert_eq!((refused.status.as_u16(), refused.text().contains("answer_too_large")), (502, true));
}

/// Counts how many there are.
struct Held(Arc<AtomicUsize>);

impl Held {
    fn one(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_lives_to_the_last_byte() {
    let (heads, bodies) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let (head, body) = (Arc::clone(&heads), Arc::clone(&bodies));
    let registry = Registry::new().hook("hold", move |request, next| {
        let (head, body) = (Held::one(&head), Held::one(&body));
        Box::pin(async move {
            let mut response = next.run(request).await?;
            response.keep(body);
            drop(head);
            Ok(response)
        })
    });
    let gateway = Gateway::start(&one_route("[{hold: {}}]"), registry).await;
    let mut client = RawClient::connect(gateway.at("web")).await.unwrap();
    // More than fits into the buffers between here and there.
    let request = "GET /?bytes=50000000 HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(request).await.unwrap();
    client.read_head().await.unwrap();
    assert_eq!((heads.load(SeqCst), bodies.load(SeqCst)), (0, 1));
    // The client leaves in the middle.
    client.close();
    eventually("the guard is dropped", || bodies.load(SeqCst) == 0).await.unwrap();
    gateway.client().get("/").await.unwrap();
    eventually("the guard is dropped", || bodies.load(SeqCst) == 0).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_drops_the_call() {
    let (calls, gate) = (Arc::<AtomicUsize>::default(), Arc::new(Semaphore::new(0)));
    let (count, closed) = (Arc::clone(&calls), Arc::clone(&gate));
    let registry = Registry::new().hook("wait", move |request, next| {
        let (held, gate) = (Held::one(&count), Arc::clone(&closed));
        Box::pin(async move {
            let _held = held;
            let _permit = gate.acquire().await;
            next.run(request).await
        })
    });
    let gateway = Gateway::start(&one_route("[{wait: {}}]"), registry).await;
    let mut client = RawClient::connect(gateway.at("web")).await.unwrap();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    eventually("the call began", || calls.load(SeqCst) == 1).await.unwrap();
    client.close();
    eventually("the call is over", || calls.load(SeqCst) == 0).await.unwrap();
    assert_eq!(gateway.echo.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewritten_request_is_what_the_upstream_gets() {
    let registry = Registry::new().hook("rewrite", |mut request, next| {
        Box::pin(async move {
            *request.uri_mut() = "/b%20c/../d?y=2".parse().expect("a target");
            *request.method_mut() = http::Method::PUT;
            request.headers_mut().insert("host", "other.example".parse().expect("a host"));
            request.headers_mut().remove("x-secret");
            next.run(request).await
        })
    });
    let gateway = Gateway::start(&one_route("[{rewrite: {}}]"), registry).await;
    let request = http::Request::get("/a?x=1").header("host", "a").header("x-secret", "s");
    let body = http_body_util::Empty::<Bytes>::new();
    let response = gateway.client().request(request.body(body).unwrap()).await.unwrap();
    let sent = response.answer().unwrap();
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("PUT", "/d"));
    assert_eq!((sent.query.as_deref(), sent.header("x-secret")), (Some("y=2"), None));
    assert_eq!(sent.header("host"), Some("other.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_says_what_plugins_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let document = format!(
        "access_log: {{path: '{}', format: json}}\n\
         listeners: [{{name: web, bind: '127.0.0.1:0'}}]\n\
         services: [{{name: echo, url: '@ECHO@', routes: [{{name: all, plugins: [know: {{}}]}}]}}]\n",
        log.display()
    );
    let registry = Registry::new().hook("know", |request, next| {
        Box::pin(async move {
            assert!(next.exchange().identify(Arc::new(Consumer::named("alice"))));
            next.note("why", "because \"so\"\n").expect("it is short");
            next.note("status", "reserved for nobody").expect("it is under its own name");
            next.run(request).await
        })
    });
    let gateway = Gateway::start(&document, registry).await;
    gateway.client().get("/").await.unwrap();
    let read = || fs::read_to_string(&log).unwrap_or_default();
    eventually("a record", || read().ends_with('\n')).await.unwrap();
    let record: Value = serde_json::from_str(&read()).unwrap();
    assert_eq!(record["consumer"], "alice");
    assert_eq!(record["know.why"], "because \"so\"\n");
    assert_eq!(record["status"], 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_reports_and_does_nothing() {
    let registry = Registry::new().hook("refuse", |_, _| {
        Box::pin(async { Err(Error::client(StatusCode::FORBIDDEN, "denied", "no")) })
    });
    let plugins = "[{refuse: {}, dry_run: true}, {tag: {word: dry}, name: t, dry_run: true}]";
    let gateway = Gateway::start(&one_route(plugins), registry).await;
    let request = http::Request::post("/x").header("host", "a");
    let request = request.body(Full::new(Bytes::from_static(b"body"))).unwrap();
    let response = gateway.client().request(request).await.unwrap();
    assert_eq!((response.status.as_u16(), response.header("x-tags")), (200, None));
    let sent = response.answer().unwrap();
    assert_eq!((sent.body.text.as_deref(), sent.header("x-tags")), (Some("body"), None));
    assert_eq!(gateway.echo.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn websockets_pass_through_a_chain() {
    let gateway = Gateway::start(&one_route("[{tag: {word: ws}}]"), Registry::new()).await;
    let mut socket = WebSocket::connect(gateway.at("web"), "/").await.unwrap();
    assert_eq!(socket.exchange("hello").await.unwrap(), "hello");
    assert_eq!(socket.headers().get("x-tags").unwrap(), "ws");
    socket.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_says_who_they_are_to_the_upstream() {
    let document = "access_log: {enabled: false}
listeners: [{name: web, bind: '127.0.0.1:0'}]
consumers: [{name: alice}, {name: bob, keys: [secret]}]
services: [{name: echo, url: '@ECHO@', routes: [{name: all}]}]
";
    let gateway = Gateway::start(document, Registry::new()).await;
    let request = http::Request::get("/").header("host", "a");
    let request = request.header("x-consumer-username", "alice").header("X-Consumer-Groups", "ops");
    let request = request.body(http_body_util::Empty::<Bytes>::new()).unwrap();
    let sent = gateway.client().request(request).await.unwrap().answer().unwrap();
    assert_eq!(
        (sent.header("x-consumer-username"), sent.header("x-consumer-groups")),
        (None, None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_lives_as_long_as_a_websocket() {
    let held = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&held);
    let registry = Registry::new().hook("hold", move |request, next| {
        let guard = Held::one(&count);
        Box::pin(async move {
            let mut response = next.run(request).await?;
            response.keep(guard);
            Ok(response)
        })
    });
    let gateway = Gateway::start(&one_route("[{hold: {}}]"), registry).await;
    let mut socket = WebSocket::connect(gateway.at("web"), "/").await.unwrap();
    assert_eq!(socket.exchange("hello").await.unwrap(), "hello");
    assert_eq!(held.load(SeqCst), 1);
    socket.close().await.unwrap();
    eventually("the guard is dropped", || held.load(SeqCst) == 0).await.unwrap();
}
