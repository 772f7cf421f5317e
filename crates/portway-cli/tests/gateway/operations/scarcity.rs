//! A process that may open no more files.

use std::{
    fs, io,
    time::{Duration, Instant},
};

use portway_testkit::{Client, RawClient, eventually, process::Command};
use tokio::task::JoinSet;

use crate::fixture::{FILE, Gateway, PORTWAY, complete, directory};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// As many as it may open, with all that it has open from the start.
const DESCRIPTORS: usize = 64;

#[tokio::test]
async fn clients_wait_and_probes_are_answered_until_there_is_room() -> io::Result<()> {
    let dir = directory()?;
    let file = dir.path().join(FILE);
    fs::write(&file, complete("routes: [{name: all, target: {reply: {}}}]", dir.path()))?;
    let mut command = Command::new("prlimit");
    command.arg(format!("--nofile={DESCRIPTORS}")).arg(PORTWAY).args(["run", "--cores", "2"]);
    let gateway = Gateway::spawn(dir, command.arg(file)).await?;
    let rests = || gateway.process.stderr().iter().filter(|line| line.contains("rests")).count();

    // More than there is room for: the others wait in the queues of the sockets.
    let started = Instant::now();
    let mut clients = Vec::new();
    for _ in 0..2 * DESCRIPTORS {
        let mut client = RawClient::connect(gateway.addr()).await?;
        client.send(GET).await?;
        clients.push(client);
    }
    eventually("both cores have rested several times", || rests() >= 8).await?;
    let cores = 2.0;
    let most = cores * (started.elapsed().as_secs_f64() / 0.1 + 1.0);
    assert!((rests() as f64) <= most, "{} rests in {:?}: it spins", rests(), started.elapsed());

    // Probes ask on a connection of their own each time.
    for _ in 0..5 {
        for path in ["/healthz", "/readyz", "/metrics"] {
            let asked = Instant::now();
            assert_eq!(Client::h1(gateway.probes()).get(path).await?.status, 200, "{path}");
            assert!(asked.elapsed() < Duration::from_secs(1), "{path}: {:?}", asked.elapsed());
        }
    }
    // What belongs to nobody's traffic goes on as well.
    gateway.reload("routes: [{name: all, target: {reply: {status: 202}}}]").await?;
    let before = rests();
    eventually("it is still at its limit", || rests() > before).await?;

    // Those that have their answer leave, and those that wait come in.
    let mut answers = JoinSet::new();
    for mut client in clients {
        answers.spawn(async move { client.read_response().await });
    }
    while let Some(answer) = answers.join_next().await {
        let status = answer.map_err(io::Error::other)??.status;
        assert!(matches!(status, 200 | 202), "{status}");
    }
    assert_eq!(gateway.client().get("/").await?.status, 202);
    Ok(())
}
