//! Who may use the admin API, and for what.
//!
//! [`Guard`] looks at the head of a request and says who asks, or why nobody is let in: it never
//! reads a body, and what the request is about is not its business. [`Who`] then says what they
//! may do. Around them stand the tokens that the API makes ([`TokenDesk`]), the tokens that let a
//! live request be explained ([`DebugTokens`]), and the record of what was asked for
//! ([`AuditLog`]).
//!
//! Nothing here serves, waits or tells the time by itself: clock, store and threads are given.

mod audit;
mod blocking;
mod clock;
mod debug;
mod door;
mod guard;
mod identify;
mod logins;
mod moment;
mod passwords;
mod refusal;
mod rights;
#[cfg(test)]
mod tests;
mod tokens;

pub use audit::{AuditLog, AuditPage, AuditRecord};
pub use blocking::{Blocking, Threads};
pub use clock::{Clock, SystemClock};
pub use debug::{DebugGrant, DebugTokens};
pub use door::Peer;
pub use guard::{Admission, Guard, Surroundings};
pub use moment::{Expiry, InvalidMoment, Moment};
pub use refusal::Refusal;
pub use rights::{By, Denied, Grant, Kind, Scope, Verb, Who};
pub use tokens::{
    MemoryTokens, NewToken, Stored, TokenDesk, TokenError, TokenRecord, TokenRequest, TokenView,
    Tokens, TokensFailed,
};

use std::{future::Future, pin::Pin};

/// A future on the heap, whose type nobody has to name.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
