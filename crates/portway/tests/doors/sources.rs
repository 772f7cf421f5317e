//! Sources that a program brings: what they say, and what they do wrong.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use futures_util::{Stream, StreamExt as _, stream::poll_fn};
use portway::{
    Gateway, Problems,
    build::{Listener, Make, Route, Service, config},
    config::{Config, Origin, Outcome, Problem, Revision, Source},
    source,
};
use portway_testkit::{Client, DEADLINE, Echo, eventually, process::free_addr};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::Served;

type Told = Result<Config, Problems>;

/// What the test says, as a stream.
fn told() -> (mpsc::UnboundedSender<Told>, impl Stream<Item = Told> + Send + 'static) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    (sender, poll_fn(move |cx| receiver.poll_recv(cx)))
}

/// A service and a route to it for one path; `web` listens where there is an address.
fn routed(service: &str, url: &str, path: &str) -> Config {
    let route = format!("{service}-route");
    let made = config([
        Service::new(service).endpoint(url).make(),
        Route::new(&route).to(service).path(path).make(),
    ]);
    made.expect("it is right")
}

/// The gateway around sources.
fn listening() -> portway::Builder {
    Gateway::builder().with(Listener::new("web", "127.0.0.1:0")).configure(|config| {
        config.probes.enabled = true;
        config.probes.bind = free_addr().expect("a port").to_string().parse().expect("an address");
        config.access_log.enabled = false;
    })
}

/// What became of what a stream has said, in order.
#[derive(Clone, Default)]
struct Outcomes(Arc<Mutex<Vec<Outcome>>>);

impl Outcomes {
    fn learn(&self) -> impl FnMut(&Outcome) + Send + 'static {
        let outcomes = Arc::clone(&self.0);
        move |outcome| outcomes.lock().expect("nobody panics").push(outcome.clone())
    }

    fn count(&self) -> usize {
        self.0.lock().expect("nobody panics").len()
    }

    async fn after(&self, count: usize) -> Outcome {
        eventually("an outcome", || self.count() >= count).await.expect("it is learnt");
        self.0.lock().expect("nobody panics")[count - 1].clone()
    }
}

#[tokio::test]
async fn a_stream_is_followed_and_nonsense_changes_nothing() {
    let echo = Echo::start().await.expect("an upstream");
    let (say, stream) = told();
    let outcomes = Outcomes::default();
    let source = source::stream("registry", stream).on_outcome(outcomes.learn());
    say.send(Ok(routed("a", &echo.url(), "/a"))).expect("it is heard");
    let gateway = listening().source(source).build().expect("it is right");
    let served = Served::start(gateway).await;
    assert!(outcomes.after(1).await.is_applied());
    assert_eq!((served.status("/a").await, served.status("/b").await), (200, 404));

    say.send(Ok(routed("b", &echo.url(), "/b"))).expect("it is heard");
    assert!(outcomes.after(2).await.is_applied());
    assert_eq!((served.status("/a").await, served.status("/b").await), (404, 200));

    // A route to nowhere.
    let wrong = config([Route::new("lost").to("nobody").path("/c").make()]);
    say.send(wrong).expect("it is heard");
    let Outcome::Rejected { number, problems } = outcomes.after(3).await else {
        panic!("it cannot be served")
    };
    assert_eq!((number, problems[0].code), (3, "unknown_service"));
    assert!(problems[0].path.starts_with("route lost"), "{}", problems[0]);
    assert_eq!((served.status("/b").await, served.status("/c").await), (200, 404));
    let ready = ready(&served).await;
    assert!(ready.contains("\"ready\":true") && ready.contains("unknown_service"), "{ready}");

    // It could not be read.
    say.send(Err(Problem::new("unreachable", "the registry is away").into())).expect("heard");
    assert!(!outcomes.after(4).await.is_applied());
    assert_eq!(served.status("/b").await, 200);

    say.send(Ok(routed("c", &echo.url(), "/c"))).expect("it is heard");
    assert!(outcomes.after(5).await.is_applied());
    drop(say);
    assert_eq!(served.status("/c").await, 200);
    served.end().await;
}

/// What the probes say.
async fn ready(served: &Served) -> String {
    let bind = served.handle.running().expect("it runs").config().probes.bind;
    let address = bind.to_string().parse().expect("an address");
    Client::h1(address).get("/readyz").await.expect("an answer").text().into_owned()
}

