//! Connections that the program has a hand in: those it makes to services, those it takes from
//! clients by protocols of its own, and what is asked of the kernel for both.

mod bytes;
mod dialled;
mod failing;
mod fixture;
mod protocols;
mod sockets;
