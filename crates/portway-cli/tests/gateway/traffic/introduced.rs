//! Upstreams that are told who the client is by a PROXY protocol header (`proxy_protocol` of a
//! service).

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
};

use bytes::Bytes;
use portway_testkit::{
    Client, RawClient, RawConnection, RawUpstream, eventually,
    frames::{Frame, FrameConnection, request},
};

use crate::fixture::{Gateway, service};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Takes the header off what a connection has brought: who the client is, where it came to, and
/// what is behind.
fn introduced(version: &str, received: &Bytes) -> io::Result<(SocketAddr, SocketAddr, Bytes)> {
    let wrong = || io::Error::other(format!("no header of {version}: {received:?}"));
    if version == "v1" {
        let end = received.windows(2).position(|it| it == b"\r\n").ok_or_else(wrong)?;
        let line = std::str::from_utf8(&received[..end]).map_err(io::Error::other)?;
        let words: Vec<&str> = line.split(' ').collect();
        let ["PROXY", "TCP4", from, to, from_port, to_port] = words[..] else {
            return Err(wrong());
        };
        let parse = |ip: &str, port: &str| format!("{ip}:{port}").parse().map_err(io::Error::other);
        return Ok((parse(from, from_port)?, parse(to, to_port)?, received.slice(end + 2..)));
    }
    let header = received.strip_prefix(SIGNATURE).ok_or_else(wrong)?;
    // A connection that was made for somebody, over TCP and IPv4.
    let Some((&[0x21, 0x11, high, low], rest)) = header.split_first_chunk::<4>() else {
        return Err(wrong());
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let (&[a, b, c, d, e, f, g, h, p, q, r, s], _) =
        rest.split_first_chunk::<12>().ok_or_else(wrong)?;
    let address = |ip: [u8; 4], port: [u8; 2]| {
        SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::from(ip), u16::from_be_bytes(port)))
    };
    let behind = received.slice(SIGNATURE.len() + 4 + length..);
    Ok((address([a, b, c, d], [p, q]), address([e, f, g, h], [r, s]), behind))
}

/// Reads the header and answers every request behind it.
async fn answers(version: &'static str, mut connection: RawConnection) -> io::Result<()> {
    match version {
        "v1" => while connection.read_exact(1).await? != "\n" {},
        _ => drop(connection.read_exact(SIGNATURE.len() + 4 + 12).await?),
    }
    loop {
        connection.read_request().await?;
        connection.write(OK).await?;
    }
}

#[tokio::test]
async fn an_upstream_of_http_learns_the_address_of_each_client() -> io::Result<()> {
    for version in ["v1", "v2"] {
        let upstream = RawUpstream::start(move |connection| answers(version, connection)).await?;
        let keys = format!("proxy_protocol: {version},");
        let gateway = Gateway::start(&service(&upstream.url(), &keys)).await?;
        let mut clients = Vec::new();
        for _ in 0..3 {
            let mut raw = gateway.raw().await?;
            // The second request comes from the same client, and yet it may be another's next.
            for _ in 0..2 {
                let answer = raw.exchange("GET /own HTTP/1.1\r\nHost: a\r\n\r\n").await?;
                assert_eq!(answer.status, 200, "{version}");
                clients.push(raw.local_addr()?);
            }
        }
        let received = upstream.received();
        assert_eq!(received.len(), clients.len(), "{version}: one connection for one client");
        for (client, received) in clients.iter().zip(&received) {
            let (from, to, behind) = introduced(version, received)?;
            assert_eq!((from, to), (*client, gateway.addr()), "{version}");
            assert!(behind.starts_with(b"GET /own HTTP/1.1\r\n"), "{version}: {behind:?}");
        }
    }
    Ok(())
}

/// Streams of one connection are one client's; those of two are not.
#[tokio::test]
async fn an_upstream_of_http_learns_the_address_of_clients_of_http2() -> io::Result<()> {
    for version in ["v1", "v2"] {
        let upstream = RawUpstream::start(move |connection| answers(version, connection)).await?;
        let keys = format!("proxy_protocol: {version},");
        let gateway = Gateway::start(&service(&upstream.url(), &keys)).await?;
        let mut clients = Vec::new();
        for _ in 0..2 {
            let raw = RawClient::connect(gateway.addr()).await?;
            clients.push(raw.local_addr()?);
            let mut client = FrameConnection::over(raw);
            client.open(&[]).await?;
            client.send(&Frame::headers(1, request("GET", "http://a/own", &[])).end()).await?;
            assert_eq!(client.answer(1).await?.statuses, [200], "{version}");
        }
        for (client, received) in clients.iter().zip(&upstream.received()) {
            let (from, _, behind) = introduced(version, received)?;
            assert_eq!(from, *client, "{version}");
            assert!(behind.starts_with(b"GET /own HTTP/1.1\r\n"), "{version}: {behind:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_upstream_of_tcp_learns_the_address_before_the_first_byte() -> io::Result<()> {
    for version in ["v1", "v2"] {
        let upstream = RawUpstream::start(portway_testkit::raw::script::never_answers).await?;
        let gateway = Gateway::start(&format!(
            "listeners: [{{name: in, bind: '127.0.0.1:0', protocol: tcp}}]
services: [{{name: up, url: 'tcp://{}', proxy_protocol: {version}}}]
routes: [{{name: way, protocol: tcp, target: {{service: up}}}}]",
            upstream.addr()
        ))
        .await?;
        for number in 0..2 {
            // The upstream learns it from a client that says nothing, too.
            let mut client = RawClient::connect(gateway.listener("in")).await?;
            let here = client.local_addr()?;
            let is_introduced = || {
                let received = upstream.received();
                received.get(number).is_some_and(|it| introduced(version, it).is_ok())
            };
            eventually("the client is introduced", is_introduced).await?;
            client.send("PROXY TCP4 192.0.2.1 192.0.2.1 1 1\r\nhello").await?;
            eventually("the bytes have come", || upstream.count_of("hello") > number).await?;
            let (from, to, behind) = introduced(version, &upstream.received()[number])?;
            assert_eq!((from, to), (here, gateway.listener("in")), "{version}");
            // What the client says of itself is nothing but bytes.
            assert_eq!(behind, "PROXY TCP4 192.0.2.1 192.0.2.1 1 1\r\nhello", "{version}");
        }
    }
    Ok(())
}

/// Without the setting nothing is added, whatever the client pretends.
#[tokio::test]
async fn nobody_is_introduced_who_is_not_to_be() -> io::Result<()> {
    let upstream = RawUpstream::start(portway_testkit::raw::script::always(OK)).await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    assert_eq!(Client::h1(gateway.addr()).get("/").await?.status, 200);
    assert_eq!(upstream.count_of("PROXY"), 0);
    let forged = "PROXY TCP4 192.0.2.1 192.0.2.1 1 1\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(gateway.raw().await?.exchange(forged).await?.status, 400);
    assert_eq!(upstream.count_of("192.0.2.1"), 0);
    Ok(())
}
