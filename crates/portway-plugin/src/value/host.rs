//! Hosts: the value of a `Host` field, and the parts every kind of host is read with.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use super::text::{InvalidValue, Quoted, text_form};

/// The value of a `Host` field: a name or an address, in lower case, and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostValue {
    host: Host,
    port: Option<u16>,
    text: Box<str>,
}

impl HostValue {
    /// The whole value, as it stands in the field.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host without its port; an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        match self.port {
            None => &self.text,
            Some(_) => self.text.rsplit_once(':').map_or(&*self.text, |(host, _)| host),
        }
    }

    /// The port, when there is one.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The host as an address, when it is one.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        self.host.ip()
    }
}

impl FromStr for HostValue {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (host, port) = split_port(text)
            .and_then(|(host, port)| Ok((Host::read(host)?, port)))
            .map_err(|why| {
                let refused = InvalidValue::new(format!("{} is not a host: {why}", Quoted(text)));
                match text.contains("://") {
                    true => refused.hint("leave the scheme out: api.example.com"),
                    false => refused,
                }
            })?;
        let text = match port {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        Ok(Self { host, port, text: text.into() })
    }
}

impl fmt::Display for HostValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

text_form!(HostValue, "portway-host", "a host", ["api.example.com", "10.0.0.7:8080"]);

/// A name or an address. `Display` writes it as it stands in an authority: an IPv6 address in
/// brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Host {
    /// A name, in lower case.
    Name(Box<str>),
    /// An address.
    Ip(IpAddr),
}

impl Host {
    /// Reads a host as it stands in an authority, or says why it is none.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or("a bracket is not closed")?;
            let ip = inner.parse::<Ipv6Addr>().map_err(|_| "no IPv6 address is in the brackets")?;
            return Ok(Self::Ip(ip.into()));
        }
        if text.contains(':') {
            return Err("an IPv6 address stands in brackets");
        }
        domain_name(text)?;
        // A name whose last label is a number is an address or a mistake: resolvers read
        // `127.1` and `0x7f000001` as addresses, each in its own way.
        let last = text.rsplit('.').next().unwrap_or(text);
        let hexadecimal = last.strip_prefix("0x").or(last.strip_prefix("0X"));
        if last.bytes().all(|byte| byte.is_ascii_digit())
            || hexadecimal.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            let ip = text.parse::<Ipv4Addr>().map_err(|_| "it looks like an IPv4 address")?;
            return Ok(Self::Ip(ip.into()));
        }
        Ok(Self::Name(text.to_ascii_lowercase().into()))
    }

    /// The address, when it is one.
    pub(super) const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Name(_) => None,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// Takes the port off an authority without userinfo. Port 0 and signs are refused.
pub(super) fn split_port(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    let after_brackets = authority.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = authority[after_brackets..].rfind(':') else {
        return Ok((authority, None));
    };
    let (host, port) = authority.split_at(after_brackets + colon);
    let port = &port[1..];
    if after_brackets == 0 && host.contains(':') {
        return Err("an IPv6 address stands in brackets");
    }
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(port) if digits && port != 0 => Ok((host, Some(port))),
        _ => Err("the port is not a number from 1 to 65535"),
    }
}

/// Whether `text` can be a name in DNS or in a hosts file: labels of letters, digits, `-` and `_`.
/// The last dot of an absolute name is refused, for two spellings of one host would not be equal.
pub(super) fn domain_name(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > 253 {
        return Err("it is longer than 253 bytes");
    }
    if !text.is_ascii() {
        return Err("a name outside ASCII is written in its xn-- form");
    }
    for label in text.split('.') {
        if label.is_empty() {
            return Err("a label is empty");
        }
        if label.len() > 63 {
            return Err("a label is longer than 63 bytes");
        }
        if !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err("a name has letters, digits, \"-\", \"_\" and dots");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("a label begins or ends with \"-\"");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_with_or_without_a_port() {
        for (text, shown, host, port) in [
            ("API.example.com", "api.example.com", "api.example.com", None),
            ("a_b:8080", "a_b:8080", "a_b", Some(8080)),
            ("10.0.0.7", "10.0.0.7", "10.0.0.7", None),
            ("[2001:DB8::1]:80", "[2001:db8::1]:80", "[2001:db8::1]", Some(80)),
            ("[::1]", "[::1]", "[::1]", None),
        ] {
            let value: HostValue = text.parse().unwrap();
            assert_eq!((value.as_str(), value.host(), value.port()), (shown, host, port));
        }
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for text in [
            "",
            "a b",
            "a/b",
            "user@a",
            "a:",
            "a:0",
            "a:+80",
            "a:65536",
            "::1",
            "[::1",
            "a..b",
            ".",
            "a.",
            "-a.b",
            "a-.b",
            "127.1",
            "2130706433",
            "0x7f000001",
            "1.2.3.4.5",
            "256.1.1.1",
            "01.2.3.4",
            "é.com",
            "http://a",
            "a:80:80",
            "[::1]a",
            "[fe80::1%eth0]",
            "a\r\nb",
        ] {
            assert!(text.parse::<HostValue>().is_err(), "{text:?}");
        }
    }
}
