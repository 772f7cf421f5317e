//! TLS by the name the client asks for.

use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use portway_testkit::{
    DEADLINE,
    process::{Command, Process, free_addr},
};
use tokio::io::AsyncWriteExt;

use super::{Named, connect, refused, rest};
use crate::fixture::Gateway;

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
    refused(&gateway, "unknown_name", 3.0).await?;
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
    refused(&gateway, "not_tls", 1.0).await?;
    let started = Instant::now();
    let mut half = connect(gateway.listener("in")).await?;
    half.write_all(&hello(Some("one.example"))[..20]).await?;
    assert_eq!(rest(&mut half).await?, b"");
    assert!(started.elapsed() >= Duration::from_millis(300), "{:?}", started.elapsed());
    refused(&gateway, "first_bytes_timeout", 1.0).await?;
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
