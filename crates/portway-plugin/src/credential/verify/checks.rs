//! What a token has to claim.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{ClaimRules, Refused, holds};

/// What a token has to claim, beyond being signed.
#[derive(Clone, Debug)]
pub struct Checks {
    /// Who may have issued it: any of these. Without any, that is not looked at.
    pub issuers: Box<[String]>,
    /// Whom it may be for: any of these. Without any, that is not looked at.
    pub audiences: Box<[String]>,
    /// How far the clocks of issuers may be off.
    pub leeway: Duration,
    /// Whether it must say when it expires.
    pub require_expiry: bool,
    /// Claims it must have.
    pub required: ClaimRules,
}

impl Checks {
    /// Looks at the claims of a token at a time, in seconds since 1970. Says until when it is good.
    ///
    /// # Errors
    /// Why it is refused, for its bearer.
    pub fn pass(&self, claims: &Map<String, Value>, now: f64) -> Result<Option<f64>, Refused> {
        let leeway = self.leeway.as_secs_f64();
        let expiry = moment(claims, "exp", "the token's exp is not a time")?;
        let end = expiry.map(|expiry| expiry + leeway);
        if end.is_some_and(|end| now >= end) {
            return Err(Refused("the token has expired"));
        }
        if end.is_none() && self.require_expiry {
            return Err(Refused("the token does not say when it expires"));
        }
        let start = moment(claims, "nbf", "the token's nbf is not a time")?;
        if start.is_some_and(|start| now + leeway < start) {
            return Err(Refused("the token is not good yet"));
        }
        moment(claims, "iat", "the token's iat is not a time")?;
        self.names(claims)?;
        if self.required.iter().any(|(name, values)| !holds(claims, name, values)) {
            return Err(Refused("the token lacks a claim"));
        }
        Ok(end)
    }

    /// Who it is from, and for whom.
    fn names(&self, claims: &Map<String, Value>) -> Result<(), Refused> {
        let issuer = text(claims, "iss", "the token's iss is not a text")?;
        let known = |name: &str, names: &[String]| names.iter().any(|known| known == name);
        if !self.issuers.is_empty() && !issuer.is_some_and(|issuer| known(issuer, &self.issuers)) {
            return Err(Refused("the token is from another issuer"));
        }
        let is_ours = match claims.get("aud") {
            None => false,
            Some(Value::String(one)) => known(one, &self.audiences),
            Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
                list.iter().filter_map(Value::as_str).any(|one| known(one, &self.audiences))
            }
            Some(_) => return Err(Refused("the token's aud is not a list of texts")),
        };
        if !self.audiences.is_empty() && !is_ours {
            return Err(Refused("the token is for somebody else"));
        }
        Ok(())
    }
}

fn text<'c>(
    claims: &'c Map<String, Value>,
    name: &str,
    otherwise: &'static str,
) -> Result<Option<&'c str>, Refused> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refused(otherwise)),
    }
}

/// A `NumericDate` (RFC 7519 section 2).
fn moment(
    claims: &Map<String, Value>,
    name: &str,
    otherwise: &'static str,
) -> Result<Option<f64>, Refused> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => number.as_f64().map(Some).ok_or(Refused(otherwise)),
        Some(_) => Err(Refused(otherwise)),
    }
}
