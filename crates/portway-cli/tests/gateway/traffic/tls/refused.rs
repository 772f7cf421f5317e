//! What comes to a listener with TLS and is none, or never becomes any.

use std::io;

use portway_testkit::{Client, RawClient};

use super::{GET, Issuer, REPLY, openssl_saying, secure};
use crate::fixture::Gateway;

/// The beginning of a record that holds a `ClientHello` of 512 bytes (RFC 8446 section 5.1).
const HALF_HELLO: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 1, 2, 3, 4];

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_given_up() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let tls = format!("certificates: [{pair}], handshake_timeout: 1s");
    let gateway = Gateway::start(&secure(&tls, REPLY)).await?;
    let mut silent = RawClient::connect(gateway.addr()).await?;
    let mut half = RawClient::connect(gateway.addr()).await?;
    half.send(HALF_HELLO).await?;
    let dripping = async {
        let mut client = RawClient::connect(gateway.addr()).await?;
        let mut every = tokio::time::interval(std::time::Duration::from_millis(100));
        for byte in HALF_HELLO.iter().chain(&[0; 500]) {
            every.tick().await;
            if client.send([*byte]).await.is_err() {
                break;
            }
            let mut open = std::pin::pin!(client.read_some());
            let next = std::time::Duration::from_millis(1);
            if let Ok(end) = tokio::time::timeout(next, &mut open).await {
                // A byte that was on its way when it was closed makes a reset of the end.
                assert!(end.unwrap_or_default().is_empty(), "it is closed without a word");
                return io::Result::Ok(());
            }
        }
        Ok(())
    };
    let (silent, half, dripping) =
        tokio::join!(silent.expect_closed(), half.expect_closed(), dripping);
    silent?;
    half?;
    dripping?;
    gateway.refuses("handshake_timeout", 3).await?;
    let client = Client::https(gateway.addr(), &issuer.client("a.example"));
    assert_eq!(client.get("/").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn there_is_an_end_to_the_handshakes_under_way() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let tls = format!("certificates: [{pair}], max_handshakes: 2");
    // On one core they are taken on in the order in which they came.
    let gateway = Gateway::start_with(&secure(&tls, REPLY), &["--cores", "1"]).await?;
    let tls = issuer.client("a.example");
    let mut pending = Vec::new();
    for _ in 0..2 {
        let mut client = RawClient::connect(gateway.addr()).await?;
        client.send(HALF_HELLO).await?;
        pending.push(client);
    }
    let mut third = RawClient::connect(gateway.addr()).await?;
    third.expect_closed().await?;
    gateway.refuses("too_many_handshakes", 1).await?;
    // As soon as one of them has left there is room again.
    drop(pending.pop());
    let asking = async {
        while RawClient::connect_tls(gateway.addr(), &tls).await.is_err() {
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    portway_testkit::within(portway_testkit::DEADLINE, "room for a handshake", asking).await
}

#[tokio::test]
async fn what_is_not_tls_is_closed_and_counted() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let gateway = Gateway::start(&secure(&format!("certificates: [{pair}]"), REPLY)).await?;
    let oversized = [&[0x16, 3, 1, 0xff, 0xff][..], &[0; 64]].concat();
    let wrong_type = [&[0x17, 3, 3, 0, 16][..], &[0; 16]].concat();
    let all = [
        GET.as_bytes(),
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
        &oversized,
    ];
    for sent in all {
        let mut client = RawClient::connect(gateway.addr()).await?;
        client.send(sent).await?;
        // An alert may come first, and nothing else.
        let alert = client.read_to_end().await.unwrap_or_default();
        assert!(alert.is_empty() || (alert[0] == 0x15 && alert.len() == 7), "{sent:?}: {alert:?}");
    }
    gateway.refuses("not_tls", all.len()).await?;
    let mut client = RawClient::connect(gateway.addr()).await?;
    client.send(wrong_type).await?;
    let alert = client.read_to_end().await.unwrap_or_default();
    assert!(alert.is_empty() || (alert[0] == 0x15 && alert.len() == 7), "{alert:?}");
    // Somebody who looks whether the port is open is nobody's failure.
    drop(RawClient::connect(gateway.addr()).await?);
    let client = Client::https(gateway.addr(), &issuer.client("a.example"));
    assert_eq!(client.get("/").await?.status, 200);
    let total = gateway.metric("portway_connections_refused_total", &["\"web\""]).await?;
    assert_eq!(total, all.len() as f64 + 1.0);
    Ok(())
}

#[tokio::test]
async fn tls_on_a_plain_listener_is_a_bad_request() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let listener = "{name: web, bind: \"127.0.0.1:0\", limits: {header_read: 1s}}";
    let gateway = Gateway::start(&format!("listeners: [{listener}]\n{REPLY}")).await?;
    RawClient::connect_tls(gateway.addr(), &issuer.client("a.example"))
        .await
        .err()
        .expect("no TLS");
    let mut client = RawClient::connect(gateway.addr()).await?;
    client.send(HALF_HELLO).await?;
    let closed = client.read_to_end().await;
    let said = closed?;
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 4"), "{said:?}");
    assert_eq!(gateway.client().get("/").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn renegotiation_is_refused() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let tls = format!("certificates: [{pair}]}}, limits: {{idle: 1s, header_read: 1s");
    let gateway = Gateway::start(&secure(&tls, REPLY)).await?;
    let said = openssl_saying(gateway.addr(), &["-tls1_2"], "R\n").await?;
    assert!(said.contains("\nRENEGOTIATING\n") && said.contains(":error:"), "{said}");
    let client = Client::https(gateway.addr(), &issuer.client("a.example"));
    assert_eq!(client.get("/").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn handshakes_under_way_end_with_the_gateway() -> io::Result<()> {
    let issuer = Issuer::new()?;
    let pair = issuer.pair(&["a.example"])?;
    let gateway = Gateway::start(&secure(&format!("certificates: [{pair}]"), REPLY)).await?;
    let mut half = RawClient::connect(gateway.addr()).await?;
    half.send(HALF_HELLO).await?;
    let open = ["listener=\"web\""];
    while gateway.metric("portway_connections_accepted_total", &open).await? < 1.0 {}
    assert!(gateway.stop().await?.success());
    half.expect_closed().await?;
    Ok(())
}
