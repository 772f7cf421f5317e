//! The gateway from end to end: the real executable between real clients and real upstreams.

mod admin;
mod balance;
mod endpoints;
mod fixture;
mod operations;
mod plugins;
mod traffic;
