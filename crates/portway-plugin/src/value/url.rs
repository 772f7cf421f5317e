//! Where a service answers.

use std::{fmt, net::IpAddr, path::Path, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    address::unix_path,
    host::{Host, split_port},
    text::{InvalidValue, Quoted, text_form},
};

/// A URL's scheme.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that is meant where none is written.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an endpoint is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointScheme {
    /// Plain HTTP/1.1.
    Http,
    /// HTTP over TLS; HTTP/2 where the endpoint offers it.
    Https,
    /// Plain HTTP/2, by prior knowledge (RFC 9113 section 3.3).
    H2c,
    /// Bytes over TCP.
    Tcp,
    /// Datagrams.
    Udp,
}

impl EndpointScheme {
    /// The scheme as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::H2c => "h2c",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// Whether requests are sent to it, rather than bytes or datagrams.
    #[must_use]
    pub const fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https | Self::H2c)
    }

    /// The port that is meant where none is written.
    const fn default_port(self) -> Option<u16> {
        match self {
            Self::Http | Self::H2c => Some(80),
            Self::Https => Some(443),
            Self::Tcp | Self::Udp => None,
        }
    }
}

impl fmt::Display for EndpointScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a service answers: `http://host[:port][/path][?query]`, or with `https`, `h2c` (plain
/// HTTP/2), `tcp` or `udp`; `ws` and `wss` are `http` and `https`. `unix:/path` is HTTP on a Unix
/// domain socket. The path is put before every forwarded path and the query is merged into every
/// forwarded query. Two spellings of one URL are equal: the host is in lower case, the scheme's
/// own port is left out, and so is a slash at the end of the path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceUrl {
    scheme: EndpointScheme,
    unix: Option<Box<Path>>,
    host: Host,
    port: u16,
    authority: Box<str>,
    name: Box<str>,
    path: Box<str>,
    query: Option<Box<str>>,
}

impl ServiceUrl {
    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> EndpointScheme {
        self.scheme
    }

    /// The Unix domain socket that stands in place of a host and a port. Then the host is
    /// `localhost`.
    #[must_use]
    pub fn unix(&self) -> Option<&Path> {
        self.unix.as_deref()
    }

    /// The name to resolve, or the address; an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.name
    }

    /// The port, also where the scheme implies it.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The value of the `Host` field: the host, and the port unless the scheme implies it.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path without a slash at its end: empty, or `/base`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query without its question mark, when there is one.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The host as an address, when it is one.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        self.host.ip()
    }
}

impl FromStr for ServiceUrl {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        // Nothing after this may quote a text with a password in it.
        if let Some(masked) = without_userinfo(text) {
            return Err(bad(&masked, "it must not contain a user name or a password")
                .hint("send credentials in a header field"));
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::on_socket(path)
                .map_err(|why| bad(text, why).hint("write unix:/run/app.sock"));
        }
        let (scheme, rest) = scheme(text)?;
        let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(r, f)| (r, Some(f)));
        if fragment.is_some() {
            return Err(bad(text, "a fragment is never sent").hint("leave \"#…\" out"));
        }
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(r, q)| (r, Some(q)));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err(bad(text, "it has no host").hint("write http://host:port"));
        }
        let (host, port) = split_port(authority)
            .and_then(|(host, port)| Ok((Host::read(host)?, port)))
            .map_err(|why| bad(text, why))?;
        component(path, b"/").map_err(|why| bad(text, why))?;
        if path.split('/').any(is_dots) {
            return Err(bad(text, "its path has a dot segment").hint("write the path it means"));
        }
        if let Some(query) = query {
            component(query, b"/?").map_err(|why| bad(text, why))?;
        }
        let is_bare = path.trim_end_matches('/').is_empty() && query.is_none();
        if !scheme.is_http() && !is_bare {
            return Err(bad(text, "neither TCP nor UDP has a path or a query")
                .hint(format!("write {scheme}://{authority}")));
        }
        let Some(port) = port.or(scheme.default_port()) else {
            let hint = format!("write {scheme}://{authority}:port");
            return Err(bad(text, "it has no port").hint(hint));
        };
        let authority = match Some(port) == scheme.default_port() {
            true => host.to_string(),
            false => format!("{host}:{port}"),
        };
        let name = host.ip().map_or_else(|| host.to_string(), |ip| ip.to_string());
        Ok(Self {
            scheme,
            unix: None,
            host,
            port,
            authority: authority.into(),
            name: name.into(),
            path: path.strip_suffix('/').unwrap_or(path).into(),
            query: query.filter(|query| !query.is_empty()).map(Into::into),
        })
    }
}

