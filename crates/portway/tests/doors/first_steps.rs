//! What somebody tries who puts a first gateway together: listeners by their addresses alone,
//! services that are forgotten or mounted twice, two observers.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use portway::{Builder, Gateway, observe::Event};

use crate::Served;

#[portway::service]
mod shop {
    #[portway::get("/items")]
    async fn items() {}
}

#[portway::service]
mod hello {
    #[portway::get("/hello", handler)]
    async fn hello() -> &'static str {
        "hello"
    }
}

/// All that is wrong with it.
fn wrong(builder: Builder) -> String {
    builder.build().expect_err("it is wrong").to_string()
}

#[tokio::test]
async fn each_address_is_a_listener_of_its_own() {
    let gateway = Gateway::builder()
        .mount(hello::routes())
        .listen("127.0.0.1:0")
        .listen_with("127.0.0.1:0", |second| second.limits.connections = 10)
        .listen("127.0.0.1:0");
    let served = Served::start(gateway.build().expect("it is right")).await;
    let ports = ["web", "web-2", "web-3"].map(|name| served.at(name).port());
    assert!(ports[0] != ports[1] && ports[1] != ports[2], "{ports:?}");
    assert_eq!(served.status("/hello").await, 200);
    served.end().await;
}

#[tokio::test]
async fn a_gateway_that_listens_nowhere_says_so() {
    let gateway = Gateway::builder().mount(hello::routes()).build().expect("it is right");
    let problems = gateway.serve([], std::future::pending()).await.expect_err("nobody can ask it");
    assert_eq!(problems[0].code, "no_listener");
}

/// Also where it asks for what would be there in a file without a word.
#[test]
fn probes_and_the_access_log_are_there_for_whom_asks() {
    let opened = |builder: Builder| {
        let gateway = builder.build().expect("it is right");
        let config = gateway.declared();
        (config.probes.enabled, config.access_log.enabled)
    };
    assert_eq!(opened(Gateway::builder()), (false, false));
    assert_eq!(opened(Gateway::builder().probes("127.0.0.1:9000")), (true, false));
    assert_eq!(opened(Gateway::builder().probes("127.0.0.1:9001")), (true, false));
    assert_eq!(opened(Gateway::builder().access_log()), (false, true));
}

#[test]
fn a_service_without_endpoints_is_told_with_what_gives_it_some() {
    let problems = wrong(Gateway::builder().mount(shop::routes()));
    assert!(problems.contains("there is no service \"shop\""), "{problems}");
    assert!(problems.contains(".backend("), "{problems}");
}

#[test]
fn a_service_that_is_mounted_twice_is_told_by_its_name() {
    let twice = Gateway::builder()
        .mount_service(shop::routes(), ["http://127.0.0.1:9001"])
        .mount_service(shop::routes(), ["http://127.0.0.1:9002"]);
    let problems = wrong(twice);
    assert!(problems.contains("the service \"shop\" is mounted twice"), "{problems}");
    assert!(!problems.contains("same_route"), "{problems}");
}

#[tokio::test]
async fn all_observers_hear_of_a_request() {
    let heard = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    let mut builder = Gateway::builder().mount(hello::routes()).listen("127.0.0.1:0");
    for count in heard.clone() {
        builder = builder.observer(move |_: &Event<'_>| {
            count.fetch_add(1, Relaxed);
        });
    }
    let served = Served::start(builder.trace_requests().build().expect("it is right")).await;
    assert_eq!(served.status("/hello").await, 200);
    served.end().await;
    let [first, second] = heard.map(|count| count.load(Relaxed));
    assert!(first > 0);
    assert_eq!(first, second);
}
