//! Clients that leave before they have their answer: the upstream is let go at once, and the
//! access log says whose fault it was.

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use portway_testkit::raw::RawConnection;
use portway_testkit::{Client, Echo, EventStream, RawClient, RawUpstream, eventually};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::fixture::{Gateway, service};

/// How long an upstream may be left working for nobody.
const AT_ONCE: Duration = Duration::from_secs(1);

const HALF: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";

/// When the client leaves.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// Before the head of the answer.
    Waiting,
    /// In the middle of its upload.
    Uploading,
    /// In the middle of the answer.
    Reading,
}

use Moment::{Reading, Uploading, Waiting};

#[tokio::test]
async fn the_upstream_is_left_with_the_client() -> io::Result<()> {
    for moment in [Waiting, Uploading, Reading] {
        for reset in [false, true] {
            let (upstream, mut left) = patient_upstream(moment).await?;
            let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
            let mut raw = gateway.raw().await?;
            let length = if matches!(moment, Uploading) { 9 } else { 1 };
            let head = format!("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n1");
            raw.send(head).await?;
            eventually("the request has arrived", || upstream.count_of("POST /x") == 1).await?;
            if matches!(moment, Reading) {
                raw.read_head().await?;
                raw.read_exact(5).await?;
            }
            leave(raw, reset)?;
            was_left_at_once(&mut left).await?;
            assert_blamed(&gateway.record("/x").await?, moment);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_that_is_cancelled_leaves_the_others_alone() -> io::Result<()> {
    for moment in [Waiting, Reading] {
        let (upstream, mut left) = patient_upstream(moment).await?;
        let echo = Echo::start().await?;
        let gateway = Gateway::start(&format!(
            "services:
  - {{name: up, url: \"{}\", routes: [{{name: x, match: {{path: /x}}}}]}}
  - {{name: echo, url: \"{}\", routes: [{{name: e, match: {{path: /e}}}}]}}",
            upstream.url(),
            echo.url()
        ))
        .await?;
        let client = Client::h2c(gateway.addr());
        let request = Request::get("/x").body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
        let answer = client.open(request);
        match moment {
            Reading => {
                let mut body = answer.await?.into_body();
                assert!(body.frame().await.is_some_and(|frame| frame.is_ok()));
            }
            Waiting | Uploading => {
                let arrived = eventually("it has arrived", || upstream.count_of("GET /x") == 1);
                tokio::select! {
                    answer = answer => panic!("answered: {answer:?}"),
                    arrived = arrived => arrived?,
                }
            }
        }
        was_left_at_once(&mut left).await?;
        assert_blamed(&gateway.record("/x").await?, moment);
        assert_eq!(client.get("/e").await?.status, 200);
        assert_eq!(client.connections(), 1);
    }
    Ok(())
}

/// A hundred streams of one connection, none of which gives room for a byte.
#[tokio::test]
async fn streams_that_take_nothing_disturb_nobody_and_end() -> io::Result<()> {
    let echo = Echo::start().await?;
    let config = service(&echo.url(), "timeouts: {idle: 500ms},");
    let gateway = Gateway::start_with(&config, &["--cores", "1"]).await?;
    let before = gateway.process.rss_kib()?;
    let shut = Client::h2c_with_window(gateway.addr(), 0);
    let mut held = Vec::new();
    for _ in 0..100 {
        let request = Request::get("/held?bytes=20000000").body(String::new());
        let answer = shut.open(request.map_err(io::Error::other)?).await?;
        assert_eq!(answer.status(), 200);
        held.push(answer.into_body());
    }
    // Its other streams, and other connections of either protocol.
    assert_eq!(shut.get("/other?status=204").await?.status, 204);
    for client in [gateway.client(), Client::h2c(gateway.addr())] {
        for _ in 0..10 {
            assert_eq!(client.get("/other?bytes=100000").await?.body.len(), 100_000);
        }
    }
    let grown = gateway.process.rss_kib()?.saturating_sub(before);
    assert!(grown < 40 * 1024, "{grown} KiB more");
    eventually("the upstream is left", || echo.abandoned() == 100).await?;
    for mut body in held {
        let end = tokio::time::timeout(portway_testkit::DEADLINE, body.frame()).await;
        assert!(end.is_ok_and(|end| !matches!(end, Some(Ok(_)))), "it is cut");
    }
    assert_eq!(shut.get("/other?status=204").await?.status, 204);
    let mut records = gateway.records(100).await?;
    records.retain(|record| record["path"] == "/held");
    for record in records {
        assert_eq!(record["error"], "client_closed_request", "{record}");
        assert!(record["bytes_out"].as_u64() < Some(100_000), "{record}");
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_of_events_is_left_with_the_client() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    for (client, path) in [
        (gateway.client(), "/h1?sse=3&every=60m"),
        (Client::h2c(gateway.addr()), "/h2?sse=3&every=60m"),
    ] {
        let mut stream = EventStream::open_with(&client, path).await?;
        assert!(stream.next().await?.is_some());
        let started = Instant::now();
        drop((stream, client));
        // The next event is an hour away: it is not a failed write that tells.
        eventually("the upstream is left", || echo.open_connections() == 0).await?;
        assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
        let record = gateway.record(&path[..3]).await?;
        assert_eq!(
            (&record["status"], &record["error"]),
            (&200.into(), &"client_closed_request".into())
        );
    }
    assert_eq!(echo.abandoned(), 2);
    Ok(())
}

#[tokio::test]
async fn nothing_is_left_behind() -> io::Result<()> {
    let (upstream, mut left) = patient_upstream(Waiting).await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    for number in 1..=20 {
        let mut raw = gateway.raw().await?;
        raw.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1").await?;
        eventually("it has arrived", || upstream.count_of("POST /x") == number).await?;
        raw.close();
        was_left_at_once(&mut left).await?;
    }
    assert_eq!(gateway.records(20).await?.len(), 20);
    for gauge in
        ["portway_requests_in_flight", "portway_connections", "portway_upstream_connections"]
    {
        let end = Instant::now() + portway_testkit::DEADLINE;
        while gateway.metric(gauge, &[]).await? != 0.0 {
            assert!(Instant::now() < end, "{gauge} in {}", gateway.metrics().await?);
        }
    }
    Ok(())
}

/// An upstream that waits at a moment of the exchange, and tells when it was left.
async fn patient_upstream(moment: Moment) -> io::Result<(RawUpstream, UnboundedReceiver<()>)> {
    let (tell, left) = unbounded_channel();
    let upstream = RawUpstream::start(move |mut connection: RawConnection| {
        let tell = tell.clone();
        async move {
            connection.read_head().await?;
            if matches!(moment, Reading) {
                connection.write(HALF).await?;
            }
            // Closed or reset, it is the end.
            while connection.read_some().await.is_ok_and(|bytes| !bytes.is_empty()) {}
            tell.send(()).map_err(io::Error::other)
        }
    })
    .await?;
    Ok((upstream, left))
}

fn leave(raw: RawClient, reset: bool) -> io::Result<()> {
    if reset {
        return raw.reset();
    }
    raw.close();
    Ok(())
}

async fn was_left_at_once(left: &mut UnboundedReceiver<()>) -> io::Result<()> {
    let left = tokio::time::timeout(AT_ONCE, left.recv()).await;
    left.map(drop).map_err(|_| io::Error::other(format!("not left within {AT_ONCE:?}")))
}

fn assert_blamed(record: &Value, moment: Moment) {
    let status = if matches!(moment, Reading) { 200 } else { 499 };
    assert_eq!(record["status"], status, "{moment:?}: {record}");
    assert_eq!(record["error"], "client_closed_request", "{moment:?}: {record}");
}
