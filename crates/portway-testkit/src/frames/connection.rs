//! A connection that is written and read frame by frame.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};

use super::{Frame, PREFACE, code, flag, kind, status};
use crate::client::RawClient;
use crate::deadline::{DEADLINE, within};
use crate::raw::RawConnection;

/// One connection of HTTP/2, frame by frame, from either side of it.
///
/// It sends nothing that it was not told to send, but for the answers that
/// [`next`](Self::next) gives to `SETTINGS` and `PING`. Every wait ends after
/// [`DEADLINE`].
pub struct FrameConnection {
    end: End,
    buffer: BytesMut,
    /// Frames that came while others were waited for.
    passed: VecDeque<Frame>,
}

/// Which side of the connection it is.
enum End {
    Client(RawClient),
    Upstream(RawConnection),
}

/// How a stream was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamAnswer {
    /// The statuses in the order in which they came: interim ones, then the final one.
    pub statuses: Vec<u16>,
    /// The body, as far as it came.
    pub body: Bytes,
    /// The code with which the peer reset the stream, if it did.
    pub reset: Option<u32>,
    /// Whether fields came after the body.
    pub trailers: bool,
}

impl FrameConnection {
    /// Opens a connection over TCP and sends nothing on it.
    pub async fn connect(addr: SocketAddr) -> io::Result<Self> {
        Ok(Self::over(RawClient::connect(addr).await?))
    }

    /// Speaks over a connection that is there already: one over TLS, for example, whose client
    /// has offered `h2`.
    #[must_use]
    pub fn over(client: RawClient) -> Self {
        Self::new(End::Client(client))
    }

