//! The servers of this crate against its clients, over real sockets.

mod client;
mod echo;
mod raw;
