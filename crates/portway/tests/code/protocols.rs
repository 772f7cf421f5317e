//! What clients and upstreams may speak where code stands between them.

use std::io;

use portway::{Gateway, Head, HookResult, config::Service, plugin::Response};
use portway_testkit::{
    Client, Echo, WebSocket,
    tls::{Authority, ClientTls, ServerTls},
};
use serde_json::json;

use crate::served::Served;

#[portway::hook]
async fn mark(head: &mut Head) -> HookResult {
    let version = format!("{:?}", head.version());
    head.set_header("x-client-speaks", version)
}

#[portway::after]
async fn stamp(answer: &mut Response) {
    answer.headers_mut().insert("x-stamp", http::HeaderValue::from_static("seen"));
}

#[portway::service(prefix = "/chat")]
mod chat {
    #[portway::any("/{*rest}", before = [super::mark], after = [super::stamp])]
    async fn all() {}
}

#[tokio::test]
async fn clients_speak_http2_with_and_without_tls() -> io::Result<()> {
    let echo = Echo::start().await?;
    let authority = Authority::new()?;
    let identity = authority.issue(&["shop.example"])?;
    let builder = || Gateway::builder().mount_service(chat::routes(), [echo.url()]);
    let plain = Served::start(builder()).await?;
    let answer = Client::h2c(plain.addr).get("/chat/a/b").await?;
    assert_eq!(answer.version, http::Version::HTTP_2);
    assert_eq!(answer.header("x-stamp"), Some("seen"));
    let seen = answer.answer()?;
    assert_eq!((seen.path.as_str(), seen.header("x-client-speaks")), ("/a/b", Some("HTTP/2.0")));

    let pair = json!({ "cert": identity.cert_pem, "key": identity.key_pem });
    let secure = Served::with(builder(), json!({ "tls": { "certificates": [pair] } })).await?;
    let tls = ClientTls::trusting(&authority).server_name("shop.example").alpn(&["h2"]);
    let answer = Client::https(secure.addr, &tls).get("/chat/c").await?;
    assert_eq!((answer.version, answer.answer()?.path), (http::Version::HTTP_2, "/c".to_owned()));
    assert!(plain.end().await);
    Ok(())
}

#[tokio::test]
async fn a_websocket_passes_hooks() -> io::Result<()> {
    let echo = Echo::start().await?;
    let builder = Gateway::builder().mount_service(chat::routes(), [echo.url()]);
    let gateway = Served::start(builder).await?;
    let mut socket = WebSocket::connect(gateway.addr, "/chat/room").await?;
    assert!(socket.headers().get("x-stamp").is_some_and(|stamp| stamp == "seen"));
    assert_eq!(socket.exchange("hello").await?, "hello");
    socket.close().await?;
    let client = Client::h2c(gateway.addr);
    let mut socket = WebSocket::open_on_stream(&client, "/chat/other").await?;
    assert_eq!(socket.exchange("over a stream").await?, "over a stream");
    socket.close().await
}

#[tokio::test]
async fn an_upstream_may_want_tls() -> io::Result<()> {
    let authority = Authority::new()?;
    let identity = authority.issue(&["localhost", "127.0.0.1"])?;
    let server = ServerTls::new(&identity).alpn(&["http/1.1"]);
    let echo = Echo::anywhere().await?.tls(&server)?.spawn();
    assert!(echo.url().starts_with("https://"), "{}", echo.url());
    let vouched_for = json!({ "ca": authority.cert_pem() });
    for (tls, status) in [(json!({}), 502), (vouched_for, 200)] {
        let service = json!({ "name": "chat", "url": echo.url(), "tls": tls });
        let service: Service = serde_json::from_value(service).expect("a service");
        let builder = Gateway::builder().mount(chat::routes());
        let gateway = Served::start(builder.configure(|config| config.services.push(service)));
        let gateway = gateway.await?;
        let answer = Client::h1(gateway.addr).get("/chat/x").await?;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(status != 200 || answer.answer()?.tls.is_some());
    }
    Ok(())
}
