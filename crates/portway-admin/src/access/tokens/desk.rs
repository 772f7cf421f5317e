//! Making tokens and revoking them.

use std::{fmt, sync::Arc, time::Duration};

use portway_config::{
    Role,
    value::{Name, NamespaceScope},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Stored, TokenRecord, TokenView, Tokens, TokensFailed, text::Text};
use crate::access::{
    Clock, Expiry, Moment,
    rights::{By, Denied, Grant, Kind, Scope, Verb, Who, all_kinds, all_verbs, everywhere},
};

/// How long the first token is good. Whoever comes later starts the gateway again.
const FIRST_FOR: Duration = Duration::from_secs(24 * 3600);
/// What the first token is called.
const FIRST: &str = "first-start";

/// Makes tokens and revokes them, for those who may.
#[derive(Clone)]
pub struct TokenDesk {
    tokens: Arc<dyn Tokens>,
    clock: Arc<dyn Clock>,
}

/// A token that somebody wants. Its fields are those of a [`Grant`] and not a grant, because serde
/// would then take fields it does not know: a slip in `namespaces` would be a token for all of
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// What to call it. No other token has this name.
    pub name: Name,
    /// What its bearer may do.
    pub role: Role,
    /// In which namespaces. Left out, in all.
    #[serde(default = "everywhere")]
    pub namespaces: Vec<NamespaceScope>,
    /// With which kinds of resources. Left out, with all.
    #[serde(default = "all_kinds")]
    pub kinds: Vec<Scope<Kind>>,
    /// Of what the role allows, this. Left out, all.
    #[serde(default = "all_verbs")]
    pub verbs: Vec<Scope<Verb>>,
    /// When it ends: a time, or how long it is good (`30d`). Left out, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
}

/// A token that was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewToken {
    /// What is known of it from now on.
    #[serde(flatten)]
    pub view: TokenView,
    /// The token. It is shown this once.
    pub token: String,
}

/// Why a token was not made, or not revoked.
#[derive(Debug)]
pub enum TokenError {
    /// They may not.
    Denied(Denied),
    /// Another one has the name.
    NameTaken,
    /// None has the name.
    NotFound,
    /// What is wanted makes no token; it says why.
    Useless(&'static str),
    /// The store could not do it, or the system has no random bytes.
    Failed(TokensFailed),
}

impl TokenDesk {
    /// Makes those that are kept there.
    #[must_use]
    pub fn new(tokens: Arc<dyn Tokens>, clock: Arc<dyn Clock>) -> Self {
        Self { tokens, clock }
    }

    /// Makes a token. When it is the first that may do everything, the token of the first start is
    /// gone with it.
    ///
    /// # Errors
    /// They may not, the name is taken, it would be good for nothing, the store does not take it.
    pub async fn make(&self, who: &Who, request: TokenRequest) -> Result<NewToken, TokenError> {
        let TokenRequest { name, role, namespaces, kinds, verbs, expires } = request;
        let grant = Grant { role, namespaces, kinds, verbs };
        who.may_grant(&grant).map_err(TokenError::Denied)?;
        if grant.namespaces.is_empty() || grant.kinds.is_empty() || grant.verbs.is_empty() {
            return Err(TokenError::Useless("a list of what it is good for is empty"));
        }
        if name.as_str() == FIRST {
            return Err(TokenError::NameTaken);
        }
        let now = self.now();
        let end = expires.map(|expiry| expiry.from(now));
        if end.is_some_and(|end| end <= now) {
            return Err(TokenError::Useless("it would have expired already"));
        }
        let is_full = grant.is_full();
        let new = self.keep(name, grant, who.name.to_string(), end, false).await?;
        if is_full && !self.retire_first(who).await? {
            // Somebody else was faster with the same first token.
            self.tokens.delete(&new.view.id).await?;
            return Err(TokenError::Denied(Denied::first_is_spent()));
        }
        Ok(new)
    }

