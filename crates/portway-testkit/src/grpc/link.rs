//! One HTTP/2 connection that carries calls, and looks at the answers as closely as gRPC allows.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http::{HeaderValue, StatusCode, header};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, StdError};

/// The near end of the connection.
#[derive(Clone)]
pub(super) struct Link {
    sender: http2::SendRequest<Body>,
}

/// The far end: the tasks of the connection and of what is sent on it. They end on drop, and the
/// connection with them.
pub(super) struct Tasks(Spawner);

/// Spawns what hyper asks for. Left to themselves, its tasks keep the connection open for as long
/// as a call has something to send, whether or not the client is still there.
#[derive(Clone, Default)]
struct Spawner(Arc<Mutex<JoinSet<()>>>);

impl Link {
    /// Begins HTTP/2 on a connection.
    pub(super) async fn over<S>(stream: S) -> io::Result<(Self, Tasks)>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let tasks = Tasks(Spawner::default());
        let handshake = http2::handshake(tasks.0.clone(), TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(io::Error::other)?;
        // Its error is seen by the calls.
        tasks.0.spawn(async move {
            let _ = connection.await;
        });
        Ok((Self { sender }, tasks))
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.lock().abort_all();
    }
}

impl Spawner {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.lock();
        // What has ended is let go of.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(future);
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> Executor<F> for Spawner
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        self.spawn(async move {
            future.await;
        });
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
