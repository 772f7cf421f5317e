//! The client: a connection and the methods of the service.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::Uri;
use http::uri::PathAndQuery;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tonic::client::Grpc;
use tonic::{IntoRequest, IntoStreamingRequest, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use super::link::{Link, Tasks};
use super::messages::{
    Empty, SimpleRequest, SimpleResponse, StreamingInputCallRequest, StreamingInputCallResponse,
    StreamingOutputCallRequest, StreamingOutputCallResponse,
};
use super::service;
use crate::deadline::{DEADLINE, within};

/// A client of `grpc.testing.TestService` with one connection, which is never made again.
///
/// An answer that is not one of gRPC, such as a plain 502, is an error with [`tonic::Code::Internal`]:
/// nothing is read into it. When the client is dropped, its connection is closed and the
/// calls on it end.
pub struct InteropClient {
    grpc: Grpc<Link>,
    deadline: Duration,
    /// The far end of [`Link`].
    _connection: Tasks,
}

impl InteropClient {
    /// Connects, and speaks HTTP/2 in the clear. The authority of each call is the address.
    pub async fn h2c(addr: SocketAddr) -> io::Result<Self> {
        let stream = within(DEADLINE, "connection", TcpStream::connect(addr)).await?;
        stream.set_nodelay(true)?;
        Self::over(stream, &format!("http://{addr}")).await
    }

    /// Connects over TLS and speaks HTTP/2, which the server has to agree to.
    #[cfg(feature = "tls")]
    pub async fn https(addr: SocketAddr, tls: &crate::tls::ClientTls) -> io::Result<Self> {
        let tls = tls.clone().alpn(&["h2"]);
        let origin = format!("https://{}", tls.host(addr));
        let connecting = async {
            let stream = TcpStream::connect(addr).await?;
            stream.set_nodelay(true)?;
            tls.connect(stream, addr).await
        };
        let stream = within(DEADLINE, "connection over TLS", connecting).await?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(io::Error::other("the server did not agree to HTTP/2"));
        }
        Box::pin(Self::over(stream, &origin)).await
    }

    /// Speaks HTTP/2 over a connection that exists, such as one of TLS with `h2` agreed on.
    ///
    /// `origin` is a URL without a path; each call has its scheme and authority.
    pub async fn over<S>(stream: S, origin: &str) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let origin = origin
            .parse::<Uri>()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let (link, tasks) = within(DEADLINE, "start of HTTP/2", Link::over(stream)).await?;
        let grpc = Grpc::with_origin(link, origin);
        Ok(Self { grpc, deadline: DEADLINE, _connection: tasks })
    }

    /// Gives each [case](fn@super::cases) this long, in the place of [`DEADLINE`].
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Sends nothing and gets nothing.
    pub async fn empty_call(
        &self,
        request: impl IntoRequest<Empty>,
    ) -> Result<Response<Empty>, Status> {
        self.unary(service::EMPTY_CALL, request).await
    }

    /// Sends one message and gets one.
    pub async fn unary_call(
        &self,
        request: impl IntoRequest<SimpleRequest>,
    ) -> Result<Response<SimpleResponse>, Status> {
        self.unary(service::UNARY_CALL, request).await
    }

    /// Sends one message and gets as many as it asks for.
    pub async fn streaming_output_call(
        &self,
        request: impl IntoRequest<StreamingOutputCallRequest>,
    ) -> Result<Response<Streaming<StreamingOutputCallResponse>>, Status> {
        let path = PathAndQuery::from_static(service::STREAMING_OUTPUT_CALL);
        let mut grpc = self.ready().await?;
        grpc.server_streaming(request.into_request(), path, ProstCodec::default()).await
    }

    /// Sends messages and gets the sum of their lengths.
    pub async fn streaming_input_call(
        &self,
        requests: impl IntoStreamingRequest<Message = StreamingInputCallRequest>,
    ) -> Result<Response<StreamingInputCallResponse>, Status> {
        let path = PathAndQuery::from_static(service::STREAMING_INPUT_CALL);
        let mut grpc = self.ready().await?;
        grpc.client_streaming(requests.into_streaming_request(), path, ProstCodec::default()).await
    }

    /// Sends messages and gets, while it goes on sending, as many as they ask for.
    pub async fn full_duplex_call(
        &self,
        requests: impl IntoStreamingRequest<Message = StreamingOutputCallRequest>,
    ) -> Result<Response<Streaming<StreamingOutputCallResponse>>, Status> {
        let path = PathAndQuery::from_static(service::FULL_DUPLEX_CALL);
        let mut grpc = self.ready().await?;
        grpc.streaming(requests.into_streaming_request(), path, ProstCodec::default()).await
    }

    /// Calls any method that takes one message and answers one, such as `/package.Service/Method`.
    pub async fn unary<Q, A>(
        &self,
        path: &'static str,
        request: impl IntoRequest<Q>,
    ) -> Result<Response<A>, Status>
    where
        Q: prost::Message + 'static,
        A: prost::Message + Default + 'static,
    {
        let path = PathAndQuery::from_static(path);
        let mut grpc = self.ready().await?;
        grpc.unary(request.into_request(), path, ProstCodec::default()).await
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// A handle for one call.
    async fn ready(&self) -> Result<Grpc<Link>, Status> {
        let mut grpc = self.grpc.clone();
        grpc.ready().await.map_err(Status::from_error)?;
        Ok(grpc)
    }
}
