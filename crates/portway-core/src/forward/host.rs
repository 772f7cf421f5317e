//! Which host a request is for (RFC 9112 section 3.2, RFC 9113 section 8.3.1).

use http::{HeaderMap, HeaderValue, StatusCode, Uri, Version, header};
use portway_plugin::Error;

/// The host a request is for: the target's authority if it has one, else `Host`. `None` for an
/// HTTP/1.0 client that names none.
///
/// # Errors
/// A host that is missing, doubled, empty, a list, or anything but a name with an optional port.
pub(crate) fn requested_host(
    headers: &HeaderMap,
    uri: &Uri,
    version: Version,
) -> Result<Option<HeaderValue>, Error> {
    let mut fields = headers.get_all(header::HOST).iter();
    let field = fields.next();
    if fields.next().is_some() {
        return Err(bad_host("more than one Host header field"));
    }
    if let Some(field) = field
        && !is_host(field.as_bytes())
    {
        return Err(bad_host("the Host header field is not a host"));
    }
    let Some(authority) = uri.authority() else {
        return match field {
            Some(field) => Ok(Some(field.clone())),
            None if version == Version::HTTP_10 => Ok(None),
            None => Err(bad_host("no Host header field")),
        };
    };
    if !is_host(authority.as_str().as_bytes()) {
        return Err(bad_host("the request target's authority is not a host"));
    }
    match field {
        None if version < Version::HTTP_2 && version > Version::HTTP_10 => {
            Err(bad_host("no Host header field"))
        }
        Some(field)
            if version >= Version::HTTP_2
                && !field.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()) =>
        {
            Err(bad_host(":authority and Host differ"))
        }
        // In HTTP/1.1 the target wins (RFC 9112 section 3.2.2).
        _ => HeaderValue::from_str(authority.as_str())
            .map(Some)
            .map_err(|_| bad_host("the request target's authority is not a host")),
    }
}

/// The host without its port. What is not a host at all stays as it is.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        Some(colon) if !host[colon..].contains(']') => &host[..colon],
        _ => host,
    }
}

/// `uri-host [":" port]`: no userinfo, no path, no list, no space.
fn is_host(host: &[u8]) -> bool {
    let (name, port) = split_port(host);
    let port_ok = port.is_none_or(|port| port.len() <= 5 && port.iter().all(u8::is_ascii_digit));
    let name_ok = match name {
        [b'[', inner @ .., b']'] => {
            std::str::from_utf8(inner).is_ok_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok())
        }
        _ => !name.is_empty() && name.iter().all(|&byte| is_name_byte(byte)),
    };
    name_ok && port_ok
}

fn split_port(host: &[u8]) -> (&[u8], Option<&[u8]>) {
    match host.iter().rposition(|&byte| byte == b':') {
        Some(colon) if !host[colon..].contains(&b']') => (&host[..colon], Some(&host[colon + 1..])),
        _ => (host, None),
    }
}

/// `reg-name` of RFC 3986 without percent-encoding and without the comma.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn bad_host(reason: &'static str) -> Error {
    Error::client(StatusCode::BAD_REQUEST, "bad_host", reason).closing()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_what_is_none() {
        for host in ["a", "api.example.com", "a:80", "127.0.0.1:8080", "[::1]", "[::1]:80", "a:"] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in
            ["", ":80", "a,b", "u@a", "a/b", "a b", "a:b", "a:123456", "[::g]", "[::1", "a%20b"]
        {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn the_port_is_taken_off() {
        for (host, name) in
            [("a:80", "a"), ("a", "a"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("a:", "a")]
        {
            assert_eq!(without_port(host), name);
        }
    }
}
