//! HTTP/1.1 from clients, by the wire of this house.

use bytes::BytesMut;
use http::{Request, Response, StatusCode};
use portway_http1::{
    error::{BodyError, HeadError},
    limits::{HeadLimits, Pace},
    server::{self, Connection, Control, Options},
};
use portway_plugin::{Body, Error};

use super::{ClientLine, Serve, ServerOptions, body::ours, server::Closing};
use crate::socket::Wire;

/// Serves one connection, of which `read` has come already.
pub(super) async fn serve(
    socket: Wire,
    read: BytesMut,
    options: ServerOptions,
    closing: &Closing,
    service: impl Serve,
) {
    let options = Options {
        head: options.head,
        head_time: options.header_read,
        idle: options.idle,
        // Idleness is measured by what reads a request and what writes an answer, for each route.
        upload: Pace { idle: None, rate: options.min_rate },
        download: Pace::ANY,
        keep_spelling: options.keep_spelling,
        ..Options::default()
    };
    let connection = Connection::new(socket, read, options).breaking_off(|wire| wire.break_off());
    let line = connection.control();
    connection.serve(Served { service, line }, closing.told()).await;
}

/// A service as the wire wants it.
struct Served<S> {
    service: S,
    line: Control,
}

impl<S: Serve> server::Service for Served<S> {
    type Body = Body;
    type Future = S::Answer;

    fn call(&self, request: Request<server::Body>) -> S::Answer {
        self.service.serve(
            request.map(|body| ours(body, broken_request, ())),
            ClientLine::Http1(self.line.clone()),
        )
    }

    fn refuse(&self, error: HeadError) -> Response<Body> {
        self.service.refuse(&refusal(error))
    }

    fn head_limits(&self, now: HeadLimits) -> HeadLimits {
        self.service.head_limits().unwrap_or(now)
    }
}

/// What the client, and the log, are told of a head that is refused.
fn refusal(error: HeadError) -> Error {
    let code = match error {
        HeadError::TargetTooLong => "uri_too_long",
        HeadError::TooManyFields | HeadError::FieldsTooLarge => "headers_too_large",
        HeadError::TimedOut => "request_header_timeout",
        HeadError::Version => "version_not_supported",
        HeadError::Host => "bad_host",
        HeadError::Target => "bad_target",
        _ => "bad_request",
    };
    Error::client(error.status(), code, error.to_string())
}

fn broken_request(error: BodyError) -> Error {
    let (status, code, message) = match &error {
        error if error.is_malformed() => {
            (StatusCode::BAD_REQUEST, "bad_request_body", "the request body is malformed")
        }
        BodyError::TimedOut => {
            let message = "the request body did not arrive in time";
            (StatusCode::REQUEST_TIMEOUT, "request_body_timeout", message)
        }
        _ => (client_closed_request(), "client_closed_request", "the client left"),
    };
    Error::client(status, code, message).because(error).closing()
}

/// The status that logs have for a client that left. Nobody reads the answer.
pub(super) fn client_closed_request() -> StatusCode {
    StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST)
}
