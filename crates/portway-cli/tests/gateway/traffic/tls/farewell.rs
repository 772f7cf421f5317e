//! TLS says goodbye (`close_notify`, RFC 8446 section 6.1): without it a client cannot tell an end
//! from an attack.

use std::io;

use portway_testkit::{RawClient, frames::FrameConnection};

use super::{GET, Issuer, REPLY};
use crate::fixture::Gateway;

/// A listener whose connections end when nothing has come for a moment.
async fn impatient(issuer: &Issuer) -> io::Result<Gateway> {
    let pair = issuer.pair(&["a.example"])?;
    let limits = "limits: {idle: 200ms, header_read: 400ms}";
    let listener = format!("name: web, bind: \"127.0.0.1:0\", {limits}");
    Gateway::start(&format!(
        "listeners: [{{{listener}, tls: {{certificates: [{pair}]}}}}]\n{REPLY}"
    ))
    .await
}

#[tokio::test]
async fn a_connection_that_times_out_is_told_so() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let gateway = impatient(&issuer).await?;
    let http1 = issuer.client("a.example").alpn(&["http/1.1"]);
    // One that was served, and is idle.
    let mut served = RawClient::connect_tls(gateway.addr(), &http1).await?;
    assert_eq!(served.exchange(GET).await?.status, 200);
    assert!(served.read_to_end().await?.is_empty());
    // One that never says anything: without a farewell, this read fails.
    let mut silent = RawClient::connect_tls(gateway.addr(), &http1).await?;
    assert!(silent.read_to_end().await?.is_empty());
    // One that stops in the middle of a head.
    let mut half = RawClient::connect_tls(gateway.addr(), &http1).await?;
    half.send("GET / HT").await?;
    let told = half.read_to_end().await?;
    assert!(told.starts_with(b"HTTP/1.1 408 "), "{told:?}");
    Ok(())
}

#[tokio::test]
async fn a_connection_of_http2_that_times_out_is_told_so() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let gateway = impatient(&issuer).await?;
    let http2 = issuer.client("a.example").alpn(&["h2"]);
    let idle = RawClient::connect_tls(gateway.addr(), &http2).await?;
    let mut idle = FrameConnection::over(idle);
    idle.open(&[]).await?;
    // Every frame, and then an end that is one.
    while idle.next().await?.is_some() {}
    let mut silent = RawClient::connect_tls(gateway.addr(), &http2).await?;
    silent.read_to_end().await?;
    Ok(())
}
