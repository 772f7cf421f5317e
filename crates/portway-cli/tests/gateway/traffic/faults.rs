//! Upstreams that fail: what the client is told, what it can never take for a whole answer, and
//! that no connection in doubt is used again.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::Request;
use http_body_util::Full;
use portway_testkit::echo::sample;
use portway_testkit::raw::RawConnection;
use portway_testkit::raw::script::{
    always, closes_without_answer, half_body_then_fin, half_body_then_reset, half_chunks_then_fin,
    never_answers, resets_without_answer, stalls_after_head,
};
use portway_testkit::{Client, Echo, RawUpstream, eventually, refused_addr};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;

use crate::fixture::{Gateway, service};

const GET: &str = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn an_upstream_that_gives_no_answer() -> io::Result<()> {
    let closes = RawUpstream::start(closes_without_answer).await?;
    let resets = RawUpstream::start(resets_without_answer).await?;
    let half = RawUpstream::start(half_a_head).await?;
    let never = RawUpstream::start(never_answers).await?;
    let floods = RawUpstream::start(interim_answers_for_ever).await?;
    for (url, timeouts, status, code) in [
        (closes.url(), "", 502, "upstream_closed"),
        (resets.url(), "", 502, "upstream_closed"),
        (half.url(), "", 502, "upstream_closed"),
        (never.url(), "response_header: 100ms", 504, "response_header_timeout"),
        (never.url(), "request: 100ms", 504, "request_timeout"),
        (floods.url(), "", 502, "upstream_protocol"),
    ] {
        let gateway = Gateway::start(&service(&url, &format!("timeouts: {{{timeouts}}},"))).await?;
        let mut raw = gateway.raw().await?;
        for request in [GET, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"] {
            let answer = raw.exchange(request).await?;
            assert_eq!(answer.status, status, "{code} {}", answer.text());
            assert!(answer.text().contains(code), "{code} in {}", answer.text());
        }
        for record in gateway.records(2).await? {
            assert_eq!((&record["status"], &record["error"]), (&status.into(), &code.into()));
        }
        let labels = [format!("code=\"{code}\""), "side=\"upstream\"".to_owned()];
        let labels = [labels[0].as_str(), labels[1].as_str()];
        assert_eq!(gateway.metric("portway_errors_total", &labels).await?, 2.0, "{code}");
    }
    Ok(())
}

#[tokio::test]
async fn an_upstream_that_is_given_up_is_left() -> io::Result<()> {
    let (tell, mut left) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |connection| {
        let tell = tell.clone();
        async move {
            never_answers(connection).await?;
            tell.send(()).map_err(io::Error::other)
        }
    })
    .await?;
    let config = service(&upstream.url(), "timeouts: {response_header: 50ms},");
    let gateway = Gateway::start(&config).await?;
    assert_eq!(gateway.client().get("/").await?.status, 504);
    let left = tokio::time::timeout(Duration::from_secs(10), left.recv()).await;
    assert!(left.is_ok_and(|left| left.is_some()));
    Ok(())
}

#[tokio::test]
async fn the_clock_of_an_answer_starts_with_the_last_byte_of_the_request() -> io::Result<()> {
    let echo = Echo::start().await?;
    let config = service(&echo.url(), "timeouts: {response_header: 150ms},");
    let listener = "{name: short, bind: \"127.0.0.1:0\", limits: {header_read: 200ms}}";
    let listeners = format!("listeners: [{{name: web, bind: \"127.0.0.1:0\"}}, {listener}]");
    let gateway = Gateway::start(&format!("{listeners}\n{config}")).await?;
    let mut raw = gateway.raw().await?;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na").await?;
    // A connection that says nothing is closed after 200 ms: then the time has passed.
    portway_testkit::RawClient::connect(gateway.listener("short")).await?.read_to_end().await?;
    assert_eq!(raw.exchange("b").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn endpoints_that_cannot_be_reached_are_passed_over() -> io::Result<()> {
    let (refused, other) = (refused_addr()?, refused_addr()?);
    let full = Deaf::listen().await?;
    let echo = Echo::start().await?;
    for (endpoints, connect, status, code) in [
        (vec![refused.url(), echo.url()], "5s", 200, ""),
        (vec![refused.url(), other.url(), echo.url()], "5s", 200, ""),
        (vec![full.url(), echo.url()], "100ms", 200, ""),
        (vec![refused.url(), other.url()], "5s", 502, "upstream_connect"),
        (vec![full.url()], "100ms", 504, "connect_timeout"),
    ] {
        let list: Vec<_> = endpoints.iter().map(|url| format!("{{url: \"{url}\"}}")).collect();
        let gateway = Gateway::start(&format!(
            "services: [{{name: up, endpoints: [{}], timeouts: {{connect: {connect}}},
               routes: [{{name: all, match: {{path: {{prefix: /}}}}}}]}}]",
            list.join(", ")
        ))
        .await?;
        let mut raw = gateway.raw().await?;
        let mut tries = 0;
        for _ in 0..endpoints.len() {
            // Nobody has seen a byte of it: a POST goes on as well.
            let request = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab";
            let answer = raw.exchange(request).await?;
            assert_eq!(answer.status, status, "{endpoints:?}: {}", answer.text());
            assert!(answer.text().contains(code), "{}", answer.text());
        }
        for record in gateway.records(endpoints.len()).await? {
            tries = tries.max(record["tries"].as_u64().unwrap_or_default());
        }
        assert_eq!(tries, endpoints.len() as u64, "{endpoints:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_service_whose_address_is_not_allowed() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "deny_private_addresses: true,")).await?;
    let answer = gateway.client().get("/x").await?;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("no_endpoint"), "{}", answer.text());
    assert_eq!(echo.requests(), 0);
    Ok(())
}

