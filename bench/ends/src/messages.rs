//! Messages of WebSocket: on each connection one under way, 64 bytes long, masked with a fixed key,
//! so that every message is the same bytes and nothing is computed while the programs are measured.

use std::io;
use std::time::Instant;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Order;
use crate::tally::Tally;

/// What is in a message.
const PAYLOAD: [u8; 64] = [b'x'; 64];
/// The last frame of a binary message (RFC 6455 section 5.2).
pub(crate) const BINARY: u8 = 0x82;
/// Set in the second byte of what clients send.
pub(crate) const MASKED: u8 = 0x80;
const KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
/// Any 16 bytes, in base64.
const NONCE: &str = "c2l4dGVlbiBieXRlcyBpdA==";
/// More than a head has.
const ROOM: usize = 4 * 1024;

/// Opens the connections, then sends messages for as long as ordered.
pub(crate) async fn send(order: Order) -> io::Result<Value> {
    let mut open = Vec::new();
    for _ in 0..order.lanes {
        open.push(handshake(&order).await?);
    }
    let (sent, echoed) = frames();
    let start = Instant::now();
    let mut lanes = JoinSet::new();
    for stream in open {
        lanes.spawn(lane(stream, order.clone(), sent.clone(), echoed.clone(), start));
    }
    let mut all = Tally::default();
    while let Some(lane) = lanes.join_next().await {
        all.add(lane.map_err(io::Error::other)?);
    }
    all.report(start.elapsed())
}

async fn lane(
    mut stream: TcpStream,
    order: Order,
    sent: Vec<u8>,
    echoed: Vec<u8>,
    start: Instant,
) -> Tally {
    let mut tally = Tally::default();
    let mut room = vec![0; echoed.len()];
    loop {
        let begin = Instant::now();
        match exchange(&mut stream, &sent, &mut room).await {
            Ok(()) if room == echoed => tally.answered(begin.elapsed(), PAYLOAD.len()),
            Ok(()) => tally.failed(&io::Error::other("another message came back")),
            Err(error) => tally.failed(&error),
        }
        if tally.errors > 0 || start.elapsed() >= order.length {
            return tally;
        }
    }
}

async fn exchange(stream: &mut TcpStream, sent: &[u8], room: &mut [u8]) -> io::Result<()> {
    stream.write_all(sent).await?;
    stream.read_exact(room).await.map(drop)
}

/// A connection that has become a WebSocket.
async fn handshake(order: &Order) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(order.to).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {NONCE}\r\n\r\n",
        order.path, order.to
    );
    stream.write_all(request.as_bytes()).await?;
    let head = head(&mut stream).await?;
    if !head.starts_with("HTTP/1.1 101 ") {
        let line = head.lines().next().unwrap_or_default();
        return Err(io::Error::other(format!("the handshake was answered with '{line}'")));
    }
    Ok(stream)
}

/// Reads the head of a message. No frame follows it yet: both ends of a WebSocket wait here.
pub(crate) async fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut room = [0; ROOM];
    let mut filled = 0;
    while !room[..filled].windows(4).any(|window| window == b"\r\n\r\n") {
        let read = stream.read(&mut room[filled..]).await?;
        if read == 0 {
            return Err(io::Error::other("the connection was closed within the handshake"));
        }
        filled += read;
    }
    Ok(String::from_utf8_lossy(&room[..filled]).into_owned())
}

/// What is sent, and what comes back.
fn frames() -> (Vec<u8>, Vec<u8>) {
    let length = u8::try_from(PAYLOAD.len()).expect("a short message");
    let masked = PAYLOAD.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key);
    let mut sent = vec![BINARY, MASKED | length];
    sent.extend(KEY);
    sent.extend(masked);
    let mut echoed = vec![BINARY, length];
    echoed.extend(PAYLOAD);
    (sent, echoed)
}
