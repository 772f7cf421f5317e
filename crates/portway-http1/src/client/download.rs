//! The body of an answer.

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf};

use super::Connection;
use crate::{
    body::{Decoded, Decoder},
    error::BodyError,
    transport::Inbox,
};

/// Where a connection goes when its exchange is over and it is clean.
pub trait Home<Io> {
    /// Takes the connection back.
    fn give_back(self, connection: Connection<Io>);
}

/// What an answer is read from. `C` is a connection, with or without a home.
#[derive(Debug)]
pub(super) enum Source<C, Io> {
    /// All of a connection.
    Whole(C),
    /// A connection that takes no further request.
    Last(Connection<Io>),
    /// The reading side; an upload has the other.
    Half(ReadHalf<Io>, Box<Inbox>),
    /// All of it was read, or there will be no more.
    Over,
}

/// The body of an answer. It gives its connection back in the poll that yields the last byte,
/// since servers drop a body without polling it to the end; any other end closes it.
pub struct Download<Io, H> {
    source: Source<(Connection<Io>, H), Io>,
    decoder: Decoder,
}

impl<Io, H> Download<Io, H>
where
    Io: AsyncRead + AsyncWrite + Unpin,
    H: Home<Io>,
{
    pub(super) fn new(source: Source<(Connection<Io>, H), Io>, decoder: Decoder) -> Self {
        let mut download = Self { source, decoder };
        if download.decoder.is_done() {
            download.settle();
        }
        download
    }

    /// The body is over: gives the connection back if it is clean, else closes it.
    fn settle(&mut self) {
        if let Source::Whole((connection, home)) = mem::replace(&mut self.source, Source::Over)
            && connection.is_clean()
        {
            home.give_back(connection);
        }
    }

    fn poll_decoded(&mut self, cx: &mut Context<'_>) -> Poll<Result<Decoded, BodyError>> {
        let Self { source, decoder } = self;
        loop {
            let inbox = match source {
                Source::Whole((connection, _)) | Source::Last(connection) => connection.inbox(),
                Source::Half(_, inbox) => inbox,
                Source::Over => return Poll::Ready(Ok(Decoded::End)),
            };
            let decoded = decoder.decode(&mut inbox.bytes, inbox.eof)?;
            if let Decoded::Data(_) = decoded {
                decoder.settle(&mut inbox.bytes)?;
            }
            let Decoded::More = decoded else { return Poll::Ready(Ok(decoded)) };
            let filled = match source {
                Source::Whole((connection, _)) | Source::Last(connection) => {
                    connection.poll_fill(cx)
                }
                Source::Half(io, inbox) => inbox.poll_fill(io, cx),
                Source::Over => return Poll::Ready(Ok(Decoded::End)),
            };
            ready!(filled).map_err(BodyError::Io)?;
        }
    }
}

impl<Io, H> Body for Download<Io, H>
where
    Io: AsyncRead + AsyncWrite + Unpin,
    H: Home<Io> + Unpin,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let decoded = ready!(this.poll_decoded(cx));
        if this.decoder.is_done() {
            this.settle();
        }
        Poll::Ready(match decoded {
            Ok(Decoded::Data(data)) => Some(Ok(Frame::data(data))),
            Ok(Decoded::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Ok(Decoded::End | Decoded::More) => None,
            Err(error) => {
                this.source = Source::Over;
                Some(Err(error))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.decoder.is_done()
    }

    fn size_hint(&self) -> SizeHint {
        self.decoder.left().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl<Io, H> fmt::Debug for Download<Io, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Download")
    }
}
