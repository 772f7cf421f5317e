//! Scripts for the common faults, to hand to [`RawUpstream::start`](super::RawUpstream::start).
//!
//! They expect requests that arrive whole; each reads one to its end before it does its harm.

use std::future::Future;
use std::io;
use std::pin::Pin;

use bytes::Bytes;

use super::RawConnection;

/// What a script that takes arguments returns: a script.
type Run = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// Answers each request on a connection with the same bytes, whatever they are.
pub fn always(answer: impl Into<Bytes>) -> impl Fn(RawConnection) -> Run + Send + Sync + 'static {
    let answer = answer.into();
    move |mut connection| {
        let answer = answer.clone();
        Box::pin(async move {
            loop {
                connection.read_request().await?;
                connection.write(&answer).await?;
            }
        })
    }
}

/// Answers one request with `200`, as if to keep the connection, and closes it at once.
pub async fn answers_then_closes(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    connection.write(OK).await?;
    connection.close()
}

/// Answers one request with `200`, and closes when it has read the next one: the stale
/// connection of which nobody can say whether the request was acted upon.
pub async fn answers_then_closes_on_reuse(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    connection.write(OK).await?;
    connection.read_request().await?;
    connection.close()
}

/// Reads all that comes and never answers.
pub async fn never_answers(mut connection: RawConnection) -> io::Result<()> {
    while !connection.read_some().await?.is_empty() {}
    connection.close()
}

/// Reads one request and closes without a word.
pub async fn closes_without_answer(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    connection.close()
}

/// Reads one request and resets without a word.
pub async fn resets_without_answer(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    connection.reset()
}

/// Answers a head that announces ten bytes, and nothing more.
pub async fn stalls_after_head(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    connection.write(TEN_BYTES).await?;
    while !connection.read_some().await?.is_empty() {}
    connection.close()
}

/// Answers five of ten announced bytes, then FIN.
pub async fn half_body_then_fin(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    connection.write([TEN_BYTES, b"hello"].concat()).await?;
    connection.close()
}

/// Answers five of ten announced bytes, then RST.
pub async fn half_body_then_reset(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    connection.write([TEN_BYTES, b"hello"].concat()).await?;
    connection.reset()
}

/// Answers one chunk of a chunked body, then FIN without the last chunk.
pub async fn half_chunks_then_fin(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    connection.write(ONE_CHUNK).await?;
    connection.close()
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const TEN_BYTES: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
const ONE_CHUNK: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
