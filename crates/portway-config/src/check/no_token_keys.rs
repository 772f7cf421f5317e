//! What stands in the place of the keys for tokens in a build without cryptography for them: it has
//! no admin API either.

use portway_plugin::credential::JwtKeySpec;

use super::Findings;

/// Nobody will use them.
pub(super) fn check(_: &[JwtKeySpec], _: &mut Findings) {}
