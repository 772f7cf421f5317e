//! Binding: all cores or nobody, and never beside another process.

use std::{
    fmt, fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
};

use portway_config::value::{BindAddr, ListenAddr};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::Terms;

/// The sockets of one address, one for each who accepts.
#[derive(Debug)]
pub(crate) struct Bound<S = TcpListener> {
    pub(crate) address: SocketAddr,
    pub(crate) sockets: Vec<S>,
}

/// A socket that clients connect to, or send to.
#[derive(Debug)]
pub(crate) enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener),
    Udp(UdpSocket),
}

/// An address that could not be bound.
#[derive(Debug)]
pub(crate) struct BindError {
    address: String,
    cause: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}", self.address)?;
        match self.cause.kind() {
            io::ErrorKind::AddrInUse if self.address.starts_with("unix:") => {
                f.write_str(": the socket is in use by another process")
            }
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

/// Binds so many sockets for a listener. The address is `None` for a Unix domain socket.
pub(crate) fn bind_listener(
    address: &ListenAddr,
    udp: bool,
    (count, ours): (usize, bool),
    terms: &Terms,
) -> Result<(Option<SocketAddr>, Vec<Listening>), BindError> {
    match address {
        ListenAddr::Inet(address) if udp => {
            let bound = bind_as(*address, count, ours, Kind::Datagrams, terms)?;
            let sockets = bound.sockets.into_iter().map(|s| Listening::Udp(s.into())).collect();
            Ok((Some(bound.address), sockets))
        }
        ListenAddr::Inet(address) => {
            let bound = bind_as(*address, count, ours, Kind::Connections, terms)?;
            let sockets = bound.sockets.into_iter().map(|s| Listening::Tcp(s.into())).collect();
            Ok((Some(bound.address), sockets))
        }
        ListenAddr::Unix(path) => {
            let bound = bind_unix(path, count, terms);
            let bound = bound.map(|all| (None, all.into_iter().map(Listening::Unix).collect()));
            bound.map_err(|cause| BindError { address: address.to_string(), cause })
        }
    }
}

/// Binds so many sockets to one address. Port 0 is chosen by the system, the same for all. `ours`
/// says that this gateway has the port already, at another address that covers this one.
pub(crate) fn bind(address: BindAddr, count: usize, ours: bool) -> Result<Bound, BindError> {
    let terms = Terms::default();
    let Bound { address, sockets } = bind_as(address, count, ours, Kind::Connections, &terms)?;
    Ok(Bound { address, sockets: sockets.into_iter().map(Into::into).collect() })
}

/// What comes to a socket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Connections,
    Datagrams,
}

fn bind_as(
    address: BindAddr,
    count: usize,
    ours: bool,
    kind: Kind,
    terms: &Terms,
) -> Result<Bound<Socket>, BindError> {
    let wanted = if address.is_dual_stack() && !has_ipv6() {
        // Every address is every IPv4 address.
        (Ipv4Addr::UNSPECIFIED, address.port()).into()
    } else {
        address.socket_addr()
    };
    let bind = || {
        // With SO_REUSEPORT alone a second process of the same user would quietly share the port:
        // without it, the kernel tells.
        let chosen = if ours || (terms.reuse_port && wanted.port() != 0) {
            wanted
        } else {
            local(&open(address, wanted, false, kind, terms)?)?
        };
        let sockets = (0..count).map(|_| open(address, chosen, true, kind, terms));
        Ok(Bound { address: chosen, sockets: sockets.collect::<io::Result<_>>()? })
    };
    bind().map_err(|cause| BindError { address: wanted.to_string(), cause })
}

fn local(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket();
    address.ok_or_else(|| io::Error::other("the socket has no address"))
}

fn open(
    address: BindAddr,
    at: SocketAddr,
    shared: bool,
    kind: Kind,
    terms: &Terms,
) -> io::Result<Socket> {
    let (how, protocol) = match kind {
        Kind::Connections => (Type::STREAM, Protocol::TCP),
        Kind::Datagrams => (Type::DGRAM, Protocol::UDP),
    };
    let socket = Socket::new(Domain::for_address(at), how, Some(protocol))?;
    if kind == Kind::Connections && terms.reuse_address {
        // Connections that linger after a restart are not in the way. For datagrams it would let
        // another process in.
        socket.set_reuse_address(true)?;
    }
    if shared {
        socket.set_reuse_port(true)?;
    }
    if at.is_ipv6() {
        socket.set_only_v6(!address.is_dual_stack())?;
    }
    socket.set_nonblocking(true)?;
    terms.prepare(&SockRef::from(&socket))?;
    socket.bind(&at.into())?;
    if kind == Kind::Connections {
        terms.listen(&SockRef::from(&socket))?;
    }
    Ok(socket)
}

/// Binds a Unix domain socket, which all who accept share. What a process that died has left
/// behind is taken away.
fn bind_unix(path: &Path, count: usize, terms: &Terms) -> io::Result<Vec<UnixListener>> {
    let bound = UnixListener::bind(path).or_else(|error| {
        if error.kind() != io::ErrorKind::AddrInUse || UnixStream::connect(path).is_ok() {
            return Err(error);
        }
        fs::remove_file(path)?;
        UnixListener::bind(path)
    })?;
    bound.set_nonblocking(true)?;
    terms.prepare(&SockRef::from(&bound))?;
    terms.listen(&SockRef::from(&bound))?;
    let copies = (1..count).map(|_| bound.try_clone()).collect::<io::Result<Vec<_>>>()?;
    Ok(std::iter::once(bound).chain(copies).collect())
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
    fn datagrams_have_ports_of_their_own() {
        let usual = Terms::default();
        let tcp = bind(BindAddr::localhost(0), 1, false).expect("loopback can be bound");
        let address = BindAddr::localhost(tcp.address.port());
        let (udp, sockets) = bind_listener(&address.into(), true, (2, false), &usual)
            .expect("nobody has it for datagrams");
        assert_eq!((udp, sockets.len()), (Some(tcp.address), 2));
        let again = bind_listener(&address.into(), true, (1, false), &usual);
        let error = again.expect_err("it is taken now");
        assert!(error.to_string().contains("in use by another process"), "{error}");
    }

    #[test]
    fn a_socket_that_was_left_behind_is_taken_over_and_one_in_use_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s");
        drop(UnixListener::bind(&path).expect("a new socket"));
        let address = ListenAddr::Unix(path.as_path().into());
        let usual = Terms::default();
        let bound = bind_listener(&address, false, (2, false), &usual);
        let (none, sockets) = bound.expect("nobody listens");
        assert_eq!((none, sockets.len()), (None, 2));
        let again = bind_listener(&address, false, (1, false), &usual);
        let error = again.expect_err("somebody listens");
        assert!(error.to_string().contains("socket is in use"), "{error}");
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
