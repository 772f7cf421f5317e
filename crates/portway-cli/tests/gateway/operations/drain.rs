//! The end: readiness first, then what is in flight, then nothing.

use std::io;

use portway_testkit::{
    Client, DEADLINE, Echo, WebSocket, client::Message, eventually, load::Load, process::Signal,
};

use crate::fixture::{Gateway, service};

#[tokio::test]
async fn what_is_in_flight_finishes_and_the_exit_code_is_zero() -> io::Result<()> {
    let echo = Echo::start().await?;
    let mut gateway = Gateway::start(&service(&echo.url(), "")).await?;
    let client = gateway.client();
    let slow = tokio::spawn(async move { client.get("/slow?wait=700ms").await });
    eventually("the slow request is at the upstream", || echo.requests() == 1).await?;
    gateway.process.signal(Signal::TERM)?;
    let answer = slow.await.map_err(io::Error::other)??;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(gateway.process.wait_exit(DEADLINE).await?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn no_request_fails_while_clients_are_asked_to_leave() -> io::Result<()> {
    let echo = Echo::start().await?;
    let config = format!("shutdown: {{delay: 600ms}}\n{}", service(&echo.url(), ""));
    let mut gateway = Gateway::start(&config).await?;
    let ready = Client::h1(gateway.probes());
    assert_eq!(ready.get("/readyz").await?.status, 200);
    let load = Load::on(gateway.addr()).connections(4).start();
    load.wait_for(50).await?;
    gateway.process.signal(Signal::TERM)?;
    gateway.process.wait_for_line(|line| line.contains("draining")).await?;
    assert_eq!(ready.get("/readyz").await?.status, 503);
    // New connections are still taken, and told that this request is their last.
    let last = gateway.client().get("/").await?;
    assert_eq!((last.status.as_u16(), last.header("connection")), (200, Some("close")));
    let tally = load.stop().await?;
    assert_eq!(tally.failed(), 0, "{tally:?}");
    assert_eq!(gateway.process.wait_exit(DEADLINE).await?.code(), Some(0));
    Ok(())
}

/// RFC 6455 section 7.4.1.
#[tokio::test]
async fn websockets_are_told_that_the_gateway_goes_away() -> io::Result<()> {
    let echo = Echo::start().await?;
    let config = format!("shutdown: {{timeout: 1s}}\n{}", service(&echo.url(), ""));
    let mut gateway = Gateway::start(&config).await?;
    let mut plain = WebSocket::connect(gateway.addr(), "/").await?;
    let client = Client::h2c(gateway.addr());
    let mut stream = Box::pin(WebSocket::open_on_stream(&client, "/")).await?;
    for socket in [&mut plain, &mut stream] {
        assert_eq!(socket.exchange("here").await?, "here");
    }
    gateway.process.signal(Signal::TERM)?;
    for socket in [&mut plain, &mut stream] {
        assert_eq!(socket.receive().await?, Some(Message::Close(Some(1001))));
    }
    assert_eq!(gateway.process.wait_exit(DEADLINE).await?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_second_signal_ends_at_once() -> io::Result<()> {
    let echo = Echo::start().await?;
    let config = format!("shutdown: {{timeout: 1h}}\n{}", service(&echo.url(), ""));
    let mut gateway = Gateway::start(&config).await?;
    let mut socket = WebSocket::connect(gateway.addr(), "/").await?;
    assert_eq!(socket.exchange("here").await?, "here");
    gateway.process.signal(Signal::TERM)?;
    gateway.process.wait_for_line(|line| line.contains("draining")).await?;
    // It waits for the tunnel, which goes on meanwhile; a reload does not change that.
    gateway.process.signal(Signal::HUP)?;
    assert_eq!(socket.exchange("still here").await?, "still here");
    gateway.process.signal(Signal::TERM)?;
    assert!(gateway.process.wait_exit(DEADLINE).await?.success());
    Ok(())
}
