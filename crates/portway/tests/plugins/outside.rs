//! What the gateway does for plugins.

use std::time::Duration;

use bytes::Bytes;
use portway::plugin::{Body, Error, Registry, Request, Response, ResponseExt};
use portway_testkit::{Client, Echo, RawUpstream, refused_addr};

use crate::fixture::{Gateway, one_route};

/// Asks the URL in `x-url` and answers with what it says.
fn asking() -> Registry {
    Registry::new().hook("ask", |request, next| {
        Box::pin(async move {
            let url = request.headers().get("x-url").and_then(|url| url.to_str().ok());
            let asked = http::Request::get(url.unwrap_or_default()).body(Body::empty());
            let asked: Request = asked.map_err(|_| Error::gateway("test", "no URL"))?;
            next.host().fetch(asked, Duration::from_secs(2)).await
        })
    })
}

async fn ask(gateway: &Gateway, url: &str) -> (u16, String) {
    ask_by(&gateway.client(), url).await
}

async fn ask_by(client: &Client, url: &str) -> (u16, String) {
    let request = http::Request::get("/").header("host", "a").header("x-url", url);
    let body = http_body_util::Empty::<Bytes>::new();
    let request = request.body(body).expect("a request");
    let response = client.request(request).await.expect("an answer");
    (response.status.as_u16(), response.text().into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_asks_others_by_the_gateways_connections() {
    let other = Echo::start().await.unwrap();
    let gateway = Gateway::start(&one_route("[{ask: {}}]"), asking()).await;
    // One connection is one core's, and so are the connections it asks by.
    let client = gateway.client();
    for _ in 0..3 {
        let (status, text) = ask_by(&client, &format!("{}/who?a=b", other.url())).await;
        assert_eq!(status, 200, "{text}");
        assert!(text.contains("\"path\": \"/who\"") && text.contains("a=b"), "{text}");
    }
    assert_eq!((other.requests(), other.connections()), (3, 1), "the connection is kept");
    assert_eq!(gateway.echo.requests(), 0);
    // By name too.
    let named = format!("http://localhost:{}/x", other.addr().port());
    assert_eq!(ask(&gateway, &named).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_answer_for_the_machine_are_refused() {
    let gateway = Gateway::start(&one_route("[{ask: {}}]"), asking()).await;
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://0.0.0.0:80/",
        "ftp://127.0.0.1/",
        "http://user:pass@127.0.0.1/",
        "/relative",
    ] {
        let (status, text) = ask(&gateway, url).await;
        assert_eq!((status, text.contains("fetch_refused")), (500, true), "{url}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_given_up() {
    let gateway = Gateway::start(&one_route("[{ask: {}}]"), asking()).await;
    let nobody = refused_addr().unwrap();
    let (status, text) = ask(&gateway, &nobody.url()).await;
    assert_eq!(status, 502, "{text}");
    let silent = RawUpstream::start(|mut connection| async move {
        connection.read_head().await?;
        std::future::pending::<()>().await;
        Ok(())
    })
    .await
    .unwrap();
    let (status, text) = ask(&gateway, &format!("http://{}/", silent.addr())).await;
    assert_eq!(status, 504, "{text}");
    let endless = RawUpstream::start(|mut connection| async move {
        connection.read_head().await?;
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").await?;
        std::future::pending::<()>().await;
        Ok(())
    })
    .await
    .unwrap();
    let (status, text) = ask(&gateway, &format!("http://{}/", endless.addr())).await;
    assert_eq!(status, 504, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_an_answer() {
    let moved = RawUpstream::start(|mut connection| async move {
        connection.read_head().await?;
        connection
            .write("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
            .await
    })
    .await
    .unwrap();
    let gateway = Gateway::start(&one_route("[{ask: {}}]"), asking()).await;
    assert_eq!(ask(&gateway, &format!("http://{}/", moved.addr())).await.0, 302);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_work_leaves_the_cores_to_others() {
    let registry = Registry::new().hook("work", |_, next| {
        Box::pin(async move {
            let host = next.host();
            let name = host.blocking(|| std::thread::current().name().map(str::to_owned)).await;
            host.counter("worked").add_one();
            let name = name.ok().flatten().unwrap_or_default();
            let lost = host.blocking(|| -> u32 { panic!("as the test wants it") }).await;
            let mut response = Response::new(Body::from(format!("{name} {}", lost.is_err())));
            response.buffer(1024).await?;
            Ok(response)
        })
    });
    let gateway = Gateway::start(&one_route("[{work: {}}]"), registry).await;
    for _ in 0..2 {
        let response = gateway.client().get("/").await.unwrap();
        assert_eq!(response.text(), "portway-block-0 true");
    }
}
