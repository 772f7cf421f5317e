//! Connections and datagrams that are passed on without being understood.

mod tcp;
mod tls;
mod udp;

use std::{io, net::SocketAddr};

use portway_testkit::{DEADLINE, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
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

/// Waits until so many connections or sessions of the route have ended for this reason.
async fn ended(gateway: &Gateway, reason: &str, count: f64) -> io::Result<()> {
    let reason = format!("reason=\"{reason}\"");
    let labels = ["route=\"way\"", "service=\"up\"", &reason];
    counted(gateway, "portway_stream_connections_total", &labels, count).await
}

/// Waits until the listener has refused so many for this reason.
async fn refused(gateway: &Gateway, reason: &str, count: f64) -> io::Result<()> {
    let reason = format!("reason=\"{reason}\"");
    let labels = ["listener=\"in\"", &reason];
    counted(gateway, "portway_connections_refused_total", &labels, count).await
}

async fn counted(gateway: &Gateway, name: &str, labels: &[&str], count: f64) -> io::Result<()> {
    let reached = async {
        while gateway.metric(name, labels).await? < count {}
        Ok(())
    };
    within(DEADLINE, &format!("{count} of {name} {labels:?}"), Box::pin(reached)).await?;
    let last = gateway.metric(name, labels).await?;
    assert!((last - count).abs() < 0.5, "{last} of {name} {labels:?}");
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
