//! Endpoint names become addresses here, off the request path.
//!
//! A [`Resolver`] watches names on the control runtime: it looks each one up (`/etc/hosts`, then
//! A and AAAA from the name servers; without the feature `dns`, whatever the system does), again
//! when the answer's time to live is over, and keeps the last good answer while the name servers
//! are away. The request path reads the current answer of a [`Name`] without a lock.
//!
//! Addresses written as numbers never get here. This room opens no connection to an endpoint and
//! does not choose among the addresses: that is the upstream's work. Nothing is cached besides
//! the answers of the names that are watched; a name is watched for as long as somebody holds
//! its handle.

mod found;
mod name;
mod public;
mod resolver;
#[cfg(feature = "dns")]
#[path = "dns/mod.rs"]
mod servers;
#[cfg(not(feature = "dns"))]
#[path = "system.rs"]
mod servers;
mod timing;
mod watcher;

pub(crate) use name::Name;
pub(crate) use public::is_public;
pub(crate) use resolver::Resolver;
pub(crate) use servers::ASKS_SERVERS;
