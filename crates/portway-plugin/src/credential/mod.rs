//! Credentials: what is needed to tell a good one from a bad one, wherever one is shown.
//!
//! Passwords and their hashes, signed tokens and their keys, what tokens claim. The plugins that
//! find out who asks use it, and so does whoever else asks that question. It looks nobody up, opens
//! nothing and remembers nothing by itself.
//!
//! Behind the feature `credentials`: other plugins need not wait for its cryptography to compile.

mod algorithm;
mod basic;
mod checks;
mod claims;
mod key;
mod password;
mod recent;
mod strict;
mod token;
mod verified;

pub use algorithm::Algorithm;
pub use basic::{BasicCredentials, Unusable};
pub use checks::Checks;
pub use claims::{ClaimRules, claim, holds, texts};
pub use key::{InvalidKey, JwtKeySpec, Key};
pub use password::{NOBODY, hash_password, password_matches};
pub use recent::{Digest, Recent};
pub use token::{Refused, Token};
pub use verified::Verified;

/// What follows the scheme of an `Authorization`, when it is this one.
#[must_use]
pub fn scheme<'v>(value: &'v [u8], scheme: &[u8]) -> Option<&'v [u8]> {
    let (said, rest) = value.split_at_checked(scheme.len())?;
    if !said.eq_ignore_ascii_case(scheme) || rest.first().is_some_and(|byte| *byte != b' ') {
        return None;
    }
    Some(rest.trim_ascii())
}
