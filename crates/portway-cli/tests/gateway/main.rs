//! The gateway from end to end: the real executable between real clients and real upstreams.

mod fixture;
mod lifecycle;
mod traffic;
