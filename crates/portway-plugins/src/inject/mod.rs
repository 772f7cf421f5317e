//! `inject`: sends a request or an answer to a webhook and goes on with what comes back.
//!
//! The webhook gets a `PUT` with the header fields and the body of the message, and
//! `X-Real-Method`, `X-Real-Uri` and, for answers, `X-Real-Status`. It answers
//!
//! - 200 with another message: its header fields and its body take the place of the message's, and
//!   the three fields above, where it sends them, that of the method, the target and the status;
//! - 204 where the message is to stay as it is;
//! - anything else where it has failed.
//!
//! It never answers a client in the upstream's stead (that is `forward-auth`), never follows a
//! redirect and never says in an error which URL was asked.

mod error;
mod head;
mod hook;
mod plugin;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::Inject;
pub use spec::{InjectSpec, WebhookSpec};
