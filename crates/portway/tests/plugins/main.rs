//! Plugins inside a gateway: real sockets, an upstream that tells what it got, and plugins made
//! for the test.

mod balancer;
mod builtin;
mod contract;
mod examples;
mod fixture;
mod life;
mod order;
mod outside;
