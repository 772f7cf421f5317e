//! Binding: all cores or nobody, and never beside another process.

use std::{
    fmt, io,
    net::{SocketAddr, TcpListener},
};

use portway_config::value::BindAddr;
use socket2::{Domain, Protocol, Socket, Type};

/// The connections the kernel queues for each core.
const BACKLOG: i32 = 1024;

/// The sockets of one listener, one for each core.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) address: SocketAddr,
    pub(crate) sockets: Vec<TcpListener>,
}

/// An address that could not be bound.
#[derive(Debug)]
pub(crate) struct BindError {
    address: SocketAddr,
    cause: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}", self.address)?;
        match self.cause.kind() {
            io::ErrorKind::AddrInUse => f.write_str(": the port is in use by another process"),
            io::ErrorKind::PermissionDenied => f.write_str(": permission denied"),
            _ => write!(f, ": {}", self.cause),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// Binds `cores` sockets to one address. Port 0 is chosen by the system, the same for all.
pub(crate) fn bind(address: BindAddr, cores: usize) -> Result<Bound, BindError> {
    let wanted = address.socket_addr();
    let failed = |cause| BindError { address: wanted, cause };
    // With SO_REUSEPORT alone a second process of the same user would quietly share the port:
    // without it, the kernel tells.
    let alone = open(address, wanted, false).map_err(failed)?;
    let address_alone = alone.local_addr().map_err(failed)?;
    drop(alone);
    let sockets: io::Result<Vec<_>> =
        (0..cores).map(|_| open(address, address_alone, true)).collect();
    Ok(Bound { address: address_alone, sockets: sockets.map_err(failed)? })
}

fn open(address: BindAddr, at: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    if at.is_ipv6() {
        socket.set_only_v6(!address.is_dual_stack())?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_core_has_a_socket_on_the_same_port() {
        let bound = bind(BindAddr::localhost(0), 3).expect("loopback can be bound");
        assert_eq!(bound.sockets.len(), 3);
        for socket in &bound.sockets {
            assert_eq!(socket.local_addr().expect("a bound socket"), bound.address);
        }
    }

    #[test]
    fn a_port_in_use_is_refused_even_if_its_owner_would_share_it() {
        let first = bind(BindAddr::localhost(0), 1).expect("loopback can be bound");
        let again = bind(BindAddr::localhost(first.address.port()), 1);
        let error = again.expect_err("the port is taken").to_string();
        assert!(error.contains("in use by another process"), "{error}");
        assert!(error.contains(&first.address.to_string()), "{error}");
    }
}
