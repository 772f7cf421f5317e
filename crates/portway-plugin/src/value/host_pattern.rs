//! Which hosts a route or a service takes.

use std::{fmt, str::FromStr};

use super::{
    host::{Host, domain_name},
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
            domain_name(suffix).map_err(refused)?;
            return Ok(Self(text.to_ascii_lowercase().into()));
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
