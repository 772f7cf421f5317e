//! Which gateway is meant, and who asks.
//!
//! The command line comes first, then the environment, then a profile of the user's, then the
//! gateway on this machine. Credentials never leave this room but in a header field, and those of
//! a profile are sent to that profile's gateway alone.

mod hidden;
pub(super) mod profile;
pub(super) mod settings;
mod tls;

pub(crate) use hidden::Hidden;
pub(super) use settings::{Settings, Variables, settings};
pub(super) use tls::connector;
