//! A change of the file reaches the next request and disturbs no other.

use std::{io, time::Duration};

use portway_testkit::{Echo, EventStream, WebSocket, load::Load, process::Signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::fixture::{Gateway, service};

/// How many reloads the test makes: ten per second of them. `PORTWAY_RELOADS=1000` makes it the
/// long run.
fn reloads() -> usize {
    std::env::var("PORTWAY_RELOADS").ok().and_then(|text| text.parse().ok()).unwrap_or(30)
}

#[tokio::test]
async fn reloads_under_load_fail_no_request_and_close_no_connection() -> io::Result<()> {
    let echo = Echo::start().await?;
    let revision = |number: usize| {
        service(&echo.url(), &format!("labels: {{revision: \"{number}\"}}, host: preserve,"))
    };
    let gateway = Gateway::start(&revision(0)).await?;
    let load = Load::on(gateway.addr()).connections(8).start();
    load.wait_for(100).await?;
    let count = reloads();
    let mut memory = Vec::new();
    let mut tick = interval(Duration::from_millis(100));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 1..=count {
        tick.tick().await;
        gateway.reload(&revision(number)).await?;
        if number % (count / 5).max(1) == 0 {
            memory.push(gateway.process.rss_kib()?);
        }
    }
    load.wait_for(100).await?;
    let tally = load.stop().await?;
    assert_eq!((tally.failed(), tally.closed_connections), (0, 0), "{tally:?}");
    let applied = gateway.metric("portway_config_revision", &[]).await?;
    assert!((applied - (count + 1) as f64).abs() < 0.5, "revision {applied}");
    let (first, last) = (memory[0], memory[memory.len() - 1]);
    assert!(last <= first + first / 4 + 4096, "memory grows with reloads: {memory:?} KiB");
    println!("{count} reloads, {} requests, memory {memory:?} KiB", tally.ok);
    Ok(())
}

#[tokio::test]
async fn a_kept_connection_sees_the_new_file_with_its_next_request() -> io::Result<()> {
    let (one, two) = (Echo::start().await?, Echo::start().await?);
    let gateway = Gateway::start(&service(&one.url(), "")).await?;
    let client = gateway.client();
    assert_eq!(client.get("/").await?.status, 200);
    gateway.reload(&service(&two.url(), "")).await?;
    assert_eq!(client.get("/").await?.status, 200);
    assert_eq!((client.connections(), one.requests(), two.requests()), (1, 1, 1));
    Ok(())
}

#[tokio::test]
async fn a_signal_reads_the_file_again() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    gateway.process.signal(Signal::HUP)?;
    gateway.process.wait_for_line(|line| line.contains("configuration applied")).await?;
    assert_eq!(gateway.client().get("/").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn streams_outlive_changes_of_their_route_and_end_after_its_removal() -> io::Result<()> {
    let echo = Echo::start().await?;
    let with = |number: usize| {
        let service = service(&echo.url(), &format!("labels: {{revision: \"{number}\"}},"));
        format!("stream_drain: 200ms\n{service}")
    };
    let gateway = Gateway::start(&with(0)).await?;
    let mut socket = WebSocket::connect(gateway.addr(), "/").await?;
    let mut events = EventStream::open(gateway.addr(), "/?sse=100000&every=20ms").await?;
    for number in 1..=20 {
        gateway.reload(&with(number)).await?;
        assert_eq!(socket.exchange("still here").await?, "still here");
        assert!(events.next().await?.is_some());
    }
    gateway.reload("stream_drain: 200ms\nroutes: []").await?;
    assert_eq!(socket.exchange("drains").await?, "drains");
    while let Ok(Some(_)) = socket.receive().await {}
    while let Ok(Some(_)) = events.next().await {}
    let records = gateway.records(2).await?;
    assert!(records.iter().all(|record| record["error"] == "route_removed"), "{records:?}");
    assert_eq!(gateway.metric("portway_streams_cut_total", &[]).await?, 2.0);
    Ok(())
}
