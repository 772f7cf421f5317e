//! `forward-auth`: another server says who may ask.
//!
//! It is told what the request is, without its body, and answers with a status: 2xx lets the
//! request pass, anything else is what the client gets. When it cannot be asked, nobody is let in,
//! unless the configuration says otherwise. It follows no redirects: those are for the client.

mod ask;
mod plugin;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::ForwardAuth;
pub use spec::ForwardAuthSpec;
