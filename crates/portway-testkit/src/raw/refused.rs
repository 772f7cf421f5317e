//! An address where nobody listens, and nobody else will.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A port that is taken, so that no other test gets it, but refuses every connection.
#[derive(Debug)]
pub struct Refused {
    addr: SocketAddr,
    _socket: TcpSocket,
}

impl Refused {
    /// The address that refuses.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The same as an `http` URL without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

/// Takes a loopback port that refuses connections for as long as the result lives.
pub fn refused_addr() -> io::Result<Refused> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    Ok(Refused { addr: socket.local_addr()?, _socket: socket })
}
