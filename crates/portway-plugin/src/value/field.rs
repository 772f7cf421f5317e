//! Parts of a message: header fields, methods, statuses, upgrade protocols.

use std::{borrow::Cow, cmp::Ordering, fmt, str::FromStr};

use http::{HeaderName, HeaderValue, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::text::{InvalidValue, Quoted, text_form};

/// The name of a header field, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldName(HeaderName);

impl FieldName {
    /// The name as the `http` crate knows it.
    #[must_use]
    pub const fn get(&self) -> &HeaderName {
        &self.0
    }

    /// The name as text, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the gateway sets the field of an answer of its own: it frames the message or
    /// belongs to one connection (RFC 9110 section 7.6.1), or is the date.
    #[must_use]
    pub fn is_framing(&self) -> bool {
        let own = ["connection", "content-length", "date", "keep-alive", "proxy-connection", "te"];
        let more = ["trailer", "transfer-encoding", "upgrade"];
        own.contains(&self.as_str()) || more.contains(&self.as_str())
    }
}

impl From<HeaderName> for FieldName {
    fn from(name: HeaderName) -> Self {
        Self(name)
    }
}

impl FromStr for FieldName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        text.parse().map(Self).map_err(|_| {
            let refused = InvalidValue::new(format!("{} is not a header field name", Quoted(text)));
            match text.strip_suffix(':') {
                Some(name) => refused.hint(format!("write {}", name.to_ascii_lowercase())),
                None => refused.hint("use letters, digits and \"-\", as in x-request-id"),
            }
        })
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Ord for FieldName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for FieldName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

text_form!(FieldName, "portway-field-name", "a header field name", ["x-request-id", "accept"]);

/// The value of a header field: visible ASCII, spaces and tabs inside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldValue(HeaderValue);

impl FieldValue {
    /// The value as the `http` crate knows it.
    #[must_use]
    pub const fn get(&self) -> &HeaderValue {
        &self.0
    }

    /// The value as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().expect("a field value was parsed from visible ASCII")
    }
}

impl FromStr for FieldValue {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refused = |why: String| {
            InvalidValue::new(format!("{} is not a header field value: {why}", Quoted(text)))
        };
        if text.trim_ascii() != text {
            return Err(refused("it begins or ends with a space".to_owned()));
        }
        let allowed = |c: &char| matches!(c, '\t' | ' '..='~');
        if let Some(bad) = text.chars().find(|c| !allowed(c)) {
            return Err(refused(format!("it contains '{}'", bad.escape_default()))
                .hint("use visible ASCII characters"));
        }
        HeaderValue::from_str(text).map(Self).map_err(|error| refused(error.to_string()))
    }
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

text_form!(FieldValue, "portway-field-value", "a header field value", ["no-store", "text/plain"]);

/// A request method, which is case-sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Method(http::Method);

impl Method {
    const KNOWN: [&str; 9] =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

    /// The method as the `http` crate knows it.
    #[must_use]
    pub const fn get(&self) -> &http::Method {
        &self.0
    }

    /// The method as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<http::Method> for Method {
    fn from(method: http::Method) -> Self {
        Self(method)
    }
}

impl FromStr for Method {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refused =
            |why: &str| InvalidValue::new(format!("{} is not a method{why}", Quoted(text)));
        if let Some(known) = Self::KNOWN.iter().find(|known| known.eq_ignore_ascii_case(text)) {
            return match *known == text {
                true => text.parse().map(Self).map_err(|_| refused("")),
                // Methods are case-sensitive (RFC 9110 section 9.1): no request would match.
                false => {
                    Err(refused(": methods are case-sensitive").hint(format!("write {known}")))
                }
            };
        }
        if matches!(text, "*" | "ANY" | "any" | "ALL" | "all") {
            return Err(refused("").hint("leave the methods out to match every method"));
        }
        if text.contains(',') {
            return Err(refused("").hint("write a list: [GET, POST]"));
        }
        text.parse().map(Self).map_err(|_| refused("").hint("write GET, POST, PUT, …"))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Ord for Method {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for Method {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

text_form!(Method, "portway-method", "a method", ["GET", "POST", "PURGE"]);

/// The status of a final answer: 200 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Status(StatusCode);

impl Status {
    /// The status as the `http` crate knows it.
    #[must_use]
    pub const fn get(self) -> StatusCode {
        self.0
    }

    /// Whether an answer of this status may have a body (RFC 9110 sections 6.4.1 and 15.3.6).
    #[must_use]
    pub fn allows_body(self) -> bool {
        !matches!(self.0.as_u16(), 204 | 205 | 304)
    }
}

/// 200.
impl Default for Status {
    fn default() -> Self {
        Self(StatusCode::OK)
    }
}

impl TryFrom<u16> for Status {
    type Error = InvalidValue;

    fn try_from(status: u16) -> Result<Self, InvalidValue> {
        match StatusCode::from_u16(status) {
            Ok(code) if (200..600).contains(&status) => Ok(Self(code)),
            _ => Err(InvalidValue::new(format!("{status} is not the status of a final answer"))
                .hint("use 200 to 599")),
        }
    }
}

impl From<Status> for u16 {
    fn from(status: Status) -> Self {
        status.0.as_u16()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_u16().fmt(f)
    }
}

impl JsonSchema for Status {
    fn schema_name() -> Cow<'static, str> {
        "Status".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 200, "maximum": 599 })
    }
}

