//! Scripted upstreams: what a client sees of each fault, and what the upstream keeps of the client.

use std::io::ErrorKind;
use std::time::Duration;

use portway_testkit::raw::{refused_addr, script};
use portway_testkit::{Client, Closed, RawClient, RawConnection, RawUpstream, eventually};
use tokio::net::TcpStream;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn every_byte_is_kept_by_connection() {
    let upstream =
        RawUpstream::start(script::always("HTTP/1.1 204 No Content\r\n\r\n")).await.unwrap();
    let mut one = RawClient::connect(upstream.addr()).await.unwrap();
    let post = "POST /pay HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    assert_eq!(one.exchange(post).await.unwrap().status, 204);
    assert_eq!(one.exchange(GET).await.unwrap().status, 204);
    let mut two = RawClient::connect(upstream.addr()).await.unwrap();
    two.exchange(GET).await.unwrap();
    assert_eq!(upstream.connections(), 2);
    assert_eq!(upstream.received(), [format!("{post}{GET}"), GET.to_owned()]);
    assert_eq!(upstream.count_of("POST /pay"), 1);
}

#[tokio::test]
async fn a_script_reads_chunks_and_knows_its_connection() {
    let upstream = RawUpstream::start(async |mut connection: RawConnection| {
        let request = connection.read_request().await?;
        assert_eq!(request.line, "PUT /up HTTP/1.1");
        assert_eq!(request.trailers.get("x"), Some("y"));
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let answer = format!("{}:{body}", connection.index());
        let length = answer.len();
        connection
            .write(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{answer}"))
            .await
    })
    .await
    .unwrap();
    let put = "PUT /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
               3;ext\r\nabc\r\n2\r\nde\r\n0\r\nx: y\r\n\r\n";
    for expected in ["0:abcde", "1:abcde"] {
        let mut client = RawClient::connect(upstream.addr()).await.unwrap();
        assert_eq!(client.exchange(put).await.unwrap().text(), expected);
        assert_eq!(client.expect_closed().await.unwrap(), Closed::Fin);
    }
    assert!(upstream.script_errors().is_empty());
}

#[tokio::test]
async fn a_stale_connection_closes_before_or_after_the_next_request() {
    let early = RawUpstream::start(script::answers_then_closes).await.unwrap();
    let mut client = RawClient::connect(early.addr()).await.unwrap();
    assert_eq!(client.exchange(GET).await.unwrap().text(), "ok");
    assert_eq!(client.expect_closed().await.unwrap(), Closed::Fin);

    let late = RawUpstream::start(script::answers_then_closes_on_reuse).await.unwrap();
    let mut client = RawClient::connect(late.addr()).await.unwrap();
    assert_eq!(client.exchange(GET).await.unwrap().text(), "ok");
    let error = client.exchange(GET).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(late.count_of("GET /"), 2);
}

#[tokio::test]
async fn a_cut_answer_is_told_from_a_whole_one() {
    let fin = RawUpstream::start(script::half_body_then_fin).await.unwrap();
    let error = RawClient::connect(fin.addr()).await.unwrap().exchange(GET).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(error.to_string(), "the connection was closed after 5 of 10 bytes");

    let reset = RawUpstream::start(script::half_body_then_reset).await.unwrap();
    let error = RawClient::connect(reset.addr()).await.unwrap().exchange(GET).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    let chunks = RawUpstream::start(script::half_chunks_then_fin).await.unwrap();
    let error = RawClient::connect(chunks.addr()).await.unwrap().exchange(GET).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn no_answer_is_a_close_a_reset_or_silence() {
    let upstream = RawUpstream::start(script::closes_without_answer).await.unwrap();
    let mut client = RawClient::connect(upstream.addr()).await.unwrap();
    client.send(GET).await.unwrap();
    assert_eq!(client.expect_closed().await.unwrap(), Closed::Fin);

    let upstream = RawUpstream::start(script::resets_without_answer).await.unwrap();
    let mut client = RawClient::connect(upstream.addr()).await.unwrap();
    client.send(GET).await.unwrap();
    assert_eq!(client.expect_closed().await.unwrap(), Closed::Reset);

    let upstream = RawUpstream::start(script::never_answers).await.unwrap();
    let client = RawClient::connect(upstream.addr()).await.unwrap();
    let mut client = client.with_deadline(Duration::from_millis(50));
    let error = client.exchange(GET).await.unwrap_err();
    assert_eq!(error.to_string(), "no head of a message within 50ms");
    eventually("the request was read", || upstream.count_of(GET) == 1).await.unwrap();

    let upstream = RawUpstream::start(script::stalls_after_head).await.unwrap();
    let mut client = RawClient::connect(upstream.addr()).await.unwrap();
    client.send(GET).await.unwrap();
    assert_eq!(client.read_head().await.unwrap().headers.get("content-length"), Some("10"));
    let mut client = client.with_deadline(Duration::from_millis(50));
    assert_eq!(client.read_some().await.unwrap_err().kind(), ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_script_that_fails_says_why() {
    let upstream = RawUpstream::start(script::answers_then_closes).await.unwrap();
    let mut client = RawClient::connect(upstream.addr()).await.unwrap();
    client.send("GET / HT").await.unwrap();
    client.half_close().await.unwrap();
    client.expect_closed().await.unwrap();
    eventually("the script has ended", || !upstream.script_errors().is_empty()).await.unwrap();
    assert_eq!(
        upstream.script_errors(),
        [
            "connection 0: the connection was closed before the head of a message, after \"GET / HT\""
        ]
    );
}

#[tokio::test]
async fn dropping_an_upstream_closes_its_connections() {
    let upstream = RawUpstream::start(script::never_answers).await.unwrap();
    let mut client = RawClient::connect(upstream.addr()).await.unwrap();
    client.send(GET).await.unwrap();
    eventually("the request is there", || upstream.count_of("GET") == 1).await.unwrap();
    drop(upstream);
    client.expect_closed().await.unwrap();
}

#[tokio::test]
async fn a_refused_address_refuses_and_stays_taken() {
    let refused = refused_addr().unwrap();
    let error = TcpStream::connect(refused.addr()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let error = Client::h1(refused.addr()).get("/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let error = tokio::net::TcpListener::bind(refused.addr()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}
