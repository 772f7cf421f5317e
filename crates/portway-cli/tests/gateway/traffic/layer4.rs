//! Connections and datagrams that are passed on without being understood.

use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use portway_testkit::{
    DEADLINE,
    process::{Command, Process, Signal, free_addr},
    raw::refused_addr,
    within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinHandle,
};

use crate::fixture::Gateway;

/// A server that says its name to everybody, then sends back what it reads, and ends when its
/// client does. `None` says nothing.
struct Named {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Named {
    async fn start(name: Option<&'static str>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    if let Some(name) = name {
                        stream.write_all(name.as_bytes()).await?;
                    }
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await?;
                    to.shutdown().await
                });
            }
        });
        Ok(Self { addr, task })
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.task.abort();
    }
}

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

/// A configuration with a listener `in` of a protocol, a service `up` with these endpoints, and a
/// route `way` between the two. `more` are further lines.
fn way(protocol: &str, endpoints: &[SocketAddr], service: &str, more: &str) -> String {
    let scheme = if protocol == "udp" { "udp" } else { "tcp" };
    let endpoints: Vec<_> =
        endpoints.iter().map(|addr| format!("{{url: \"{scheme}://{addr}\"}}")).collect();
    format!(
        "listeners: [{{name: in, bind: \"127.0.0.1:0\", protocol: {protocol}}}]
services: [{{name: up, endpoints: [{}]{service}}}]
routes: [{{name: way, protocol: {protocol}, target: {{service: up}}}}]
{more}",
        endpoints.join(", ")
    )
}

async fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    within(DEADLINE, "a connection", TcpStream::connect(addr)).await
}

async fn exchange(stream: &mut TcpStream, text: &str) -> io::Result<String> {
    stream.write_all(text.as_bytes()).await?;
    let mut back = vec![0; text.len()];
    within(DEADLINE, "an answer", stream.read_exact(&mut back)).await?;
    Ok(String::from_utf8_lossy(&back).into_owned())
}

/// What comes until the end; a connection that is broken off ends, too.
async fn rest(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut rest = Vec::new();
    let read = async {
        match stream.read_to_end(&mut rest).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(0),
            read => read,
        }
    };
    within(DEADLINE, "the end of a connection", read).await?;
    Ok(rest)
}

