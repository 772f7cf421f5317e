//! For which pages of a browser something is changed.
//!
//! A browser sends what it knows of a password, a certificate or just an address along with what
//! any page asks it to (CSRF). It says which page that is; programs that are no browsers say
//! nothing of the kind.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};
use portway_config::value::OriginPattern;

use super::Refusal;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// How long a browser need not ask again, in seconds.
const MAX_AGE: &str = "600";
const METHODS: &str = "GET, HEAD, PUT, POST, PATCH, DELETE";
const REQUEST_FIELDS: &str =
    "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, X-Portway-Message";
const ANSWER_FIELDS: &str = "ETag, Retry-After, WWW-Authenticate";

/// The origins that are allowed, besides the API's own.
#[derive(Debug)]
pub(super) struct Origins(Box<[OriginPattern]>);

impl Origins {
    pub(super) fn new(allowed: &[OriginPattern]) -> Self {
        Self(allowed.into())
    }

    /// Refuses what a page from elsewhere asks for. `host` is what was asked for, in lower case.
    pub(super) fn check(&self, head: &Parts, host: &str, tls: bool) -> Result<(), Refusal> {
        if matches!(head.method, Method::GET | Method::HEAD) {
            // They change nothing, and without CORS no page reads the answer.
            return Ok(());
        }
        let headers = &head.headers;
        let is_ours = |origin: &str| self.is_allowed(origin) || is_same(origin, host, tls);
        let mut origins = headers.get_all(header::ORIGIN).iter().peekable();
        if origins.peek().is_some() {
            let all = origins.all(|origin| origin.to_str().is_ok_and(is_ours));
            return if all { Ok(()) } else { Err(refusal()) };
        }
        // Browsers that leave Origin out say as much in one of these.
        if let Some(site) = headers.get(SEC_FETCH_SITE) {
            let is_own = matches!(site.as_bytes(), b"same-origin" | b"none");
            return if is_own { Ok(()) } else { Err(refusal()) };
        }
        match headers.get(header::REFERER).map(|referer| referer.to_str().ok().and_then(origin_of))
        {
            None => Ok(()),
            Some(Some(origin)) if is_ours(&origin) => Ok(()),
            Some(_) => Err(refusal()),
        }
    }

    /// What a browser is told whose page has an origin that is allowed: on a preflight what it may
    /// ask, otherwise that it may read the answer. Credentials that a browser keeps are not asked
    /// for: such pages send a token.
    pub(super) fn cors(&self, head: &Parts) -> Option<HeaderMap> {
        let origin = head.headers.get(header::ORIGIN)?;
        if !self.is_allowed(origin.to_str().ok()?) {
            return None;
        }
        let mut fields = HeaderMap::new();
        fields.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        fields.insert(header::VARY, HeaderValue::from_static("Origin"));
        let more = if is_preflight(head) {
            [
                (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_FIELDS),
                (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
            ]
            .as_slice()
        } else {
            &[(header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_FIELDS)]
        };
        for (name, value) in more {
            fields.insert(name, HeaderValue::from_static(value));
        }
        Some(fields)
    }

    fn is_allowed(&self, origin: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(origin))
    }
}

/// Whether a browser asks what it may ask.
pub(super) fn is_preflight(head: &Parts) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(header::ORIGIN)
        && head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Whether a page of this origin is ours. Behind a proxy that ends TLS nobody here knows the
/// scheme; over TLS a page without it is somebody else's.
fn is_same(origin: &str, host: &str, tls: bool) -> bool {
    let https = origin.strip_prefix("https://");
    let http = origin.strip_prefix("http://").filter(|_| !tls);
    let default = if https.is_some() { ":443" } else { ":80" };
    let host = host.strip_suffix(default).unwrap_or(host);
    https.or(http) == Some(host)
}

/// `https://a:1/b?c` → `https://a:1`.
fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(format!("{scheme}://{authority}").to_ascii_lowercase())
}

fn refusal() -> Refusal {
    let detail = "a page from elsewhere may change nothing here; see admin.access.allowed_origins";
    Refusal::forbidden("origin_not_allowed", detail)
}
