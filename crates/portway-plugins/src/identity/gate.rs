//! Who is let in, and as whom.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use portway_plugin::{Consumer, Error, Exchange, Request, Result, value::FieldValue};

use super::{IdentitySpec, headers};

/// The common part of a plugin that finds out who asks.
#[derive(Debug)]
pub(crate) struct Gate {
    hides: bool,
    anonymous: Option<Arc<Consumer>>,
    run_on_preflight: bool,
    challenge: HeaderValue,
}

impl Gate {
    /// `challenge` tells clients how to show who they are (RFC 9110 section 11.6.1).
    pub(crate) fn new(spec: &IdentitySpec, challenge: HeaderValue) -> Self {
        let anonymous = spec.anonymous.as_ref();
        Self {
            hides: spec.hide_credentials,
            anonymous: anonymous.map(|name| Arc::new(Consumer::named(name.as_str()))),
            run_on_preflight: spec.run_on_preflight,
            challenge,
        }
    }

    /// Whether credentials are taken off.
    pub(crate) fn hides(&self) -> bool {
        self.hides
    }

    /// Whether nobody asks who this is: a preflight, which is sent on as nobody's.
    pub(crate) fn lets_pass(&self, request: &mut Request, exchange: &Exchange<'_>) -> bool {
        let passes = !self.run_on_preflight && is_preflight(request);
        if passes {
            disown(request.headers_mut(), exchange);
        }
        passes
    }

    /// Decides on somebody who has shown nothing.
    pub(crate) fn stranger(&self, headers: &mut HeaderMap, exchange: &Exchange<'_>) -> Result<()> {
        let Some(anonymous) = &self.anonymous else {
            return Err(self.refusal("unauthenticated", "credentials are needed"));
        };
        if !exchange.is_identified() && exchange.assume(Arc::clone(anonymous)) {
            headers::strip(headers);
            headers::tell(headers, anonymous, true);
        }
        Ok(())
    }

    /// 401, with the challenge.
    pub(crate) fn refusal(&self, code: &'static str, message: &'static str) -> Error {
        Error::client(StatusCode::UNAUTHORIZED, code, message)
            .with_header(header::WWW_AUTHENTICATE, self.challenge.clone())
    }

    /// 401 for several copies of a credential: which one counts is not guessed.
    pub(crate) fn ambiguous(&self) -> Error {
        self.refusal("ambiguous_credentials", "there is more than one set of credentials")
    }
}

/// Whether a browser asks what it may ask (CORS).
pub(crate) fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Says who asks. Where a plugin further out has found somebody already, both have to be right, and
/// the first is believed.
pub(crate) fn introduce(
    headers: &mut HeaderMap,
    exchange: &Exchange<'_>,
    consumer: &Arc<Consumer>,
) {
    if exchange.identify(Arc::clone(consumer)) {
        headers::strip(headers);
        headers::tell(headers, consumer, false);
    }
}

/// Takes off what a client says of itself, where nobody else has said who it is.
pub(crate) fn disown(headers: &mut HeaderMap, exchange: &Exchange<'_>) {
    if exchange.consumer().is_none() {
        headers::strip(headers);
    }
}

/// `Scheme realm="…"`, and what follows it.
pub(crate) fn challenge(scheme: &str, realm: &FieldValue, rest: &str) -> HeaderValue {
    let realm = realm.as_str().replace('\\', "\\\\").replace('"', "\\\"");
    let text = format!("{scheme} realm=\"{realm}\"{rest}");
    HeaderValue::try_from(text).expect("a field value stays one between quotes")
}
