//! `compression`: answers by Brotli, Zstandard or gzip, by what the client prefers.
//!
//! Bodies stay streams: whatever has come from the upstream is on its way to the client as soon as
//! the upstream pauses. What is compressed already, what must not be changed and what lives from
//! its moment (events, gRPC) is left alone.

mod body;
mod encoder;
mod negotiate;
mod plugin;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::Compression;
pub use spec::{CompressionSpec, Encoding, Level};
