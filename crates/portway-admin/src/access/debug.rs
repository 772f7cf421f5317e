//! Tokens that let a live request be explained.
//!
//! Whoever sends one along with a request gets the decisions the gateway takes over it. They are
//! signed rather than kept, because every node that has the key must know a good one without
//! asking; so they cannot be revoked, and end soon.

use std::{fmt, time::Duration};

use aws_lc_rs::{hmac, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Moment;

/// The longest time one is good.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// The longest one that is looked at.
const LONGEST_TEXT: usize = 1024;
const BEGIN: &str = "pwd_";
/// What is signed begins with this, so that no signature of anything else under the same key is one
/// of a token.
const CONTEXT: &[u8] = b"portway debug token 1\0";

/// Makes and verifies such tokens.
pub struct DebugTokens(hmac::Key);

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebugGrant {
    /// Until when.
    pub expires_at: Moment,
    /// For requests that this route takes; for all without it. `namespace/name`.
    pub route: Option<String>,
}

impl DebugTokens {
    /// With the key that the nodes of a cluster share.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// With a key of its own: what it makes is good for this process, as long as it lives.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn of_this_process() -> std::io::Result<Self> {
        let mut key = [0; 32];
        let none = |_| std::io::Error::other("the system has no random bytes");
        rand::fill(&mut key).map_err(none)?;
        Ok(Self::new(&key))
    }

    /// A token that ends then, or in a day if that is sooner. It is the value of a header field.
    #[must_use]
    pub fn make(&self, mut grant: DebugGrant, now: Moment) -> (String, DebugGrant) {
        grant.expires_at = grant.expires_at.min(now.after(LONGEST));
        let route = grant.route.as_deref().unwrap_or_default();
        let said = [&grant.expires_at.millis().to_be_bytes()[..], route.as_bytes()].concat();
        let tag = hmac::sign(&self.0, &signed(&said));
        let token = [tag.as_ref(), &said].concat();
        (format!("{BEGIN}{}", URL_SAFE_NO_PAD.encode(token)), grant)
    }

    /// What a token is good for, if it is good.
    #[must_use]
    pub fn verify(&self, token: &[u8], now: Moment) -> Option<DebugGrant> {
        let text = Some(token).filter(|token| token.len() <= LONGEST_TEXT)?;
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(BEGIN.as_bytes())?).ok()?;
        let (tag, said) = bytes.split_at_checked(32)?;
        hmac::verify(&self.0, &signed(said), tag).ok()?;
        let (end, route) = said.split_first_chunk()?;
        let expires_at = Moment::from_millis(u64::from_be_bytes(*end));
        let route = String::from_utf8(route.to_vec()).ok()?;
        let route = Some(route).filter(|route| !route.is_empty());
        (now < expires_at).then_some(DebugGrant { expires_at, route })
    }
}

fn signed(said: &[u8]) -> Vec<u8> {
    [CONTEXT, said].concat()
}

/// Without the key.
impl fmt::Debug for DebugTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DebugTokens(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_millis(1_800_000_000_000);

    fn grant(seconds: u64, route: Option<&str>) -> DebugGrant {
        let expires_at = NOW.after(Duration::from_secs(seconds));
        DebugGrant { expires_at, route: route.map(str::to_owned) }
    }

    #[test]
    fn a_token_is_good_for_its_time_and_its_route() {
        let tokens = DebugTokens::new(&[7; 32]);
        for route in [None, Some("default/all"), Some("shop/é")] {
            let (token, made) = tokens.make(grant(600, route), NOW);
            assert_eq!(made, grant(600, route));
            assert_eq!(tokens.verify(token.as_bytes(), NOW), Some(made.clone()));
            let last = NOW.after(Duration::from_millis(599_999));
            assert!(tokens.verify(token.as_bytes(), last).is_some());
            assert_eq!(tokens.verify(token.as_bytes(), made.expires_at), None);
        }
        let (_, made) = tokens.make(grant(999_999_999, None), NOW);
        assert_eq!(made.expires_at, NOW.after(LONGEST));
    }

    #[test]
    fn nobody_else_makes_one() {
        let tokens = DebugTokens::new(&[7; 32]);
        let (token, _) = tokens.make(grant(600, Some("a/b")), NOW);
        let verify = |token: &[u8]| tokens.verify(token, NOW);
        let of_this_process = DebugTokens::of_this_process().unwrap();
        assert_eq!(of_this_process.verify(token.as_bytes(), NOW), None);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(verify(&changed), None, "{at}");
        }
        let bare = URL_SAFE_NO_PAD.encode(hmac::sign(&tokens.0, b"").as_ref());
        for bad in ["", "pwd_", "pwd_AAAA", &format!("{token}A"), &format!("{BEGIN}{bare}")] {
            assert_eq!(verify(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(verify(&vec![b'A'; 10_000]), None);
        assert_eq!(format!("{tokens:?}"), "DebugTokens(…)");
    }
}
