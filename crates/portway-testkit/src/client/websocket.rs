//! A WebSocket client, on a connection of its own or on a stream of HTTP/2.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue, Request, header};
use http_body_util::Empty;
use hyper::ext::Protocol;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{self, Error};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::Client;
use crate::deadline::{DEADLINE, within};
use crate::wire::Place;

/// One WebSocket. Pings from the peer are answered whenever something is received.
pub struct WebSocket {
    stream: WebSocketStream<Box<dyn Wire>>,
    headers: HeaderMap,
    deadline: Duration,
}

/// A connection of its own, or a stream of HTTP/2.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What comes over a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Bytes),
    /// A ping, already answered.
    Ping(Bytes),
    /// The answer to a ping.
    Pong(Bytes),
    /// The peer closes, with this code if it gave one.
    Close(Option<u16>),
}

impl WebSocket {
    /// Opens a WebSocket at a path; `Host` is the address.
    pub async fn connect(addr: SocketAddr, path: &str) -> io::Result<Self> {
        Self::open(addr, &addr.to_string(), path, &HeaderMap::new()).await
    }

    /// Opens a WebSocket at an address, for a host, with more headers.
    ///
    /// An answer that is not 101 is an error of the kind
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) which shows the status.
    pub async fn open(
        addr: SocketAddr,
        host: &str,
        path: &str,
        headers: &HeaderMap,
    ) -> io::Result<Self> {
        Self::open_at(Place::Tcp(addr), host, path, headers).await
    }

    /// Opens a WebSocket over TLS (`wss`) at a path; `Host` is the server name. HTTP/2 must not
    /// be among the protocols offered.
    #[cfg(feature = "tls")]
    pub async fn connect_tls(
        addr: SocketAddr,
        tls: &crate::tls::ClientTls,
        path: &str,
    ) -> io::Result<Self> {
        let place = Place::Tls(addr, tls.clone());
        let host = place.host();
        Self::open_at(place, &host, path, &HeaderMap::new()).await
    }

    /// Opens a WebSocket on a stream of HTTP/2 (RFC 8441), over the connection of a client that
    /// speaks it. An answer other than 200 is an error that shows the status.
    pub async fn open_on_stream(client: &Client, path: &str) -> io::Result<Self> {
        let request = Request::connect(path)
            .extension(Protocol::from_static("websocket"))
            .header(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
            .body(Empty::<Bytes>::new())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let response = client.open(request).await?;
        if response.status() != 200 {
            return Err(refused(response.status()));
        }
        let headers = response.headers().clone();
        let upgraded = hyper::upgrade::on(response).await.map_err(io::Error::other)?;
        let wire: Box<dyn Wire> = Box::new(TokioIo::new(upgraded));
        let stream = WebSocketStream::from_raw_socket(wire, Role::Client, None).await;
        Ok(Self { stream, headers, deadline: DEADLINE })
    }

    async fn open_at(
        place: Place,
        host: &str,
        path: &str,
        headers: &HeaderMap,
    ) -> io::Result<Self> {
        let request = format!("ws://{host}{path}").into_client_request().map_err(error)?;
        let (mut head, ()) = request.into_parts();
        head.headers.extend(headers.clone());
        let request = Request::from_parts(head, ());
        let (stream, response) = within(DEADLINE, "WebSocket handshake", async {
            let stream: Box<dyn Wire> = Box::new(place.connect().await?);
            client_async(request, stream).await.map_err(error)
        })
        .await?;
        Ok(Self { stream, headers: response.into_parts().0.headers, deadline: DEADLINE })
    }

    /// Gives each operation this long, in the place of [`DEADLINE`].
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The headers of the answer to the handshake.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Sends a text message.
    pub async fn send_text(&mut self, text: &str) -> io::Result<()> {
        self.send(tungstenite::Message::text(text)).await
    }

    /// Sends a binary message.
    pub async fn send_binary(&mut self, bytes: impl Into<Bytes>) -> io::Result<()> {
        self.send(tungstenite::Message::binary(bytes)).await
    }

    /// Sends a ping, whose answer is to be received.
    pub async fn send_ping(&mut self, bytes: impl Into<Bytes>) -> io::Result<()> {
        self.send(tungstenite::Message::Ping(bytes.into())).await
    }

    /// Receives the next message; `None` when the connection has ended after a close.
    pub async fn receive(&mut self) -> io::Result<Option<Message>> {
        let next = async { self.stream.next().await.transpose().map_err(error) };
        let message = within(self.deadline, "WebSocket message", next).await?;
        Ok(message.map(|message| match message {
            tungstenite::Message::Text(text) => Message::Text(text.as_str().to_owned()),
            tungstenite::Message::Binary(bytes) => Message::Binary(bytes),
            tungstenite::Message::Ping(bytes) => Message::Ping(bytes),
            tungstenite::Message::Pong(bytes) => Message::Pong(bytes),
            tungstenite::Message::Close(frame) => Message::Close(frame.map(|f| f.code.into())),
            tungstenite::Message::Frame(_) => unreachable!("frames are never returned by a read"),
        }))
    }

    /// Sends a text and returns the text that comes back. Anything else is an error.
    pub async fn exchange(&mut self, text: &str) -> io::Result<String> {
        self.send_text(text).await?;
        match self.receive().await? {
            Some(Message::Text(text)) => Ok(text),
            other => {
                let text = format!("expected a text message, got {other:?}");
                Err(io::Error::new(io::ErrorKind::InvalidData, text))
            }
        }
    }

    /// Closes in order: sends a close, and waits until the peer has closed too.
    pub async fn close(mut self) -> io::Result<()> {
        let closed = async {
            self.stream.close(None).await.map_err(error)?;
            while let Some(message) = self.stream.next().await {
                message.map_err(error)?;
            }
            Ok(())
        };
        within(self.deadline, "close of the WebSocket", closed).await
    }

    async fn send(&mut self, message: tungstenite::Message) -> io::Result<()> {
        let sent = async { self.stream.send(message).await.map_err(error) };
        within(self.deadline, "room for a WebSocket message", sent).await
    }
}

fn error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::Http(response) => refused(response.status()),
        other => io::Error::other(other),
    }
}

fn refused(status: http::StatusCode) -> io::Error {
    let text = format!("the WebSocket was refused: {status}");
    io::Error::new(io::ErrorKind::ConnectionRefused, text)
}
