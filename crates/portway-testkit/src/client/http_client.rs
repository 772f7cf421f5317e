//! A well-behaved client on hyper.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Uri, header};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::Mutex;

use super::Response;
use crate::deadline::{DEADLINE, within};
use crate::wire::{Place, Secured};

/// A client with one connection, made at the first request and again when it was closed.
///
/// HTTP/1.1 sends one request after the other; HTTP/2 sends them side by side.
pub struct Client {
    place: Place,
    protocol: Protocol,
    /// What TLS said about the latest connection.
    secured: std::sync::Mutex<Option<Secured>>,
    deadline: Duration,
    sender: Mutex<Option<Sender>>,
    connections: AtomicU64,
}

#[derive(Clone, Copy)]
enum Protocol {
    /// Unless ALPN agrees on HTTP/2.
    H1,
    /// With the room each stream gives for a body, if it is not the usual one.
    H2(Option<u32>),
}

type AnyBody = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// The near end of a connection. The far end is a task that ends with it.
enum Sender {
    H1(http1::SendRequest<AnyBody>),
    H2(http2::SendRequest<AnyBody>),
}

impl Client {
    /// A client that speaks HTTP/1.1 with keep-alive.
    #[must_use]
    pub fn h1(addr: SocketAddr) -> Self {
        Self::new(Place::Tcp(addr), Protocol::H1)
    }

    /// A client that speaks HTTP/2 in the clear, without asking first.
    #[must_use]
    pub fn h2c(addr: SocketAddr) -> Self {
        Self::new(Place::Tcp(addr), Protocol::H2(None))
    }

    /// The same, but each answer may send only so many bytes of its body before they are read;
    /// with 0 it may never send any.
    #[must_use]
    pub fn h2c_with_window(addr: SocketAddr, window: u32) -> Self {
        Self::new(Place::Tcp(addr), Protocol::H2(Some(window)))
    }

    /// A client that speaks HTTP/1.1 over a Unix domain socket. `Host` is `localhost`.
    #[must_use]
    pub fn unix(path: impl AsRef<Path>) -> Self {
        Self::new(Place::Unix(path.as_ref().to_owned()), Protocol::H1)
    }

    /// A client that speaks HTTP/2 over a Unix domain socket, without asking first.
    #[must_use]
    pub fn unix_h2c(path: impl AsRef<Path>) -> Self {
        Self::new(Place::Unix(path.as_ref().to_owned()), Protocol::H2(None))
    }

