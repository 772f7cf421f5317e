//! Ports for a process that cannot choose one by itself.

use std::io;
use std::net::{SocketAddr, TcpListener};

/// A loopback address with a port that was free a moment ago.
///
/// Nothing keeps another process from taking it. Where the server can tell its port, let it bind
/// port 0; where it cannot, be ready to try again.
pub fn free_addr() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// The port of a [`free_addr`].
pub fn free_port() -> io::Result<u16> {
    Ok(free_addr()?.port())
}
