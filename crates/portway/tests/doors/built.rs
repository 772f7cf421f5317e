//! Gateways of resources that are made in Rust.

use portway::{
    Gateway,
    build::{Endpoint, Listener, Make, Plugin, Route, Rule, Service, config},
    config::{Config, Redirect, RedirectStatus},
};
use portway_testkit::{Client, Echo};
use serde_json::json;

use crate::Served;

#[tokio::test]
async fn a_gateway_is_made_without_a_text() {
    let echo = Echo::start().await.expect("an upstream");
    let other = Echo::start().await.expect("an upstream");
    let files = tempfile::tempdir().expect("a directory");
    std::fs::write(files.path().join("a.txt"), "a file").expect("it can be written");
    let elsewhere = Redirect {
        status: RedirectStatus::PermanentRedirect,
        path: Some("/items/{id}".parse().expect("a path")),
        scheme: None,
        host: None,
        port: None,
        prefix: None,
    };
    let gateway = Gateway::builder()
        .with(Listener::new("web", "127.0.0.1:0").connections(100).body_limit("1KiB"))
        .with(Plugin::new("stamp", "response-headers", json!({"set": {"x-stamp": "seen"}})))
        .with(
            Service::new("up")
                .endpoint(Endpoint::new(echo.url()).weight(2))
                .endpoint(other.url())
                .connect_timeout("2s"),
        )
        .with(
            Route::new("items")
                .to("up")
                .path("/items/{id}")
                .rewrite("/v2/{id}")
                .shared_plugin("stamp"),
        )
        .with(Route::new("old").path("/old/{id}").redirect(elsewhere))
        .with(
            Route::new("either")
                .rule(Rule::new().exact("/one").header("x-beta", "1"))
                .rule(Rule::new().prefix("/two").query_regex("q", "[0-9]+").method("GET"))
                .to_each([("up", 1)]),
        )
        .with(Route::new("files").prefix("/files").strip_prefix("/files").files(files.path()))
        .with(Route::new("health").path("/health").reply(202, "well"))
        .build();
    let served = Served::start(gateway.expect("it is right")).await;
    let client = Client::h1(served.at("web"));
    let item = client.get("/items/7").await.expect("an answer");
    assert_eq!(item.header("x-stamp"), Some("seen"));
    assert_eq!(item.answer().expect("the upstream's").path, "/v2/7");
    let old = client.get("/old/7").await.expect("an answer");
    assert_eq!((old.status.as_u16(), old.header("location")), (308, Some("/items/7")));
    let health = client.get("/health").await.expect("an answer");
    assert_eq!((health.status.as_u16(), &*health.text()), (202, "well"));
    assert_eq!(client.get("/files/a.txt").await.expect("an answer").text(), "a file");
    for (path, status) in [("/one", 404), ("/two?q=7", 200), ("/two?q=x", 404), ("/three", 404)] {
        assert_eq!(served.status(path).await, status, "{path}");
    }
    served.end().await;
}

#[test]
fn all_that_is_wrong_is_told_at_once_each_in_its_place() {
    let problems = Gateway::builder()
        .with(Listener::new("web", "nowhere").trusted_proxy("10.0.0.0/99"))
        .with(
            Service::new("up")
                .endpoint("http://a")
                .endpoint("no url")
                .timeout("soon")
                .route(Route::new("inner").path("/{a")),
        )
        .with(
            Route::new("items")
                .rule(Rule::new().path("/a"))
                .rule(Rule::new().host("two hosts").header("a b", "c").query_regex("q", "("))
                .to("not a name")
                .body_limit("much"),
        )
        .with(Route::new("not a name").to("up").shared_plugin("a b"))
        .with(Route::new("status").reply(42, ""))
        .build()
        .expect_err("it is wrong");
    let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    let expected = [
        "listener web bind",
        "listener web trusted_proxies",
        "service up endpoints[1].url",
        "service up timeouts.request",
        "route inner match.path",
        "route items target.service",
        "route items body_limit",
        "route items match[1].hosts",
        "route items match[1].headers",
        "route items match[1].query",
        "route not a name name",
        "route not a name plugins",
        "route status target.reply.status",
    ];
    assert_eq!(paths, expected, "{problems}");
}

/// What is right by itself may contradict something else, and that is told by name.
#[test]
fn what_does_not_fit_together_is_told() {
    let built = Gateway::builder().with(Route::new("items").to("shpo").path("/items")).build();
    let problems = built.expect_err("it is wrong").to_string();
    assert!(problems.contains("route items target") && problems.contains("shpo"), "{problems}");
    let twice = config([Service::new("up").endpoint("x").make(), Route::new("a b").make()]);
    assert_eq!(twice.expect_err("both are wrong").len(), 2);
}

#[portway::service]
mod shop {
    #[portway::get("/items", plugins = ["two words"])]
    async fn items() {}

    #[portway::get("/orders")]
    async fn orders() {}
}

/// The codes of all that is wrong, in their order.
fn codes(builder: portway::Builder) -> Vec<String> {
    let problems = builder.build().expect_err("it is wrong");
    problems.iter().map(|problem| problem.code.to_string()).collect()
}

#[test]
fn what_is_wrong_by_itself_and_what_does_not_fit_are_told_at_once() {
    let twice = |builder: portway::Builder| {
        builder
            .with(Route::new("one").path("/one").reply(200, ""))
            .with(Route::new("two").path("/one").reply(200, ""))
    };
    let builder = twice(Gateway::builder().listen("nowhere").mount(shop::routes()));
    // Nobody has the endpoints of `shop`: this is known, as no service is lost.
    assert_eq!(codes(builder), ["bad_value", "bad_value", "same_route"]);
    let builder = twice(Gateway::builder().mount(shop::routes()));
    assert_eq!(codes(builder), ["bad_value", "unknown_service", "same_route"]);
    // One that is lost is not missed a second time.
    let builder = twice(Gateway::builder().mount_service(shop::routes(), ["no url"]));
    let builder = builder.service("shop", |shop| shop.pool.max_idle = 1);
    assert_eq!(codes(builder), ["bad_url", "bad_value", "same_route"]);
    let up = Service::new("up").endpoint("no url");
    let builder = twice(Gateway::builder().with(up).with(Route::new("all").to("up")));
    assert_eq!(codes(builder), ["bad_url", "same_route"]);
}

/// Also where they are by default.
#[test]
fn probes_that_were_asked_for_are_there() {
    let probes = |builder: portway::Builder| {
        let gateway = builder.build().expect("it is right");
        gateway.declared().probes.enabled
    };
    assert!(!probes(Gateway::builder()));
    let usual = Config::default().probes.bind.to_string();
    for bind in [&*usual, "127.0.0.1:9999"] {
        assert!(probes(Gateway::builder().probes(bind)), "{bind}");
    }
}
