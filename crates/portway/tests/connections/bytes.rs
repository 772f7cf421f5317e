//! Bytes that are passed on over what the program has dialled.

use std::io;

use portway::{Builder, connect::Dial};
use portway_testkit::{RawClient, raw::refused_addr};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::fixture::{at, serve};

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_passed_on_over_it_until_both_sides_have_closed() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = upstream.local_addr().unwrap();
    let connect = move |dial: Dial| async move {
        assert!(dial.alpn().is_empty());
        Ok(TcpStream::connect(addr).await?.into())
    };
    let document = "listeners: [{name: raw, bind: '127.0.0.1:0', protocol: tcp}]\n\
         services: [{name: db, url: 'tcp://db.invalid:5432'}]\n\
         routes: [{name: db, protocol: tcp, listeners: [raw], target: {service: db}}]\n";
    let server = serve(Builder::new().connect(connect), document).await;
    let mut client = RawClient::connect(at(&server, "raw")).await.unwrap();
    let (mut stream, _) = upstream.accept().await.unwrap();
    client.send("ping").await.unwrap();
    let mut read = [0; 4];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"ping");
    client.half_close().await.unwrap();
    assert_eq!(stream.read(&mut read).await.unwrap(), 0, "the end is passed on");
    // More than is buffered anywhere.
    let long = vec![b'x'; 3 << 20];
    let (written, got) = tokio::join!(
        async {
            stream.write_all(&long).await?;
            stream.shutdown().await
        },
        client.read_to_end()
    );
    written.unwrap();
    assert_eq!(got.unwrap().len(), long.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_nobody_can_dial_is_closed() {
    let nobody = refused_addr().unwrap();
    let addr = nobody.addr();
    let connect = move |_: Dial| async move { Ok(TcpStream::connect(addr).await?.into()) };
    let document = "listeners: [{name: raw, bind: '127.0.0.1:0', protocol: tcp}]\n\
         services: [{name: db, url: 'tcp://db.invalid:5432'}]\n\
         routes: [{name: db, protocol: tcp, listeners: [raw], target: {service: db}}]\n";
    let server = serve(Builder::new().connect(connect), document).await;
    // It is broken off, perhaps before the client takes note of having connected.
    let closed = match RawClient::connect(at(&server, "raw")).await {
        Ok(mut client) => client.expect_closed().await.is_ok(),
        Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
    };
    assert!(closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_no_longer_pass_are_broken_off() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = upstream.local_addr().unwrap();
    let connect = move |_: Dial| async move { Ok(TcpStream::connect(addr).await?.into()) };
    let document = "listeners: [{name: raw, bind: '127.0.0.1:0', protocol: tcp}]\n\
         services: [{name: db, url: 'tcp://db.invalid:5432', timeouts: {idle: 50ms}}]\n\
         routes: [{name: db, protocol: tcp, listeners: [raw], target: {service: db}}]\n";
    let server = serve(Builder::new().connect(connect), document).await;
    let mut client = RawClient::connect(at(&server, "raw")).await.unwrap();
    let (mut stream, _) = upstream.accept().await.unwrap();
    client.expect_closed().await.unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}
