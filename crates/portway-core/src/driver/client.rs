//! An exchange with an upstream, driven by whoever waits for the answer.

use http::{Request, Response, StatusCode};
use http_body::Body as _;
use portway_http1::{
    client::{self, Failure},
    error::BodyError,
    head::ResponseHead,
};
use portway_plugin::{Body, Error};
use tokio::task::JoinHandle;

use super::{body::ours, tunnel::UpstreamUpgrade};
use crate::socket::Wire;

pub(crate) use portway_http1::client::{Home, Interim, Options};

/// A connection to an upstream on which one exchange at a time can run.
pub(crate) type Connection = client::Connection<Wire>;

/// An exchange that gave no answer.
pub(crate) type Failed = Failure<Error>;

/// The head of an answer, and how to read the rest.
pub(crate) struct Answer(client::Answer<Wire, Body>);

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
        H: Home<Wire> + Send + Unpin + 'static,
    {
        let (head, download, upload) = self.0.into_parts(home);
        let upload = upload.filter(|_| !download.is_end_stream());
        let upload = upload.map(|upload| Uploading(tokio::spawn(upload)));
        let body = ours(download, broken_answer, upload);
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

fn broken_answer(error: BodyError) -> Error {
    Error::upstream(StatusCode::BAD_GATEWAY, "upstream_reset", "the upstream broke off its answer")
        .because(error)
}
