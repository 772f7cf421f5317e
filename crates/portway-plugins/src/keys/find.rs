//! From a request to its key.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
};

use http::{HeaderName, StatusCode};
use portway_plugin::{Error, Exchange, Request, Result};
use serde_json::Value;

use super::{By, KeySpec, Missing};

/// What requests are counted by, prepared.
#[derive(Debug)]
pub(crate) struct Keys {
    spec: KeySpec,
    seed: RandomState,
}

/// One of those that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key(u64);

/// Where a key comes from: equal texts of different origins are different keys.
#[derive(Clone, Copy, Hash)]
enum Origin {
    V4,
    V6,
    Consumer,
    Route,
    Service,
    Header,
    Expression,
    Text,
    Number,
    Bool,
}

/// What a request has to be counted by.
enum Found {
    Key(Key),
    Nothing,
    /// More than one value: taking either would let a client choose.
    Ambiguous,
}

impl Keys {
    pub(crate) fn new(spec: KeySpec) -> Self {
        Self { spec, seed: RandomState::new() }
    }

    /// Whether it is consumers that are told apart.
    pub(crate) fn by_consumer(&self) -> bool {
        self.spec.by == By::Consumer
    }

    /// The key of a request. `None` for one that is not counted.
    ///
    /// # Errors
    /// It has no key and is refused for that.
    pub(crate) fn of(&self, request: &Request, exchange: &Exchange<'_>) -> Result<Option<Key>> {
        let missing = match (self.find(request, exchange), self.spec.missing) {
            (Found::Key(key), _) => return Ok(Some(key)),
            (Found::Ambiguous, Missing::Pass) => Missing::Client,
            (_, missing) => missing,
        };
        match missing {
            Missing::Client => Ok(Some(self.client(exchange))),
            Missing::Pass => Ok(None),
            Missing::Refuse => Err(self.refusal()),
        }
    }

    fn find(&self, request: &Request, exchange: &Exchange<'_>) -> Found {
        match &self.spec.by {
            By::Client => Found::Key(self.client(exchange)),
            By::Route => Found::Key(self.key(Origin::Route, exchange.route())),
            By::Service => Found::Key(self.key(Origin::Service, exchange.service())),
            By::Consumer => match exchange.consumer() {
                Some(consumer) => Found::Key(self.key(Origin::Consumer, &consumer.name)),
                None => Found::Nothing,
            },
            By::Header(name) => self.header(request, name.get()),
            By::Expression(expression) => match expression.text(request, exchange) {
                Ok(text) => Found::Key(self.key(Origin::Expression, text)),
                // It speaks of what this request does not have.
                Err(_) => Found::Nothing,
            },
            By::Claim(name) => {
                let claims = exchange.consumer().and_then(|consumer| consumer.claims.as_ref());
                self.value(claims.and_then(|claims| claims.get(name.as_str())))
            }
        }
    }

    fn client(&self, exchange: &Exchange<'_>) -> Key {
        match exchange.client().to_canonical() {
            IpAddr::V4(ip) => self.key(Origin::V4, ip.to_bits()),
            IpAddr::V6(ip) => self.key(Origin::V6, self.spec.ipv6_prefix.network(ip.to_bits())),
        }
    }

    fn header(&self, request: &Request, name: &HeaderName) -> Found {
        let mut values = request.headers().get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Found::Key(self.key(Origin::Header, value.as_bytes())),
            (None, _) => Found::Nothing,
            (Some(_), Some(_)) => Found::Ambiguous,
        }
    }

    /// The key of a simple value. Null, lists and maps are none.
    fn value(&self, value: Option<&Value>) -> Found {
        match value {
            Some(Value::String(text)) => Found::Key(self.key(Origin::Text, text)),
            Some(Value::Number(number)) => Found::Key(self.key(Origin::Number, number)),
            Some(Value::Bool(is)) => Found::Key(self.key(Origin::Bool, is)),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => Found::Nothing,
        }
    }

    fn key(&self, origin: Origin, value: impl Hash) -> Key {
        Key(self.seed.hash_one((origin, value)))
    }

    fn refusal(&self) -> Error {
        let (status, message) = match &self.spec.by {
            By::Header(name) => (
                StatusCode::BAD_REQUEST,
                format!("the header field {} has to be sent once", name.as_str()).into(),
            ),
            By::Client
            | By::Consumer
            | By::Route
            | By::Service
            | By::Claim(_)
            | By::Expression(_) => {
                let message = "nobody may ask here without saying who they are";
                (StatusCode::FORBIDDEN, std::borrow::Cow::Borrowed(message))
            }
        };
        Error::client(status, "limit_key_missing", message)
    }
}

impl Key {
    /// The hash, every bit of which is as good as any other.
    pub(crate) fn hash(self) -> u64 {
        self.0
    }
}
