//! An exchange with an upstream, driven by whoever waits for the answer.

use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body as _;
use portway_http1::{
    client::{self, Failure, Reason},
    error::BodyError,
};
use portway_plugin::{Body, Error};
use tokio::task::JoinHandle;

use super::{body::ours, http2, tunnel::UpstreamUpgrade};
use crate::socket::Wire;

pub(crate) use portway_http1::client::{Home, Interim, Options};

/// A connection to an upstream on which one exchange at a time can run.
pub(crate) type Connection = client::Connection<Wire>;

/// An exchange that gave no answer.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Error,
    pub(crate) again: Again,
}

/// Whether a request that gave no answer may be sent again. It is whole unless `Never` is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Nobody can have seen it, and its connection is gone.
    Always,
    /// It was refused unseen. Nothing is wrong with its connection.
    Refused,
    /// Somebody may have, on a connection that turned out to be closed.
    IfRepeatable,
    Never,
}

/// The head of an answer, and how to read the rest. `H` is where an HTTP/1.1 connection returns
/// to.
pub(crate) enum Answer<H> {
    Http1(client::Answer<Wire, Body>, H),
    Http2(Box<http2::Answer>),
}

/// Sends a request and waits for the head of the answer.
pub(crate) async fn exchange<H>(
    connection: Connection,
    home: H,
    request: &mut Request<Body>,
    options: Options<'_>,
) -> Result<Answer<H>, Box<Failed>> {
    match connection.exchange(request, options).await {
        Ok(answer) => Ok(Answer::Http1(answer, home)),
        Err(failure) => Err(Box::new(Failed::from(*failure))),
    }
}

impl<H: Home<Wire> + Send + Unpin + 'static> Answer<H> {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Http1(answer, _) => answer.head.status,
            Self::Http2(answer) => answer.status(),
        }
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        match self {
            Self::Http1(answer, _) => &answer.head.headers,
            Self::Http2(answer) => answer.headers(),
        }
    }

    /// Whether the answer came before the request was sent to its end.
    pub(crate) fn is_early(&self) -> bool {
        match self {
            Self::Http1(answer, _) => answer.is_early(),
            Self::Http2(answer) => answer.is_early(),
        }
    }

    /// The answer with its body, which gives a connection back when it has been read.
    pub(crate) fn into_response(self) -> Response<Body> {
        let (answer, home) = match self {
            Self::Http1(answer, home) => (answer, home),
            Self::Http2(answer) => return answer.into_response(),
        };
        let (head, download, upload) = answer.into_parts(home);
        let upload = upload.filter(|_| !download.is_end_stream());
        let upload = upload.map(|upload| Uploading(tokio::spawn(upload)));
        let body = ours(download, |error: BodyError| broken_answer(error), upload);
        let mut response = Response::new(body);
        *response.status_mut() = head.status;
        *response.version_mut() = head.version;
        *response.headers_mut() = head.headers;
        if let Some(spelling) = head.spelling {
            response.extensions_mut().insert(spelling);
        }
        response
    }

    /// What is behind an upgrade that was accepted, with what was read beyond the head.
    pub(crate) fn into_upgrade(self) -> Option<UpstreamUpgrade> {
        match self {
            Self::Http1(answer, _) => {
                let (socket, read) = answer.into_upgraded()?;
                Some(UpstreamUpgrade::Http1 { socket, read })
            }
            Self::Http2(answer) => answer.into_tunnel().map(UpstreamUpgrade::Http2),
        }
    }
}

/// An upload that goes on behind the answer's head, and ends with the answer.
pub(super) struct Uploading(pub(super) JoinHandle<()>);

impl Drop for Uploading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Failed {
    pub(super) fn timed_out() -> Error {
        Error::upstream(
            StatusCode::GATEWAY_TIMEOUT,
            "response_header_timeout",
            "the upstream did not answer in time",
        )
    }

    pub(super) fn closed(cause: impl Into<Cause>) -> Error {
        Error::upstream(
            StatusCode::BAD_GATEWAY,
            "upstream_closed",
            "the upstream closed the connection without an answer",
        )
        .because(cause)
    }

    pub(super) fn reset(cause: impl Into<Cause>) -> Error {
        Error::upstream(
            StatusCode::BAD_GATEWAY,
            "upstream_reset",
            "the upstream broke off the request",
        )
        .because(cause)
    }

    pub(super) fn malformed(cause: impl Into<Cause>) -> Error {
        Error::upstream(
            StatusCode::BAD_GATEWAY,
            "upstream_protocol",
            "the upstream's answer is not valid HTTP",
        )
        .because(cause)
    }
}

impl From<Failure<Error>> for Failed {
    fn from(failure: Failure<Error>) -> Self {
        let Failure { reason, written, touched } = failure;
        let again = match (reason.is_hang_up() && !touched, written) {
            (false, _) => Again::Never,
            (true, 0) => Again::Always,
            (true, _) => Again::IfRepeatable,
        };
        let error = match reason {
            Reason::Upload(error) => error,
            Reason::TimedOut => Self::timed_out(),
            Reason::UploadLength => Error::client(
                StatusCode::BAD_REQUEST,
                "bad_request_body",
                "the request body could not be read",
            )
            .because(reason),
            Reason::Closed | Reason::Io(_) => Self::closed(reason),
            _ => Self::malformed(reason),
        };
        Self { error, again }
    }
}

pub(super) fn broken_answer(error: impl Into<Cause>) -> Error {
    Error::upstream(StatusCode::BAD_GATEWAY, "upstream_reset", "the upstream broke off its answer")
        .because(error)
}
