//! Upstreams of HTTP/2: they hear at once of clients that leave, what they cut is never whole, and
//! what they have no room for waits.

use std::{io, sync::Arc, time::Duration};

use portway_testkit::{
    Client, RawConnection, RawUpstream,
    frames::{Frame, FrameConnection, code, kind, request, response, script},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinSet,
    time::timeout,
};

use crate::fixture::{Gateway, service};

/// How long an upstream may be left working for nobody.
const AT_ONCE: Duration = Duration::from_secs(1);

/// What an upstream saw of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Begun,
    Reset(Option<u32>),
}

/// An upstream that answers with the beginning of a body, if at all, and waits to be left.
async fn patient(begins: bool) -> io::Result<(RawUpstream, UnboundedReceiver<Seen>)> {
    let (tell, seen) = unbounded_channel();
    let upstream = RawUpstream::start(move |connection: RawConnection| {
        let tell = tell.clone();
        async move {
            let mut connection = FrameConnection::accept(connection).await?;
            connection.send(&Frame::settings(&[])).await?;
            while let Some(frame) = connection.next().await? {
                let seen = match frame.kind {
                    kind::RST_STREAM => Seen::Reset(frame.error_code()),
                    kind::HEADERS if begins => {
                        let head = Frame::headers(frame.stream, response(200, &[]));
                        connection.send_all(&[head, Frame::data(frame.stream, "half")]).await?;
                        Seen::Begun
                    }
                    kind::HEADERS => Seen::Begun,
                    _ => continue,
                };
                tell.send(seen).map_err(io::Error::other)?;
            }
            Ok(())
        }
    })
    .await?;
    Ok((upstream, seen))
}

