//! One HTTP/2 connection that carries calls, and looks at the answers as closely as gRPC allows.

use std::io;
use std::task::{Context, Poll};

use http::{HeaderValue, StatusCode, header};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, StdError};

use crate::task::Task;

/// The near end of the connection.
#[derive(Clone)]
pub(super) struct Link {
    sender: http2::SendRequest<Body>,
}

impl Link {
    /// Begins HTTP/2 on a connection. It ends with the task.
    pub(super) async fn over<S>(stream: S) -> io::Result<(Self, Task)>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(io::Error::other)?;
        // Its error is seen by the calls.
        let task = Task::spawn(async move {
            let _ = connection.await;
        });
        Ok((Self { sender }, task))
    }
}

impl Service<http::Request<Body>> for Link {
    type Response = http::Response<Incoming>;
    type Error = StdError;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StdError>> {
        self.sender.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answer = self.sender.send_request(request);
        Box::pin(async move {
            let response = answer.await?;
            match not_grpc(&response) {
                Some(status) => Err(status.into()),
                None => Ok(response),
            }
        })
    }
}

/// What keeps an answer from being one of gRPC's.
///
/// A client in production makes the best of such an answer, and reads UNIMPLEMENTED into a 404.
/// Here that would hide a gateway that does not know how to fail a call.
fn not_grpc(response: &http::Response<Incoming>) -> Option<Status> {
    let status = response.status();
    if status != StatusCode::OK {
        return Some(Status::internal(format!(
            "an answer of HTTP in the place of gRPC's: {status}"
        )));
    }
    let media_type = response.headers().get(header::CONTENT_TYPE);
    let text = media_type.map_or(&b""[..], HeaderValue::as_bytes);
    (!matches!(text, b"application/grpc" | b"application/grpc+proto"))
        .then(|| Status::internal(format!("an answer with the content type {media_type:?}")))
}
