//! Plugins in the real gateway, with real servers that they ask: what each does alone is tested
//! beside it.

mod asked;
mod jwks;
mod passwords;
mod secrets;
mod signer;
