//! A signature and what it says, whatever its form.

use http::{HeaderMap, HeaderName};
use portway_plugin::{Exchange, Request};

/// A signature, of which nothing is believed yet.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) key: String,
    /// What is signed.
    pub(super) base: String,
    pub(super) signature: Vec<u8>,
    /// The parts that it covers.
    pub(super) covered: Vec<String>,
    /// When it was made, in seconds since 1970.
    pub(super) created: Option<i64>,
    /// Until when it is good.
    pub(super) expires: Option<i64>,
}

/// Why a request has no signature to look at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// There is none.
    Missing,
    /// There are several.
    Ambiguous,
    /// It cannot be understood.
    Refused(&'static str),
}

/// The parts of a request that are no fields (RFC 9421 section 2.2).
pub(super) const DERIVED: [&str; 7] =
    ["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query"];

/// Whether a signature that covers these parts covers `wanted` too.
pub(super) fn covers(covered: &[String], wanted: &str) -> bool {
    let wider: &[&str] = match wanted {
        "@path" | "@query" => &["@target-uri", "@request-target"],
        "@scheme" | "@authority" => &["@target-uri"],
        _ => &[],
    };
    covered.iter().any(|part| part == wanted || wider.contains(&part.as_str()))
}

/// A part of a request, as the client has seen it: the path is the one that found the route, in
/// its normal form. What a client signs in another form is not what is served.
pub(super) fn part(name: &str, request: &Request, exchange: &Exchange<'_>) -> Option<String> {
    let query = request.uri().query();
    let target = || match query {
        Some(query) => format!("{}?{query}", exchange.path()),
        None => exchange.path().to_owned(),
    };
    Some(match name {
        "@method" => request.method().to_string(),
        "@scheme" => exchange.scheme().to_owned(),
        "@authority" => authority(request.headers(), exchange)?,
        "@path" => exchange.path().to_owned(),
        "@query" => format!("?{}", query.unwrap_or_default()),
        "@request-target" => target(),
        "@target-uri" => {
            let authority = authority(request.headers(), exchange)?;
            format!("{}://{authority}{}", exchange.scheme(), target())
        }
        _ => field(name, request.headers())?,
    })
}

/// The lines of a field, as one.
pub(super) fn field(name: &str, headers: &HeaderMap) -> Option<String> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let mut whole: Option<String> = None;
    for line in headers.get_all(name) {
        let line = line.to_str().ok()?.trim();
        match &mut whole {
            None => whole = Some(line.to_owned()),
            Some(whole) => {
                whole.push_str(", ");
                whole.push_str(line);
            }
        }
    }
    whole
}

/// The host in lower case, without the port that the scheme implies (RFC 9421 section 2.2.3).
fn authority(headers: &HeaderMap, exchange: &Exchange<'_>) -> Option<String> {
    let host = headers.get(http::header::HOST)?.to_str().ok()?.to_ascii_lowercase();
    let implied = if exchange.scheme() == "https" { ":443" } else { ":80" };
    Some(host.strip_suffix(implied).map(str::to_owned).unwrap_or(host))
}
