//! Addresses: to bind, to connect to, and blocks of them to compare with.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    str::FromStr,
};

use ipnet::IpNet;

use super::text::{InvalidValue, Quoted, text_form};

/// An address to listen on.
///
/// - `127.0.0.1:8080`, `[::1]:8080`: this address.
/// - `0.0.0.0:8080`: every IPv4 address.
/// - `[::]:8080`: every IPv6 address, and no IPv4.
/// - `:8080`: every address of both families, on one socket where the system has IPv6.
///
/// Port 0 lets the system choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BindAddr {
    ip: Option<IpAddr>,
    port: u16,
}

impl BindAddr {
    /// This address.
    #[must_use]
    pub const fn new(ip: IpAddr, port: u16) -> Self {
        Self { ip: Some(ip), port }
    }

    /// 127.0.0.1 with this port.
    #[must_use]
    pub const fn localhost(port: u16) -> Self {
        Self::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
    }

    /// Every IPv4 address with this port: `0.0.0.0:port`.
    #[must_use]
    pub const fn any_v4(port: u16) -> Self {
        Self::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)
    }

    /// Every address of both families with this port: `:port`.
    #[must_use]
    pub const fn any(port: u16) -> Self {
        Self { ip: None, port }
    }

    /// The address without the port; `None` for every address of both families.
    #[must_use]
    pub const fn ip(self) -> Option<IpAddr> {
        self.ip
    }

    /// The port; 0 lets the system choose.
    #[must_use]
    pub const fn port(self) -> u16 {
        self.port
    }

    /// Whether one socket is to take both families (`:8080`). An IPv6 socket of any other address
    /// takes IPv6 only.
    #[must_use]
    pub const fn is_dual_stack(self) -> bool {
        self.ip.is_none()
    }

    /// The address for the socket: `[::]` where both families are meant.
    #[must_use]
    pub const fn socket_addr(self) -> SocketAddr {
        match self.ip {
            Some(ip) => SocketAddr::new(ip, self.port),
            None => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), self.port),
        }
    }

    /// Whether two listeners on these addresses would get in each other's way.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let clash = match (self.ip, other.ip) {
            (None, _) | (_, None) => true,
            (Some(a), Some(b)) => {
                a == b || (a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified()))
            }
        };
        clash && self.port == other.port && self.port != 0
    }

    /// Whether a connection to `ip` and `port` from this machine would arrive here, as far as the
    /// addresses alone can tell: a wildcard takes loopback addresses.
    #[must_use]
    pub fn takes(self, ip: IpAddr, port: u16) -> bool {
        let ip = ip.to_canonical();
        let meant = match self.ip {
            None => ip.is_loopback() || ip.is_unspecified(),
            Some(own) if own.is_unspecified() => {
                own.is_ipv4() == ip.is_ipv4() && (ip.is_loopback() || ip.is_unspecified())
            }
            Some(own) => own.to_canonical() == ip,
        };
        meant && self.port == port && port != 0
    }
}

impl From<SocketAddr> for BindAddr {
    fn from(address: SocketAddr) -> Self {
        Self::new(address.ip(), address.port())
    }
}

impl FromStr for BindAddr {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if let Some(port) = text.strip_prefix(':').and_then(port) {
            return Ok(Self::any(port));
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(address.into());
        }
        let refused = |why: &str| {
            InvalidValue::new(format!("{} is not an address to listen on{why}", Quoted(text)))
        };
        if let Some(port) = port(text) {
            let hint = format!("write \":{port}\" for all addresses, or \"127.0.0.1:{port}\"");
            return Err(refused(": it is a port alone").hint(hint));
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            let address = SocketAddr::new(ip, 8080);
            return Err(refused(": it has no port").hint(format!("write \"{address}\"")));
        }
        Err(match text.rsplit_once(':').and_then(|(host, tail)| Some((host, port(tail)?))) {
            Some(("localhost", port)) => refused(": a listener takes an address, not a name")
                .hint(format!("write \"127.0.0.1:{port}\"")),
            Some(("*", port)) => refused("").hint(format!("write \":{port}\" for all addresses")),
            Some((host, port)) if host.parse::<Ipv6Addr>().is_ok() => {
                refused(": an IPv6 address stands in brackets")
                    .hint(format!("write \"[{host}]:{port}\""))
            }
            _ => refused("").hint("write \"0.0.0.0:8080\", \"[::]:8080\" or \":8080\""),
        })
    }
}

impl fmt::Display for BindAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            None => write!(f, ":{}", self.port),
            Some(_) => self.socket_addr().fmt(f),
        }
    }
}

