//! The gateway from end to end: the real executable between real clients and real upstreams.

mod endpoints;
mod fixture;
mod lifecycle;
mod operations;
mod traffic;