    /// The side of the server: reads the preface, and nothing more.
    pub async fn accept(connection: RawConnection) -> io::Result<Self> {
        let mut accepted = Self::new(End::Upstream(connection));
        while accepted.buffer.len() < PREFACE.len() {
            if !accepted.fill().await? {
                return Err(ended("before its preface"));
            }
        }
        if accepted.buffer.split_to(PREFACE.len()) != PREFACE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not the preface of HTTP/2"));
        }
        Ok(accepted)
    }

    /// Begins a connection as a client: the preface and `SETTINGS`. Reads nothing yet.
    pub async fn open(&mut self, settings: &[(u16, u32)]) -> io::Result<()> {
        self.send_bytes([PREFACE, &Frame::settings(settings).encode()].concat()).await
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: &Frame) -> io::Result<()> {
        self.send_bytes(frame.encode()).await
    }

    /// Sends these frames in one write.
    pub async fn send_all(&mut self, frames: &[Frame]) -> io::Result<()> {
        self.send_bytes(frames.iter().flat_map(Frame::encode).collect::<Vec<u8>>()).await
    }

    /// Sends bytes, which need not be frames.
    pub async fn send_bytes(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        match &mut self.end {
            End::Client(client) => client.send(bytes).await,
            End::Upstream(connection) => connection.write(bytes).await,
        }
    }

    /// Reads the next frame, whatever it is, and answers nothing; `None` at the peer's FIN.
    pub async fn read(&mut self) -> io::Result<Option<Frame>> {
        if let Some(frame) = self.passed.pop_front() {
            return Ok(Some(frame));
        }
        loop {
            if let Some(frame) = Frame::take(&mut self.buffer) {
                return Ok(Some(frame));
            }
            if !self.fill().await? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(ended("in a frame")) };
            }
        }
    }

    /// Reads the next frame that needs a decision: `SETTINGS` and `PING` are answered on the
    /// way, answers to ours and `WINDOW_UPDATE` passed over. `None` at the peer's FIN.
    pub async fn next(&mut self) -> io::Result<Option<Frame>> {
        while let Some(frame) = self.read().await? {
            match frame.kind {
                kind::WINDOW_UPDATE => {}
                kind::SETTINGS | kind::PING if frame.has(flag::ACK) => {}
                kind::SETTINGS => self.send(&Frame::settings_ack()).await?,
                kind::PING => self.send(&frame.with(flag::ACK)).await?,
                _ => return Ok(Some(frame)),
            }
        }
        Ok(None)
    }

    /// Reads until a frame of this type comes; what came before it is forgotten. That the
    /// connection ends before is an error.
    pub async fn wait_for(&mut self, kind: u8) -> io::Result<Frame> {
        within(DEADLINE, &format!("frame of type {kind}"), async {
            loop {
                match self.read().await? {
                    Some(frame) if frame.kind == kind => return Ok(frame),
                    Some(_) => {}
                    None => return Err(ended(&format!("before a frame of type {kind}"))),
                }
            }
        })
        .await
    }

    /// Waits for a round trip: everything sent so far was read by the peer, and what it had to
    /// say to it was said. Frames that come meanwhile are kept for [`read`](Self::read).
    pub async fn round_trip(&mut self) -> io::Result<()> {
        const OCTETS: [u8; 8] = *b"roundtri";
        self.send(&Frame::ping(OCTETS)).await?;
        within(DEADLINE, "answer to a ping", async {
            let mut seen = VecDeque::new();
            while let Some(frame) = self.read().await? {
                if frame.kind == kind::PING && frame.has(flag::ACK) && frame.payload[..] == OCTETS {
                    self.passed = seen;
                    return Ok(());
                }
                seen.push_back(frame);
            }
            Err(ended("before the answer to a ping"))
        })
        .await
    }

    /// Reads the answer on a stream to its end. Frames of other streams are passed over; room
    /// for the body is given back as it comes.
    pub async fn answer(&mut self, stream: u32) -> io::Result<StreamAnswer> {
        within(DEADLINE, &format!("answer on stream {stream}"), async {
            let mut answer = StreamAnswer::default();
            let mut body = Vec::new();
            while let Some(frame) = self.next().await? {
                if frame.kind == kind::GOAWAY && frame.last_stream() < Some(stream) {
                    return Err(io::Error::other(format!("the stream is not answered: {frame:?}")));
                }
                if frame.stream != stream {
                    continue;
                }
                match frame.kind {
                    kind::HEADERS => match status(&frame.payload) {
                        Some(status) => answer.statuses.push(status),
                        None => answer.trailers = true,
                    },
                    kind::DATA => {
                        body.extend_from_slice(&frame.payload);
                        self.give_room(&frame).await?;
                    }
                    kind::RST_STREAM => answer.reset = frame.error_code(),
                    _ => {}
                }
                if frame.is_end() || answer.reset.is_some() {
                    answer.body = body.into();
                    return Ok(answer);
                }
            }
            Err(ended(&format!("before the end of stream {stream}")))
        })
        .await
    }

    /// Reads until the peer ends the connection, and returns the code of its `GOAWAY`; `None`
    /// if it ended without one. A reset is an end like any other.
    pub async fn wait_for_end(&mut self) -> io::Result<Option<u32>> {
        let mut said = None;
        within(DEADLINE, "end of the connection", async {
            loop {
                match self.read().await {
                    Ok(Some(frame)) if frame.kind == kind::GOAWAY => {
                        // The first may be a farewell without haste, the last says what it was.
                        said = frame.error_code();
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok(said),
                    Err(error) => match error.kind() {
                        io::ErrorKind::ConnectionReset
                        | io::ErrorKind::BrokenPipe
                        | io::ErrorKind::UnexpectedEof => return Ok(said),
                        _ => return Err(error),
                    },
                }
            }
        })
        .await
    }

    /// Reads as a server until a request has ended, and returns its stream; `None` at the
    /// client's FIN. What is in the request is passed over.
    pub async fn request(&mut self) -> io::Result<Option<u32>> {
        while let Some(frame) = self.next().await? {
            if frame.kind == kind::DATA {
                self.give_room(&frame).await?;
            }
            if frame.is_end() {
                return Ok(Some(frame.stream));
            }
        }
        Ok(None)
    }

    /// How many frames of this type came during round trips and were not read yet.
    #[must_use]
    pub fn waiting(&self, kind: u8) -> usize {
        self.passed.iter().filter(|frame| frame.kind == kind).count()
    }

    /// Says `GOAWAY` without an error, and closes.
    pub async fn close(mut self) -> io::Result<()> {
        // A peer that is gone needs no farewell.
        let _ = self.send(&Frame::goaway(0, code::NO_ERROR)).await;
        match self.end {
            End::Client(client) => client.close(),
            End::Upstream(connection) => connection.close()?,
        }
        Ok(())
    }

    /// Closes the TCP connection with a RST.
    pub fn reset(self) -> io::Result<()> {
        match self.end {
            End::Client(client) => client.reset(),
            End::Upstream(connection) => connection.reset(),
        }
    }

    fn new(end: End) -> Self {
        Self { end, buffer: BytesMut::new(), passed: VecDeque::new() }
    }

    /// Gives the room that a frame of `DATA` took back to its stream and to the connection.
    async fn give_room(&mut self, data: &Frame) -> io::Result<()> {
        let Some(length @ 1..) = u32::try_from(data.payload.len()).ok() else { return Ok(()) };
        let connection = Frame::window_update(0, length);
        if data.is_end() {
            return self.send(&connection).await;
        }
        self.send_all(&[connection, Frame::window_update(data.stream, length)]).await
    }

    /// Reads once; false at the end.
    async fn fill(&mut self) -> io::Result<bool> {
        let bytes = match &mut self.end {
            End::Client(client) => client.read_some().await?,
            End::Upstream(connection) => connection.read_some().await?,
        };
        self.buffer.extend_from_slice(&bytes);
        Ok(!bytes.is_empty())
    }
}

fn ended(how: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the connection was closed {how}"))
}