impl ServiceUrl {
    fn on_socket(path: &str) -> Result<Self, &'static str> {
        Ok(Self {
            scheme: EndpointScheme::Http,
            unix: Some(unix_path(path)?),
            host: Host::read("localhost")?,
            port: 80,
            authority: "localhost".into(),
            name: "localhost".into(),
            path: "".into(),
            query: None,
        })
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.unix {
            return write!(f, "unix:{}", path.display());
        }
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

text_form!(
    ServiceUrl,
    "portway-service-url",
    "a service's URL",
    [
        "http://127.0.0.1:8001",
        "https://accounts.internal/v1",
        "h2c://grpc.internal:50051",
        "unix:/run/app.sock",
        "tcp://db.internal:5432",
        "udp://10.0.0.2:53"
    ]
);

fn bad(text: &str, why: &str) -> InvalidValue {
    InvalidValue::new(format!("{} is not a service's URL: {why}", Quoted(text))).code("bad_url")
}

/// The scheme, and what follows `://`.
fn scheme(text: &str) -> Result<(EndpointScheme, &str), InvalidValue> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(match text.parse::<super::HostValue>() {
            Ok(_) => bad(text, "it has no scheme").hint(format!("write http://{text}")),
            Err(_) => bad(text, "it has no scheme").hint("write http://host:port"),
        });
    };
    let known = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => EndpointScheme::Http,
        "https" | "wss" => EndpointScheme::Https,
        "h2c" => EndpointScheme::H2c,
        "tcp" => EndpointScheme::Tcp,
        "udp" => EndpointScheme::Udp,
        other
            if !other.is_empty()
                && other.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+') =>
        {
            let message = format!("{} has the scheme {}", Quoted(text), Quoted(scheme));
            return Err(InvalidValue::new(message)
                .hint("use http://, https://, h2c://, tcp://, udp:// or unix:/path")
                .code("unsupported_scheme"));
        }
        _ => return Err(bad(text, "it has no scheme").hint("write http://host:port")),
    };
    Ok((known, rest))
}

/// The URL with its userinfo replaced, when it has one.
fn without_userinfo(text: &str) -> Option<String> {
    let start = text.find("://").map_or(0, |at| at + 3);
    let end = text[start..].find(['/', '?', '#']).map_or(text.len(), |at| start + at);
    let at = text[start..end].rfind('@')?;
    Some(format!("{}…{}", &text[..start], &text[start + at..]))
}

/// `.` and `..`, also with escaped dots.
fn is_dots(segment: &str) -> bool {
    let plain = segment.replace("%2e", ".").replace("%2E", ".");
    plain == "." || plain == ".."
}

