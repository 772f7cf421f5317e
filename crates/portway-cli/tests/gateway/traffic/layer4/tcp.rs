//! Bytes both ways.

use std::{
    io,
    time::{Duration, Instant},
};

use portway_testkit::{DEADLINE, process::Signal, raw::refused_addr, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Named, connect, ended, exchange, rest, way};
use crate::fixture::Gateway;

#[tokio::test]
async fn bytes_go_both_ways_and_an_end_is_passed_on_while_the_other_side_goes_on() -> io::Result<()>
{
    let upstream = Named::start(Some("hello ")).await?;
    let gateway = Gateway::start(&way("tcp", &[upstream.addr], "", "")).await?;
    let mut client = connect(gateway.listener("in")).await?;
    let mut greeting = [0; 6];
    client.read_exact(&mut greeting).await?;
    assert_eq!(&greeting, b"hello ");
    assert_eq!(exchange(&mut client, "ping").await?, "ping");
    client.write_all(b"last").await?;
    client.shutdown().await?;
    assert_eq!(rest(&mut client).await?, b"last");
    let record = &gateway.records(1).await?[0];
    assert_eq!((&record["protocol"], &record["route"]), (&"tcp".into(), &"way".into()), "{record}");
    assert_eq!((&record["service"], &record["listener"]), (&"up".into(), &"in".into()), "{record}");
    assert_eq!((&record["bytes_in"], &record["bytes_out"]), (&8.into(), &14.into()), "{record}");
    assert_eq!(record["endpoint"], upstream.addr.to_string(), "{record}");
    assert_eq!((&record["client"], record.get("error")), (&"127.0.0.1".into(), None), "{record}");
    ended(&gateway, "closed", 1.0).await?;
    let received = gateway.metric("portway_stream_received_bytes_total", &[]).await?;
    assert!((received - 8.0).abs() < 0.5, "{received}");
    Ok(())
}

#[tokio::test]
async fn much_goes_through_unchanged() -> io::Result<()> {
    let upstream = Named::start(None).await?;
    let gateway = Gateway::start(&way("tcp", &[upstream.addr], "", "")).await?;
    let sent = portway_testkit::echo::sample(10_000_000);
    let (mut from, mut to) = connect(gateway.listener("in")).await?.into_split();
    let content = sent.clone();
    let writing = tokio::spawn(async move {
        to.write_all(&content).await?;
        to.shutdown().await
    });
    let mut back = Vec::new();
    within(DEADLINE, "ten megabytes", from.read_to_end(&mut back)).await?;
    writing.await.map_err(io::Error::other)??;
    assert_eq!(back.len(), sent.len());
    assert!(back == sent, "what came back is something else");
    Ok(())
}

#[tokio::test]
async fn a_connection_that_is_quiet_for_too_long_is_closed() -> io::Result<()> {
    let upstream = Named::start(None).await?;
    let config = way("tcp", &[upstream.addr], ", timeouts: {idle: 200ms}", "");
    let gateway = Gateway::start(&config).await?;
    let mut client = connect(gateway.listener("in")).await?;
    assert_eq!(exchange(&mut client, "ping").await?, "ping");
    let quiet = Instant::now();
    rest(&mut client).await?;
    assert!(quiet.elapsed() >= Duration::from_millis(150), "{:?}", quiet.elapsed());
    let record = &gateway.records(1).await?[0];
    assert_eq!(record["error"], "idle_timeout", "{record}");
    ended(&gateway, "idle_timeout", 1.0).await
}

#[tokio::test]
async fn an_endpoint_that_refuses_is_passed_over_and_without_any_the_client_is_closed()
-> io::Result<()> {
    let (refused, other) = (refused_addr()?, refused_addr()?);
    let upstream = Named::start(None).await?;
    let gateway = Gateway::start(&way("tcp", &[refused.addr(), upstream.addr], "", "")).await?;
    for _ in 0..4 {
        let mut client = connect(gateway.listener("in")).await?;
        assert_eq!(exchange(&mut client, "ping").await?, "ping");
    }
    gateway.reload(&way("tcp", &[refused.addr(), other.addr()], "", "")).await?;
    // It may be broken off before the client has noticed that it was accepted.
    if let Ok(mut client) = connect(gateway.listener("in")).await {
        assert_eq!(rest(&mut client).await?, b"");
    }
    ended(&gateway, "no_endpoint", 1.0).await?;
    let labels = ["listener=\"in\"", "reason=\"no_endpoint\""];
    let refusals = gateway.metric("portway_connections_refused_total", &labels).await?;
    assert!((refusals - 1.0).abs() < 0.5);
    let records = gateway.records(5).await?;
    let last = records.iter().find(|record| record["error"] == "no_endpoint").expect("one failed");
    assert_eq!(last["tries"], 2, "{last}");
    assert!(last["cause"].as_str().is_some_and(|cause| cause.contains("connect to")), "{last}");
    Ok(())
}

