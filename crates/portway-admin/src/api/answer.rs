//! Answers: one envelope for what worked, problem details (RFC 9457) for what did not.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use portway_config::Problem;
use portway_core::{Body, Response};
use portway_store as store;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    access::{Denied, Refusal, TokenError},
    ledger,
};

/// What worked.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) data: Value,
    pub(crate) meta: Map<String, Value>,
    /// The revision that came of it, for the audit log.
    pub(crate) revision: Option<u64>,
}

/// What an operation makes.
#[derive(Debug)]
pub(crate) enum Made {
    /// An answer in the envelope.
    Envelope(Answer),
    /// Something else.
    Other(Response),
}

/// Why there is none.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) detail: Cow<'static, str>,
    /// On the heap: it is carried by every result.
    pub(crate) headers: Box<HeaderMap>,
    pub(crate) problems: Vec<Problem>,
}

impl Answer {
    /// An answer with this in it.
    pub(crate) fn of(data: impl Serialize) -> Self {
        Self { data: serde_json::to_value(data).unwrap_or_default(), ..Self::default() }
    }

    /// Says something about it.
    pub(crate) fn meta(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.meta.insert(key.to_owned(), value.into());
        self
    }

    /// With another status than 200.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With an entity tag, which is the number of a revision.
    pub(crate) fn tagged(mut self, revision: u64) -> Self {
        if let Ok(tag) = HeaderValue::try_from(format!("\"{revision}\"")) {
            self.headers.insert(header::ETAG, tag);
        }
        self
    }

    pub(crate) fn into_response(self) -> Response {
        let body = json!({ "data": self.data, "meta": self.meta });
        let mut response = json_response(self.status, "application/json", &body);
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<Answer> for Made {
    fn from(answer: Answer) -> Self {
        Self::Envelope(answer)
    }
}

impl From<Response> for Made {
    fn from(response: Response) -> Self {
        Self::Other(response)
    }
}

impl Failure {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (headers, problems) = (Box::default(), Vec::new());
        Self { status, code, detail: detail.into(), headers, problems }
    }

    /// The request makes no sense.
    pub(crate) fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// There is nothing there.
    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// The configuration would be wrong.
    pub(crate) fn wrong(problems: Vec<Problem>) -> Self {
        let detail = match problems.as_slice() {
            [one] => one.message.clone(),
            many => format!("{} problems, nothing was changed", many.len()).into(),
        };
        let failure = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail);
        Self { problems, ..failure }
    }

    /// With what is wrong in detail.
    pub(crate) fn because(mut self, problems: Vec<Problem>) -> Self {
        self.problems = problems;
        self
    }

    pub(crate) fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut body = json!({
            "type": "about:blank",
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
        });
        if !self.problems.is_empty() {
            body["problems"] = serde_json::to_value(&self.problems).unwrap_or_default();
        }
        let mut response = json_response(self.status, "application/problem+json", &body);
        response.headers_mut().extend(*self.headers);
        response
    }
}

/// An answer with a body of some kind.
pub(crate) fn response(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn json_response(status: StatusCode, kind: &'static str, body: &Value) -> Response {
    let mut text = body.to_string();
    text.push('\n');
    response(status, kind, text)
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, code, detail, headers } = refusal;
        Self { status, code, detail, headers, problems: Vec::new() }
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", denied.to_string())
    }
}

impl From<ledger::Error> for Failure {
    fn from(error: ledger::Error) -> Self {
        use ledger::Error as E;
        let detail = error.to_string();
        match error {
            E::NotFound(_) | E::NoRevision(_) => Self::not_found(detail),
            E::OwnedElsewhere(..) => Self::new(StatusCode::CONFLICT, "owned_elsewhere", detail),
            E::Precondition(..) => {
                Self::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail)
            }
            E::InUse(_, problems) => {
                Self::new(StatusCode::CONFLICT, "in_use", detail).because(problems)
            }
            E::Wrong(problems) => Self::wrong(problems),
            E::Conflict => Self::new(StatusCode::CONFLICT, "conflict", detail),
            E::Store(error) => stored(&error),
            E::Lost(_) => Self::new(StatusCode::CONFLICT, "missing_key", detail),
            E::KeyElsewhere => Self::new(StatusCode::CONFLICT, "key_elsewhere", detail),
            E::Key(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "key_unavailable", detail),
            E::Unreadable(_) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "store_damaged", detail)
            }
        }
    }
}

/// What the store says, to a client.
fn stored(error: &store::Error) -> Failure {
    let detail = error.to_string();
    match error {
        store::Error::Full { .. } => {
            Failure::new(StatusCode::INSUFFICIENT_STORAGE, "store_full", detail)
        }
        store::Error::TooLarge { .. } => {
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        }
        store::Error::Corrupt { .. } => {
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "store_damaged", detail)
        }
        _ => Failure::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail),
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        let detail = error.to_string();
        match error {
            TokenError::Denied(denied) => denied.into(),
            TokenError::NameTaken => Self::new(StatusCode::CONFLICT, "name_taken", detail),
            TokenError::NotFound => Self::not_found(detail),
            TokenError::Useless(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "useless_token", detail)
            }
            TokenError::Failed(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
            }
        }
    }
}