    /// Forgets the first token. `false` when it is what `who` has shown and it was gone already.
    async fn retire_first(&self, who: &Who) -> Result<bool, TokensFailed> {
        let was_there = self.forget(FIRST).await?;
        Ok(was_there || who.by != By::FirstToken)
    }

    async fn keep(
        &self,
        name: Name,
        grant: Grant,
        created_by: String,
        expires_at: Option<Moment>,
        first: bool,
    ) -> Result<NewToken, TokenError> {
        let no_random = || TokensFailed::because("the system has no random bytes");
        let text = Text::new().ok_or_else(no_random)?;
        let record = TokenRecord {
            id: text.id().to_owned(),
            name,
            digest: text.digest(),
            grant,
            created_at: self.now(),
            created_by,
            expires_at,
            last_used_at: None,
            first,
        };
        let view = record.view();
        match self.tokens.create(record).await? {
            Stored::New => Ok(NewToken { view, token: text.into_shown() }),
            Stored::Taken => Err(TokenError::NameTaken),
        }
    }

    /// The tokens there are, by name.
    ///
    /// # Errors
    /// They may not be seen, or the store does not answer.
    pub async fn list(&self, who: &Who) -> Result<Vec<TokenView>, TokenError> {
        who.allows(Verb::List, "token", None).map_err(TokenError::Denied)?;
        Ok(self.tokens.list().await?.iter().map(TokenRecord::view).collect())
    }

    /// Revokes the token of this name. It is not good any more when this returns.
    ///
    /// # Errors
    /// They may not, there is none, the store does not answer.
    pub async fn revoke(&self, who: &Who, name: &str) -> Result<TokenView, TokenError> {
        who.allows(Verb::Delete, "token", None).map_err(TokenError::Denied)?;
        let records = self.tokens.list().await?;
        let record = records.iter().find(|record| record.name.as_str() == name);
        let record = record.ok_or(TokenError::NotFound)?;
        match self.tokens.delete(&record.id).await? {
            true => Ok(record.view()),
            false => Err(TokenError::NotFound),
        }
    }

    /// To be called at each start. Where nobody can let anybody in, neither by the configuration
    /// (`has_admin`) nor by a token, it makes a token that can do one thing, once: make a token of
    /// the role admin. It replaces the one of the last start, which nobody can look up any more.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn first(&self, has_admin: bool) -> Result<Option<NewToken>, TokenError> {
        let now = self.now();
        let records = self.tokens.list().await?;
        let lasts = |record: &TokenRecord| record.expires_at.is_none_or(|end| now < end);
        let has_token =
            records.iter().any(|record| !record.first && record.grant.is_full() && lasts(record));
        self.forget(FIRST).await?;
        if has_admin || has_token {
            return Ok(None);
        }
        let name = FIRST.parse().map_err(|_| TokenError::NameTaken)?;
        let (author, end) = ("portway".to_owned(), now.after(FIRST_FOR));
        match self.keep(name, Grant::of_first(), author, Some(end), true).await {
            Ok(new) => Ok(Some(new)),
            // Another node has started at the same time, and has made one.
            Err(TokenError::NameTaken) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn forget(&self, name: &str) -> Result<bool, TokensFailed> {
        let records = self.tokens.list().await?;
        let record = records.iter().find(|record| record.name.as_str() == name);
        match record {
            Some(record) => self.tokens.delete(&record.id).await,
            None => Ok(false),
        }
    }

    fn now(&self) -> Moment {
        self.clock.now().into()
    }
}

impl From<TokensFailed> for TokenError {
    fn from(failed: TokensFailed) -> Self {
        Self::Failed(failed)
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denied) => denied.fmt(f),
            Self::NameTaken => f.write_str("another token has this name"),
            Self::NotFound => f.write_str("no token has this name"),
            Self::Useless(why) => write!(f, "the token would be good for nothing: {why}"),
            Self::Failed(failed) => failed.fmt(f),
        }
    }
}

impl std::error::Error for TokenError {}

/// Without the token.
impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken").field("view", &self.view).finish_non_exhaustive()
    }
}

impl fmt::Debug for TokenDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenDesk").finish_non_exhaustive()
    }
}
