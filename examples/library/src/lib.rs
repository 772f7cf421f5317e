//! What the examples of the library have in common: where they listen and where they lead to. The
//! examples themselves are the programs in `src/bin`, one idea each, with lines for `curl` in their
//! heads. They all want an upstream that says what it was sent:
//!
//! ```sh
//! portway echo 127.0.0.1:9001 127.0.0.1:9002 &
//! cargo run --package portway-examples --bin passthrough
//! ```

use std::env;

/// Where an example listens: `LISTEN`, or port 8080 on loopback.
#[must_use]
pub fn listen() -> String {
    env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned())
}

/// The upstream of an example: `UPSTREAM`, or port 9001 on loopback.
#[must_use]
pub fn upstream() -> String {
    env::var("UPSTREAM").unwrap_or_else(|_| "http://127.0.0.1:9001".to_owned())
}

/// A second one: `UPSTREAM_2`, or port 9002 on loopback.
#[must_use]
pub fn second_upstream() -> String {
    env::var("UPSTREAM_2").unwrap_or_else(|_| "http://127.0.0.1:9002".to_owned())
}

/// Where the admin API of an example listens: `ADMIN`, or port 9080 on loopback.
#[must_use]
pub fn admin() -> String {
    env::var("ADMIN").unwrap_or_else(|_| "127.0.0.1:9080".to_owned())
}
