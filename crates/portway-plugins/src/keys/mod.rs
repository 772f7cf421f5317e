//! What requests are counted by: the clients, consumers, header fields and so on that a limit
//! tells apart.
//!
//! A key is worked out from facts the gateway has brought into one form, so that neither case nor
//! an address of the same network makes another one. It is a hash under a seed of the instance's
//! own: its size does not depend on what a client sends, and nobody outside can make two keys
//! meet. This room counts nothing; it only offers a table for those that do.

mod find;
mod sharded;
mod spec;
#[cfg(test)]
mod tests;

pub(crate) use find::{Key, Keys};
pub(crate) use sharded::{KeyMap, Sharded};
pub use spec::{By, ClaimName, Ipv6Prefix, KeySpec, Missing};
