//! The two services behind the gateway, on hyper, as fast as they can be: what they cost is in
//! nobody's favour, and the less it is the more load the gateway can be given.

mod auth;
mod data;
mod token;

use std::{convert::Infallible, io, net::SocketAddr};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

pub use token::issue;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// Says who a token belongs to.
    Auth,
    /// Has the products.
    Data,
}

/// What it answers.
type Answer = Response<Full<Bytes>>;

impl Upstream {
    /// Answers until the process ends, or the future is dropped. Connections are tasks of the
    /// runtime it is polled on.
    ///
    /// # Errors
    /// The listener is broken.
    pub async fn serve(self, listener: TcpListener) -> io::Result<Infallible> {
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            // A connection that fails has nobody to tell: its client sees the close.
            tokio::spawn(async move { drop(self.connection(stream).await) });
        }
    }

    async fn connection(self, stream: TcpStream) -> hyper::Result<()> {
        let answer = |request| self.answer(request);
        http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await
    }

    async fn answer(self, request: Request<Incoming>) -> hyper::Result<Answer> {
        match self {
            Self::Auth => Ok(auth::answer(&request)),
            Self::Data => data::answer(request).await,
        }
    }
}

/// A listener with a queue as long as the tuned gateways have.
///
/// # Errors
/// The address is taken.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

fn json(body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    let kind = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

fn refused(status: StatusCode, error: &'static str) -> Answer {
    let mut answer = json(format!("{{\"error\":\"{error}\"}}"));
    *answer.status_mut() = status;
    answer
}
