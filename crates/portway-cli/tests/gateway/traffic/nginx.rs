//! A real server as the upstream: nginx.

use std::io;
use std::time::Duration;

use http::Request;
use http_body_util::Full;
use portway_testkit::echo::sample;
use portway_testkit::{Client, Load, Nginx, RunningNginx};

use crate::fixture::{Gateway, service};

const TEN_MEGABYTES: usize = 10_000_000;

#[tokio::test]
async fn files_of_any_size_over_kept_connections() -> io::Result<()> {
    let nginx = Nginx::new().file("big.bin", TEN_MEGABYTES).file("small.txt", 100).start().await?;
    let gateway = Gateway::start_with(&service(&nginx.url(), ""), &["--cores", "1"]).await?;
    for client in [gateway.client(), Client::h2c(gateway.addr())] {
        for _ in 0..3 {
            let big = client.get("/big.bin").await?;
            assert!(big.body == sample(TEN_MEGABYTES), "{} bytes", big.body.len());
            let small = client.get("/small.txt").await?;
            assert_eq!((small.body.len(), small.header("content-type")), (100, Some("text/plain")));
            let tag = small.header("etag").unwrap_or_default();
            let again = Request::get("/small.txt").header("if-none-match", tag);
            let again =
                client.request(again.body(String::new()).map_err(io::Error::other)?).await?;
            assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
            let part = Request::get("/big.bin").header("range", "bytes=10-19");
            let part = client.request(part.body(String::new()).map_err(io::Error::other)?).await?;
            assert_eq!((part.status.as_u16(), &part.body[..]), (206, &sample(20)[10..]));
            assert_eq!(client.get("/missing").await?.status, 404);
        }
    }
    Ok(())
}

#[tokio::test]
async fn uploads() -> io::Result<()> {
    // nginx reads the whole body before it answers.
    let directive = "location /upload { proxy_pass http://127.0.0.1:1/; proxy_request_buffering on; \
                     error_page 502 =200 /ok; }";
    let nginx = Nginx::new().directive(directive).start().await?;
    let gateway = Gateway::start(&service(&nginx.url(), "")).await?;
    let client = gateway.client();
    for size in [0, 10, TEN_MEGABYTES] {
        let request = Request::post("/upload").body(Full::new(sample(size)));
        let answer = client.request(request.map_err(io::Error::other)?).await?;
        assert_eq!((answer.status.as_u16(), answer.text().as_ref()), (200, "ok\n"), "{size}");
    }
    // Where it does not want the body it answers early, and closes.
    let request = Request::post("/ok").body(Full::new(sample(TEN_MEGABYTES)));
    let answer = client.request(request.map_err(io::Error::other)?).await?;
    assert!(answer.status == 200 || answer.status == 405, "{}", answer.status);
    Ok(())
}

/// nginx closes a connection after some requests, and after some time: both without asking.
#[tokio::test]
async fn connections_that_nginx_closes_are_never_noticed() -> io::Result<()> {
    for nginx in [
        Nginx::new().keepalive_requests(7),
        Nginx::new().keepalive_timeout(Duration::from_millis(2)),
    ] {
        let nginx: RunningNginx = nginx.start().await?;
        let gateway = Gateway::start(&service(&nginx.url(), "")).await?;
        let ok = |_| Request::get("/ok").body(Full::default()).expect("a path makes a request");
        let load = Load::on(gateway.addr()).connections(4).request(ok).start();
        load.wait_for(300).await?;
        let tally = load.stop().await?;
        assert_eq!((tally.failed(), tally.closed_connections), (0, 0), "{tally}");
    }
    Ok(())
}