#[tokio::test]
async fn what_several_say_is_served_together_and_each_resource_has_one_owner() {
    let echo = Echo::start().await.expect("an upstream");
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("more.yaml");
    let text = format!(
        "services: [{{name: f, url: '{}', routes: [{{name: f, match: {{path: /f}}}}]}}]\n\
                        probes: {{enabled: false}}\naccess_log: {{enabled: false}}",
        echo.url()
    );
    std::fs::write(&file, text).expect("it can be written");
    let ((one, stream_one), (two, stream_two)) = (told(), told());
    let outcomes = Outcomes::default();
    one.send(Ok(routed("a", &echo.url(), "/a"))).expect("it is heard");
    two.send(Ok(routed("b", &echo.url(), "/b"))).expect("it is heard");
    let gateway = Gateway::builder()
        .with(Listener::new("web", "127.0.0.1:0"))
        .with(Route::new("code").to("a").path("/code"))
        .file(&file)
        .source(source::stream("one", stream_one))
        .source(source::stream("two", stream_two).on_outcome(outcomes.learn()))
        .build();
    let served = Served::start(gateway.expect("it is right")).await;
    for path in ["/a", "/b", "/code", "/f"] {
        assert_eq!(served.status(path).await, 200, "{path}");
    }
    // Somebody else has this service.
    two.send(Ok(routed("a", &echo.url(), "/other"))).expect("it is heard");
    let Outcome::Rejected { problems, .. } = outcomes.after(2).await else {
        panic!("it is another's")
    };
    assert!(problems.iter().any(|one| one.code == "duplicate_name"), "{problems:?}");
    assert_eq!((served.status("/b").await, served.status("/other").await), (200, 404));
    served.end().await;
}

/// Says one thing, then panics; or at once.
struct Panics {
    origin: Origin,
    first: Option<Config>,
    asked: Arc<AtomicUsize>,
}

impl Panics {
    fn after(first: Option<Config>) -> (Self, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        (Self { origin: Origin::new("shaky"), first, asked: Arc::clone(&asked) }, asked)
    }
}

impl Source for Panics {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    async fn next(&mut self) -> Option<Revision> {
        self.asked.fetch_add(1, Relaxed);
        let config = self.first.take().expect("the source breaks here");
        let content = source::State::state(config);
        // Another owner's name is of no use to it.
        Some(Revision { origin: Origin::code(), number: 1, content })
    }

    fn learn(&mut self, _: &Outcome) {
        panic!("it wants to know nothing");
    }
}

#[tokio::test]
async fn a_source_that_panics_is_asked_no_more_and_harms_nobody() {
    let echo = Echo::start().await.expect("an upstream");
    let (source, asked) = Panics::after(Some(routed("a", &echo.url(), "/a")));
    let builder = listening().with(Route::new("own").path("/own").reply(204, ""));
    let mut served = Served::start(builder.source(source).build().expect("it is right")).await;
    let shaky = |served: &Served| {
        let running = served.handle.running().expect("it runs");
        let mut origins = running.origins().iter().cloned();
        origins.find(|one| one.origin.as_str() == "shaky").expect("it is known")
    };
    while shaky(&served).problems.is_empty() {
        let change = timeout(DEADLINE, served.handle.changed()).await;
        change.expect("it is told in time").expect("it runs");
    }
    let status = shaky(&served);
    assert_eq!(status.problems[0].code, "source_failed");
    assert!(status.problems[0].message.contains("the source breaks here"));
    assert_eq!((served.status("/a").await, served.status("/own").await), (200, 204));
    let ready = ready(&served).await;
    assert!(ready.contains("source_failed"), "{ready}");
    assert_eq!(asked.load(Relaxed), 2);
    served.end().await;
}

#[tokio::test]
async fn a_gateway_does_not_begin_with_half_of_what_there_is() {
    let never = futures_util::stream::empty::<Config>();
    let gateway = listening().source(source::stream("empty", never)).build().expect("it is right");
    let problems = gateway.serve([], std::future::pending()).await.expect_err("nothing was said");
    assert_eq!(problems[0].code, "no_configuration");

    let (source, _) = Panics::after(None);
    let gateway = listening().source(source).build().expect("it is right");
    let problems = gateway.serve([], std::future::pending()).await.expect_err("it panics");
    assert_eq!(problems[0].code, "source_failed");

    let (say, stream) = told();
    say.send(config([Route::new("lost").to("nobody").make()])).expect("it is heard");
    let gateway = listening().source(source::stream("wrong", stream)).build();
    let serving = gateway.expect("it is right").into_service();
    let problems = serving.await.expect_err("it is wrong").to_string();
    assert!(problems.contains("route lost"), "{problems}");
}

/// Many a stream panics when it is asked after its end.
#[tokio::test]
async fn a_stream_that_ends_without_a_word_is_not_asked_again() {
    let ended = futures_util::stream::unfold((), async |()| None::<(Config, ())>);
    let gateway = listening().source(source::stream("empty", ended)).build().expect("it is right");
    let problems = gateway.serve([], std::future::pending()).await.expect_err("nothing was said");
    assert_eq!(problems[0].code, "no_configuration", "{problems}");
}

