//! Clients that take their requests back (fault C1, CVE-2023-44487).

use std::io;

use portway_testkit::{
    Echo, eventually,
    frames::{Frame, FrameConnection, code, request},
};

use crate::fixture::{Gateway, service};

/// More than any client may take back.
const MANY: u64 = 300;

/// The library notices requests that are reset before it has handed them over. A client that
/// waits until its request is with the upstream costs more, and has to be noticed too.
#[tokio::test]
async fn a_client_that_takes_back_what_the_upstream_has_begun_is_sent_away() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    let mut connection = FrameConnection::connect(gateway.addr()).await?;
    connection.open(&[]).await?;
    for (stream, number) in (1u32..).step_by(2).zip(0..MANY) {
        let block = request("GET", "http://a.example/?wait=20s", &[]);
        // From the hundredth on it may be sent away at any moment.
        if connection.send(&Frame::headers(stream, block).end()).await.is_err() {
            break;
        }
        if number < 100 {
            eventually("the upstream has begun", || echo.requests() > number).await?;
        }
        if connection.send(&Frame::rst_stream(stream, code::CANCEL)).await.is_err() {
            break;
        }
    }
    assert_eq!(connection.wait_for_end().await?, Some(code::ENHANCE_YOUR_CALM));
    assert!(echo.requests() < MANY / 2, "{} requests", echo.requests());
    // Others are served as ever.
    assert_eq!(gateway.client().get("/").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_client_that_lets_as_much_be_answered_stays() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    let mut connection = FrameConnection::connect(gateway.addr()).await?;
    connection.open(&[]).await?;
    for (stream, _) in (1u32..).step_by(4).zip(0..MANY) {
        let block = request("GET", "http://a.example/?wait=20s", &[]);
        connection.send(&Frame::headers(stream, block).end()).await?;
        connection.send(&Frame::rst_stream(stream, code::CANCEL)).await?;
        let block = request("GET", "http://a.example/", &[]);
        connection.send(&Frame::headers(stream + 2, block).end()).await?;
        assert_eq!(connection.answer(stream + 2).await?.statuses, [200]);
    }
    Ok(())
}