async fn ended(gateway: &Gateway, reason: &str, count: f64) -> io::Result<()> {
    let reason = format!("reason=\"{reason}\"");
    let labels = ["route=\"way\"", "service=\"up\"", &reason];
    for _ in 0..500 {
        let found = gateway.metric("portway_stream_connections_total", &labels).await?;
        if (found - count).abs() < 0.5 {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
    panic!("not {count} of {reason}:\n{}", gateway.metrics().await?)
}

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

/// The first message of a TLS client that asks for `name`, as one record.
fn hello(name: Option<&str>) -> Vec<u8> {
    let vector = |width: usize, content: &[u8]| {
        let length = content.len().to_be_bytes();
        [&length[8 - width..], content].concat()
    };
    let extensions = name.map_or_else(Vec::new, |name| {
        let entry = [&[0], vector(2, name.as_bytes()).as_slice()].concat();
        [&[0, 0], vector(2, &vector(2, &entry)).as_slice()].concat()
    });
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend(vector(2, &extensions));
    let message = [&[1], vector(3, &body).as_slice()].concat();
    [&[22, 3, 1], vector(2, &message).as_slice()].concat()
}

/// Two services behind one listener, told apart by name; `more` are further routes.
fn by_name(one: SocketAddr, two: SocketAddr, more: &str) -> String {
    format!(
        "listeners: [{{name: in, bind: \"127.0.0.1:0\", protocol: tls, limits: {{header_read: 300ms}}}}]
services: [{{name: up, url: \"tcp://{one}\"}}, {{name: two, url: \"tcp://{two}\"}}]
routes:
  - {{name: way, protocol: tls, match: {{sni: [one.example]}}, target: {{service: up}}}}
  - {{name: below, protocol: tls, match: {{sni: [\"*.two.example\"]}}, target: {{service: two}}}}
{more}"
    )
}

async fn refused(gateway: &Gateway, reason: &str) -> io::Result<()> {
    let reason = format!("reason=\"{reason}\"");
    let labels = ["listener=\"in\"", &reason];
    for _ in 0..500 {
        if gateway.metric("portway_connections_refused_total", &labels).await? > 0.5 {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
    panic!("no {reason}:\n{}", gateway.metrics().await?)
}

#[tokio::test]
async fn tls_goes_where_its_name_says_and_every_byte_arrives() -> io::Result<()> {
    let (one, two) = (Named::start(Some("one:")).await?, Named::start(Some("two:")).await?);
    let gateway = Gateway::start(&by_name(one.addr, two.addr, "")).await?;
    for (name, who) in [("one.example", "one:"), ("A.Two.Example", "two:")] {
        let mut client = connect(gateway.listener("in")).await?;
        let first = hello(Some(name));
        // In pieces, and with something behind it.
        client.write_all(&first[..7]).await?;
        client.write_all(&first[7..]).await?;
        client.write_all(b"and more").await?;
        client.shutdown().await?;
        let expected = [who.as_bytes(), &first, b"and more"].concat();
        assert_eq!(rest(&mut client).await?, expected, "{name}");
    }
    let records = gateway.records(2).await?;
    // Each core writes its own, so their order is not that of the connections.
    let names: BTreeSet<_> = records.iter().map(|record| record["sni"].as_str()).collect();
    assert_eq!(names, BTreeSet::from([Some("one.example"), Some("a.two.example")]));
    assert!(records.iter().all(|record| record["protocol"] == "tls"));
    Ok(())
}

#[tokio::test]
async fn a_name_that_nobody_has_is_told_so_and_a_client_without_one_may_have_a_route()
-> io::Result<()> {
    let (one, two) = (Named::start(Some("one:")).await?, Named::start(Some("two:")).await?);
    let gateway = Gateway::start(&by_name(one.addr, two.addr, "")).await?;
    for name in [Some("elsewhere.example"), Some("two.example"), None] {
        let mut client = connect(gateway.listener("in")).await?;
        client.write_all(&hello(name)).await?;
        assert_eq!(rest(&mut client).await?, [21, 3, 3, 0, 2, 2, 112], "{name:?}");
    }
    refused(&gateway, "unknown_name").await?;
    let records = gateway.records(3).await?;
    assert!(records.iter().all(|record| record["error"] == "unknown_name"), "{records:?}");
    let names: BTreeSet<_> = records.iter().map(|record| record["sni"].as_str()).collect();
    assert_eq!(names, BTreeSet::from([Some("elsewhere.example"), Some("two.example"), None]));
    let more = "  - {name: rest, protocol: tls, target: {service: two}}";
    gateway.reload(&by_name(one.addr, two.addr, more)).await?;
    for name in [Some("elsewhere.example"), None] {
        let mut client = connect(gateway.listener("in")).await?;
        client.write_all(&hello(name)).await?;
        client.shutdown().await?;
        assert!(rest(&mut client).await?.starts_with(b"two:"), "{name:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_tls_is_closed_at_once_and_half_a_hello_at_the_deadline() -> io::Result<()> {
    let one = Named::start(Some("one:")).await?;
    let gateway = Gateway::start(&by_name(one.addr, one.addr, "")).await?;
    let mut garbage = connect(gateway.listener("in")).await?;
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
    assert_eq!(rest(&mut garbage).await?, b"");
    refused(&gateway, "not_tls").await?;
    let started = Instant::now();
    let mut half = connect(gateway.listener("in")).await?;
    half.write_all(&hello(Some("one.example"))[..20]).await?;
    assert_eq!(rest(&mut half).await?, b"");
    assert!(started.elapsed() >= Duration::from_millis(300), "{:?}", started.elapsed());
    refused(&gateway, "first_bytes_timeout").await?;
    // A look whether somebody is there is nothing to tell of.
    drop(connect(gateway.listener("in")).await?);
    let mut last = connect(gateway.listener("in")).await?;
    last.write_all(&hello(Some("one.example"))).await?;
    last.shutdown().await?;
    rest(&mut last).await?;
    let records = gateway.records(3).await?;
    assert_eq!(records.len(), 3, "{records:?}");
    let errors: BTreeSet<_> = records.iter().map(|record| record["error"].as_str()).collect();
    assert_eq!(errors, BTreeSet::from([Some("not_tls"), Some("first_bytes_timeout"), None]));
    Ok(())
}

#[tokio::test]
async fn a_real_handshake_goes_through_to_the_certificate_behind() -> io::Result<()> {
    let dir = crate::fixture::directory()?;
    let one = OpenSsl::serve(dir.path(), "one.example").await?;
    let two = OpenSsl::serve(dir.path(), "www.two.example").await?;
    let gateway = Gateway::start(&by_name(one.addr, two.addr, "")).await?;
    for name in ["one.example", "www.two.example"] {
        let mut command = Command::new("openssl");
        let addr = gateway.listener("in").to_string();
        command.args(["s_client", "-connect", &addr, "-servername", name, "-verify_quiet"]);
        let client = Process::spawn(&mut command)?;
        let subject = format!("subject=CN = {name}");
        client.wait_for_line(|line| line.contains(&subject)).await?;
    }
    Ok(())
}

/// `openssl s_server` with a certificate for one name.
struct OpenSsl {
    addr: SocketAddr,
    _process: Process,
}

impl OpenSsl {
    async fn serve(dir: &Path, name: &str) -> io::Result<Self> {
        let file = |kind: &str| dir.join(format!("{name}.{kind}")).display().to_string();
        let (key, cert) = (file("key"), file("crt"));
        let mut command = Command::new("openssl");
        let subject = format!("/CN={name}");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        command.args(["-nodes", "-days", "1", "-subj", &subject, "-keyout", &key, "-out", &cert]);
        Process::spawn(&mut command)?.wait_exit(DEADLINE).await?;
        let addr = free_addr()?;
        let mut command = Command::new("openssl");
        let at = addr.to_string();
        command.args(["s_server", "-accept", &at, "-key", &key, "-cert", &cert, "-www"]);
        let process = Process::spawn(&mut command)?;
        process.wait_for_line(|line| line.contains("ACCEPT")).await?;
        Ok(Self { addr, _process: process })
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
    refused(&gateway, "too_many_sessions").await?;
    assert_eq!(ask(&two, b"2").await?, b"2");
    // One has been quiet since, and makes room.
    assert_eq!(ask(&three, b"3").await?, b"3");
    let record = &gateway.records(1).await?[0];
    assert_eq!((&record["error"], &record["bytes_in"]), (&"evicted".into(), &1.into()), "{record}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_work_is_not_started() -> io::Result<()> {
    let gateway = Gateway::start("").await?;
    let listeners = "listeners:
  - {name: web, bind: \"127.0.0.1:0\"}
  - {name: in, bind: \"127.0.0.1:0\", protocol: tcp}
  - {name: pass, bind: \"127.0.0.1:0\", protocol: tls}
services: [{name: up, url: \"tcp://127.0.0.1:9\"}, {name: dns, url: \"udp://127.0.0.1:9\"}]";
    for (route, problem) in [
        ("protocol: udp, listeners: [in], target: {service: dns}", "protocol_mismatch"),
        (
            "protocol: tls, match: {sni: [a.example], path: /a}, target: {service: up}",
            "foreign_match",
        ),
        ("protocol: tcp, target: {service: dns}", "endpoint_mismatch"),
        ("protocol: tcp, target: {reply: {}}", "foreign_target"),
    ] {
        let config = format!("{listeners}\nroutes: [{{name: r, {route}}}]");
        let said = gateway.reload(&config).await.expect_err("it is refused").to_string();
        assert!(said.contains(problem), "{route}: {said}");
    }
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
