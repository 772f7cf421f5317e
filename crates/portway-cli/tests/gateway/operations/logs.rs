//! The access log: what a record says, where it goes, and what becomes of it when it cannot go there.

use std::{
    fs::{self, OpenOptions},
    io::{self, BufRead, BufReader},
    time::{Duration, Instant},
};

use portway_testkit::{
    Echo,
    process::{Command, Signal},
};
use serde_json::Value;

use crate::fixture::{FILE, Gateway, PORTWAY, complete, directory, service};

#[tokio::test]
async fn a_record_names_everything_and_nothing_secret() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    let mut raw = gateway.raw().await?;
    raw.exchange(
        "POST /x?token=secret1 HTTP/1.1\r\nHost: a.example\r\nUser-Agent: t\r\n\
         Authorization: Bearer secret2\r\nCookie: c=secret3\r\nContent-Length: 3\r\n\r\nabc",
    )
    .await?;
    let record = gateway.record("/x").await?;
    for (key, value) in [
        ("method", "POST"),
        ("scheme", "http"),
        ("host", "a.example"),
        ("protocol", "HTTP/1.1"),
        ("route", "all"),
        ("service", "up"),
        ("listener", "web"),
        ("client", "127.0.0.1"),
        ("user_agent", "t"),
    ] {
        assert_eq!(record[key], value, "{record}");
    }
    assert_eq!(
        (&record["status"], &record["bytes_in"], &record["tries"]),
        (&200.into(), &3.into(), &1.into())
    );
    for key in
        ["time", "bytes_out", "duration_ms", "upstream_duration_ms", "endpoint", "request_id"]
    {
        assert!(!record[key].is_null(), "{key} is not in {record}");
    }
    assert!(!record.to_string().contains("secret"), "{record}");
    Ok(())
}

/// Rotation renames the file and sends a signal, in the hope that the next line is in a new one.
#[tokio::test]
async fn a_signal_opens_a_file_again_that_was_moved() -> io::Result<()> {
    let gateway = Gateway::start("routes: [{name: all, target: {reply: {}}}]").await?;
    let client = gateway.client();
    for number in 0..3 {
        client.get(&format!("/{number}")).await?;
        gateway.record(&format!("/{number}")).await?;
        let moved = gateway.path(&format!("access.log.{number}"));
        gateway
            .after(|| {
                fs::rename(gateway.path("access.log"), &moved)?;
                gateway.process.signal(Signal::HUP)
            })
            .await?;
        client.get("/next").await?;
        assert_eq!(gateway.records(1).await?[0]["path"], "/next");
        let text = fs::read_to_string(moved)?;
        assert!(text.contains(&format!("\"/{number}\"")), "{text}");
    }
    Ok(())
}

/// Nobody reads what standard output leads to.
#[tokio::test]
async fn a_log_that_nobody_reads_holds_up_no_request_and_not_the_end() -> io::Result<()> {
    let dir = directory()?;
    let (file, pipe) = (dir.path().join(FILE), dir.path().join("pipe"));
    let config = "access_log: {path: stdout, format: json}\n\
                  listeners: [{name: web, bind: \"127.0.0.1:0\", limits: {uri: 64KiB}}]\n\
                  routes: [{name: all, target: {reply: {}}}]";
    fs::write(&file, complete(config, dir.path()))?;
    // Opened for both, a named pipe waits for no reader; whoever opens it later may read.
    let mut command = Command::new("sh");
    let script = "mkfifo \"$3\" && exec \"$1\" run --cores 1 \"$2\" 1<>\"$3\"";
    command.args(["-c", script, "sh", PORTWAY]).args([&file, &pipe]);
    let mut gateway = Gateway::spawn(dir, &mut command).await?;
    let client = gateway.client();
    let path = format!("/{}", "x".repeat(8000));
    let dropped =
        async |gateway: &Gateway| gateway.metric("portway_access_log_dropped_total", &[]).await;
    let mut slowest = Duration::ZERO;
    while dropped(&gateway).await? == 0.0 {
        for _ in 0..20 {
            let asked = Instant::now();
            assert_eq!(client.get(&path).await?.status, 200);
            slowest = slowest.max(asked.elapsed());
        }
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert_eq!(client.connections(), 1);

    // A reader comes: the records go on, and each is whole.
    let reader = OpenOptions::new().read(true).open(gateway.path("pipe"))?;
    let reading = tokio::task::spawn_blocking(move || -> io::Result<usize> {
        let mut lines = BufReader::new(reader).lines();
        for number in 0.. {
            let line = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
            let record: Value = serde_json::from_str(&line)?;
            if record["path"] == "/last" {
                return Ok(number);
            }
        }
        unreachable!("the numbers have no end")
    });
    let mut asked = 0;
    while !reading.is_finished() {
        assert_eq!(client.get("/last").await?.status, 200);
        asked += 1;
        assert!(asked < 100_000, "the records do not go on");
    }
    assert!(reading.await.map_err(io::Error::other)?? > 0);

    // Nobody reads again, and the end comes all the same.
    let before = dropped(&gateway).await?;
    while dropped(&gateway).await? == before {
        client.get(&path).await?;
    }
    gateway.process.signal(Signal::TERM)?;
    assert!(gateway.process.wait_exit(portway_testkit::DEADLINE).await?.success());
    Ok(())
}