/// What no server may answer (RFC 9112 sections 2.2, 4, 5 and 6).
#[rustfmt::skip]
const MALFORMED: &[(&str, &str)] = &[
    ("no status line", "nonsense\r\n\r\n"),
    ("HTTP/2 in words", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("a status that is none", "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"),
    ("a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
    ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
    ("a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nabc"),
    ("a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab"),
    ("a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nab"),
    ("a length and chunks",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a folded line", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
    ("CR in a value", "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n"),
    ("NUL in a value", "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"),
    ("a space before the colon", "HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n"),
    ("no colon", "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n"),
    ("an empty name", "HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 0\r\n\r\n"),
];

#[tokio::test]
async fn a_malformed_answer() -> io::Result<()> {
    let too_large = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "v".repeat(70_000));
    let too_many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: a\r\n".repeat(2000));
    let limits = [("too large a head", too_large.as_str()), ("too many fields", too_many.as_str())];
    for (name, answer) in MALFORMED.iter().chain(&limits) {
        let upstream = RawUpstream::start(always((*answer).to_owned())).await?;
        let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
        let mut raw = gateway.raw().await?;
        for _ in 0..2 {
            let answer = raw.exchange(GET).await;
            let answer = answer.map_err(|error| io::Error::other(format!("{name}: {error}")))?;
            assert_eq!(answer.status, 502, "{name}: {}", answer.text());
            assert!(answer.text().contains("upstream_protocol"), "{name}: {}", answer.text());
        }
        assert_eq!(upstream.connections(), 2, "{name}: the connection was used again");
        assert_eq!(gateway.record("/x").await?["error"], "upstream_protocol", "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_truncated_answer_never_looks_whole() -> io::Result<()> {
    let upstreams = [
        ("fin", RawUpstream::start(half_body_then_fin).await?, ""),
        ("reset", RawUpstream::start(half_body_then_reset).await?, ""),
        ("chunks and fin", RawUpstream::start(half_chunks_then_fin).await?, ""),
        ("chunks and reset", RawUpstream::start(half_chunks_then_reset).await?, ""),
        ("a bad chunk", RawUpstream::start(always(BAD_CHUNK)).await?, ""),
        ("a reset without a length", RawUpstream::start(endless_then_reset).await?, ""),
        ("a stall", RawUpstream::start(stalls_after_head).await?, "idle: 100ms"),
        (
            "a stall that takes too long",
            RawUpstream::start(stalls_after_head).await?,
            "request: 100ms",
        ),
    ];
    for (name, upstream, timeouts) in &upstreams {
        let code = match *timeouts {
            "" => "upstream_reset",
            "idle: 100ms" => "idle_timeout",
            _ => "request_timeout",
        };
        let timeouts = format!("timeouts: {{{timeouts}}},");
        let gateway = Gateway::start(&service(&upstream.url(), &timeouts)).await?;
        let cut = gateway.raw().await?.exchange(GET).await;
        assert!(cut.is_err(), "{name}: {cut:?}");
        let record = gateway.record("/x").await?;
        assert_eq!((&record["status"], &record["error"]), (&200.into(), &code.into()), "{name}");

        let h2 = Client::h2c(gateway.addr());
        let cut = h2.get("/h2").await;
        assert!(cut.is_err(), "{name}: {cut:?}");
        // It ends one stream, and not the connection.
        assert!(h2.get("/h2").await.is_err(), "{name}");
        assert_eq!(h2.connections(), 1, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn bytes_behind_an_answer_are_never_passed_on() -> io::Result<()> {
    const EVIL: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    for (answer, status, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, ""),
    ] {
        let upstream = RawUpstream::start(always(format!("{answer}{EVIL}"))).await?;
        let config = service(&upstream.url(), "");
        let gateway = Gateway::start_with(&config, &["--cores", "1"]).await?;
        let mut raw = gateway.raw().await?;
        for _ in 0..3 {
            let answer = raw.exchange(GET).await?;
            assert_eq!((answer.status, answer.text().as_ref()), (status, body));
        }
        raw.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        assert_eq!(raw.read_response_to_head().await?.status, status);
        assert_eq!(raw.exchange(GET).await?.text(), body);
        assert_eq!(upstream.connections(), 5, "{answer}: a connection in doubt was used again");
    }
    Ok(())
}

#[tokio::test]
async fn interim_answers_come_before_the_answer() -> io::Result<()> {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(50);
    let answer = format!(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n{hints}\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    );
    let upstream = RawUpstream::start(always(answer)).await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let mut raw = gateway.raw().await?;
    for _ in 0..2 {
        let answer = raw.exchange(GET).await?;
        assert_eq!((answer.status, answer.text().as_ref()), (200, "ok"));
        // 100 is the gateway's own to say.
        let statuses: Vec<u16> = answer.interim.iter().map(|head| head.status).collect();
        assert_eq!((statuses[0], statuses.len()), (102, 51));
        assert!(statuses[1..].iter().all(|status| *status == 103));
        assert_eq!(answer.interim[1].headers.get("link"), Some("</a>"));
    }
    assert_eq!(upstream.connections(), 1);
    Ok(())
}

/// The upstream answers when it has seen the head, and reads no further.
#[tokio::test]
async fn an_answer_that_comes_during_the_upload() -> io::Result<()> {
    let closes = RawUpstream::start(async |mut connection: RawConnection| {
        connection.read_head().await?;
        connection.write(TOO_LARGE).await?;
        connection.close()
    })
    .await?;
    let stays = RawUpstream::start(async |mut connection: RawConnection| {
        connection.read_head().await?;
        connection.write(TOO_LARGE).await?;
        std::future::pending().await
    })
    .await?;
    for (name, url) in [("closes", closes.url()), ("stays", stays.url())] {
        let gateway = Gateway::start(&service(&url, "")).await?;
        // The client has more to send, and reads the answer all the same.
        let mut raw = gateway.raw().await?;
        raw.send("POST /part HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\npart").await?;
        let answer = raw.read_response().await?;
        assert_eq!((answer.status, answer.text().as_ref()), (413, "large"), "{name}");
        for client in [gateway.client(), Client::h2c(gateway.addr())] {
            let upload = Request::post("/whole").body(Full::new(sample(20_000_000)));
            let answer = client.request(upload.map_err(io::Error::other)?).await?;
            assert_eq!((answer.status.as_u16(), answer.text().as_ref()), (413, "large"), "{name}");
        }
    }
    Ok(())
}

/// An upstream that takes no more of an upload, and a client that takes no more of an answer.
#[tokio::test]
async fn a_side_that_takes_nothing_is_not_waited_for() -> io::Result<()> {
    let deaf = RawUpstream::start(async |mut connection: RawConnection| {
        connection.read_head().await?;
        std::future::pending().await
    })
    .await?;
    let timeouts = "timeouts: {response_header: 200ms, idle: 200ms},";
    let gateway = Gateway::start(&service(&deaf.url(), timeouts)).await?;
    let upload = Request::post("/x").body(Full::new(sample(20_000_000)));
    let answer = gateway.client().request(upload.map_err(io::Error::other)?).await?;
    assert_eq!(answer.status, 504);
    assert!(answer.text().contains("response_header_timeout"), "{}", answer.text());

    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), timeouts)).await?;
    let mut raw = gateway.raw().await?;
    raw.send("GET /y?bytes=20000000 HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    let record = gateway.record("/y").await?;
    assert_eq!(record["error"], "client_closed_request");
    assert!(record["bytes_out"].as_u64() < Some(20_000_000), "{record}");
    eventually("the upstream is left", || echo.abandoned() == 1).await?;
    assert!(raw.read_response().await.is_err(), "it was broken off");
    Ok(())
}

const TOO_LARGE: &str =
    "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge";
const BAD_CHUNK: &str =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0x5\r\nhello\r\n0\r\n\r\n";

async fn half_a_head(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    connection.write("HTTP/1.1 200 OK\r\nContent-Le").await?;
    connection.close()
}

async fn interim_answers_for_ever(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    loop {
        connection.write("HTTP/1.1 103 Early Hints\r\n\r\n").await?;
        tokio::task::yield_now().await;
    }
}

async fn half_chunks_then_reset(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    let half = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhe";
    connection.write(half).await?;
    connection.reset()
}

async fn endless_then_reset(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    connection.write("HTTP/1.1 200 OK\r\n\r\nhello").await?;
    connection.reset()
}

/// A port that neither accepts nor refuses: its queue is full.
struct Deaf {
    addr: SocketAddr,
    _queue: (tokio::net::TcpListener, Vec<TcpStream>),
}

impl Deaf {
    async fn listen() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let listener = socket.listen(1)?;
        let addr = listener.local_addr()?;
        let mut queue = Vec::new();
        let patience = Duration::from_millis(200);
        while let Ok(queued) = tokio::time::timeout(patience, TcpStream::connect(addr)).await {
            queue.push(queued?);
        }
        Ok(Self { addr, _queue: (listener, queue) })
    }

    fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}
