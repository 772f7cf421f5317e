//! A process as `/proc` shows it.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The state of a listening socket in `/proc/net/tcp`.
const LISTEN: &str = "0A";

pub(super) fn rss_kib(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    kib.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no VmRSS of {pid}")))
}

pub(super) fn open_files(pid: u32) -> io::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

pub(super) fn listening(pid: u32) -> io::Result<Vec<SocketAddr>> {
    let sockets = sockets(pid)?;
    let mut found = Vec::new();
    for table in ["tcp", "tcp6"] {
        // A machine without IPv6 has no such table.
        let Ok(table) = fs::read_to_string(format!("/proc/{pid}/net/{table}")) else { continue };
        found.extend(table.lines().skip(1).filter_map(|row| listener(row, &sockets)));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The inodes of the sockets that the process has open.
fn sockets(pid: u32) -> io::Result<HashSet<String>> {
    let files = fs::read_dir(format!("/proc/{pid}/fd"))?;
    // A file may be closed between being listed and being looked at.
    let targets = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    let inodes = targets.filter_map(|target| {
        let name = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
        Some(name.to_owned())
    });
    Ok(inodes.collect())
}

/// The address of a row of the socket table, if it listens and is one of these.
fn listener(row: &str, sockets: &HashSet<String>) -> Option<SocketAddr> {
    let columns: Vec<&str> = row.split_whitespace().collect();
    let (local, state, inode) = (columns.get(1)?, columns.get(3)?, columns.get(9)?);
    if *state != LISTEN || !sockets.contains(*inode) {
        return None;
    }
    let (ip, port) = local.split_once(':')?;
    Some(SocketAddr::new(address(ip)?, u16::from_str_radix(port, 16).ok()?))
}

/// An address in groups of four bytes, each printed as a number of this machine.
fn address(hex: &str) -> Option<IpAddr> {
    let mut bytes = Vec::with_capacity(16);
    for at in (0..hex.len()).step_by(8) {
        let word = u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    if let Ok(v4) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(Ipv4Addr::from(v4).into());
    }
    Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use tokio::net::TcpSocket;

    use super::*;

    #[test]
    fn listening_sockets_of_both_families_are_found() {
        // An address of its own: no other test takes the port once it is free.
        let four = TcpListener::bind("127.0.0.77:0").unwrap();
        let six = TcpListener::bind("[::1]:0").unwrap();
        let bound = TcpSocket::new_v4().unwrap();
        bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();

        let found = listening(std::process::id()).unwrap();
        assert!(found.contains(&four.local_addr().unwrap()), "{found:?}");
        assert!(found.contains(&six.local_addr().unwrap()), "{found:?}");
        assert!(!found.contains(&bound.local_addr().unwrap()), "it does not listen: {found:?}");

        let closed = four.local_addr().unwrap();
        drop(four);
        assert!(!listening(std::process::id()).unwrap().contains(&closed));
    }

    #[test]
    fn addresses_are_read_as_the_kernel_prints_them() {
        let row = |local: &str, state: &str| {
            format!(
                "0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 42 1"
            )
        };
        let ours = HashSet::from(["42".to_owned()]);
        let loopback = row(&format!("{:08X}:1F90", u32::from_ne_bytes([127, 0, 0, 1])), LISTEN);
        assert_eq!(listener(&loopback, &ours), Some("127.0.0.1:8080".parse().unwrap()));
        assert_eq!(listener(&loopback, &HashSet::new()), None);
        assert_eq!(listener(&row("0100007F:1F90", "01"), &ours), None, "it is a connection");
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        // The kernel gives out no id as high as this.
        assert_eq!(rss_kib(u32::MAX).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(listening(u32::MAX).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
