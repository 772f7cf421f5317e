//! Sends a request to an upstream, and again where nobody can have seen it.
//!
//! - A connection that cannot be made: the next address, the next endpoint, whatever the method.
//! - An idle connection that turns out to be closed before a byte was written: a fresh one,
//!   whatever the method.
//! - One that closes after bytes were written: a fresh one, once, for a method that may be
//!   repeated (RFC 9110 section 9.2.2) and a request without a body. A POST is never sent twice.

use http::{HeaderMap, HeaderValue, Request, StatusCode, header, uri::PathAndQuery};
use portway_config::{HostPolicy, StageTimeouts};
use portway_http1::{client::Reason, head::MoreFields};
use portway_plugin::{Body, Error, Response};
use tokio::time::Instant;

use super::{
    Lane,
    connect::connect,
    dial::{Choice, Spent},
    lane::{Berth, Counted},
};
use crate::{
    balance::Permit,
    driver::{Answer, Failed, Interim, Options, exchange},
};

/// The most endpoints one request is offered to.
pub(super) const MAX_ENDPOINTS: usize = 3;

/// A request to be sent, and how.
pub(crate) struct Call<'a> {
    pub(crate) lane: &'a Lane,
    pub(crate) target: PathAndQuery,
    pub(crate) host: &'a HostPolicy,
    /// The host the client asked for.
    pub(crate) client_host: Option<&'a HeaderValue>,
    pub(crate) stages: StageTimeouts,
    /// Where interim answers go.
    pub(crate) interim: Interim<'a>,
    /// What is added to the head beyond the request's own fields.
    pub(crate) fields: MoreFields<'a>,
    /// Whether the answer's header names are passed on as they are spelled.
    pub(crate) keep_spelling: bool,
    /// What time it is, near enough.
    pub(crate) now: Instant,
}

/// What was tried so far: kept by the exchange, so that it is known when the call is dropped.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    pub(crate) count: u32,
    pub(crate) endpoint: Option<usize>,
    /// When the last try began.
    pub(crate) started: Option<Instant>,
}

/// An answer that came, before its body is read.
pub(crate) struct Sent {
    answer: Answer,
    berth: Berth,
    /// To be kept until the answer's last byte.
    pub(crate) permit: Option<Permit>,
}

/// One connection that was chosen for one try.
struct Line {
    connection: Counted,
    endpoint: usize,
    address: std::net::SocketAddr,
    reused: bool,
    permit: Option<Permit>,
}

