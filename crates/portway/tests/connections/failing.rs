//! Diallers that fail, hang and panic, and streams that do.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use portway::{
    Builder,
    connect::{Cause, Connected, Dial},
};
use portway_testkit::{DEADLINE, Echo, RawClient, within};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
};

use crate::{
    dialled::NOWHERE,
    fixture::{at, client, code, serve, shop},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_one_requests_error() {
    let echo = Echo::start().await.unwrap();
    let addr = echo.addr();
    let turn = Arc::new(AtomicUsize::new(0));
    let turns = Arc::clone(&turn);
    let connect = move |_: Dial| {
        let turn = turns.fetch_add(1, SeqCst);
        assert!(turn != 0, "before there is a future");
        async move {
            match turn {
                1 => panic!("in the future"),
                2 => Err("nobody is there".into()),
                3 => Ok(Connected::new(TcpStream::connect(addr).await?).http2(true)),
                4 => Ok(Connected::new(Broken)),
                _ => Ok(TcpStream::connect(addr).await?.into()),
            }
        }
    };
    let server = serve(Builder::new().connect(connect), &shop(NOWHERE, "")).await;
    let client = client(&server);
    for _ in 0..4 {
        let failed = code(&client, "/a").await;
        assert_eq!(failed, (502, "upstream_connect".to_owned()));
    }
    assert_eq!(code(&client, "/a").await.0, 502, "a stream that panics is a broken one");
    assert_eq!(client.get("/a").await.unwrap().status, 200, "and the gateway goes on");
    assert!(turn.load(SeqCst) >= 6);
}

/// Panics when it is read from.
struct Broken;

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        panic!("as the test wants it")
    }
}

impl AsyncWrite for Broken {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_endpoint_takes_over_from_one_that_cannot_be_dialled() {
    let echo = Echo::start().await.unwrap();
    let addr = echo.addr();
    let connect = move |dial: Dial| async move {
        match dial.host() {
            "down.invalid" => Err("it is down".into()),
            _ => Ok(TcpStream::connect(addr).await?.into()),
        }
    };
    let document = "listeners: [{name: web, bind: '127.0.0.1:0'}]\n\
         services: [{name: shop, endpoints: [{url: 'http://down.invalid'}, \
         {url: 'http://up.invalid'}], routes: [{name: all}]}]\n";
    let server = serve(Builder::new().connect(connect), document).await;
    for _ in 0..4 {
        assert_eq!(client(&server).get("/a").await.unwrap().status, 200);
    }
}

/// Never comes to an end, and says when it is dropped.
struct Hangs(Arc<Notify>);

impl Drop for Hangs {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_is_given_up_in_time_and_when_the_client_leaves() {
    let (given_up, begun) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, tell_begun) = (Arc::clone(&given_up), Arc::clone(&begun));
    let connect = move |_: Dial| {
        let hangs = Hangs(Arc::clone(&tell));
        tell_begun.notify_one();
        async move {
            let _hangs = hangs;
            std::future::pending::<Result<Connected, Cause>>().await
        }
    };
    let builder = || Builder::new().connect(connect.clone());
    let wait = |what: &'static str, told: Arc<Notify>| {
        within(DEADLINE, what, async move {
            told.notified().await;
            Ok(())
        })
    };

    let short = shop(NOWHERE, ", timeouts: {connect: 50ms}");
    let server = serve(builder(), &short).await;
    let late = code(&client(&server), "/a").await;
    assert_eq!(late, (504, "connect_timeout".to_owned()));
    wait("the end of the dialler", Arc::clone(&given_up)).await.unwrap();
    wait("its beginning", Arc::clone(&begun)).await.unwrap();

    let server = serve(builder(), &shop(NOWHERE, ", timeouts: {connect: 1h}")).await;
    let mut raw = RawClient::connect(at(&server, "web")).await.unwrap();
    raw.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    wait("its beginning", begun).await.unwrap();
    raw.close();
    wait("the end of the dialler", given_up).await.unwrap();
}

/// A connection that panics when it is read from once it is told to.
struct Moody {
    stream: TcpStream,
    panics: Arc<AtomicBool>,
    dropped: Arc<Notify>,
}

impl Drop for Moody {
    fn drop(&mut self) {
        self.dropped.notify_one();
    }
}

impl AsyncRead for Moody {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        assert!(!self.panics.load(SeqCst), "as the test wants it");
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Moody {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Idle connections are looked at on behalf of nobody.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_that_panics_takes_nobody_with_it() {
    let echo = Echo::start().await.unwrap();
    let (addr, panics, dropped) = (echo.addr(), Arc::<AtomicBool>::default(), Arc::default());
    let (switch, told) = (Arc::clone(&panics), Arc::<Notify>::clone(&dropped));
    let connect = move |_: Dial| {
        let (panics, dropped) = (Arc::clone(&switch), Arc::clone(&told));
        async move {
            let stream = TcpStream::connect(addr).await?;
            Ok(Moody { stream, panics, dropped }.into())
        }
    };
    let server = serve(Builder::new().connect(connect), &shop(NOWHERE, "")).await;
    assert_eq!(client(&server).get("/a").await.unwrap().status, 200);
    panics.store(true, SeqCst);
    let swept = async {
        dropped.notified().await;
        Ok(())
    };
    within(DEADLINE, "the end of the idle connection", swept).await.unwrap();
    panics.store(false, SeqCst);
    // One for each core.
    for _ in 0..4 {
        assert_eq!(client(&server).get("/a").await.unwrap().status, 200);
    }
    assert!(server.drain().await);
}
