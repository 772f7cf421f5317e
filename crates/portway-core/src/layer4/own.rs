//! Copies bytes both ways between a client and a stream that the program has dialled.
//!
//! It is read and written as any stream is, without the short ways that sockets have. Nothing is
//! buffered but one piece in each direction.

use std::{io, sync::atomic::Ordering::Relaxed, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    task::coop::consume_budget,
};

use super::{
    both_ways::{Broken, Passed, copy, write_all},
    idle::Movement,
};
use crate::{
    socket::{Own, Stream},
    telemetry::metrics::StreamEnd,
};

/// The longest piece.
const PIECE: usize = 16 * 1024;

/// The same as [`both_ways`](super::both_ways::both_ways) for sockets.
pub(super) async fn both_ways(
    client: &Stream,
    upstream: &mut Own,
    first: Vec<u8>,
    passed: &Passed,
    idle: Option<Duration>,
) -> StreamEnd {
    let movement = Movement::default();
    let (reader, writer) = split(upstream);
    let up = up(client, writer, first, passed, &movement);
    let down = down(reader, client, passed, &movement);
    tokio::select! {
        biased;
        end = copy(up, down) => end,
        () = client.broken() => StreamEnd::ClientReset,
        () = movement.ceased(idle) => StreamEnd::Idle,
    }
}

async fn up(
    client: &Stream,
    mut upstream: WriteHalf<&mut Own>,
    first: Vec<u8>,
    passed: &Passed,
    movement: &Movement,
) -> Result<(), Broken> {
    let mut piece = first;
    loop {
        if !piece.is_empty() {
            upstream.write_all(&piece).await.map_err(|_| Broken::Writing)?;
            upstream.flush().await.map_err(|_| Broken::Writing)?;
            movement.note();
        }
        consume_budget().await;
        piece.resize(PIECE, 0);
        let read = read(client, &mut piece).await.map_err(|_| Broken::Reading)?;
        if read == 0 {
            return upstream.shutdown().await.map_err(|_| Broken::Writing);
        }
        piece.truncate(read);
        passed.from_client.fetch_add(read as u64, Relaxed);
        movement.note();
    }
}

async fn down(
    mut upstream: ReadHalf<&mut Own>,
    client: &Stream,
    passed: &Passed,
    movement: &Movement,
) -> Result<(), Broken> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = upstream.read(&mut piece).await;
        let read = read.map_err(|_| {
            // What came so far is not the whole.
            client.break_off();
            Broken::Reading
        })?;
        if read == 0 {
            client.close_writing();
            return Ok(());
        }
        passed.to_client.fetch_add(read as u64, Relaxed);
        movement.note();
        write_all(client, &piece[..read], movement).await.map_err(|_| Broken::Writing)?;
        consume_budget().await;
    }
}

async fn read(client: &Stream, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        client.readable().await?;
        match client.try_read(piece) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
}
