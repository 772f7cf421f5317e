//! The tests of the crate from outside: golden documents, sizes, and what any configuration does.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod documents;
mod golden;
mod known;
mod large;
mod round_trip;
mod stamp;