/// RFC 3986 section 3.3 (`pchar`) and the bytes named.
fn component(text: &str, also: &[u8]) -> Result<(), &'static str> {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'%' if hex(at + 1) && hex(at + 2) => {}
            b'%' => return Err("an escape is not \"%\" and two hexadecimal digits"),
            byte if byte.is_ascii_alphanumeric() => {}
            byte if b"-._~!$&'()*+,;=:@".contains(byte) || also.contains(byte) => {}
            _ => return Err("it contains a character that must be escaped"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_url() {
        let url: ServiceUrl = "HTTP://Accounts.internal:8001/v1/?key=a%20b".parse().unwrap();
        assert_eq!(url.to_string(), "http://accounts.internal:8001/v1?key=a%20b");
        assert_eq!((url.host(), url.port()), ("accounts.internal", 8001));
        assert_eq!(url.authority(), "accounts.internal:8001");
        assert_eq!((url.path(), url.query(), url.ip()), ("/v1", Some("key=a%20b"), None));

        let url: ServiceUrl = "http://[::1]:80/".parse().unwrap();
        assert_eq!((url.host(), url.port(), url.authority()), ("::1", 80, "[::1]"));
        assert_eq!((url.path(), url.query()), ("", None));
        assert_eq!(url.ip(), Some("::1".parse().unwrap()));
        assert_eq!(url, "http://[::1]".parse().unwrap());
    }

    #[test]
    fn every_scheme_has_its_port_and_one_spelling() {
        for (text, shown, scheme, port) in [
            ("https://a", "https://a", EndpointScheme::Https, 443),
            ("wss://a/x", "https://a/x", EndpointScheme::Https, 443),
            ("ws://a:81", "http://a:81", EndpointScheme::Http, 81),
            ("h2c://a:80", "h2c://a", EndpointScheme::H2c, 80),
            ("tcp://a:5432", "tcp://a:5432", EndpointScheme::Tcp, 5432),
            ("udp://[::1]:53", "udp://[::1]:53", EndpointScheme::Udp, 53),
            ("unix:/run/a.sock", "unix:/run/a.sock", EndpointScheme::Http, 80),
        ] {
            let url: ServiceUrl = text.parse().unwrap();
            assert_eq!((&*url.to_string(), url.scheme(), url.port()), (shown, scheme, port));
        }
        let unix: ServiceUrl = "unix:/run/a.sock".parse().unwrap();
        assert_eq!((unix.unix(), unix.authority()), (Some(Path::new("/run/a.sock")), "localhost"));
    }

    #[test]
    fn a_refusal_says_why() {
        for (text, shown) in [
            ("", "\"\" is not a service's URL: it has no scheme (write http://host:port)"),
            (
                "127.0.0.1:8001",
                "\"127.0.0.1:8001\" is not a service's URL: it has no scheme \
                 (write http://127.0.0.1:8001)",
            ),
            (
                "http://",
                "\"http://\" is not a service's URL: it has no host (write http://host:port)",
            ),
            (
                "ftp://a",
                "\"ftp://a\" has the scheme \"ftp\" \
                 (use http://, https://, h2c://, tcp://, udp:// or unix:/path)",
            ),
            (
                "tcp://db",
                "\"tcp://db\" is not a service's URL: it has no port (write tcp://db:port)",
            ),
            (
                "udp://dns:53/x",
                "\"udp://dns:53/x\" is not a service's URL: neither TCP nor UDP has a path or a \
                 query (write udp://dns:53)",
            ),
            (
                "unix:run/x",
                "\"unix:run/x\" is not a service's URL: the path of a socket is absolute \
                 (write unix:/run/app.sock)",
            ),
            (
                "http://u:secret@a/b",
                "\"http://…@a/b\" is not a service's URL: it must not contain a user name or a \
                 password (send credentials in a header field)",
            ),
            (
                "http://a#b",
                "\"http://a#b\" is not a service's URL: a fragment is never sent \
                 (leave \"#…\" out)",
            ),
            (
                "http://a/../b",
                "\"http://a/../b\" is not a service's URL: its path has a dot segment \
                 (write the path it means)",
            ),
            (
                "http://127.1/",
                "\"http://127.1/\" is not a service's URL: it looks like an IPv4 address",
            ),
        ] {
            assert_eq!(text.parse::<ServiceUrl>().unwrap_err().to_string(), shown);
        }
        for text in [
            "http://a b",
            "http://a/b c",
            "http://a/%2",
            "http://a/é",
            "http://a:0",
            "http://a:x",
            "http:///x",
            "http://a/%2e%2e/b",
            "http://a?b c",
            "http:a",
            "http://a\r\n",
            "unix:/x/",
            "https://u:p@a",
        ] {
            assert!(text.parse::<ServiceUrl>().is_err(), "{text:?}");
        }
    }
}
