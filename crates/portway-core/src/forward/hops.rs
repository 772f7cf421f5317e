//! Header fields that concern one connection only (RFC 9110 section 7.6.1), and a look at what
//! else of a head is not simply passed on.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::X_REQUEST_ID;

/// What the fields that were taken off said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hops {
    /// The protocol the sender wants to switch to.
    pub(crate) upgrade: Option<HeaderValue>,
    /// The sender takes trailers.
    pub(crate) trailers: bool,
    /// Whether the head says already who asked.
    pub(crate) introduced: bool,
    /// What else was seen.
    pub(crate) seen: Seen,
}

/// Which fields a head has that somebody has to look after. Found in one pass over the names, so
/// that a head without them pays no look-ups.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    connection: bool,
    /// Other fields that concern one connection.
    hops: bool,
    /// Who asked, by which way.
    pub(super) claims: bool,
    /// Names with `_` that a lenient reader may take for claims.
    pub(super) twins: bool,
    pub(crate) content_type: bool,
    /// What a client says about consumers.
    pub(crate) consumer: bool,
    pub(crate) via: bool,
    pub(crate) request_id: bool,
    pub(crate) expect: bool,
    pub(crate) accept: bool,
}

/// Fields a sender may not take off by naming them in `Connection`: the gateway's own, what
/// frames and routes the message, and what proves who sends it.
const KEPT: &[&str] = &[
    "host",
    "content-length",
    "authorization",
    "cookie",
    "forwarded",
    "via",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
];

/// Takes the hop-by-hop fields off a request, and says what they asked for.
pub(crate) fn strip_request(headers: &mut HeaderMap) -> Hops {
    let seen = look(headers);
    let mut hops = Hops { seen, ..Hops::default() };
    if seen.hops {
        hops.trailers = lists(headers, header::TE, "trailers");
    }
    if seen.connection {
        if seen.hops && lists(headers, header::CONNECTION, "upgrade") {
            hops.upgrade = headers.get(header::UPGRADE).cloned();
        }
        strip_named(headers);
    }
    if seen.hops {
        strip_fixed(headers);
    }
    hops
}

/// Takes the hop-by-hop fields off an answer, and the request's id, which is the gateway's to say.
pub(crate) fn strip_response(headers: &mut HeaderMap) {
    let seen = look(headers);
    if seen.request_id {
        headers.remove(X_REQUEST_ID);
    }
    if seen.connection {
        strip_named(headers);
    }
    if seen.hops {
        strip_fixed(headers);
    }
}

fn look(headers: &HeaderMap) -> Seen {
    let mut seen = Seen::default();
    for name in headers.keys() {
        match name.as_str() {
            "connection" => seen.connection = true,
            "keep-alive"
            | "te"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization" => seen.hops = true,
            "content-type" => seen.content_type = true,
            "x-consumer-username"
            | "x-consumer-custom-id"
            | "x-consumer-groups"
            | "x-credential-identifier"
            | "x-anonymous-consumer" => seen.consumer = true,
            "via" => seen.via = true,
            "expect" => seen.expect = true,
            "accept" => seen.accept = true,
            "x-request-id" => seen.request_id = true,
            "forwarded"
            | "x-forwarded-for"
            | "x-forwarded-host"
            | "x-forwarded-port"
            | "x-forwarded-proto"
            | "x-forwarded-prefix"
            | "x-forwarded-server"
            | "x-forwarded-client-cert"
            | "x-real-ip" => {
                seen.claims = true;
            }
            name => seen.twins |= name.starts_with('x') && name.contains('_'),
        }
    }
    seen
}

/// The elements of a list field, over all its lines.
fn listed(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

fn lists(headers: &HeaderMap, name: HeaderName, element: &str) -> bool {
    listed(headers, name).any(|listed| listed.eq_ignore_ascii_case(element))
}

fn strip_named(headers: &mut HeaderMap) {
    if names_nothing(headers) {
        headers.remove(header::CONNECTION);
        return;
    }
    let named: smallvec::SmallVec<[HeaderName; 4]> = listed(headers, header::CONNECTION)
        .filter(|name| {
            !matches!(
                *name,
                "close" | "keep-alive" | "upgrade" | "Upgrade" | "Keep-Alive" | "Close"
            )
        })
        .filter_map(|name| HeaderName::try_from(name).ok())
        .filter(|name| !KEPT.contains(&name.as_str()))
        .collect();
    for name in named {
        headers.remove(name);
    }
    headers.remove(header::CONNECTION);
}

/// Whether `Connection` says nothing but what most say.
fn names_nothing(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::CONNECTION).iter();
    let usual = |line: &HeaderValue| {
        let line = line.as_bytes();
        line.eq_ignore_ascii_case(b"keep-alive") || line.eq_ignore_ascii_case(b"close")
    };
    lines.next().is_some_and(usual) && lines.next().is_none()
}

fn strip_fixed(headers: &mut HeaderMap) {
    for name in [
        HeaderName::from_static("keep-alive"),
        header::TE,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        HeaderName::from_static("http2-settings"),
        HeaderName::from_static("proxy-connection"),
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
    ] {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_concerns_one_connection_stays_there() {
        let mut request = headers(&[
            ("connection", "X-Private, keep-alive"),
            ("connection", "close, TE"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "deflate, trailers"),
            ("proxy-authorization", "secret"),
            ("http2-settings", "AAA"),
            ("accept", "*/*"),
        ]);
        let hops = strip_request(&mut request);
        assert_eq!(names(&request), ["accept"]);
        assert!(hops.trailers);
        assert!(hops.upgrade.is_none());
    }

    #[test]
    fn a_client_cannot_take_off_what_is_ours() {
        let mut request = headers(&[
            ("connection", ", X-Forwarded-For, Authorization, Host"),
            ("x-forwarded-for", "10.0.0.1"),
            ("authorization", "Bearer x"),
            ("host", "a"),
        ]);
        strip_request(&mut request);
        assert_eq!(names(&request), ["authorization", "host", "x-forwarded-for"]);
    }

    #[test]
    fn an_upgrade_counts_when_connection_names_it() {
        let mut request = headers(&[("upgrade", "websocket")]);
        assert!(strip_request(&mut request).upgrade.is_none());
        let mut request = headers(&[("upgrade", "websocket"), ("connection", "Upgrade")]);
        assert_eq!(strip_request(&mut request).upgrade.expect("named"), "websocket");
        assert!(request.is_empty());
    }
}
