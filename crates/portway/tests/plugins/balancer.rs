//! Balancers of a program's own.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use http::{HeaderName, Request};
use portway::{
    config::{Catalog, NoLookup, load},
    plugin::{
        Registry,
        balance::{Balancer, Candidates, Ending, Endpoint},
    },
};
use portway_testkit::{Echo, RawClient, RunningEcho, eventually, raw::refused_addr};

use crate::fixture::Gateway;

/// Goes where a header field says, and remembers all that it was told.
#[derive(Clone, Default)]
struct ByHand {
    told: Arc<Mutex<Vec<String>>>,
    made: Arc<AtomicUsize>,
}

impl Balancer for ByHand {
    fn pick(&self, candidates: &Candidates<'_>) -> Option<usize> {
        let to = candidates.header(&HeaderName::from_static("x-to"));
        let to = to.and_then(|to| to.to_str().ok()).unwrap_or("first");
        let facts = format!(
            "{} {} {:?} {:?} {:?}",
            candidates.client(),
            candidates.path().unwrap_or("-"),
            candidates.query(),
            candidates.path_parameter("id"),
            candidates.cookie("session").map(String::from_utf8_lossy),
        );
        self.tell(facts);
        match to {
            "first" => candidates.free().next(),
            "nobody" => None,
            "panic" => panic!("as the test wants it"),
            number => number.parse().ok(),
        }
    }

    fn started(&self, endpoint: usize) {
        self.tell(format!("started {endpoint}"));
    }

    fn ended(&self, endpoint: usize, ending: &Ending) {
        self.tell(match ending {
            Ending::Answered { status: Some(status), .. } => {
                format!("ended {endpoint} {}", status.as_u16())
            }
            Ending::Failed { code, .. } => format!("ended {endpoint} {code}"),
            Ending::Abandoned { .. } => format!("ended {endpoint} abandoned"),
            _ => format!("ended {endpoint} otherwise"),
        });
    }
}

impl ByHand {
    fn registry(&self) -> Registry {
        let this = self.clone();
        Registry::new().balancer("by-hand", move |endpoints: &[Endpoint]| {
            this.made.fetch_add(1, SeqCst);
            let named = endpoints.iter().map(|one| format!("{}:{}", one.address, one.weight));
            this.tell(named.collect::<Vec<_>>().join(" "));
            this.clone()
        })
    }

    fn tell(&self, what: String) {
        self.told.lock().expect("nobody panics with it").push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().expect("nobody panics with it"))
    }

    fn has_ended(&self) -> bool {
        let told = self.told.lock().expect("nobody panics with it");
        told.iter().any(|told| told.starts_with("ended"))
    }
}

/// A service of the upstream and others, with a route that captures an `id`.
fn document(others: &[&str], more: &str) -> String {
    let others: Vec<_> =
        others.iter().map(|url| format!(", {{url: '{url}', weight: 3}}")).collect();
    format!(
        "access_log: {{enabled: false}}\n\
         listeners: [{{name: web, bind: '127.0.0.1:0'}}]\n\
         services: [{{name: up, balance: {{custom: by-hand}}, \
         endpoints: [{{url: '@ECHO@'{more}}}{}], \
         routes: [{{name: user, match: {{path: '/users/{{id}}'}}}}]}}]\n",
        others.concat()
    )
}

async fn asked(gateway: &Gateway, path: &str, to: &str) -> (u16, String) {
    let request = Request::get(path).header("x-to", to).header("cookie", "session=s1");
    let request = request.body(String::new()).expect("a request");
    let response = gateway.client().request(request).await.expect("an answer");
    (response.status.as_u16(), response.text().into_owned())
}

