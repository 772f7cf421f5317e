//! What fuzzing checks. Each target takes any bytes and panics when something does not hold. The
//! fuzz crate at the repository's root feeds them what it invents, and the test beside this folder
//! what was kept of that.
//!
//! The first byte of an input chooses what is checked, the second how the rest is split; zero
//! leaves it in one piece.

mod chunked;
mod connection;
mod differential;
mod glued;
mod head;
mod pieces;
pub(crate) mod record;
pub(crate) mod wire;

/// A target's name, which is also its corpus' folder, and its check.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const TARGETS: [Target; 5] = [
    ("head", head::check),
    ("chunked", chunked::check),
    ("connection", connection::check),
    ("glued", glued::check),
    ("differential", differential::check),
];
