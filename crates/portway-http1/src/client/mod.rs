//! A connection to an upstream, on which one exchange runs at a time.
//!
//! There is no task behind it. Whoever waits for an answer writes the request and reads the
//! answer's head; whoever reads the answer's body reads the socket. The body gives the connection
//! back in the poll that yields its last byte, and only if it is clean. An [`Upload`] that still
//! runs when the head comes is for its own task: driven from the answer's polls it would stall a
//! client that writes before it reads.

mod connection;
mod download;
mod failure;
mod upload;

#[cfg(test)]
mod tests;

pub use connection::{Answer, AnswerParts, Connection, Interim, Options};
pub use download::{Download, Home};
pub use failure::{Failure, Reason};
pub use upload::Upload;
