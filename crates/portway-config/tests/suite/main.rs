//! The tests of the crate from outside: golden documents, sizes, and what any configuration does.

mod documents;
mod golden;
mod large;
mod round_trip;