#[tokio::test]
async fn a_client_that_breaks_off_is_noticed_though_the_upstream_is_silent() -> io::Result<()> {
    let upstream = TcpListener::bind("127.0.0.1:0").await?;
    let config = way("tcp", &[upstream.local_addr()?], "", "");
    let gateway = Gateway::start(&config).await?;
    let client = connect(gateway.listener("in")).await?;
    let (mut held, _) = within(DEADLINE, "the upstream's side", upstream.accept()).await?;
    // An end without a close, as a process that is killed leaves it.
    client.set_zero_linger()?;
    drop(client);
    let mut byte = [0; 1];
    let end = within(DEADLINE, "the end", async { Ok(held.read(&mut byte).await) }).await?;
    assert!(end.is_err(), "it is broken off here as well: {end:?}");
    ended(&gateway, "client_reset", 1.0).await
}

#[tokio::test]
async fn a_reload_keeps_a_connection_and_its_removal_cuts_it_after_the_drain_time() -> io::Result<()>
{
    let upstream = Named::start(None).await?;
    let endpoints = [upstream.addr];
    let gateway = Gateway::start(&way("tcp", &endpoints, "", "")).await?;
    let mut client = connect(gateway.listener("in")).await?;
    assert_eq!(exchange(&mut client, "before").await?, "before");
    gateway.reload(&way("tcp", &endpoints, ", balance: least_request", "")).await?;
    assert_eq!(exchange(&mut client, "after").await?, "after");
    gateway.reload("stream_drain: 300ms\nlisteners: [{name: web, bind: \"127.0.0.1:0\"}]").await?;
    assert_eq!(exchange(&mut client, "still").await?, "still");
    assert_eq!(rest(&mut client).await?, b"");
    let record = &gateway.records(1).await?[0];
    assert_eq!((&record["error"], &record["bytes_in"]), (&"cut".into(), &16.into()), "{record}");
    Ok(())
}

#[tokio::test]
async fn at_the_end_connections_may_finish_and_are_cut_when_they_do_not() -> io::Result<()> {
    let upstream = Named::start(None).await?;
    let mut gateway = Gateway::start(&way("tcp", &[upstream.addr], "", "")).await?;
    let mut client = connect(gateway.listener("in")).await?;
    assert_eq!(exchange(&mut client, "before").await?, "before");
    gateway.process.signal(Signal::TERM)?;
    gateway.process.wait_for_line(|line| line.contains(" closed ")).await?;
    assert_eq!(exchange(&mut client, "still").await?, "still");
    client.shutdown().await?;
    assert_eq!(rest(&mut client).await?, b"");
    assert_eq!(gateway.process.wait_exit(DEADLINE).await?.code(), Some(0));

    let config = way("tcp", &[upstream.addr], "", "shutdown: {timeout: 200ms}");
    let mut gateway = Gateway::start(&config).await?;
    let mut client = connect(gateway.listener("in")).await?;
    assert_eq!(exchange(&mut client, "before").await?, "before");
    gateway.process.signal(Signal::TERM)?;
    assert_eq!(rest(&mut client).await?, b"");
    gateway.process.wait_exit(DEADLINE).await?;
    let record = &gateway.records(1).await?[0];
    assert_eq!((&record["error"], &record["bytes_out"]), (&"cut".into(), &6.into()), "{record}");
    Ok(())
}

#[tokio::test]
async fn a_client_that_reads_slowly_does_not_fill_the_gateway() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let config = way("tcp", &[listener.local_addr()?], "", "");
    let gateway = Gateway::start(&config).await?;
    let mut client = connect(gateway.listener("in")).await?;
    let (mut upstream, _) = within(DEADLINE, "the upstream's side", listener.accept()).await?;
    let before = gateway.process.rss_kib()?;
    // Nobody reads: what the kernel and the gateway hold is all that can be written.
    let chunk = vec![7; 1 << 20];
    let mut written = 0;
    while let Ok(count) =
        tokio::time::timeout(Duration::from_millis(300), upstream.write(&chunk)).await
    {
        written += count?;
        assert!(written < 256 << 20, "somebody takes all of it");
    }
    assert!(gateway.process.rss_kib()? < before + 8 * 1024);
    drop(upstream);
    let read = rest(&mut client).await?;
    assert_eq!(read.len(), written);
    Ok(())
}

#[tokio::test]
async fn an_upstream_that_breaks_off_is_not_mistaken_for_one_that_has_finished() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let config = way("tcp", &[listener.local_addr()?], "", "");
    let gateway = Gateway::start(&config).await?;
    let mut client = connect(gateway.listener("in")).await?;
    let (mut upstream, _) = within(DEADLINE, "the upstream's side", listener.accept()).await?;
    upstream.write_all(b"half").await?;
    let mut half = [0; 4];
    within(DEADLINE, "the first half", client.read_exact(&mut half)).await?;
    upstream.set_zero_linger()?;
    drop(upstream);
    let mut byte = [0; 1];
    let end = within(DEADLINE, "the end", async { Ok(client.read(&mut byte).await) }).await?;
    assert_eq!(end.map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionReset));
    assert_eq!(gateway.records(1).await?[0]["error"], "upstream_reset");
    Ok(())
}
