//! gRPC as it is used in production: over TLS, and before upstreams that leave a call open.

use std::io;

use portway_testkit::{
    eventually,
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
