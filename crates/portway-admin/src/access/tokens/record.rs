//! What is kept of a token.

use portway_config::value::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{Moment, rights::Grant};

/// What is kept of a token: everything but the token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// What it is kept under: a part of the token that is no secret.
    pub id: String,
    /// What people call it.
    pub name: Name,
    /// The SHA-256 of the token, in hexadecimal digits.
    pub digest: String,
    /// What it is good for.
    #[serde(flatten)]
    pub grant: Grant,
    /// When it was made.
    pub created_at: Moment,
    /// By whom.
    pub created_by: String,
    /// When it ends, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// When it was used last, to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Moment>,
    /// Whether it is the token of the first start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
}

/// What is shown of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenView {
    /// A part of the token by which it is recognised. It is no secret.
    pub id: String,
    /// What people call it.
    pub name: Name,
    /// What it is good for.
    #[serde(flatten)]
    pub grant: Grant,
    /// When it was made.
    pub created_at: Moment,
    /// By whom.
    pub created_by: String,
    /// When it ends, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// When it was used last, to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Moment>,
}

impl TokenRecord {
    /// What is shown of it.
    #[must_use]
    pub fn view(&self) -> TokenView {
        TokenView {
            id: self.id.clone(),
            name: self.name.clone(),
            grant: self.grant.clone(),
            created_at: self.created_at,
            created_by: self.created_by.clone(),
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
        }
    }
}

/// Without the digest: it belongs in the store alone.
impl std::fmt::Debug for TokenRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenRecord").field("view", &self.view()).finish_non_exhaustive()
    }
}
