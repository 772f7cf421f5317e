//! The echo upstream, seen by the clients of this crate.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request};
use http_body::Frame;
use http_body_util::StreamBody;
use portway_testkit::client::Framing;
use portway_testkit::echo::{checksum, sample};
use portway_testkit::{
    Client, DEADLINE, Echo, EventStream, Message, RawClient, WebSocket, eventually, within,
};
use tokio::sync::oneshot;

#[tokio::test]
async fn it_answers_with_the_request_as_it_arrived() {
    let echo = Echo::anywhere().await.unwrap().named("one").spawn();
    let mut client = RawClient::connect(echo.addr()).await.unwrap();
    let request = "POST /a%2Fb/../c?x=1&&y HTTP/1.1\r\nHost: shop.test\r\nB: 1\r\nA: 2\r\n\
                   B: 3\r\nContent-Length: 5\r\n\r\nhello";
    let response = client.exchange(request).await.unwrap();
    assert_eq!((response.status, response.framing), (200, Framing::Length));
    assert_eq!(response.headers.get("x-echo-name"), Some("one"));

    let answer: portway_testkit::echo::Answer = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(answer.name.as_deref(), Some("one"));
    assert_eq!((answer.method.as_str(), answer.protocol.as_str()), ("POST", "HTTP/1.1"));
    assert_eq!((answer.path.as_str(), answer.query.as_deref()), ("/a%2Fb/../c", Some("x=1&&y")));
    assert_eq!(answer.host.as_deref(), Some("shop.test"));
    assert_eq!(answer.header("host"), Some("shop.test"));
    assert_eq!(answer.all_headers("b"), ["1", "3"]);
    assert_eq!((answer.body.length, answer.body.text.as_deref()), (5, Some("hello")));
    assert_eq!(answer.body.checksum, checksum(b"hello"));
    assert_eq!(answer.local_addr, echo.addr());
    assert_eq!(answer.peer_addr, client.local_addr().unwrap());
}

#[tokio::test]
async fn it_speaks_http2_by_prior_knowledge_on_the_same_port() {
    let echo = Echo::start().await.unwrap();
    let client = Client::h2c(echo.addr());
    let request = Request::put("/x?trailer=after:all").header("host", "shop.test");
    let response = client.request(request.body("body".to_owned()).unwrap()).await.unwrap();
    assert_eq!(response.version, http::Version::HTTP_2);
    assert_eq!(response.trailers["after"], "all");
    let answer = response.answer().unwrap();
    assert_eq!(answer.protocol, "HTTP/2.0");
    assert_eq!(answer.host.as_deref(), Some("shop.test"));
    assert_eq!(answer.body.text.as_deref(), Some("body"));
    assert_eq!(client.connections(), 1);
}

#[tokio::test]
async fn the_query_says_how_to_answer() {
    let echo = Echo::start().await.unwrap();
    let client = Client::h1(echo.addr());

    let response = client.get("/?status=503&header=x-a:1&header=x-a:2").await.unwrap();
    assert_eq!(response.status, 503);
    assert_eq!(response.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);

    let asked = Instant::now();
    client.get("/?wait=40ms").await.unwrap();
    assert!(asked.elapsed() >= Duration::from_millis(40));

    let wrong = client.get("/?status=99").await.unwrap();
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.text(), "status=99: expected a status from 200 to 599\n");

    assert_eq!((echo.requests(), echo.connections()), (3, 1));
}

#[tokio::test]
async fn a_body_of_a_given_size_has_a_length_unless_chunks_were_asked_for() {
    let echo = Echo::start().await.unwrap();
    let mut client = RawClient::connect(echo.addr()).await.unwrap();
    for (query, framing) in [
        ("bytes=1000000", Framing::Length),
        ("bytes=1000000&chunked=true", Framing::Chunked),
        ("bytes=0", Framing::Length),
    ] {
        let request = format!("GET /?{query} HTTP/1.1\r\nHost: a\r\n\r\n");
        let response = client.exchange(request).await.unwrap();
        assert_eq!(response.framing, framing, "{query}");
        let length = if query == "bytes=0" { 0 } else { 1_000_000 };
        assert_eq!(response.body, sample(length), "{query}");
    }
    assert_eq!((echo.connections(), echo.abandoned()), (1, 0));
}

