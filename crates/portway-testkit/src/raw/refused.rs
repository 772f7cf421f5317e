//! An address where nobody listens, and nobody else will.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpSocket;

use crate::process::free_addr;

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
    loop {
        let (socket, addr) = (TcpSocket::new_v4()?, free_addr()?);
        match socket.bind(addr) {
            Ok(()) => return Ok(Refused { addr, _socket: socket }),
            // Connections to whoever had it in an earlier run of the tests linger.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
}
