//! Origins, as browsers send them (RFC 6454 section 6).

use std::{fmt, str::FromStr};

use super::{
    HostPattern, Scheme,
    host::{Host, split_port},
    text::{InvalidValue, Quoted, text_form},
};

/// Which origins a page may come from: `https://app.example.com`, `https://*.example.com` for
/// every name below it, `*` for any origin, or `null` for pages that have none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginPattern(Kind);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Any,
    Null,
    /// As a browser writes it: in lower case, without the scheme's own port.
    Exact(Box<str>),
    /// `https://`, what the names are below, with the dot before it, and `:port` or nothing.
    Below {
        scheme: Scheme,
        suffix: Box<str>,
        port: Box<str>,
    },
}

impl OriginPattern {
    /// Whether it is `*`.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0 == Kind::Any
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.0 == Kind::Null
    }

    /// Whether it takes this value of an `Origin` field. `*` takes every one.
    #[must_use]
    pub fn matches(&self, origin: &str) -> bool {
        match &self.0 {
            Kind::Any => true,
            Kind::Null => origin == "null",
            Kind::Exact(exact) => **exact == *origin,
            Kind::Below { scheme, suffix, port } => origin
                .strip_prefix(scheme.as_str())
                .and_then(|rest| rest.strip_prefix("://"))
                .and_then(|rest| rest.strip_suffix(&**port))
                .and_then(|rest| rest.strip_suffix(&**suffix))
                .is_some_and(is_labels),
        }
    }
}

/// Labels with dots between them, in lower case.
fn is_labels(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    text.split('.').all(|label| !label.is_empty() && label.bytes().all(good))
}

impl FromStr for OriginPattern {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refused =
            |why: &str| InvalidValue::new(format!("{} is not an origin: {why}", Quoted(text)));
        match text {
            "*" => return Ok(Self(Kind::Any)),
            "null" => return Ok(Self(Kind::Null)),
            _ => {}
        }
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(_) => return Err(refused("its scheme is neither http nor https")),
            None => {
                return Err(refused("it has no scheme").hint(format!("write https://{text}")));
            }
        };
        if let Some((authority, _)) = rest.split_once('/') {
            return Err(
                refused("an origin has no path").hint(format!("write {scheme}://{authority}"))
            );
        }
        let (host, port) = split_port(rest).map_err(refused)?;
        let port = match port {
            Some(port) if port != scheme.default_port() => format!(":{port}"),
            _ => String::new(),
        };
        if host.starts_with('*') {
            let pattern: HostPattern = host.parse().map_err(|_| {
                refused("a star stands for whole labels in front")
                    .hint("write https://*.example.com, or *")
            })?;
            let Some(suffix) = pattern.suffix() else {
                return Err(refused("it takes any host").hint("write *, or the hosts"));
            };
            let (suffix, port) = (format!(".{suffix}").into(), port.into());
            return Ok(Self(Kind::Below { scheme, suffix, port }));
        }
        let host = Host::read(host).map_err(refused)?;
        Ok(Self(Kind::Exact(format!("{scheme}://{host}{port}").into())))
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Any => f.write_str("*"),
            Kind::Null => f.write_str("null"),
            Kind::Exact(exact) => f.write_str(exact),
            Kind::Below { scheme, suffix, port } => write!(f, "{scheme}://*{suffix}{port}"),
        }
    }
}

text_form!(
    OriginPattern,
    "portway-origin",
    "an origin",
    ["https://app.example.com", "https://*.example.com", "http://localhost:3000", "*"]
);

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, origin: &str) -> bool {
        pattern.parse::<OriginPattern>().unwrap().matches(origin)
    }

    #[test]
    fn origins_are_compared_whole() {
        for (pattern, origin) in [
            ("https://app.example.com", "https://app.example.com"),
            ("https://APP.example.com:443", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://*.example.com", "https://a.example.com"),
            ("https://*.example.com", "https://a.b.example.com"),
            ("https://*.example.com:8443", "https://a.example.com:8443"),
            ("*", "https://a"),
            ("*", "null"),
            ("null", "null"),
        ] {
            assert!(matches(pattern, origin), "{pattern} {origin}");
        }
        for (pattern, origin) in [
            ("https://example.com", "http://example.com"),
            ("https://example.com", "https://example.com.evil.net"),
            ("https://example.com", "https://example.com:8443"),
            ("https://example.com", "https://notexample.com"),
            ("https://*.example.com", "https://example.com"),
            ("https://*.example.com", "https://.example.com"),
            ("https://*.example.com", "https://evilexample.com"),
            ("https://*.example.com", "https://evil.net/.example.com"),
            ("https://*.example.com", "https://evil.net#.example.com"),
            ("https://*.example.com", "https://evil.net:80.example.com"),
            ("https://*.example.com", "https://a.example.com:8443"),
            ("https://*.example.com", "https://a.example.com.evil.net"),
            ("https://*.example.com", "null"),
            ("null", "https://a"),
        ] {
            assert!(!matches(pattern, origin), "{pattern} {origin}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "example.com",
            "ftp://a",
            "https://",
            "https://a/",
            "https://a/b",
            "https://*",
            "https://a.*",
            "https://*a.com",
            "https://u@a",
            "https://a:0",
            "Null",
            "https://a b",
        ] {
            assert!(text.parse::<OriginPattern>().is_err(), "{text}");
        }
        let hint = "example.com".parse::<OriginPattern>().unwrap_err().hint;
        assert_eq!(hint.as_deref(), Some("write https://example.com"));
        assert_eq!(
            "https://*.A.com:443".parse::<OriginPattern>().unwrap().to_string(),
            "https://*.a.com"
        );
    }
}