#[tokio::test]
async fn answers_without_a_body_leave_the_connection_usable() {
    let echo = Echo::start().await.unwrap();
    let mut client = RawClient::connect(echo.addr()).await.unwrap();

    client.send("HEAD /?bytes=500 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let head = client.read_response_to_head().await.unwrap();
    assert_eq!(head.headers.get("content-length"), Some("500"));

    let empty = client.exchange("GET /?status=204 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!((empty.status, empty.framing), (204, Framing::Bodiless));
    let same = client.exchange("GET /?status=304 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!((same.status, same.framing), (304, Framing::Bodiless));

    let last = client.exchange("GET /?close=true HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(last.headers.get("connection"), Some("close"));
    client.expect_closed().await.unwrap();
    assert_eq!((echo.requests(), echo.abandoned()), (4, 0));
}

#[tokio::test]
async fn trailers_go_both_ways() {
    let echo = Echo::start().await.unwrap();
    let mut client = RawClient::connect(echo.addr()).await.unwrap();
    let request = "POST /?trailer=x-sum:42 HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\
                   Transfer-Encoding: chunked\r\nTrailer: x-up\r\n\r\n\
                   3\r\nabc\r\n0\r\nx-up: 7\r\n\r\n";
    let response = client.exchange(request).await.unwrap();
    assert_eq!(response.framing, Framing::Chunked);
    assert_eq!(response.headers.get("trailer"), Some("x-sum"));
    assert_eq!(response.trailers.get("x-sum"), Some("42"));
    let answer: portway_testkit::echo::Answer = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(answer.trailers, [("x-up".to_owned(), "7".to_owned())]);
    assert_eq!(answer.body.text.as_deref(), Some("abc"));
}

#[tokio::test]
async fn a_large_upload_is_streamed_and_summed() {
    let echo = Echo::start().await.unwrap();
    let piece = sample(64 * 1024);
    let pieces = 160;
    let frames = (0..pieces).map({
        let piece = piece.clone();
        move |_| Ok::<_, Infallible>(Frame::data(piece.clone()))
    });
    let body = StreamBody::new(stream::iter(frames));
    let request = Request::post("/upload").body(body).unwrap();
    let answer = Client::h1(echo.addr()).request(request).await.unwrap().answer().unwrap();
    assert_eq!(answer.body.length, 10 * 1024 * 1024);
    assert_eq!(answer.body.checksum, checksum(&piece.repeat(pieces)));
    assert_eq!(answer.body.text.unwrap().as_bytes(), piece);
    assert_eq!(answer.headers.iter().filter(|(name, _)| name == "transfer-encoding").count(), 1);
}

#[tokio::test]
async fn events_come_one_by_one_with_the_time_they_were_sent() {
    let echo = Echo::start().await.unwrap();
    let mut events = EventStream::open(echo.addr(), "/?sse=4&every=5ms").await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let mut count = 0;
    while let Some(event) = events.next().await.unwrap() {
        assert_eq!(event.tick().unwrap().count, count);
        assert_eq!(event.id.as_deref(), Some(count.to_string().as_str()));
        assert!(event.delay().unwrap() < DEADLINE);
        count += 1;
    }
    assert_eq!((count, echo.abandoned()), (4, 0));
}

#[tokio::test]
async fn each_event_is_a_chunk_that_does_not_wait_for_the_next() {
    let echo = Echo::start().await.unwrap();
    let mut client = RawClient::connect(echo.addr()).await.unwrap();
    let get = "GET /?every=1m HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n";
    client.send(get).await.unwrap();
    assert_eq!(client.read_head().await.unwrap().headers.get("transfer-encoding"), Some("chunked"));
    let mut chunk = String::new();
    while !chunk.ends_with("\n\n\r\n") {
        chunk += &String::from_utf8_lossy(&client.read_some().await.unwrap());
    }
    let (size, event) = chunk.split_once("\r\n").unwrap();
    assert_eq!(usize::from_str_radix(size, 16).unwrap(), event.len() - 2);
    assert!(event.starts_with("id: 0\ndata: {\"count\":0,\"sent_unix_ms\":"), "{event}");
}

#[tokio::test]
async fn a_client_that_leaves_is_counted() {
    let echo = Echo::start().await.unwrap();
    let mut events = EventStream::open(echo.addr(), "/?every=10ms").await.unwrap();
    events.next().await.unwrap().unwrap();
    assert_eq!((echo.abandoned(), echo.open_connections()), (0, 1));
    drop(events);
    eventually("the stream is abandoned", || echo.abandoned() == 1).await.unwrap();

    let mut waiting = RawClient::connect(echo.addr()).await.unwrap();
    waiting.send("GET /?wait=5m HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    eventually("the request is there", || echo.requests() == 2).await.unwrap();
    waiting.close();
    eventually("the request is abandoned", || echo.abandoned() == 2).await.unwrap();
    eventually("nothing is open", || echo.open_connections() == 0).await.unwrap();
}

#[tokio::test]
async fn a_websocket_echoes_messages_and_answers_pings() {
    let echo = Echo::start().await.unwrap();
    let headers = HeaderMap::from_iter([(
        http::header::SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static("a, b"),
    )]);
    let mut socket = WebSocket::open(echo.addr(), "shop.test", "/ws", &headers).await.unwrap();
    assert_eq!(socket.headers()["sec-websocket-protocol"], "a");

    assert_eq!(socket.exchange("grüße").await.unwrap(), "grüße");
    socket.send_binary(sample(300_000)).await.unwrap();
    assert_eq!(socket.receive().await.unwrap(), Some(Message::Binary(sample(300_000))));
    socket.send_ping("now").await.unwrap();
    assert_eq!(socket.receive().await.unwrap(), Some(Message::Pong(Bytes::from("now"))));
    socket.close().await.unwrap();
    eventually("nothing is open", || echo.open_connections() == 0).await.unwrap();
}

#[tokio::test]
async fn a_websocket_handshake_without_its_parts_is_refused() {
    let echo = Echo::start().await.unwrap();
    let mut client = RawClient::connect(echo.addr()).await.unwrap();
    let upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
                   Upgrade: websocket\r\n";
    let response = client.exchange(format!("{upgrade}\r\n")).await.unwrap();
    assert_eq!(response.status, 400);
    assert_eq!(response.text(), "a WebSocket needs a Sec-WebSocket-Key\n");
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let response = client.exchange(format!("{upgrade}{key}\r\n\r\n")).await.unwrap();
    assert_eq!(response.text(), "a WebSocket needs Sec-WebSocket-Version: 13\n");
    // The pair of key and answer in RFC 6455 section 1.3.
    let request = format!("{upgrade}{key}\r\nSec-WebSocket-Version: 13\r\n\r\n");
    let response = client.exchange(request).await.unwrap();
    assert_eq!(response.status, 101);
    let accept = response.headers.get("sec-websocket-accept");
    assert_eq!(accept, Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

#[tokio::test]
async fn a_shutdown_finishes_what_is_under_way() {
    let echo = Echo::anywhere().await.unwrap();
    let addr = echo.addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(echo.serve_until(async {
        let _ = stopped.await;
    }));

    let mut socket = WebSocket::connect(addr, "/").await.unwrap();
    let mut events = EventStream::open(addr, "/?every=5ms").await.unwrap();
    events.next().await.unwrap().unwrap();
    let mut slow = RawClient::connect(addr).await.unwrap();
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    slow.send(post).await.unwrap();
    assert_eq!(slow.read_head().await.unwrap().status, 100, "the request is under way");

    stop.send(()).unwrap();
    assert_eq!(socket.receive().await.unwrap(), Some(Message::Close(Some(1001))));
    assert_eq!(slow.exchange("hi").await.unwrap().status, 200);
    slow.expect_closed().await.unwrap();
    while events.next().await.unwrap().is_some() {}
    drop((socket, events));
    let ended = async { serving.await.map_err(std::io::Error::other) };
    within(DEADLINE, "end", ended).await.unwrap();
    Echo::bind(addr).await.unwrap();
}

#[tokio::test]
async fn stopping_is_a_crash_and_the_port_can_be_taken_again() {
    let echo = Echo::start().await.unwrap();
    let addr = echo.addr();
    let mut client = RawClient::connect(addr).await.unwrap();
    client.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    echo.stop().await;
    client.expect_closed().await.unwrap();
    let again = Echo::bind(addr).await.unwrap().spawn();
    assert_eq!(Client::h1(again.addr()).get("/").await.unwrap().status, 200);
}
