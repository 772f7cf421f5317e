//! The socket of the name server.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_proto::op::Message;
use tokio::net::UdpSocket;

use super::zone::{Entry, Zone};
use crate::process::free_addr;
use crate::task::Task;

/// The most that a UDP packet can hold.
const PACKET: usize = 64 * 1024;

/// A name server at work. It stops on drop.
pub struct NameServer {
    addr: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    _task: Task,
}

impl NameServer {
    /// Listens on a loopback UDP port, knowing no names.
    pub async fn start() -> io::Result<Self> {
        let socket = UdpSocket::bind(free_addr()?).await?;
        let addr = socket.local_addr()?;
        let zone = Arc::new(Mutex::default());
        let task = Task::spawn(serve(socket, Arc::clone(&zone)));
        Ok(Self { addr, zone, _task: task })
    }

    /// Where it listens, by UDP.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Lets a name have these addresses, in the place of what it had. The TTL counts in whole
    /// seconds.
    pub fn set(&self, name: &str, addrs: &[IpAddr], ttl: Duration) {
        let ttl = u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX);
        self.zone().insert(name, Entry::Addresses { addrs: addrs.to_vec(), ttl });
    }

    /// Lets a name not exist.
    pub fn remove(&self, name: &str) {
        self.zone().remove(name);
    }

    /// Answers every question about a name with a server failure.
    pub fn fail(&self, name: &str) {
        self.zone().insert(name, Entry::Failure);
    }

    /// Leaves every question about a name without an answer.
    pub fn ignore(&self, name: &str) {
        self.zone().insert(name, Entry::Silence);
    }

    /// How many questions came. A and AAAA are two.
    #[must_use]
    pub fn queries(&self) -> u64 {
        self.zone().queries()
    }

    /// How many questions came about a name.
    #[must_use]
    pub fn queries_for(&self, name: &str) -> u64 {
        self.zone().queries_for(name)
    }

    fn zone(&self) -> MutexGuard<'_, Zone> {
        lock(&self.zone)
    }
}

async fn serve(socket: UdpSocket, zone: Arc<Mutex<Zone>>) {
    let mut packet = vec![0; PACKET];
    loop {
        // An error tells of an earlier answer that found nobody: the next question is another.
        let Ok((length, from)) = socket.recv_from(&mut packet).await else { continue };
        let Ok(request) = Message::from_vec(&packet[..length]) else { continue };
        let answer = lock(&zone).answer(&request);
        if let Some(Ok(bytes)) = answer.map(|answer| answer.to_vec()) {
            // Whoever left in the meantime needs no answer.
            let _ = socket.send_to(&bytes, from).await;
        }
    }
}

/// Each change is one step, so a panic elsewhere leaves the zone whole.
fn lock(zone: &Mutex<Zone>) -> MutexGuard<'_, Zone> {
    zone.lock().unwrap_or_else(PoisonError::into_inner)
}