text_form!(
    BindAddr,
    "portway-bind-address",
    "an address to listen on",
    ["0.0.0.0:8080", "127.0.0.1:8080", "[::]:8080", ":8080"]
);

/// Where a listener takes connections: an address, as [`BindAddr`] has it, or a Unix domain socket,
/// `unix:/run/portway.sock`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListenAddr {
    /// An address and a port.
    Inet(BindAddr),
    /// The absolute path of a Unix domain socket.
    Unix(Box<Path>),
}

impl ListenAddr {
    /// The address and port; `None` for a Unix domain socket.
    #[must_use]
    pub const fn inet(&self) -> Option<BindAddr> {
        match self {
            Self::Inet(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }

    /// The path of a Unix domain socket.
    #[must_use]
    pub const fn unix(&self) -> Option<&Path> {
        match self {
            Self::Inet(_) => None,
            Self::Unix(path) => Some(path),
        }
    }

    /// Whether two listeners on these addresses would get in each other's way.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inet(a), Self::Inet(b)) => a.overlaps(*b),
            (Self::Unix(a), Self::Unix(b)) => a == b,
            _ => false,
        }
    }
}

impl From<BindAddr> for ListenAddr {
    fn from(address: BindAddr) -> Self {
        Self::Inet(address)
    }
}

impl FromStr for ListenAddr {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text.strip_prefix("unix:") {
            Some(path) => unix_path(path).map(Self::Unix).map_err(|why| {
                InvalidValue::new(format!("{} is not an address to listen on: {why}", Quoted(text)))
                    .hint("write \"unix:/run/portway.sock\"")
            }),
            None => text.parse().map(Self::Inet),
        }
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

text_form!(
    ListenAddr,
    "portway-listen-address",
    "an address to listen on",
    ["0.0.0.0:8080", "127.0.0.1:8080", "[::]:8080", ":8080", "unix:/run/portway.sock"]
);

/// The path of a Unix domain socket: absolute, and short enough for the kernel (`sun_path` has
/// 108 bytes, one of which ends it).
pub(super) fn unix_path(text: &str) -> Result<Box<Path>, &'static str> {
    if !text.starts_with('/') {
        return Err("the path of a socket is absolute");
    }
    if text.len() > 107 {
        return Err("the path of a socket has at most 107 bytes");
    }
    if text.contains(char::is_control) || text.ends_with('/') {
        return Err("it is not the path of a socket");
    }
    Ok(Path::new(text).into())
}

/// An address and a port to connect to, such as a name server's: `10.0.0.2:53`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerAddr(SocketAddr);

impl PeerAddr {
    /// The address for the socket.
    #[must_use]
    pub const fn socket_addr(self) -> SocketAddr {
        self.0
    }
}

impl From<SocketAddr> for PeerAddr {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl FromStr for PeerAddr {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refused = |why: &str| {
            InvalidValue::new(format!("{} is not an address and a port{why}", Quoted(text)))
        };
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() == 0 => Err(refused(": nobody listens on port 0")),
            Ok(address) if address.ip().is_unspecified() => {
                Err(refused(": it names no machine").hint("write the address of one, not 0.0.0.0"))
            }
            Ok(address) => Ok(Self(address)),
            Err(_) => Err(match text.parse::<IpAddr>() {
                Ok(ip) => refused(": it has no port")
                    .hint(format!("write \"{}\"", SocketAddr::new(ip, 53))),
                Err(_) => refused("").hint("write \"10.0.0.2:53\" or \"[fd00::2]:53\""),
            }),
        }
    }
}

impl fmt::Display for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_form!(PeerAddr, "portway-peer-address", "an address and a port", ["10.0.0.2:53"]);

/// A block of addresses, `10.0.0.0/8`, or one address. An IPv4 address that comes in its IPv6
/// form (`::ffff:10.0.0.1`) counts as the IPv4 address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(IpNet);

impl Cidr {
    /// Whether `ip` is in the block.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains(&ip.to_canonical())
    }

    /// The block.
    #[must_use]
    pub const fn net(&self) -> IpNet {
        self.0
    }
}

impl From<IpAddr> for Cidr {
    fn from(ip: IpAddr) -> Self {
        Self(ip.to_canonical().into())
    }
}

