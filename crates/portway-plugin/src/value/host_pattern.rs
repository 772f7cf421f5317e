//! Which hosts a route or a service takes.

use std::{fmt, str::FromStr};

use super::{
    host::Host,
    text::{InvalidValue, Quoted, text_form},
};

/// A host to compare with: `api.example.com`, `*.example.com` for every name below it, `*` for
/// any host at all, or an address. It is in lower case and has no port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPattern(Box<str>);

impl HostPattern {
    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one host it takes; an IPv6 address in brackets.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        (!self.0.starts_with('*')).then_some(&*self.0)
    }

    /// What the names it takes are below: `example.com` for `*.example.com`.
    #[must_use]
    pub fn suffix(&self) -> Option<&str> {
        self.0.strip_prefix("*.")
    }

    /// Whether it takes every host.
    #[must_use]
    pub fn is_any(&self) -> bool {
        &*self.0 == "*"
    }
}

impl FromStr for HostPattern {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refused =
            |why| InvalidValue::new(format!("{} is not a host pattern: {why}", Quoted(text)));
        if text == "*" {
            return Ok(Self("*".into()));
        }
        if text.contains("://") {
            return Err(refused("it has a scheme").hint("leave the scheme out: api.example.com"));
        }
        if let Some(suffix) = text.strip_prefix("*.") {
            return match Host::read(suffix).map_err(refused)? {
                Host::Name(suffix) => Ok(Self(format!("*.{suffix}").into())),
                Host::Ip(_) => Err(refused("no name is below an address")),
            };
        }
        if text.contains('*') {
            return Err(refused("a star stands for whole labels and comes first")
                .hint("use *.example.com, or * for any host"));
        }
        let port = text.rsplit_once(':').filter(|(host, port)| {
            (host.ends_with(']') || !host.contains(':')) && port.bytes().all(|b| b.is_ascii_digit())
        });
        if let Some((host, _)) = port {
            return Err(refused("it has a port")
                .hint(format!("write {host}: the port a client used is not compared")));
        }
        Ok(Self(Host::read(text).map_err(refused)?.to_string().into()))
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    HostPattern,
    "portway-host-pattern",
    "a host pattern",
    ["api.example.com", "*.example.com", "*"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_kinds_of_patterns() {
        for (text, shown, exact, suffix, any) in [
            ("API.example.com", "api.example.com", Some("api.example.com"), None, false),
            ("*.Example.com", "*.example.com", None, Some("example.com"), false),
            ("*", "*", None, None, true),
            ("10.0.0.7", "10.0.0.7", Some("10.0.0.7"), None, false),
            ("[2001:DB8:0::1]", "[2001:db8::1]", Some("[2001:db8::1]"), None, false),
        ] {
            let pattern: HostPattern = text.parse().unwrap();
            assert_eq!(pattern.to_string(), shown);
            assert_eq!((pattern.exact(), pattern.suffix(), pattern.is_any()), (exact, suffix, any));
        }
    }

    #[test]
    fn a_refusal_says_what_to_write() {
        for (text, why) in [
            ("", "it is empty"),
            ("http://a.com", "leave the scheme out"),
            ("a.com:8080", "write a.com: the port a client used is not compared"),
            ("[::1]:80", "write [::1]"),
            ("*foo.com", "use *.example.com"),
            ("a.*.com", "use *.example.com"),
            ("*.", "it is empty"),
            ("*.10.0.0.1", "no name is below an address"),
            ("::1", "stands in brackets"),
            ("é.com", "xn--"),
            ("a.com.", "a label is empty"),
            ("a/b", "a name has letters"),
        ] {
            let error = text.parse::<HostPattern>().unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }
}
