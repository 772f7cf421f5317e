//! The clients, where they do more than what the other tests use them for.

use std::io::ErrorKind;
use std::time::Duration;

use portway_testkit::raw::script;
use portway_testkit::{
    Client, Closed, Echo, EventStream, RawClient, RawConnection, RawUpstream, WebSocket,
};

#[tokio::test]
async fn interim_answers_are_kept_apart() {
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
                  HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let upstream = RawUpstream::start(script::always(answer)).await.unwrap();
    let mut client = RawClient::connect(upstream.addr()).await.unwrap();
    let response = client.exchange("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let interim: Vec<u16> = response.interim.iter().map(|head| head.status).collect();
    assert_eq!((response.status, interim), (200, vec![100, 103]));
    assert_eq!(response.interim[1].headers.get("link"), Some("</a>"));
    assert_eq!(response.text(), "ok");
}

#[tokio::test]
async fn a_body_may_end_with_the_connection() {
    let upstream = RawUpstream::start(async |mut connection: RawConnection| {
        connection.read_request().await?;
        connection.write("HTTP/1.0 200\r\n\r\nall of it").await
    })
    .await
    .unwrap();
    let mut client = RawClient::connect(upstream.addr()).await.unwrap();
    let response = client.exchange("GET / HTTP/1.0\r\n\r\n").await.unwrap();
    assert_eq!((response.version.as_str(), response.reason.as_str()), ("HTTP/1.0", ""));
    assert_eq!(response.text(), "all of it");
}

#[tokio::test]
async fn a_request_can_be_sent_in_small_pieces() {
    let echo = Echo::start().await.unwrap();
    let mut client = RawClient::connect(echo.addr()).await.unwrap();
    client.send_split("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", 1).await.unwrap();
    assert!(client.read_response().await.unwrap().text().contains("\"/slow\""));
}

#[tokio::test]
async fn expecting_a_close_shows_what_came_instead() {
    let upstream = RawUpstream::start(script::always("HTTP/1.1 200 OK\r\n\r\n")).await.unwrap();
    let mut client = RawClient::connect(upstream.addr()).await.unwrap();
    client.send("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let error = client.expect_closed().await.unwrap_err();
    assert_eq!(error.to_string(), "expected a close, got \"HTTP/1.1 200 OK\\r\\n\\r\\n\"");

    let upstream = RawUpstream::start(async |connection| connection.reset()).await.unwrap();
    let mut client = RawClient::connect(upstream.addr()).await.unwrap();
    assert_eq!(client.expect_closed().await.unwrap(), Closed::Reset);
}

#[tokio::test]
async fn what_is_not_http_is_shown() {
    for (answer, expected) in [
        ("SMTP ready\r\n\r\n", "not a status line: \"SMTP ready\""),
        ("HTTP/1.1 abc\r\n\r\n", "not a status line: \"HTTP/1.1 abc\""),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "not a chunk size: \"xyz\\r\\n\"",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
            "a chunk of 1 bytes is not followed by CRLF",
        ),
    ] {
        let upstream = RawUpstream::start(script::always(answer)).await.unwrap();
        let mut client = RawClient::connect(upstream.addr()).await.unwrap();
        let error = client.exchange("GET / HTTP/1.1\r\n\r\n").await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_closed_connection_is_made_again_and_counted() {
    let upstream = RawUpstream::start(script::answers_then_closes).await.unwrap();
    let client = Client::h1(upstream.addr());
    for _ in 0..3 {
        assert_eq!(client.get("/").await.unwrap().text(), "ok");
    }
    assert_eq!(client.connections(), 3);
    assert_eq!(upstream.count_of("GET / HTTP/1.1"), 3);
}

#[tokio::test]
async fn a_request_that_may_have_been_seen_is_not_sent_again() {
    let upstream = RawUpstream::start(script::closes_without_answer).await.unwrap();
    Client::h1(upstream.addr()).get("/").await.unwrap_err();
    assert_eq!(upstream.count_of("GET /"), 1);
}

#[tokio::test]
async fn http2_requests_run_side_by_side() {
    let echo = Echo::start().await.unwrap();
    let client = Client::h2c(echo.addr());
    client.get("/").await.unwrap();
    // The slow one is answered last, although it was asked first.
    let order = std::sync::Mutex::new(Vec::new());
    let ask = async |path: &str| {
        client.get(path).await.unwrap();
        order.lock().unwrap().push(path.to_owned());
    };
    tokio::join!(ask("/?wait=300ms"), ask("/?wait=1ms"));
    assert_eq!(order.into_inner().unwrap(), ["/?wait=1ms", "/?wait=300ms"]);
    assert_eq!(echo.connections(), 1);
}

#[tokio::test]
async fn each_wait_has_its_deadline() {
    let silent = RawUpstream::start(script::never_answers).await.unwrap();
    let short = Duration::from_millis(30);
    let client = Client::h1(silent.addr()).with_deadline(short);
    assert_eq!(client.get("/").await.unwrap_err().kind(), ErrorKind::TimedOut);

    let echo = Echo::start().await.unwrap();
    let mut events = EventStream::open(echo.addr(), "/?every=5m").await.unwrap();
    events.next().await.unwrap().expect("the first event comes at once");
    let mut events = events.with_deadline(short);
    assert_eq!(events.next().await.unwrap_err().to_string(), "no event within 30ms");

    let mut socket = WebSocket::connect(echo.addr(), "/").await.unwrap().with_deadline(short);
    let error = socket.receive().await.unwrap_err();
    assert_eq!(error.to_string(), "no WebSocket message within 30ms");
}

#[tokio::test]
async fn refusals_show_the_status() {
    let upstream =
        RawUpstream::start(script::always("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"));
    let upstream = upstream.await.unwrap();
    let error = WebSocket::connect(upstream.addr(), "/").await.err().unwrap();
    assert_eq!(error.to_string(), "the WebSocket was refused: 403 Forbidden");
    let error = EventStream::open(upstream.addr(), "/").await.err().unwrap();
    assert_eq!(error.to_string(), "the events were refused: 403 Forbidden");
}
