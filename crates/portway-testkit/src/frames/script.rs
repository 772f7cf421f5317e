//! Scripts for what upstreams of HTTP/2 do, to hand to
//! [`RawUpstream::start`](crate::RawUpstream::start).

use std::future::Future;
use std::io;
use std::pin::Pin;

use super::{Frame, FrameConnection, code, fields, kind, response, setting};
use crate::raw::RawConnection;

/// What a script that takes arguments returns: a script.
type Run = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// Answers `count` requests of each connection with `200`; to the next it says `GOAWAY`, whose
/// last stream is the last one it answered, and closes. The next request was not acted upon, and
/// whoever sent it may send it again elsewhere.
pub fn goes_away_after(count: usize) -> impl Fn(RawConnection) -> Run + Send + Sync + 'static {
    move |connection| {
        Box::pin(async move {
            let mut connection = begin(connection, &[]).await?;
            let mut last = 0;
            for _ in 0..count {
                let Some(stream) = connection.request().await? else { return Ok(()) };
                answer(&mut connection, stream).await?;
                last = stream;
            }
            if connection.request().await?.is_none() {
                return Ok(());
            }
            connection.send(&Frame::goaway(last, code::NO_ERROR)).await?;
            // The client closes when it has read that.
            while connection.next().await?.is_some() {}
            Ok(())
        })
    }
}

/// Refuses the first `count` requests of each connection with `REFUSED_STREAM`, which says that
/// they were not looked at, and answers those after them with `200`.
pub fn refuses(count: usize) -> impl Fn(RawConnection) -> Run + Send + Sync + 'static {
    move |connection| {
        Box::pin(async move {
            let mut connection = begin(connection, &[]).await?;
            let mut seen = 0;
            while let Some(stream) = connection.request().await? {
                seen += 1;
                if seen > count {
                    answer(&mut connection, stream).await?;
                } else {
                    connection.send(&Frame::rst_stream(stream, code::REFUSED_STREAM)).await?;
                }
            }
            Ok(())
        })
    }
}

/// Answers each request with a head and five of ten announced bytes, and resets the stream with
/// this code.
pub fn resets_mid_body(code: u32) -> impl Fn(RawConnection) -> Run + Send + Sync + 'static {
    move |connection| {
        Box::pin(async move {
            let mut connection = begin(connection, &[]).await?;
            while let Some(stream) = connection.request().await? {
                let head = Frame::headers(stream, response(200, &[("content-length", "10")]));
                let reset = Frame::rst_stream(stream, code);
                connection.send_all(&[head, Frame::data(stream, "hello"), reset]).await?;
            }
            Ok(())
        })
    }
}

/// Announces room for one stream at a time and answers each request with `200`, but only after a
/// round trip, in which a client that does not listen would send the next one. That one ends the
/// script with an error.
pub async fn one_at_a_time(connection: RawConnection) -> io::Result<()> {
    let settings = [(setting::MAX_CONCURRENT_STREAMS, 1)];
    let mut connection = begin(connection, &settings).await?;
    // Only a client that has read the settings is bound by them: what it sent before is answered.
    connection.round_trip().await?;
    let mut early = connection.waiting(kind::HEADERS);
    while let Some(stream) = connection.request().await? {
        connection.round_trip().await?;
        early = early.saturating_sub(1);
        if connection.waiting(kind::HEADERS) > early {
            connection.send(&Frame::goaway(stream, code::PROTOCOL_ERROR)).await?;
            return Err(io::Error::other("a second stream was opened where only one may be"));
        }
        answer(&mut connection, stream).await?;
    }
    Ok(())
}

/// Answers each request with `103` and a `Link`, and then with `200`.
pub async fn hints_first(connection: RawConnection) -> io::Result<()> {
    let mut connection = begin(connection, &[]).await?;
    while let Some(stream) = connection.request().await? {
        let hints = response(103, &[("link", "</style.css>; rel=preload")]);
        connection.send(&Frame::headers(stream, hints)).await?;
        answer(&mut connection, stream).await?;
    }
    Ok(())
}

/// Answers each request with `200`, a body, and trailers: `x-sum` is `42`.
pub async fn ends_with_trailers(connection: RawConnection) -> io::Result<()> {
    let mut connection = begin(connection, &[]).await?;
    while let Some(stream) = connection.request().await? {
        let head = Frame::headers(stream, response(200, &[("trailer", "x-sum")]));
        let trailers = Frame::headers(stream, fields(&[("x-sum", "42")])).end();
        connection.send_all(&[head, Frame::data(stream, "ok"), trailers]).await?;
    }
    Ok(())
}

/// Reads the preface and says our settings.
async fn begin(connection: RawConnection, settings: &[(u16, u32)]) -> io::Result<FrameConnection> {
    let mut connection = FrameConnection::accept(connection).await?;
    connection.send(&Frame::settings(settings)).await?;
    Ok(connection)
}

/// Answers with `200` and two bytes.
async fn answer(connection: &mut FrameConnection, stream: u32) -> io::Result<()> {
    let head = Frame::headers(stream, response(200, &[("content-length", "2")]));
    connection.send_all(&[head, Frame::data(stream, "ok").end()]).await
}
