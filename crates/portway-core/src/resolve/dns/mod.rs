//! The gateway's own stub resolver: answers for as long as they say, and name servers of one's own.

mod lookup;
mod stub;
#[cfg(test)]
mod tests;

pub(super) use hickory_resolver::net::NetError as Cause;

pub(super) use self::stub::Servers;

/// It can be told whom to ask.
pub(crate) const ASKS_SERVERS: bool = true;