async fn sees(seen: &mut UnboundedReceiver<Seen>, expected: Seen, what: &str) -> io::Result<()> {
    let next = timeout(AT_ONCE, seen.recv()).await;
    let next = next.map_err(|_| io::Error::other(format!("{what}: no {expected:?} in time")))?;
    assert_eq!(next, Some(expected), "{what}");
    Ok(())
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_stream_alone() -> io::Result<()> {
    for begins in [false, true] {
        let (upstream, mut seen) = patient(begins).await?;
        let config = service(&upstream.url().replace("http", "h2c"), "");
        let gateway = Gateway::start_with(&config, &["--cores", "1"]).await?;
        // Somebody who stays, on the connection to the upstream that all share.
        let mut stays = FrameConnection::connect(gateway.addr()).await?;
        stays.open(&[]).await?;
        let head = || Frame::headers(1, request("GET", "http://a.example/", &[])).end();
        stays.send(&head()).await?;
        sees(&mut seen, Seen::Begun, "one who stays").await?;
        for reset in [false, true] {
            let what = format!("HTTP/1.1, begins {begins}, reset {reset}");
            let mut raw = gateway.raw().await?;
            raw.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").await?;
            sees(&mut seen, Seen::Begun, &what).await?;
            if begins {
                raw.read_head().await?;
                raw.read_some().await?;
            }
            match reset {
                true => raw.reset()?,
                false => raw.close(),
            }
            sees(&mut seen, Seen::Reset(Some(code::CANCEL)), &what).await?;
        }
        let mut leaves = FrameConnection::connect(gateway.addr()).await?;
        leaves.open(&[]).await?;
        leaves.send(&head()).await?;
        sees(&mut seen, Seen::Begun, "HTTP/2").await?;
        leaves.send(&Frame::rst_stream(1, code::CANCEL)).await?;
        sees(&mut seen, Seen::Reset(Some(code::CANCEL)), "HTTP/2").await?;
        for stream in [3, 5] {
            leaves.send(&Frame { stream, ..head() }).await?;
            sees(&mut seen, Seen::Begun, "HTTP/2").await?;
        }
        leaves.reset()?;
        for _ in 0..2 {
            sees(&mut seen, Seen::Reset(Some(code::CANCEL)), "HTTP/2, all at once").await?;
        }
        assert_eq!(upstream.connections(), 1);
        stays.round_trip().await?;
        assert_eq!(stays.waiting(kind::RST_STREAM) + stays.waiting(kind::GOAWAY), 0);
    }
    Ok(())
}

/// Half of an upload is no request: the upstream must not take it for one.
#[tokio::test]
async fn an_upload_that_is_broken_off_is_cancelled() -> io::Result<()> {
    let (upstream, mut seen) = patient(false).await?;
    let gateway = Gateway::start(&service(&upstream.url().replace("http", "h2c"), "")).await?;
    for length in ["Content-Length: 9", "Transfer-Encoding: chunked"] {
        let mut raw = gateway.raw().await?;
        raw.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\n1\r\nx\r\n")).await?;
        sees(&mut seen, Seen::Begun, length).await?;
        raw.close();
        sees(&mut seen, Seen::Reset(Some(code::CANCEL)), length).await?;
    }
    Ok(())
}

/// Resets each stream in the middle of a body of a length that nobody knows.
async fn cuts(connection: RawConnection, code: u32) -> io::Result<()> {
    let mut connection = FrameConnection::accept(connection).await?;
    connection.send(&Frame::settings(&[])).await?;
    while let Some(stream) = connection.request().await? {
        let head = Frame::headers(stream, response(200, &[]));
        let reset = Frame::rst_stream(stream, code);
        connection.send_all(&[head, Frame::data(stream, "hello"), reset]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_an_upstream_cuts_is_cut_for_the_client() -> io::Result<()> {
    for code in [
        code::NO_ERROR,
        code::INTERNAL_ERROR,
        code::CANCEL,
        code::REFUSED_STREAM,
        code::STREAM_CLOSED,
    ] {
        for known in [true, false] {
            let upstream = match known {
                true => RawUpstream::start(script::resets_mid_body(code)).await?,
                false => RawUpstream::start(move |connection| cuts(connection, code)).await?,
            };
            let what = format!("code {code}, length known: {known}");
            let config = service(&upstream.url().replace("http", "h2c"), "");
            let gateway = Gateway::start(&config).await?;
            let mut raw = gateway.raw().await?;
            let whole = raw.exchange("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
            assert!(whole.is_err() || whole.is_ok_and(|it| it.status == 502), "{what}: HTTP/1.1");
            // Whose body ends with the connection: it is reset, or none is begun.
            let mut raw = gateway.raw().await?;
            raw.send("GET /x HTTP/1.0\r\nHost: a\r\n\r\n").await?;
            if let Ok(all) = raw.read_to_end().await {
                let all = String::from_utf8_lossy(&all).into_owned();
                let told = all.contains("content-length: 10") || all.contains(" 502 ");
                assert!(told, "{what}: HTTP/1.0 {all}");
            }
            let mut client = FrameConnection::connect(gateway.addr()).await?;
            client.open(&[]).await?;
            client.send(&Frame::headers(1, request("GET", "http://a/x", &[])).end()).await?;
            let answer = client.answer(1).await?;
            let cut = answer.reset.is_some_and(|code| code != code::NO_ERROR);
            assert!(cut || answer.statuses == [502], "{what}: {answer:?}");
            // The connection to the upstream is none the worse for it.
            assert!(upstream.script_errors().is_empty(), "{what}");
        }
    }
    Ok(())
}

/// One request refused says nothing about the others, nor about the connection they share.
#[tokio::test]
async fn a_connection_on_which_one_request_was_refused_serves_on() -> io::Result<()> {
    let upstream = RawUpstream::start(script::refuses(1)).await?;
    let config = format!(
        "services: [{{name: up, url: 'h2c://{}', routes: [{{name: all}}]}}]",
        upstream.addr()
    );
    let gateway = Gateway::start_with(&config, &["--cores", "1"]).await?;
    let client = gateway.client();
    // The first on a fresh connection, refused by the only endpoint there is.
    assert_eq!(client.get("/").await?.status, 502);
    for _ in 0..5 {
        assert_eq!(client.get("/").await?.status, 200);
    }
    assert_eq!(upstream.connections(), 1);
    Ok(())
}

#[tokio::test]
async fn what_an_upstream_has_no_room_for_waits_its_turn() -> io::Result<()> {
    let upstream = RawUpstream::start(script::one_at_a_time).await?;
    let gateway = Gateway::start(&service(&upstream.url().replace("http", "h2c"), "")).await?;
    let shared = Arc::new(Client::h2c(gateway.addr()));
    let mut asking = JoinSet::new();
    for number in 0..40 {
        let client = match number % 2 {
            0 => Arc::clone(&shared),
            _ => Arc::new(gateway.client()),
        };
        asking.spawn(async move {
            let request = http::Request::post(format!("/{number}")).body(format!("{number}"));
            Box::pin(client.request(request.map_err(io::Error::other)?)).await
        });
    }
    while let Some(answer) = asking.join_next().await {
        let answer = answer.map_err(io::Error::other)??;
        assert_eq!((answer.status.as_u16(), &*answer.text()), (200, "ok"));
    }
    assert_eq!(upstream.script_errors(), Vec::<String>::new());
    Ok(())
}