/// Nobody waits for what another one says first.
#[tokio::test]
async fn all_sources_are_asked_at_once() {
    let (ask, asked) = oneshot::channel();
    let first = futures_util::stream::once(async { asked.await.map(|()| Config::default()) });
    let first = first.filter_map(async |config| config.ok());
    let second = futures_util::stream::once(async { ask.send(()).map(|()| Config::default()) });
    let second = second.filter_map(async |config| config.ok());
    let gateway = listening()
        .with(Route::new("own").path("/own").reply(204, ""))
        .source(source::stream("first", first))
        .source(source::stream("second", second))
        .build();
    let serving = Served::start(gateway.expect("it is right"));
    let served = timeout(DEADLINE, serving).await.expect("nobody waits for the other");
    assert_eq!(served.status("/own").await, 204);
    served.end().await;
}

/// Who no longer waits for a gateway that serves does not want what it was made of.
#[tokio::test]
async fn sources_end_with_the_gateway_that_follows_them() {
    let (say, stream) = told();
    say.send(Ok(Config::default())).expect("it is heard");
    let gateway = listening().source(source::stream("registry", stream)).build();
    let gateway = gateway.expect("it is right");
    let mut handle = gateway.handle();
    let (mut end, ended) = oneshot::channel::<()>();
    let mut serving = Box::pin(gateway.serve([], async move { drop(ended.await) }));
    tokio::select! {
        over = &mut serving => panic!("it serves: {over:?}"),
        started = handle.started() => assert!(started.is_some()),
    }
    drop(serving);
    let both = async {
        say.closed().await;
        end.closed().await;
    };
    timeout(DEADLINE, both).await.expect("nobody listens to the source and to the shutdown");
}

/// Who waits for a source that says nothing can end that.
#[tokio::test]
async fn a_gateway_that_waits_for_a_source_ends_when_it_is_told_to() {
    let (say, stream) = told();
    let gateway = listening().source(source::stream("late", stream)).build().expect("it is right");
    let serving = gateway.serve([], async {});
    let over = timeout(DEADLINE, serving).await.expect("it ends").expect("nothing is wrong");
    assert!(over);
    assert!(say.is_closed());

    let (say, stream) = told();
    let gateway = listening().source(source::stream("late", stream)).build().expect("it is right");
    let mut waiting: Pin<Box<_>> = Box::pin(gateway.into_service());
    assert!(futures_util::poll!(&mut waiting).is_pending());
    drop(waiting);
    timeout(DEADLINE, say.closed()).await.expect("nobody listens to the source any more");
}

#[test]
fn two_sources_have_two_names() {
    let quiet = || futures_util::stream::pending::<Config>();
    let built = Gateway::builder()
        .source(source::stream("a", quiet()))
        .source(source::stream("a", quiet()))
        .source(source::stream("code", quiet()))
        .build();
    let problems = built.expect_err("they are confused");
    let codes: Vec<_> = problems.iter().map(|one| one.code).collect();
    assert_eq!(codes, ["duplicate_source", "duplicate_source"]);
    assert_eq!(problems[0].message, "there are two sources called a");
    assert!(problems[1].message.starts_with("no source can be called code"), "{problems}");
}

/// Whatever there is serves until it is over.
async fn serves(
    at: std::net::SocketAddr,
    path: &str,
    start: impl FnOnce(oneshot::Receiver<()>) -> tokio::task::JoinHandle<Result<bool, Problems>>,
) {
    let (end, ended) = oneshot::channel();
    let serving = start(ended);
    let client = Client::h1(at);
    let asked = async {
        loop {
            match client.get(path).await {
                Ok(answer) => return answer.status.as_u16(),
                Err(_) if serving.is_finished() => return 0,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let status = timeout(DEADLINE, asked).await.expect("it serves in time");
    let _ = end.send(());
    assert!(serving.await.expect("no panic").expect("it was right"));
    assert_eq!(status, 200, "{path}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_line_serves_each_kind_of_source() {
    let whole = |at: std::net::SocketAddr| {
        let made = config([
            Listener::new("web", &at.to_string()).make(),
            Route::new("all").path("/x").reply(200, "x").make(),
        ]);
        let mut config = made.expect("it is right");
        (config.probes.enabled, config.access_log.enabled) = (false, false);
        config
    };
    let at = free_addr().expect("a port");
    serves(at, "/x", |ended| {
        let source = source::stream("one", futures_util::stream::iter([whole(at)]));
        tokio::spawn(portway::startup(source, async { drop(ended.await) }))
    })
    .await;
    let at = free_addr().expect("a port");
    serves(at, "/x", |ended| {
        tokio::spawn(portway::startup_static(whole(at), async { drop(ended.await) }))
    })
    .await;
    let (at, directory) = (free_addr().expect("a port"), tempfile::tempdir().expect("a directory"));
    let file = directory.path().join("gateway.json");
    let text = serde_json::to_string(&whole(at)).expect("it can be written");
    std::fs::write(&file, text).expect("it can be written");
    serves(at, "/x", |ended| {
        tokio::spawn(portway::startup_file(file, async { drop(ended.await) }))
    })
    .await;
}
