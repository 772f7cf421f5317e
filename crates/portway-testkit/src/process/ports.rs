//! Ports of one's own, for servers and for those that must not be there.
//!
//! A port that the system chose (port 0) goes to somebody else as soon as it is closed: a test
//! that expects nobody there then talks to the server of another test. Ports that are given out
//! here come from below the range the system chooses from, and each only once.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// Above the ports of well-known services, below those Linux chooses from unless it is told
/// otherwise (`net.ipv4.ip_local_port_range`).
const PORTS: Range<u16> = 10_000..32_700;

/// A process takes as many at a time.
const BLOCK: u16 = 100;

/// Ports that this process took and has not given out.
static TAKEN: Mutex<Option<Block>> = Mutex::new(None);

/// A loopback address whose port is free, and which nobody else is given while this process
/// lives.
///
/// # Errors
///
/// No port is left.
pub fn free_addr() -> io::Result<SocketAddr> {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut first = taken.as_ref().map_or(PORTS.start, |block| block.end);
    loop {
        if let Some(addr) = taken.as_mut().and_then(Block::next) {
            return Ok(addr);
        }
        let (block, after) = Block::take(first)?;
        first = after;
        // The lock of a block that is used up stays until the process ends.
        std::mem::forget(taken.replace(block));
    }
}

/// The port of a [`free_addr`].
pub fn free_port() -> io::Result<u16> {
    Ok(free_addr()?.port())
}

struct Block {
    next: u16,
    end: u16,
    /// Its first port, over UDP: another process that would take the block finds it in use.
    _lock: UdpSocket,
}

impl Block {
    /// Takes the first block from `first` on that nobody has, and says where the next one begins.
    fn take(first: u16) -> io::Result<(Self, u16)> {
        for start in (first..PORTS.end).step_by(BLOCK.into()) {
            if let Ok(lock) = UdpSocket::bind((Ipv4Addr::LOCALHOST, start)) {
                let end = (start + BLOCK).min(PORTS.end);
                return Ok((Self { next: start + 1, end, _lock: lock }, end));
            }
        }
        let text = format!("no port from {} to {} is left", PORTS.start, PORTS.end);
        Err(io::Error::new(io::ErrorKind::AddrNotAvailable, text))
    }

    /// The next one that no other server of this machine has.
    fn next(&mut self) -> Option<SocketAddr> {
        while self.next < self.end {
            let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, self.next));
            self.next += 1;
            if TcpListener::bind(addr).is_ok() {
                return Some(addr);
            }
        }
        None
    }
}
