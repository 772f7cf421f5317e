//! An exchange with an upstream, driven by whoever waits for the answer.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use portway_http1::{
    client::{self, Download, Failure},
    error::BodyError,
    head::ResponseHead,
};
use portway_plugin::{Body, Error};
use tokio::{net::TcpStream, task::JoinHandle};

use super::tunnel::UpstreamUpgrade;

pub(crate) use portway_http1::client::{Home, Interim, Options};

/// A connection to an upstream on which one exchange at a time can run.
pub(crate) type Connection = client::Connection<TcpStream>;

/// An exchange that gave no answer.
pub(crate) type Failed = Failure<Error>;

/// The head of an answer, and how to read the rest.
pub(crate) struct Answer(client::Answer<TcpStream, Body>);

/// Sends a request and waits for the head of the answer.
pub(crate) async fn exchange(
    connection: Connection,
    request: &mut Request<Body>,
    options: Options<'_>,
) -> Result<Answer, Box<Failed>> {
    connection.exchange(request, options).await.map(Answer)
}

impl Answer {
    pub(crate) fn head(&self) -> &ResponseHead {
        &self.0.head
    }

    /// Whether the answer came before the request was sent to its end.
    pub(crate) fn is_early(&self) -> bool {
        self.0.is_early()
    }

    /// The answer with its body, which gives the connection to `home` when it has been read.
    pub(crate) fn into_response<H>(self, home: H) -> Response<Body>
    where
        H: Home<TcpStream> + Send + Unpin + 'static,
    {
        let (head, download, upload) = self.0.into_parts(home);
        let body = if download.is_end_stream() {
            Body::empty()
        } else {
            let upload = upload.map(|upload| Uploading(tokio::spawn(upload)));
            Body::stream(UpstreamBody { download, _upload: upload })
        };
        let mut response = Response::new(body);
        *response.status_mut() = head.status;
        *response.version_mut() = head.version;
        *response.headers_mut() = head.headers;
        if let Some(spelling) = head.spelling {
            response.extensions_mut().insert(spelling);
        }
        response
    }

    /// The socket behind a 101, with what was read beyond the head.
    pub(crate) fn into_upgrade(self) -> Option<UpstreamUpgrade> {
        self.0.into_upgraded().map(|(socket, read)| UpstreamUpgrade { socket, read })
    }
}

/// An upload that goes on behind the answer's head, and ends with the answer.
struct Uploading(JoinHandle<()>);

impl Drop for Uploading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The body of an answer.
struct UpstreamBody<H> {
    download: Download<TcpStream, H>,
    _upload: Option<Uploading>,
}

impl<H: Home<TcpStream> + Unpin> HttpBody for UpstreamBody<H> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.download).poll_frame(cx).map_err(broken_answer)
    }

    fn is_end_stream(&self) -> bool {
        self.download.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.download.size_hint()
    }
}

fn broken_answer(error: BodyError) -> Error {
    Error::upstream(StatusCode::BAD_GATEWAY, "upstream_reset", "the upstream broke off its answer")
        .because(error)
}
