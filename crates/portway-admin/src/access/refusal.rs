//! Why somebody is not let in.

use std::{borrow::Cow, time::Duration};

use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::tokens::TokensFailed;

/// An answer to somebody who is not let in. What it says is for them; it tells them nothing they
/// could use.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The status of the answer.
    pub status: StatusCode,
    /// A stable word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: Cow<'static, str>,
    /// Fields of the answer: how to show who one is, how long to wait.
    pub headers: Box<HeaderMap>,
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code, detail: detail.into(), headers: Box::default() }
    }

    /// Nobody from there, by that name or from that page is let in.
    pub(super) fn forbidden(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// Nobody is known by what was shown.
    pub(super) fn unauthenticated(
        code: &'static str,
        detail: &'static str,
        challenges: &[HeaderValue],
    ) -> Self {
        let mut refusal = Self::new(StatusCode::UNAUTHORIZED, code, detail);
        for challenge in challenges {
            refusal.headers.append(header::WWW_AUTHENTICATE, challenge.clone());
        }
        refusal
    }

    /// They have tried too often, or too many try at once.
    pub(super) fn too_many(wait: Duration) -> Self {
        let detail = "too many logins have failed or are under way, try again later";
        let mut refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_logins", detail);
        // Rounded up: whoever comes back then is heard.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        refusal.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        refusal
    }
}

impl From<TokensFailed> for Refusal {
    fn from(_: TokensFailed) -> Self {
        let detail = "the store of tokens does not answer";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
    }
}
