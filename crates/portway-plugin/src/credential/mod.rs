//! Credentials: what is needed to tell a good one from a bad one, wherever one is shown.
//!
//! Keys as configuration writes them, and, behind the feature `credentials`, what judges by them:
//! passwords and their hashes, signed tokens, what tokens claim. The plugins that find out who asks
//! use it, and so does whoever else asks that question. It looks nobody up, opens nothing and
//! remembers nothing by itself. Who does without the feature need not wait for its cryptography to
//! compile.

mod algorithm;
mod spec;
#[cfg(feature = "credentials")]
mod verify;

pub use algorithm::Algorithm;
pub use spec::JwtKeySpec;
#[cfg(feature = "credentials")]
pub use verify::{
    BasicCredentials, Checks, ClaimRules, Digest, InvalidKey, Key, NOBODY, Recent, Refused, Token,
    Unusable, Verified, claim, hash_password, holds, password_matches, scheme, texts,
};
