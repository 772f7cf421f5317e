//! What fuzzing checks. Each target takes any bytes and panics when something does not hold. The
//! fuzz crate at the repository's root feeds them what it invents, and the test beside this folder
//! what was kept of that.
//!
//! The first byte of an input chooses what is checked, the second how the rest is split: zero
//! leaves it in one piece, 255 makes single bytes of it.

mod body;
mod grpc_web;
mod host_matcher;
mod path_normaliser;
mod proxy_protocol;
mod websocket;

/// A target's name, which is also its corpus' folder, and its check.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const TARGETS: [Target; 6] = [
    ("sni_peek", portway_core::fuzzing::sni_peek),
    ("proxy_protocol", proxy_protocol::check),
    ("path_normaliser", path_normaliser::check),
    ("host_matcher", host_matcher::check),
    ("grpc_web", grpc_web::check),
    ("websocket", websocket::check),
];

/// The bytes in pieces, the same for the same seed.
fn pieces(seed: u8, mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut state = u32::from(seed).wrapping_mul(0x9e37_79b1);
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        state = state.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
        // Mostly a few bytes, sometimes many.
        let size = match seed {
            0 => bytes.len(),
            0xff => 1,
            _ if state >> 29 == 0 => (state >> 8) as usize % 1024 + 1,
            _ => (state >> 8) as usize % 7 + 1,
        };
        let (piece, rest) = bytes.split_at(size.min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}
