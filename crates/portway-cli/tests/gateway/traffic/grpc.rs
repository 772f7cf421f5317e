//! gRPC as it is used in production: over TLS, and before upstreams that leave a call open.

use std::io;

use portway_testkit::{
    Client, RawConnection, RawUpstream, eventually,
    frames::{Frame, FrameConnection, fields, response},
    grpc::{self, Interop, InteropClient},
    tls::{Authority, ClientTls},
};

use crate::fixture::{Gateway, directory};

/// A listener `web` that ends TLS for `shop.example`, before the h2c upstream at an address.
fn secure(authority: &Authority, dir: &tempfile::TempDir, upstream: &str) -> io::Result<String> {
    let shown = authority.issue(&["shop.example"])?.write(dir.path())?;
    Ok(format!(
        "listeners: [{{name: web, bind: '127.0.0.1:0', tls: {{certificates: \
         [{{cert: '{}', key: '{}'}}]}}}}]\n\
         services: [{{name: grpc, url: 'h2c://{upstream}', routes: [{{name: all}}]}}]",
        shown.cert.display(),
        shown.key.display()
    ))
}

#[tokio::test]
async fn every_case_passes_over_tls() -> io::Result<()> {
    let (authority, dir) = (Authority::new()?, directory()?);
    let server = Interop::start().await?;
    let config = secure(&authority, &dir, &server.addr().to_string())?;
    let gateway = Gateway::start(&config).await?;
    let tls = ClientTls::trusting(&authority).server_name("shop.example");
    let client = InteropClient::https(gateway.addr(), &tls).await?;
    Box::pin(grpc::run_all(&client)).await.map_err(io::Error::other)?;
    eventually("no call is left", || server.open_calls() == 0).await
}

/// How an upstream ends its calls.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// With the head.
    Head,
    /// With the last message.
    Message,
    /// With trailers that say something else.
    Trailers,
    /// As it should, with the head alone.
    Told,
}

async fn ends(connection: RawConnection, how: Ending) -> io::Result<()> {
    let mut connection = FrameConnection::accept(connection).await?;
    connection.send(&Frame::settings(&[])).await?;
    while let Some(stream) = connection.request().await? {
        let grpc = ("content-type", "application/grpc");
        let head = Frame::headers(stream, response(200, &[grpc]));
        let message = Frame::data(stream, &b"\0\0\0\0\0"[..]);
        let frames = match how {
            Ending::Head => vec![head.end()],
            Ending::Message => vec![head, message.end()],
            Ending::Trailers => {
                let trailers = Frame::headers(stream, fields(&[("x-sum", "42")])).end();
                vec![head, message, trailers]
            }
            Ending::Told => {
                let block = response(200, &[grpc, ("grpc-status", "5")]);
                vec![Frame::headers(stream, block).end()]
            }
        };
        connection.send_all(&frames).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_call_whose_end_nobody_tells_is_told_as_unknown() -> io::Result<()> {
    for (how, length) in [(Ending::Head, 0), (Ending::Message, 5), (Ending::Trailers, 5)] {
        let upstream = RawUpstream::start(move |connection| ends(connection, how)).await?;
        let answer = call(&upstream).await?;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, length), "{how:?}");
        assert_eq!(answer.trailers["grpc-status"], "2", "{how:?}");
        assert_eq!(answer.trailers.contains_key("x-sum"), matches!(how, Ending::Trailers));
    }
    let upstream = RawUpstream::start(|connection| ends(connection, Ending::Told)).await?;
    let answer = call(&upstream).await?;
    assert_eq!(answer.headers["grpc-status"], "5");
    assert!(answer.trailers.is_empty(), "{answer:?}");
    Ok(())
}

/// Calls the upstream through a gateway of its own.
async fn call(upstream: &RawUpstream) -> io::Result<portway_testkit::client::Response> {
    let gateway = Gateway::start(&format!(
        "services: [{{name: grpc, url: 'h2c://{}', routes: [{{name: all}}]}}]",
        upstream.addr()
    ))
    .await?;
    let request = http::Request::post("/a.B/C").header("content-type", "application/grpc");
    let request = request.header("te", "trailers").body("\0\0\0\0\0".to_owned());
    Box::pin(Client::h2c(gateway.addr()).request(request.map_err(io::Error::other)?)).await
}
