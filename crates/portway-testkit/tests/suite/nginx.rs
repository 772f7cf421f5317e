//! A real nginx, where there is one.

use std::io::ErrorKind;

use portway_testkit::echo::sample;
use portway_testkit::{Client, Nginx, RawClient, RunningNginx, eventually};

/// `None` where nginx is not installed; any other error is a failure.
async fn started(nginx: Nginx) -> Option<RunningNginx> {
    match nginx.start().await {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        started => Some(started.unwrap()),
    }
}

#[tokio::test]
async fn it_serves_files_over_a_kept_connection() {
    let Some(nginx) = started(Nginx::new().file("big.bin", 300_000)).await else { return };
    let client = Client::h1(nginx.addr());
    assert_eq!(client.get("/ok").await.unwrap().text(), "ok\n");
    assert_eq!(client.get("/big.bin").await.unwrap().body, sample(300_000));
    assert_eq!(client.get("/missing").await.unwrap().status, 404);
    assert_eq!(client.connections(), 1);

    let logged = || nginx.access_log().is_ok_and(|log| log.len() == 3);
    eventually("three requests are logged", logged).await.unwrap();
    let log = nginx.access_log().unwrap();
    let requests: Vec<&str> = log.iter().filter_map(|line| line.split('|').next()).collect();
    assert_eq!(requests, ["GET /ok HTTP/1.1", "GET /big.bin HTTP/1.1", "GET /missing HTTP/1.1"]);
    assert!(log[2].ends_with("|3"), "the third request of its connection: {log:?}");
}

#[tokio::test]
async fn it_closes_after_as_many_requests_as_were_allowed() {
    let nginx = Nginx::new().keepalive_requests(2).directive("location /teapot { return 418; }");
    let Some(nginx) = started(nginx).await else { return };
    let mut client = RawClient::connect(nginx.addr()).await.unwrap();
    let get = "GET /teapot HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(client.exchange(get).await.unwrap().status, 418);
    let last = client.exchange(get).await.unwrap();
    assert_eq!(last.headers.get("connection"), Some("close"));
    client.expect_closed().await.unwrap();

    let addr = nginx.addr();
    nginx.stop().await.unwrap();
    assert_eq!(Client::h1(addr).get("/ok").await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_said() {
    let error = Nginx::new().program("/no/such/nginx").start().await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let expected = "there is no /no/such/nginx: install nginx (apt-get install nginx-light)";
    assert_eq!(error.to_string(), expected);

    match Nginx::new().directive("nonsense on;").start().await {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        started => {
            let error = started.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("unknown directive \"nonsense\""), "{error}");
        }
    }
}
