//! Unix domain sockets.

use portway_testkit::{Client, Echo, RawClient};

#[tokio::test]
async fn the_echo_upstream_listens_on_a_path_until_it_stops() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("echo.sock");
    let echo = Echo::bind_unix(&path).unwrap().spawn();

    let answer = Client::unix(&path).get("/a").await.unwrap().answer().unwrap();
    assert_eq!((answer.protocol.as_str(), answer.host.as_deref()), ("HTTP/1.1", Some("localhost")));
    let answer = Client::unix_h2c(&path).get("/b").await.unwrap().answer().unwrap();
    assert_eq!((answer.protocol.as_str(), answer.path.as_str()), ("HTTP/2.0", "/b"));
    let mut raw = RawClient::connect_unix(&path).await.unwrap();
    let response = raw.exchange("GET /?status=404 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!((response.status, echo.connections()), (404, 3));

    Echo::bind_unix(&path).unwrap_err();
    echo.stop().await;
    assert!(!path.exists());
}
