//! What is asked of the kernel.

use std::net::SocketAddr;

use portway::{Builder, Gateway, config::Keepalive};
use portway_testkit::{Client, Echo, RawClient};

use crate::fixture::{at, checked, serve};

fn document(bind: SocketAddr, url: &str, listener: &str, service: &str) -> String {
    format!(
        "listeners: [{{name: web, bind: '{bind}'{listener}}}]\n\
         services: [{{name: shop, url: '{url}'{service}, routes: [{{name: all}}]}}]\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_changes_a_socket_and_nobody_is_disturbed() {
    let echo = Echo::start().await.unwrap();
    let bind = portway_testkit::free_addr().unwrap();
    let mut server = serve(Builder::new(), &document(bind, &echo.url(), "", "")).await;
    let mut staying = RawClient::connect(bind).await.unwrap();
    staying.exchange("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    for listener in [
        ", backlog: 16, socket: {receive_buffer: 8KiB, send_buffer: 8KiB, keepalive: {}}",
        ", socket: {nodelay: false, keepalive: {retries: 2}}",
        "",
    ] {
        let text = document(bind, &echo.url(), listener, ", socket: {send_buffer: 64KiB}");
        server.apply(checked(&text, &[]).unwrap()).await.unwrap();
        let large = Client::h1(bind).get("/?bytes=300000").await.unwrap();
        assert_eq!((large.status.as_u16(), large.body.len()), (200, 300_000));
        staying.exchange("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    }
    assert!(server.drain().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_shared_with_another_process_where_both_say_so() {
    let echo = Echo::start().await.unwrap();
    let bind = portway_testkit::free_addr().unwrap();
    let old = serve(Builder::new(), &document(bind, &echo.url(), "", "")).await;
    let start = |listener: &str| {
        let config = checked(&document(bind, &echo.url(), listener, ""), &[]).unwrap();
        Builder::new().cores(1).start(config)
    };
    let refused = start("").await.err().unwrap();
    assert!(refused.to_string().contains("in use by another process"), "{refused}");
    let new = start(", reuse_port: true").await.unwrap();
    // The old one leaves, and nobody notices.
    assert!(old.drain().await);
    assert_eq!(at(&new, "web"), bind);
    assert_eq!(Client::h1(bind).get("/a").await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_connected_to_as_it_says() {
    let echo = Echo::start().await.unwrap();
    let service = ", socket: {nodelay: false, receive_buffer: 16KiB, keepalive: {idle: 5s}}";
    for url in [echo.url(), echo.url().replace("127.0.0.1", "localhost")] {
        let bind = portway_testkit::free_addr().unwrap();
        let server = serve(Builder::new(), &document(bind, &url, "", service)).await;
        let large = Client::h1(at(&server, "web")).get("/?bytes=300000").await.unwrap();
        assert_eq!((large.status.as_u16(), large.body.len()), (200, 300_000));
    }
}

#[test]
fn the_builder_says_all_of_it() {
    let gateway = Gateway::builder()
        .backend("shop", ["http://127.0.0.1:9001"])
        .service("shop", |shop| {
            shop.timeouts.connect = Some("1s".parse().expect("a time"));
            shop.socket.keepalive = Some(Keepalive::default());
        })
        .listen_with("127.0.0.1:8080", |web| {
            web.backlog = 4096;
            web.reuse_port = true;
        })
        .build()
        .unwrap();
    let config = gateway.declared();
    assert_eq!((config.listeners[0].backlog, config.listeners[0].reuse_port), (4096, true));
    assert!(config.services[0].socket.keepalive.is_some());
    for (builder, word) in [
        (Gateway::builder().service("shop", |_| ()), "unknown_service"),
        (
            Gateway::builder().listen_with("127.0.0.1:8080", |web| {
                web.protocols.push("mine".parse().expect("a name"));
            }),
            "unknown_protocol",
        ),
        (
            Gateway::builder().backend("shop", ["http://127.0.0.1:1"]).service("shop", |shop| {
                shop.socket.receive_buffer = "3GiB".parse().expect("a size");
            }),
            "out_of_range",
        ),
    ] {
        let problems = builder.build().unwrap_err().to_string();
        assert!(problems.contains(word), "{problems}");
    }
}