async fn start(by_hand: &ByHand, more: &str) -> (Gateway, RunningEcho) {
    let other = Echo::start().await.expect("an upstream starts");
    let gateway = Gateway::start(&document(&[&other.url()], more), by_hand.registry()).await;
    (gateway, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_of_the_request_and_of_every_start_and_end() {
    // With plugins before an endpoint it is chosen in another place.
    for more in ["", ", plugins: [{tag: {word: here}}]"] {
        let by_hand = ByHand::default();
        let (gateway, other) = start(&by_hand, more).await;
        let endpoints = format!("{}:1 {}:3", gateway.echo.addr(), other.addr());
        assert_eq!(by_hand.take(), [endpoints]);
        let (status, _) = asked(&gateway, "/users/7?a=b", "1").await;
        assert_eq!((status, gateway.echo.requests(), other.requests()), (200, 0, 1));
        eventually("it ended", || by_hand.has_ended()).await.expect("it is told");
        let facts = "127.0.0.1 /users/7 Some(\"a=b\") Some(\"7\") Some(\"s1\")";
        assert_eq!(by_hand.take(), [facts, "started 1", "ended 1 200"]);
        let (status, text) = asked(&gateway, "/users/7", "nobody").await;
        assert!(status == 503 && text.contains("no_endpoint"), "{status} {text}");
        assert_eq!(by_hand.take().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_does_wrong_is_one_requests_error() {
    for more in ["", ", plugins: [{tag: {word: here}}]"] {
        let by_hand = ByHand::default();
        let (gateway, other) = start(&by_hand, more).await;
        for to in ["panic", "2"] {
            let (status, text) = asked(&gateway, "/users/7", to).await;
            assert!(status == 500 && text.contains("balancer_failed"), "{status} {text}");
            assert!(!text.contains("as the test wants it"), "{text}");
            assert_eq!(asked(&gateway, "/users/7", "first").await.0, 200);
        }
        assert_eq!((gateway.echo.requests(), other.requests()), (2, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_is_not_a_candidate_again() {
    let by_hand = ByHand::default();
    let refused = refused_addr().expect("an address that nobody listens on");
    let echo = Echo::start().await.expect("an upstream starts");
    let text = document(&[&echo.url()], "").replace("@ECHO@", &refused.url());
    let gateway = Gateway::start(&text, by_hand.registry()).await;
    assert_eq!(asked(&gateway, "/users/7", "first").await.0, 200);
    eventually("it ended", || by_hand.take().contains(&"ended 1 200".to_owned()))
        .await
        .expect("it is told");
    // Whoever insists on it has to do without.
    let (status, text) = asked(&gateway, "/users/7", "0").await;
    assert!(status == 500 && text.contains("balancer_failed"), "{status} {text}");
    let told = by_hand.take();
    assert!(told.contains(&"ended 0 upstream_connect".to_owned()), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_ends_what_was_started() {
    let by_hand = ByHand::default();
    let (gateway, _other) = start(&by_hand, "").await;
    by_hand.take();
    for (query, ending) in [("wait=1m", "ended 0 abandoned"), ("bytes=500000000", "ended 0 200")] {
        let seen = gateway.echo.requests();
        let mut raw = RawClient::connect(gateway.at("web")).await.expect("a connection");
        raw.send(format!("GET /users/7?{query} HTTP/1.1\r\nHost: a\r\n\r\n")).await.expect("sent");
        eventually("it has arrived", || gateway.echo.requests() > seen).await.expect("it comes");
        if query.starts_with("bytes") {
            raw.read_head().await.expect("a head");
        }
        assert!(!by_hand.has_ended());
        raw.reset().expect("reset");
        eventually("it ended", || by_hand.has_ended()).await.expect("it is told");
        assert_eq!(by_hand.take()[1..], ["started 0", ending]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_service_has_its_own_for_as_long_as_its_endpoints_stay() {
    let by_hand = ByHand::default();
    let (mut gateway, other) = start(&by_hand, "").await;
    assert_eq!(by_hand.made.load(SeqCst), 1);
    let same = document(&[&other.url()], "");
    gateway.apply(&same.replace("name: up,", "name: up, timeouts: {connect: 4s},")).await;
    assert_eq!(by_hand.made.load(SeqCst), 1, "nothing has changed for it");
    let both = "{name: alone, balance: {custom: by-hand}, url: '@ECHO@'}";
    gateway.apply(&same.replace("services: [", &format!("services: [{both}, "))).await;
    assert_eq!(by_hand.made.load(SeqCst), 2);
    gateway.apply(&document(&[], "")).await;
    assert_eq!(by_hand.made.load(SeqCst), 3, "an endpoint is gone");
}

#[test]
fn one_that_nobody_has_registered_is_a_problem() {
    let catalog = Catalog::new(ByHand::default().registry());
    let text =
        document(&[], "").replace("@ECHO@", "http://a").replace("custom: by-hand", "custom: x");
    let problems = load(&text, "test.yaml", &NoLookup, &catalog).unwrap().check().unwrap_err();
    assert_eq!((problems.len(), problems[0].code), (1, "unknown_balancer"));
    assert_eq!(problems[0].hint.as_deref(), Some("those that are registered: by-hand"));
}
