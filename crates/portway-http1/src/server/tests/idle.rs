//! What a connection costs that does nothing.

use std::{future, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
    time::{Instant, sleep},
};

use super::{Calls, Client, Options, tell, text};
use crate::server::{Connection, End};

#[tokio::test(start_paused = true)]
async fn a_connection_is_small() {
    let (_here, there) = duplex(64);
    let connection = Connection::new(there, BytesMut::new(), Options::default());
    let service = Calls(|_| async { text("small") });
    let size = size_of_val(&connection.serve(service, future::pending()));
    assert!(size <= 2048, "{size}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_holds_no_buffers() {
    let (mut here, there) = duplex(1 << 20);
    let connection = Connection::new(there, BytesMut::new(), Options::default());
    let link = std::sync::Arc::clone(&connection.link);
    let serving = tokio::spawn(connection.serve(Calls(tell), future::pending()));
    let body = "x".repeat(100_000);
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
    here.write_all((head + &body).as_bytes()).await.unwrap();
    let mut heard = vec![0; 100_000];
    here.read_exact(&mut heard).await.unwrap();
    assert!(link.lock().inbox.bytes.capacity() > 0, "a busy one is spared the effort");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(link.lock().inbox.bytes.capacity(), 0);
    drop(here);
    assert_eq!(serving.await.unwrap(), End::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_in_time() {
    let options = Options::default();
    let mut client = Client::open(options, 4096, |_| tell);
    assert_eq!(client.end().await, (End::Closed, options.head_time.unwrap()));

    let mut client = Client::open(options, 4096, |_| tell);
    for _ in 0..2 {
        client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        client.hear().await;
        sleep(options.idle.unwrap() / 2).await;
    }
    let begun = Instant::now();
    assert_eq!(client.end().await.0, End::Closed);
    assert_eq!(begun.elapsed(), options.idle.unwrap() / 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_limits_stays() {
    let options = Options { idle: None, head_time: None, ..Options::default() };
    let mut client = Client::open(options, 4096, |_| tell);
    for _ in 0..3 {
        sleep(Duration::from_secs(10_000)).await;
        client.say("GET / HTTP/1.1\r\nhost: a\r\n").await;
        sleep(Duration::from_secs(10_000)).await;
        client.say("\r\n").await;
        assert_eq!(client.hear().await.body, "/ ");
    }
}