/// The name of a protocol to upgrade to, in lower case: names are compared without regard to case
/// (RFC 9110 section 7.8).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpgradeProtocol(Box<str>);

impl UpgradeProtocol {
    /// `websocket`.
    #[must_use]
    pub fn websocket() -> Self {
        Self("websocket".into())
    }

    /// The name as text, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `offered`, from an `Upgrade` field, names this protocol.
    #[must_use]
    pub fn is(&self, offered: &[u8]) -> bool {
        offered.eq_ignore_ascii_case(self.0.as_bytes())
    }
}

impl FromStr for UpgradeProtocol {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (name, version) = text.split_once('/').map_or((text, None), |(n, v)| (n, Some(v)));
        if !is_token(name) || version.is_some_and(|version| !is_token(version)) {
            return Err(InvalidValue::new(format!(
                "{} is not the name of a protocol",
                Quoted(text)
            ))
            .hint("write a name such as websocket, or name/version"));
        }
        // What speaks HTTP inside the tunnel would pass routing, limits and authentication.
        if ["h2c", "h2", "http", "tls"].iter().any(|http| name.eq_ignore_ascii_case(http)) {
            return Err(InvalidValue::new(format!(
                "an upgrade to {} is never passed on",
                Quoted(text)
            ))
            .hint("it would tunnel requests past routing")
            .code("forbidden_upgrade"));
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }
}

impl fmt::Display for UpgradeProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(UpgradeProtocol, "portway-upgrade-protocol", "the name of a protocol", ["websocket"]);

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint<T: FromStr<Err = InvalidValue> + fmt::Debug>(text: &str) -> String {
        text.parse::<T>().unwrap_err().hint.unwrap_or_default().into_owned()
    }

    #[test]
    fn field_names_are_in_lower_case() {
        assert_eq!("X-Request-ID".parse::<FieldName>().unwrap().as_str(), "x-request-id");
        assert_eq!(hint::<FieldName>("X-Id:"), "write x-id");
        assert!("x y".parse::<FieldName>().is_err() && "".parse::<FieldName>().is_err());
    }

    #[test]
    fn field_values_cannot_break_a_line() {
        assert_eq!("a b\tc".parse::<FieldValue>().unwrap().as_str(), "a b\tc");
        assert_eq!("".parse::<FieldValue>().unwrap().as_str(), "");
        for text in ["a\r\nx: y", "a\nb", " a", "a ", "é", "a\0", "\u{7f}"] {
            assert!(text.parse::<FieldValue>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn methods_are_case_sensitive() {
        assert_eq!("PURGE".parse::<Method>().unwrap().as_str(), "PURGE");
        assert_eq!(hint::<Method>("get"), "write GET");
        assert_eq!(hint::<Method>("*"), "leave the methods out to match every method");
        assert_eq!(hint::<Method>("GET,POST"), "write a list: [GET, POST]");
        assert!("".parse::<Method>().is_err() && "GE T".parse::<Method>().is_err());
    }

    #[test]
    fn a_status_is_of_a_final_answer() {
        assert_eq!(u16::from(Status::default()), 200);
        assert!(Status::try_from(599).is_ok());
        for status in [0, 101, 199, 600, 999] {
            assert!(Status::try_from(status).is_err());
        }
        assert!(!Status::try_from(204).unwrap().allows_body());
    }

    #[test]
    fn upgrades_that_speak_http_are_refused() {
        assert_eq!("WebSocket".parse(), Ok(UpgradeProtocol::websocket()));
        assert!(UpgradeProtocol::websocket().is(b"WEBSOCKET"));
        assert!("foo/2".parse::<UpgradeProtocol>().is_ok());
        for text in ["h2c", "H2C", "HTTP/2.0", "h2", "TLS/1.2"] {
            let refusal = text.parse::<UpgradeProtocol>().unwrap_err();
            assert_eq!(refusal.code, "forbidden_upgrade", "{text}");
        }
        for text in ["", "a b", "a/", "/1", "websocket, h2c"] {
            assert!(text.parse::<UpgradeProtocol>().is_err(), "{text}");
        }
    }
}
