//! The gateway around the code: policies, changes while it runs, several in one process.

use portway::{
    Gateway,
    config::{Balance, Config, HashKey, Service},
};
use portway_testkit::{Client, Echo};
use tokio::sync::oneshot;

use crate::Declared;

#[portway::service(name = "shop", prefix = "/shop", policy = "sticky")]
mod shop {
    #[portway::get("/sticky")]
    async fn sticky() {}

    #[portway::get("/turns", policy = "turns")]
    async fn turns() {}
}

fn sticky() -> Balance {
    Balance::ConsistentHash(HashKey::Header("x-user".parse().expect("a field name")))
}

async fn named(name: &str) -> portway_testkit::RunningEcho {
    Echo::anywhere().await.expect("a port").named(name).spawn()
}

async fn asked(gateway: &Declared, path: &str) -> String {
    let mut request = crate::request(http::Method::GET, path, "");
    request.headers_mut().insert("x-user", "anna".parse().expect("a value"));
    gateway.ask(request).await.json()["name"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_route_has_its_own_policy_before_that_of_its_service() {
    let upstreams = [named("a").await, named("b").await, named("c").await];
    let urls = upstreams.iter().map(portway_testkit::RunningEcho::url);
    let builder = Gateway::builder()
        .policy("sticky", sticky())
        .policy("turns", Balance::RoundRobin)
        .mount_service(shop::routes(), urls);
    let gateway = Declared::over(builder).await;
    let first = asked(&gateway, "/shop/sticky").await;
    for _ in 0..6 {
        assert_eq!(asked(&gateway, "/shop/sticky").await, first);
    }
    let mut turns = Vec::new();
    for _ in 0..3 {
        turns.push(asked(&gateway, "/shop/turns").await);
    }
    turns.sort();
    assert_eq!(turns, ["a", "b", "c"]);
}

#[test]
fn a_policy_of_a_route_needs_the_endpoints_in_the_program() {
    let builder = Gateway::builder().policy("sticky", sticky()).policy("turns", Balance::Random);
    let problems = builder.mount(shop::routes()).build().unwrap_err().to_string();
    assert!(problems.contains("foreign_service"), "{problems}");
}

#[tokio::test]
async fn what_a_program_has_declared_changes_while_it_runs() {
    let (one, two) = (named("one").await, named("two").await);
    let routed = |url: &str| {
        let mut config = Config::default();
        let mut service = Service::new("up".parse().unwrap(), Vec::new());
        service.url = Some(url.parse().unwrap());
        let route = portway::config::Route::new("all".parse().unwrap());
        service.routes.push(route);
        config.services.push(service);
        config
    };
    let first = routed(&one.url());
    let gateway = Gateway::builder().configure(|config| *config = first).build().unwrap();
    let handle = gateway.handle();
    let gateway = Declared::around(gateway.into_service().await.unwrap());
    assert_eq!(asked(&gateway, "/").await, "one");
    handle.update(routed(&two.url())).await.unwrap();
    assert_eq!(asked(&gateway, "/").await, "two");
    let mut wrong = routed(&one.url());
    wrong.routes.push(portway::config::Route::new("nowhere".parse().unwrap()));
    let problems = handle.update(wrong).await.unwrap_err().to_string();
    assert!(problems.contains("route nowhere"), "{problems}");
    assert_eq!(asked(&gateway, "/").await, "two");
}

#[tokio::test]
async fn a_gateway_serves_until_it_is_told_to_end() {
    let upstream = named("up").await;
    let address = portway_testkit::process::free_addr().unwrap();
    let gateway = Gateway::builder()
        .listen(&address.to_string())
        .policy("sticky", sticky())
        .policy("turns", Balance::RoundRobin)
        .mount_service(shop::routes(), [upstream.url()])
        .build()
        .unwrap();
    let (end, ended) = oneshot::channel::<()>();
    let mut handle = gateway.handle();
    let serving = tokio::spawn(gateway.serve([], async move { drop(ended.await) }));
    handle.started().await.expect("it starts");
    assert_eq!(Client::h1(address).get("/shop/turns").await.unwrap().status, 200);
    end.send(()).unwrap();
    assert!(serving.await.unwrap().unwrap());
    assert!(Client::h1(address).get("/shop/turns").await.is_err());
}
