//! How code ends a request by itself.

use std::{borrow::Cow, fmt};

use http::{HeaderValue, StatusCode, header};
use portway_plugin::{Body, Error, Response, Side};
use serde::Serialize;

/// The end of a request, made by code: an error that the gateway's renderer turns into an answer,
/// or an answer as it stands.
///
/// ```
/// use portway::code::Halt;
///
/// // Rendered: `{"code": "unauthorized", "message": "who are you?", …}`.
/// let rendered = Halt::unauthorized("who are you?");
/// // Not rendered.
/// let as_it_stands = Halt::unauthorized_json(&["who", "are", "you"]);
/// # let _ = (rendered, as_it_stands);
/// ```
pub struct Halt(Box<End>);

enum End {
    Error(Error),
    Answer(Response),
}

/// What a hook gives back.
pub type HookResult = Result<(), Halt>;
/// What a map gives back.
pub type MapResult<T> = Result<T, Halt>;

/// What a hook may give back: nothing, [`HookResult`], or an answer for now (`Some`) or to be
/// looked for further on (`None`).
#[diagnostic::on_unimplemented(
    message = "a hook cannot give back `{Self}`",
    label = "a hook gives back nothing, `HookResult`, or `Result<Option<Response>, Halt>`"
)]
pub trait HookOutput {
    /// Whether the request goes on.
    ///
    /// # Errors
    /// It ends here.
    fn go_on(self) -> Result<(), Halt>;
}

impl Halt {
    /// An error with this status and a text that the client may read. Its code is the status's:
    /// `unauthorized`, `bad_gateway`, or else `client_error` and `server_error`.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        let code = match status {
            StatusCode::BAD_REQUEST => "bad_request",
            StatusCode::UNAUTHORIZED => "unauthorized",
            StatusCode::FORBIDDEN => "forbidden",
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::CONFLICT => "conflict",
            StatusCode::PAYLOAD_TOO_LARGE => "payload_too_large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
            StatusCode::UNPROCESSABLE_ENTITY => "unprocessable",
            StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
            StatusCode::INTERNAL_SERVER_ERROR => "internal",
            StatusCode::BAD_GATEWAY => "bad_gateway",
            StatusCode::SERVICE_UNAVAILABLE => "unavailable",
            StatusCode::GATEWAY_TIMEOUT => "gateway_timeout",
            other if other.is_client_error() => "client_error",
            other if other.is_server_error() => "server_error",
            _ => "http_error",
        };
        Self::coded(status, code, message)
    }

    /// An error with a code of its own.
    #[must_use]
    pub fn coded(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let side = match status {
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Side::Upstream,
            status if status.is_server_error() => Side::Gateway,
            _ => Side::Client,
        };
        Error::new(side, status, code, message).into()
    }

    /// 400.
    #[must_use]
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 401.
    #[must_use]
    pub fn unauthorized(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// 403.
    #[must_use]
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404.
    #[must_use]
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 409.
    #[must_use]
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 413.
    #[must_use]
    pub fn payload_too_large(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// 415.
    #[must_use]
    pub fn unsupported_media_type(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    }

    /// 422.
    #[must_use]
    pub fn unprocessable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// 429.
    #[must_use]
    pub fn too_many_requests(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, message)
    }

    /// 502.
    #[must_use]
    pub fn bad_gateway(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, message)
    }

    /// 503.
    #[must_use]
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// 504.
    #[must_use]
    pub fn gateway_timeout(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, message)
    }

    /// 500.
    #[must_use]
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// With a cause, which is logged and never sent.
    #[must_use]
    pub fn because(self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        match *self.0 {
            End::Error(error) => error.because(cause).into(),
            End::Answer(_) => self,
        }
    }

    /// This answer, which no renderer touches. A success is none to be logged as an error.
    #[must_use]
    pub fn answer(answer: http::Response<impl Into<Body>>) -> Self {
        Self(Box::new(End::Answer(answer.map(Into::into))))
    }

    /// An answer of JSON, which no renderer touches.
    #[must_use]
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => {
                let mut answer = http::Response::new(bytes::Bytes::from(body));
                *answer.status_mut() = status;
                let json = HeaderValue::from_static("application/json");
                answer.headers_mut().insert(header::CONTENT_TYPE, json);
                Self::answer(answer)
            }
            Err(error) => Self::internal("an answer could not be written").because(error),
        }
    }

    /// 400 with a body of JSON.
    #[must_use]
    pub fn bad_request_json(body: &impl Serialize) -> Self {
        Self::json(StatusCode::BAD_REQUEST, body)
    }

    /// 401 with a body of JSON.
    #[must_use]
    pub fn unauthorized_json(body: &impl Serialize) -> Self {
        Self::json(StatusCode::UNAUTHORIZED, body)
    }

    /// 403 with a body of JSON.
    #[must_use]
    pub fn forbidden_json(body: &impl Serialize) -> Self {
        Self::json(StatusCode::FORBIDDEN, body)
    }

    /// The status the client gets, unless a renderer gives it another one.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match &*self.0 {
            End::Error(error) => error.status(),
            End::Answer(answer) => answer.status(),
        }
    }

    /// Whose fault it is. `None` for an answer.
    #[must_use]
    pub fn side(&self) -> Option<Side> {
        match &*self.0 {
            End::Error(error) => Some(error.side()),
            End::Answer(_) => None,
        }
    }

    /// The outcome of a request that ends so: an error, or an answer that is none.
    ///
    /// # Errors
    /// It is an error.
    pub fn into_result(self) -> Result<Response, Error> {
        match *self.0 {
            End::Error(error) => Err(error),
            End::Answer(answer) => Ok(answer),
        }
    }

    /// The gateway's own fault: `code` names it.
    pub(super) fn fault(code: &'static str, message: String) -> Self {
        Error::gateway(code, "the gateway failed").because(message).into()
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self(Box::new(End::Error(error)))
    }
}

impl From<Response> for Halt {
    fn from(answer: Response) -> Self {
        Self::answer(answer)
    }
}

impl fmt::Debug for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            End::Error(error) => f.debug_tuple("Halt").field(error).finish(),
            End::Answer(answer) => f.debug_tuple("Halt").field(&answer.status()).finish(),
        }
    }
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            End::Error(error) => error.fmt(f),
            End::Answer(answer) => write!(f, "answered with {}", answer.status()),
        }
    }
}

impl HookOutput for () {
    fn go_on(self) -> Result<(), Halt> {
        Ok(())
    }
}

impl<E: Into<Halt>> HookOutput for Result<(), E> {
    fn go_on(self) -> Result<(), Halt> {
        self.map_err(Into::into)
    }
}

impl<E: Into<Halt>> HookOutput for Result<Option<Response>, E> {
    fn go_on(self) -> Result<(), Halt> {
        match self.map_err(Into::into)? {
            Some(answer) => Err(answer.into()),
            None => Ok(()),
        }
    }
}

impl HookOutput for Option<Response> {
    fn go_on(self) -> Result<(), Halt> {
        self.map_or(Ok(()), |answer| Err(answer.into()))
    }
}
