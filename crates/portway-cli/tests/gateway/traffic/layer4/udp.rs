//! Datagrams and their answers.

use std::{io, net::SocketAddr};

use portway_testkit::{DEADLINE, process::Signal, within};
use tokio::{net::UdpSocket, task::JoinHandle};

use super::{ended, refused, way};
use crate::fixture::Gateway;

/// A server that sends datagrams back. It ends when it is dropped.
struct EchoUdp {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl EchoUdp {
    async fn start() -> io::Result<Self> {
        Self::named("").await
    }

    /// One that puts its name before what it sends back.
    async fn named(name: &'static str) -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let addr = socket.local_addr()?;
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 65_536];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                let answer = [name.as_bytes(), &buffer[..length]].concat();
                let _ = socket.send_to(&answer, peer).await;
            }
        });
        Ok(Self { addr, task })
    }

    async fn stop(self) {
        self.task.abort();
        while !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

async fn ask(socket: &UdpSocket, datagram: &[u8]) -> io::Result<Vec<u8>> {
    socket.send(datagram).await?;
    let mut buffer = vec![0; 65_536];
    let length = within(DEADLINE, "an answer", socket.recv(&mut buffer)).await?;
    buffer.truncate(length);
    Ok(buffer)
}

async fn datagrams(to: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.connect(to).await?;
    Ok(socket)
}

#[tokio::test]
async fn many_clients_have_their_answers_from_the_address_they_asked() -> io::Result<()> {
    let upstream = EchoUdp::start().await?;
    let gateway = Gateway::start(&way("udp", &[upstream.addr], "", "")).await?;
    let to = gateway.listener("in");
    let mut clients = Vec::new();
    for number in 0..50 {
        // Connected sockets take nothing from another address.
        let client = datagrams(to).await?;
        let text = format!("question {number}");
        assert_eq!(ask(&client, text.as_bytes()).await?, text.as_bytes());
        clients.push(client);
    }
    for (client, number) in clients.iter().zip(0_u8..) {
        assert_eq!(ask(client, &[number]).await?, [number]);
    }
    assert_eq!(ask(&clients[0], b"").await?, b"", "an empty one is one");
    let big: Vec<u8> = (0..60_000_u32).map(|byte| byte.to_le_bytes()[0]).collect();
    assert_eq!(ask(&clients[1], &big).await?, big);
    let open = gateway.metric("portway_connections", &["listener=\"in\""]).await?;
    assert!((open - 50.0).abs() < 0.5, "{open}");
    Ok(())
}

#[tokio::test]
async fn a_client_goes_elsewhere_with_its_next_datagram_when_its_route_does() -> io::Result<()> {
    let (one, two) = (EchoUdp::named("one:").await?, EchoUdp::named("two:").await?);
    let gateway = Gateway::start(&way("udp", &[one.addr], "", "")).await?;
    let client = datagrams(gateway.listener("in")).await?;
    assert_eq!(ask(&client, b"1").await?, b"one:1");
    let bound = way("udp", &[one.addr], "", "access_log: {enabled: false}");
    gateway.reload(&bound).await?;
    assert_eq!(ask(&client, b"2").await?, b"one:2");
    gateway.reload(&way("udp", &[two.addr], "", "")).await?;
    assert_eq!(ask(&client, b"3").await?, b"two:3");
    let opened = gateway.metric("portway_upstream_connections_opened_total", &[]).await?;
    assert!((opened - 2.0).abs() < 0.5, "a reload that changes nothing for it keeps it: {opened}");
    Ok(())
}

#[tokio::test]
async fn a_session_ends_when_it_is_quiet_and_has_a_record() -> io::Result<()> {
    let upstream = EchoUdp::start().await?;
    let config = way("udp", &[upstream.addr], ", timeouts: {idle: 200ms}", "");
    let gateway = Gateway::start(&config).await?;
    let client = datagrams(gateway.listener("in")).await?;
    assert_eq!(ask(&client, b"one").await?, b"one");
    let record = &gateway.records(1).await?[0];
    assert_eq!((&record["protocol"], &record["error"]), (&"udp".into(), &"idle_timeout".into()));
    assert_eq!((&record["bytes_in"], &record["bytes_out"]), (&3.into(), &3.into()), "{record}");
    ended(&gateway, "idle_timeout", 1.0).await?;
    assert_eq!(ask(&client, b"two").await?, b"two", "a new session");
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_is_gone_ends_the_session_and_the_next_one_is_asked() -> io::Result<()> {
    let (one, two) = (EchoUdp::start().await?, EchoUdp::start().await?);
    let gateway = Gateway::start(&way("udp", &[one.addr, two.addr], "", "")).await?;
    let client = datagrams(gateway.listener("in")).await?;
    assert_eq!(ask(&client, b"one").await?, b"one");
    one.stop().await;
    // The kernel says that nobody is there to whoever sends next.
    client.send(b"lost").await?;
    ended(&gateway, "upstream_reset", 1.0).await?;
    assert_eq!(ask(&client, b"two").await?, b"two");
    Ok(())
}

#[tokio::test]
async fn datagrams_end_with_their_listener_after_the_answers_on_their_way() -> io::Result<()> {
    let upstream = UdpSocket::bind("127.0.0.1:0").await?;
    let config = way("udp", &[upstream.local_addr()?], "", "");
    let mut gateway = Gateway::start(&config).await?;
    let client = datagrams(gateway.listener("in")).await?;
    client.send(b"question").await?;
    let mut buffer = [0; 100];
    let (_, session) = within(DEADLINE, "the question", upstream.recv_from(&mut buffer)).await?;
    gateway.process.signal(Signal::TERM)?;
    gateway.process.wait_for_line(|line| line.contains("draining")).await?;
    upstream.send_to(b"answer", session).await?;
    let length = within(DEADLINE, "the answer", client.recv(&mut buffer)).await?;
    assert_eq!(&buffer[..length], b"answer");
    assert_eq!(gateway.process.wait_exit(DEADLINE).await?.code(), Some(0));
    let record = &gateway.records(1).await?[0];
    assert_eq!(record.get("error"), None, "{record}");
    Ok(())
}

#[tokio::test]
async fn more_sessions_than_there_may_be_are_refused_while_all_are_in_use() -> io::Result<()> {
    let upstream = EchoUdp::start().await?;
    let config = way("udp", &[upstream.addr], "", "")
        .replace("protocol: udp}", "protocol: udp, limits: {connections: 2}}");
    let gateway = Gateway::start_with(&config, &["--cores", "1"]).await?;
    let to = gateway.listener("in");
    let (one, two, three) = (datagrams(to).await?, datagrams(to).await?, datagrams(to).await?);
    assert_eq!(ask(&one, b"1").await?, b"1");
    assert_eq!(ask(&two, b"2").await?, b"2");
    three.send(b"3").await?;
    // Both were just used: the first look only takes note of that.
    refused(&gateway, "too_many_sessions", 1.0).await?;
    assert_eq!(ask(&two, b"2").await?, b"2");
    // One has been quiet since, and makes room.
    assert_eq!(ask(&three, b"3").await?, b"3");
    let record = &gateway.records(1).await?[0];
    assert_eq!((&record["error"], &record["bytes_in"]), (&"evicted".into(), &1.into()), "{record}");
    Ok(())
}