impl Call<'_> {
    /// Sends `request`, whose target and `Host` are set here, since they depend on the endpoint.
    pub(crate) async fn send(
        &self,
        request: &mut Request<Body>,
        tries: &mut Tries,
    ) -> Result<Sent, Error> {
        let repeatable = request.method().is_idempotent();
        let mut spent = Spent::new();
        let mut fresh = false;
        let mut last = None;
        loop {
            let line = match self.open(&mut spent, repeatable, fresh, tries).await {
                Ok(line) => line,
                Err(error) => return Err(last.unwrap_or(error)),
            };
            self.address(request, line.endpoint)?;
            let Line { connection, endpoint, address, reused, permit } = line;
            let (connection, berth) = connection.berth(self.lane.idle(endpoint), address);
            let options = Options {
                now: tries.started,
                wait: self.stages.response_header,
                interim: Some(self.interim),
                fields: Some(self.fields),
                keep_spelling: self.keep_spelling,
                ..Options::default()
            };
            let failed = match exchange(connection, request, options).await {
                Ok(answer) => return Ok(Sent { answer, berth, permit }),
                Err(failed) => failed,
            };
            if !may_send_again(&failed, reused && repeatable) {
                return Err(error_of(failed.reason));
            }
            self.lane.cells.retried();
            if reused {
                fresh = true;
            } else {
                spent.push(endpoint);
                last = Some(error_of(failed.reason));
            }
        }
    }

    /// An idle connection, else a fresh one, to an endpoint that was not spent yet.
    async fn open(
        &self,
        spent: &mut Spent,
        repeatable: bool,
        fresh: bool,
        tries: &mut Tries,
    ) -> Result<Line, Error> {
        let upstream = &self.lane.upstream;
        let mut last = None;
        while let Some(Choice { index, permit, addresses }) = self.lane.choose(spent, tries) {
            for address in addresses {
                let now = if tries.count == 1 && tries.started.is_none() {
                    self.now
                } else {
                    Instant::now()
                };
                tries.started = Some(now);
                let idle = self.lane.idle(index);
                if !fresh && let Some(connection) = idle.take(address, repeatable).await {
                    let (endpoint, reused) = (index, true);
                    return Ok(Line { connection, endpoint, address, reused, permit });
                }
                // On the heap: connecting is rare, and a future is as large as its largest state.
                let connecting = connect(address, self.stages.connect, upstream.head_limits());
                match Box::pin(connecting).await {
                    Ok(connection) => {
                        let connection = idle.counted(connection);
                        let (endpoint, reused) = (index, false);
                        return Ok(Line { connection, endpoint, address, reused, permit });
                    }
                    Err(error) => last = Some(error),
                }
            }
            spent.push(index);
        }
        Err(last.unwrap_or_else(|| no_endpoint(upstream.label())))
    }

    fn address(&self, request: &mut Request<Body>, endpoint: usize) -> Result<(), Error> {
        let endpoint = &self.lane.upstream.endpoints[endpoint];
        *request.uri_mut() = endpoint.target(&self.target).ok_or_else(target_too_long)?;
        let host = match self.host {
            HostPolicy::Upstream => Some(endpoint.authority.clone()),
            HostPolicy::Preserve => self.client_host.cloned(),
            HostPolicy::Fixed(host) => HeaderValue::from_str(host.as_str()).ok(),
        };
        let host = host.unwrap_or_else(|| endpoint.authority.clone());
        // Not by `insert`, which makes room first: there is a `Host` in all but a few requests.
        match request.headers_mut().get_mut(header::HOST) {
            Some(old) => *old = host,
            None => {
                request.headers_mut().insert(header::HOST, host);
            }
        }
        Ok(())
    }
}

impl Sent {
    pub(crate) fn status(&self) -> StatusCode {
        self.answer.head().status
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.answer.head().headers
    }

    /// Whether it came before the request was sent to its end.
    pub(crate) fn is_early(&self) -> bool {
        self.answer.is_early()
    }

    /// The answer, its body still to be read.
    pub(crate) fn into_response(self) -> (Response, Option<Permit>) {
        (self.answer.into_response(self.berth), self.permit)
    }

    /// The two sides of a 101: its head, and the socket behind it.
    pub(crate) fn into_answer(self) -> (Answer, Option<Permit>) {
        (self.answer, self.permit)
    }
}

/// Whether a request may be sent again: it is whole, and nobody can have seen it or it may be
/// `repeated`.
fn may_send_again(failed: &Failed, repeated: bool) -> bool {
    failed.reason.is_hang_up() && !failed.touched && (failed.written == 0 || repeated)
}

fn error_of(reason: Reason<Error>) -> Error {
    match reason {
        Reason::Upload(error) => error,
        Reason::TimedOut => Error::upstream(
            StatusCode::GATEWAY_TIMEOUT,
            "response_header_timeout",
            "the upstream did not answer in time",
        ),
        Reason::UploadLength => Error::client(
            StatusCode::BAD_REQUEST,
            "bad_request_body",
            "the request body could not be read",
        )
        .because(reason),
        Reason::Closed | Reason::Io(_) => Error::upstream(
            StatusCode::BAD_GATEWAY,
            "upstream_closed",
            "the upstream closed the connection without an answer",
        )
        .because(reason),
        _ => Error::upstream(
            StatusCode::BAD_GATEWAY,
            "upstream_protocol",
            "the upstream's answer is not valid HTTP",
        )
        .because(reason),
    }
}

pub(super) fn no_endpoint(service: &str) -> Error {
    Error::upstream(
        StatusCode::SERVICE_UNAVAILABLE,
        "no_endpoint",
        "no endpoint of the service can be reached",
    )
    .because(format!("service {service} has no endpoint with an address and a weight"))
    .unseen()
}

fn target_too_long() -> Error {
    Error::client(StatusCode::URI_TOO_LONG, "uri_too_long", "the request target is too long")
}
