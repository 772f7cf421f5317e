//! What a configuration says about keys.

use std::borrow::Cow;

use portway_plugin::value::{Expression, FieldName, InvalidValue};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What requests are counted by.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct KeySpec {
    /// What tells one from the other. Default `client`.
    #[serde(default)]
    pub by: By,
    /// What a request counts as that has no such header field, consumer or claim. Default
    /// `client`.
    #[serde(default)]
    pub missing: Missing,
    /// How many leading bits of an IPv6 address are one client: a single one usually has a whole
    /// /64 to choose addresses from. 1 to 128, default 64. IPv4 addresses count whole.
    #[serde(default)]
    pub ipv6_prefix: Ipv6Prefix,
}

/// What tells one from the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The client's address.
    #[default]
    Client,
    /// The consumer that a plugin further out has found, such as `key-auth`.
    Consumer,
    /// The route: all its requests together.
    Route,
    /// The service: all its requests together.
    Service,
    /// The value of this header field.
    Header(FieldName),
    /// The value of this claim of the consumer's token, which a plugin further out has verified.
    Claim(ClaimName),
    /// What this expression in CEL says of the request: `request.headers["x-tenant"]`.
    Expression(Expression),
}

/// What a request counts as that has nothing to be counted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// As one of its client.
    #[default]
    Client,
    /// It is refused: 400 without the header field, 403 without the consumer or the claim.
    Refuse,
    /// As none: it passes. A header field that comes more than once is not missing: such a request
    /// counts as one of its client.
    Pass,
}

/// The name of a claim at the top of a token, such as `sub`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ClaimName(Box<str>);

/// How many leading bits of an IPv6 address are one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8")]
pub struct Ipv6Prefix(u8);

impl ClaimName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClaimName {
    type Error = InvalidValue;

    fn try_from(name: String) -> Result<Self, InvalidValue> {
        if name.is_empty() {
            return Err(InvalidValue::new("the name of the claim is empty"));
        }
        Ok(Self(name.into()))
    }
}

impl JsonSchema for ClaimName {
    fn schema_name() -> Cow<'static, str> {
        "ClaimName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "examples": ["sub"] })
    }
}

impl Ipv6Prefix {
    /// The network of an address.
    pub(super) fn network(self, address: u128) -> u128 {
        // Never 0 bits, so the shift is never by all of them.
        address & (u128::MAX << (128 - u32::from(self.0)))
    }
}

impl Default for Ipv6Prefix {
    fn default() -> Self {
        Self(64)
    }
}

impl TryFrom<u8> for Ipv6Prefix {
    type Error = InvalidValue;

    fn try_from(bits: u8) -> Result<Self, InvalidValue> {
        match bits {
            1..=128 => Ok(Self(bits)),
            _ => Err(InvalidValue::new(format!("{bits} is not the length of an IPv6 prefix"))
                .hint("use 1 to 128")),
        }
    }
}

impl JsonSchema for Ipv6Prefix {
    fn schema_name() -> Cow<'static, str> {
        "Ipv6Prefix".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 128 })
    }
}
