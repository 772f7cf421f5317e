//! Who of several endpoints takes a request.

use std::fmt;

use portway_plugin::value::{FieldName, Token};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a request chooses among several endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// In turn, each as often as its weight says, exact over all cores.
    #[default]
    RoundRobin,
    /// The one with the fewest requests in flight for its weight. A request is in flight until the
    /// last byte of its answer.
    LeastRequest,
    /// By chance, each as often as its weight says.
    Random,
    /// The one that would answer soonest: by how long the heads of answers took of late, and by
    /// what is in flight there. One that fails never looks fast.
    LeastTime,
    /// The same endpoint for the same key, as long as it is there: when endpoints come and go, only
    /// the keys of those move. Requests without the key take turns.
    ConsistentHash(HashKey),
    /// As a balancer says that the program has registered under this name.
    Custom(String),
}

/// What tells requests apart that go to the same endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HashKey {
    /// The client's address: the connection's, or what a trusted proxy says it is.
    ClientAddress,
    /// The value of this header field.
    Header(FieldName),
    /// The value of this cookie.
    Cookie(Token),
    /// The value of this parameter of the query, decoded.
    Query(String),
    /// What this placeholder of the route stands for.
    PathParameter(String),
}

/// `least_time`, `consistent_hash by header x-user`: for people.
impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RoundRobin => f.write_str("round_robin"),
            Self::LeastRequest => f.write_str("least_request"),
            Self::Random => f.write_str("random"),
            Self::LeastTime => f.write_str("least_time"),
            Self::ConsistentHash(key) => write!(f, "consistent_hash by {key}"),
            Self::Custom(name) => write!(f, "custom {name}"),
        }
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientAddress => f.write_str("client_address"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Cookie(name) => write!(f, "cookie {name}"),
            Self::Query(name) => write!(f, "query {name}"),
            Self::PathParameter(name) => write!(f, "path_parameter {name}"),
        }
    }
}

impl Balance {
    /// The part of a request that decides, where connections do not have it: its key.
    #[must_use]
    pub fn only_of_requests(&self) -> Option<&'static str> {
        match self {
            Self::ConsistentHash(HashKey::Header(_)) => Some("header"),
            Self::ConsistentHash(HashKey::Cookie(_)) => Some("cookie"),
            Self::ConsistentHash(HashKey::Query(_)) => Some("query"),
            Self::ConsistentHash(HashKey::PathParameter(_)) => Some("path_parameter"),
            _ => None,
        }
    }
}