    /// A client that speaks over TLS what ALPN agrees on: HTTP/2, or else HTTP/1.1.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn https(addr: SocketAddr, tls: &crate::tls::ClientTls) -> Self {
        Self::new(Place::Tls(addr, tls.clone()), Protocol::H1)
    }

    /// Gives each request this long, in the place of [`DEADLINE`].
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// How many connections were made so far. More than one means that the peer closed one.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// What TLS has agreed on and whom the server says it is, if the latest connection was TLS.
    #[must_use]
    pub fn secured(&self) -> Option<Secured> {
        self.secured.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gets a path and its query.
    pub async fn get(&self, path: &str) -> io::Result<Response> {
        let request = Request::get(path).body(Empty::<Bytes>::new());
        self.request(request.map_err(invalid)?).await
    }

    /// Sends a request and collects the answer.
    ///
    /// The target needs only a path; `Host` is the address if it is not set. The body may be any
    /// [`Body`], such as a `String` or a stream.
    pub async fn request<B>(&self, request: Request<B>) -> io::Result<Response>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let whole = async { Response::collect(self.exchange(request).await?).await };
        within(self.deadline, "whole answer", whole).await
    }

    /// Sends a request and returns at the head of the answer, whose body is still to be read.
    pub async fn open<B>(&self, request: Request<B>) -> io::Result<http::Response<Incoming>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        within(self.deadline, "head of an answer", self.exchange(request)).await
    }

    fn new(place: Place, protocol: Protocol) -> Self {
        let (secured, sender) = (std::sync::Mutex::default(), Mutex::default());
        let connections = AtomicU64::new(0);
        Self { place, protocol, secured, deadline: DEADLINE, sender, connections }
    }

    async fn exchange<B>(&self, request: Request<B>) -> io::Result<http::Response<Incoming>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
        match self.try_send(request).await? {
            Ok(response) => Ok(response),
            // Not a byte of it was sent, so the connection had been closed before: every client
            // goes on with a fresh one.
            Err(mut failed) => match failed.take_message() {
                Some(request) => self.try_send(request).await?.map_err(TrySendError::into_error),
                None => Err(failed.into_error()),
            }
            .map_err(io::Error::other),
        }
    }

    /// One try. The outer error is that no connection could be made.
    async fn try_send(
        &self,
        request: Request<AnyBody>,
    ) -> io::Result<Result<http::Response<Incoming>, TrySendError<Request<AnyBody>>>> {
        let mut slot = self.sender.lock().await;
        let usable = match slot.as_mut() {
            Some(sender) => sender.ready().await,
            None => false,
        };
        if !usable {
            // The old one goes first: a test that counts connections should not see two.
            *slot = None;
            *slot = Some(self.connect().await?);
        }
        let sender = slot.as_mut().expect("it was put there just now, or found usable");
        match sender {
            Sender::H1(sender) => {
                let answer = sender.try_send_request(self.with_host(request)?);
                drop(slot);
                Ok(answer.await)
            }
            Sender::H2(sender) => {
                let answer = sender.try_send_request(self.with_authority(request)?);
                drop(slot);
                Ok(answer.await)
            }
        }
    }

    async fn connect(&self) -> io::Result<Sender> {
        let stream = self.place.connect().await?;
        self.connections.fetch_add(1, Ordering::Relaxed);
        let secured = stream.secured();
        let over_h2 = secured.as_ref().is_some_and(|tls| tls.alpn.as_deref() == Some("h2"));
        *self.secured.lock().unwrap_or_else(PoisonError::into_inner) = secured;
        let io = TokioIo::new(stream);
        // The tasks end when the sender and the last body are dropped; their errors are seen
        // by the requests.
        let protocol = if over_h2 { Protocol::H2(None) } else { self.protocol };
        match protocol {
            Protocol::H1 => {
                let (sender, connection) = http1::handshake(io).await.map_err(io::Error::other)?;
                tokio::spawn(async move {
                    let _ = connection.await;
                });
                Ok(Sender::H1(sender))
            }
            Protocol::H2(window) => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                if window.is_some() {
                    builder.initial_stream_window_size(window);
                }
                let (sender, connection) = builder.handshake(io).await.map_err(io::Error::other)?;
                tokio::spawn(async move {
                    let _ = connection.await;
                });
                Ok(Sender::H2(sender))
            }
        }
    }

    /// A request for HTTP/1.1: with a `Host`.
    fn with_host(&self, mut request: Request<AnyBody>) -> io::Result<Request<AnyBody>> {
        if !request.headers().contains_key(header::HOST) {
            let host = HeaderValue::from_str(&self.place.host()).map_err(invalid)?;
            request.headers_mut().insert(header::HOST, host);
        }
        Ok(request)
    }

    /// A request for HTTP/2: with scheme and authority in its target.
    fn with_authority(&self, mut request: Request<AnyBody>) -> io::Result<Request<AnyBody>> {
        if request.uri().authority().is_none() {
            let host = request.headers_mut().remove(header::HOST);
            let authority = match host {
                Some(host) => Authority::try_from(host.as_bytes()),
                None => Authority::try_from(self.place.host()),
            };
            let secure = self.place.is_secure();
            let mut parts = request.uri().clone().into_parts();
            parts.scheme = Some(if secure { Scheme::HTTPS } else { Scheme::HTTP });
            parts.authority = Some(authority.map_err(invalid)?);
            *request.uri_mut() = Uri::from_parts(parts).map_err(invalid)?;
        }
        Ok(request)
    }
}

impl Sender {
    /// Waits until it can take a request; false when it is closed.
    async fn ready(&mut self) -> bool {
        match self {
            Self::H1(sender) => sender.ready().await.is_ok(),
            Self::H2(sender) => sender.ready().await.is_ok(),
        }
    }
}

fn invalid(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}