impl FromStr for Cidr {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(ip.into());
        }
        let refused = |why: &str| {
            InvalidValue::new(format!("{} is not an address or a CIDR block{why}", Quoted(text)))
        };
        let Ok(net) = text.parse::<IpNet>() else {
            return Err(refused("").hint("write 10.0.0.0/8, 192.168.1.7 or fd00::/8"));
        };
        if net.addr() != net.network() {
            // One of two was meant, and the gateway is to trust the right one.
            let hint =
                format!("write {} for the block or {} for the address", net.trunc(), net.addr());
            return Err(refused(": it has bits after its prefix").hint(hint));
        }
        match net.network() {
            IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => {
                Err(refused(": it is IPv4 in its IPv6 form").hint("write the IPv4 block"))
            }
            _ => Ok(Self(net)),
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

text_form!(
    Cidr,
    "portway-cidr",
    "an address or a CIDR block",
    ["10.0.0.0/8", "192.168.1.7", "fd00::/8"]
);

/// Digits alone: the standard parser would also take `+80`.
fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(text: &str) -> BindAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_to_listen_on() {
        for text in ["0.0.0.0:8080", "[::]:8080", ":8080", "127.0.0.1:0", "[::1]:80"] {
            assert_eq!(bind(text).to_string(), text);
        }
        assert!(bind(":8080").is_dual_stack() && !bind("[::]:8080").is_dual_stack());
        assert_eq!(bind(":8080").socket_addr(), "[::]:8080".parse().unwrap());
        for (text, hint) in [
            ("8080", "write \":8080\" for all addresses, or \"127.0.0.1:8080\""),
            ("localhost:80", "write \"127.0.0.1:80\""),
            ("*:80", "write \":80\" for all addresses"),
            ("::1:80", "write \"[::1:80]:8080\""),
            ("10.0.0.1", "write \"10.0.0.1:8080\""),
            (":+80", "write \"0.0.0.0:8080\", \"[::]:8080\" or \":8080\""),
            ("0.0.0.0:70000", "write \"0.0.0.0:8080\", \"[::]:8080\" or \":8080\""),
        ] {
            assert_eq!(text.parse::<BindAddr>().unwrap_err().hint.as_deref(), Some(hint), "{text}");
        }
    }

    #[test]
    fn overlapping_addresses() {
        for (a, b, clash) in [
            ("0.0.0.0:80", "127.0.0.1:80", true),
            ("0.0.0.0:80", "127.0.0.1:81", false),
            ("0.0.0.0:80", "[::]:80", false),
            ("0.0.0.0:80", ":80", true),
            ("[::]:80", "[::1]:80", true),
            ("[::]:80", "127.0.0.1:80", false),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
        ] {
            assert_eq!(bind(a).overlaps(bind(b)), clash, "{a} {b}");
            assert_eq!(bind(b).overlaps(bind(a)), clash, "{b} {a}");
        }
        assert!(bind(":80").takes("::1".parse().unwrap(), 80));
        assert!(bind("0.0.0.0:80").takes("127.0.0.1".parse().unwrap(), 80));
        assert!(!bind("0.0.0.0:80").takes("::1".parse().unwrap(), 80));
        assert!(!bind("0.0.0.0:80").takes("10.0.0.1".parse().unwrap(), 80));
    }

    #[test]
    fn blocks_of_addresses() {
        let cidr = |text: &str| text.parse::<Cidr>();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(cidr("10.0.0.0/8").unwrap().contains(ip("::ffff:10.1.2.3")));
        assert!(!cidr("10.0.0.0/8").unwrap().contains(ip("11.0.0.1")));
        assert!(cidr("0.0.0.0/0").unwrap().contains(ip("1.1.1.1")));
        assert!(!cidr("0.0.0.0/0").unwrap().contains(ip("2001:db8::1")));
        assert_eq!(cidr("::ffff:10.0.0.1").unwrap().to_string(), "10.0.0.1");
        assert_eq!(cidr("fd00::/8").unwrap().to_string(), "fd00::/8");
        let refusal = cidr("10.0.0.5/8").unwrap_err();
        assert_eq!(
            refusal.hint.as_deref(),
            Some("write 10.0.0.0/8 for the block or 10.0.0.5 for the address")
        );
        assert!(cidr("10.0.0.0/33").is_err() && cidr("example.com").is_err());
    }

    #[test]
    fn addresses_to_connect_to() {
        assert_eq!("10.0.0.2:53".parse::<PeerAddr>().unwrap().to_string(), "10.0.0.2:53");
        assert_eq!(
            "10.0.0.2".parse::<PeerAddr>().unwrap_err().hint.as_deref(),
            Some("write \"10.0.0.2:53\"")
        );
        assert!("10.0.0.2:0".parse::<PeerAddr>().is_err());
        assert!("0.0.0.0:53".parse::<PeerAddr>().is_err());
    }
}
