//! Binding: all cores or nobody, and never beside another process.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use portway_config::value::BindAddr;
use socket2::{Domain, Protocol, Socket, Type};

/// The connections the kernel queues for each core.
const BACKLOG: i32 = 1024;

/// The sockets of one address, one for each who accepts.
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

/// Binds so many sockets to one address. Port 0 is chosen by the system, the same for all. `ours`
/// says that this gateway has the port already, at another address that covers this one.
pub(crate) fn bind(address: BindAddr, count: usize, ours: bool) -> Result<Bound, BindError> {
    let wanted = if address.is_dual_stack() && !has_ipv6() {
        // Every address is every IPv4 address.
        (Ipv4Addr::UNSPECIFIED, address.port()).into()
    } else {
        address.socket_addr()
    };
    let bind = || {
        // With SO_REUSEPORT alone a second process of the same user would quietly share the port:
        // without it, the kernel tells.
        let chosen = if ours { wanted } else { open(address, wanted, false)?.local_addr()? };
        let sockets = (0..count).map(|_| open(address, chosen, true)).collect::<io::Result<_>>()?;
        Ok(Bound { address: chosen, sockets })
    };
    bind().map_err(|cause| BindError { address: wanted, cause })
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

fn has_ipv6() -> bool {
    Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn every_core_has_a_socket_on_the_same_port() {
        let bound = bind(BindAddr::localhost(0), 3, false).expect("loopback can be bound");
        assert_eq!(bound.sockets.len(), 3);
        for socket in &bound.sockets {
            assert_eq!(socket.local_addr().expect("a bound socket"), bound.address);
        }
    }

    #[test]
    fn every_address_means_both_families() {
        let bound = bind(BindAddr::any(0), 2, false).expect("every address can be bound");
        let port = bound.address.port();
        TcpStream::connect(("127.0.0.1", port)).expect("IPv4 is taken");
        if bound.address.is_ipv6() {
            TcpStream::connect(("::1", port)).expect("IPv6 is taken");
        }
    }

    #[test]
    fn a_port_of_our_own_can_be_bound_at_another_address() {
        let all = bind(BindAddr::any_v4(0), 1, false).expect("every address can be bound");
        let one = BindAddr::localhost(all.address.port());
        bind(one, 1, false).expect_err("the port is taken");
        bind(one, 1, true).expect("it is ours");
    }

    #[test]
    fn a_port_in_use_is_refused_even_if_its_owner_would_share_it() {
        let first = bind(BindAddr::localhost(0), 1, false).expect("loopback can be bound");
        let again = bind(BindAddr::localhost(first.address.port()), 1, false);
        let error = again.expect_err("the port is taken").to_string();
        assert!(error.contains("in use by another process"), "{error}");
        assert!(error.contains(&first.address.to_string()), "{error}");
    }
}
