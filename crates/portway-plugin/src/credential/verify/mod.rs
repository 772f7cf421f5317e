//! What judges a credential that is shown.

mod basic;
mod checks;
mod claims;
mod key;
mod password;
mod recent;
mod strict;
mod token;
mod verified;

pub use basic::{BasicCredentials, Unusable};
pub use checks::Checks;
pub use claims::{ClaimRules, claim, holds, texts};
pub use key::{InvalidKey, Key};
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
