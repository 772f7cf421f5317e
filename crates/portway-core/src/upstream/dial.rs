//! The way to an endpoint for bytes or datagrams: a socket of one's own, which nobody shares.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdUdpSocket},
    sync::Arc,
    time::Duration,
};

use http::StatusCode;
use portway_plugin::Error;
use smallvec::SmallVec;
use tokio::{net::UdpSocket, time::Instant};

use super::{
    Lane, Tries,
    connect::open,
    endpoint::{Address, Addresses},
    send::{MAX_ENDPOINTS, no_endpoint},
};
use crate::{
    balance::{Permit, Pick},
    descriptors,
    socket::Stream,
    telemetry::metrics::ServiceCells,
};

/// The endpoints that were tried.
pub(super) type Spent = SmallVec<[usize; MAX_ENDPOINTS]>;

/// A socket that leads to an endpoint, and counts as a connection to the service.
#[derive(Debug)]
pub(crate) struct Dialled<S> {
    pub(crate) socket: S,
    /// What of it must be kept for as long as the socket is used.
    pub(crate) held: Held,
}

/// Counts a connection for the service and for the endpoint's load, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    cells: Arc<ServiceCells>,
    _permit: Option<Permit>,
}

/// An endpoint that was chosen, and the order in which to try its addresses.
pub(super) struct Choice {
    pub(super) index: usize,
    pub(super) permit: Option<Permit>,
    pub(super) addresses: Addresses,
}

impl Lane {
    /// The next endpoint to try. `None` when each was, or as many as may be.
    pub(super) fn choose(&self, spent: &Spent, tries: &mut Tries) -> Option<Choice> {
        if spent.len() >= MAX_ENDPOINTS {
            return None;
        }
        let pick = match &mut tries.only {
            Some((index, _)) if spent.contains(index) => return None,
            Some((index, permit)) => Pick { index: *index, permit: permit.take() },
            None => self.upstream.picker.pick(spent)?,
        };
        tries.endpoint = Some(pick.index);
        tries.count += 1;
        let mut addresses = self.upstream.endpoints[pick.index].addresses();
        if addresses.len() > 1 {
            let first = self.turn() % addresses.len();
            addresses.rotate_left(first);
        }
        Some(Choice { index: pick.index, permit: pick.permit, addresses })
    }

    /// A connection to an endpoint; to the next address or endpoint where one cannot be made.
    pub(crate) async fn dial(
        &self,
        limit: Option<Duration>,
        tries: &mut Tries,
    ) -> Result<Dialled<Stream>, Error> {
        let mut spent = Spent::new();
        let mut last = None;
        while let Some(Choice { index, permit, addresses }) = self.choose(&spent, tries) {
            for address in addresses {
                tries.started = Some(Instant::now());
                match open(&self.upstream.endpoints[index], address, limit).await {
                    Ok(socket) => return Ok(self.dialled(socket, permit)),
                    Err(error) => last = Some(error),
                }
            }
            spent.push(index);
        }
        Err(last.unwrap_or_else(|| no_endpoint(self.upstream.label())))
    }

    /// A socket for datagrams that are sent to one endpoint, and come from there. Whether anybody
    /// is there shows later.
    pub(crate) fn dial_datagrams(&self, tries: &mut Tries) -> Result<Dialled<UdpSocket>, Error> {
        let mut spent = Spent::new();
        let mut last = None;
        while let Some(Choice { index, permit, addresses }) = self.choose(&spent, tries) {
            for address in addresses {
                // The check lets no Unix domain socket through for datagrams.
                let Address::Inet(address) = address else { continue };
                tries.started = Some(Instant::now());
                match open_datagrams(address) {
                    Ok(socket) => return Ok(self.dialled(socket, permit)),
                    Err(error) => last = Some(no_datagrams(address, &error)),
                }
            }
            spent.push(index);
        }
        Err(last.unwrap_or_else(|| no_endpoint(self.upstream.label())))
    }

    fn dialled<S>(&self, socket: S, permit: Option<Permit>) -> Dialled<S> {
        self.cells.opened();
        Dialled { socket, held: Held { cells: Arc::clone(&self.cells), _permit: permit } }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.cells.closed();
    }
}

fn open_datagrams(address: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = StdUdpSocket::bind(any)?;
    if descriptors::is_reserved(&socket) {
        return Err(io::Error::other("too few file descriptors are left"));
    }
    socket.set_nonblocking(true)?;
    socket.connect(address)?;
    UdpSocket::from_std(socket)
}

fn no_datagrams(address: SocketAddr, error: &io::Error) -> Error {
    Error::upstream(
        StatusCode::BAD_GATEWAY,
        "upstream_connect",
        "no connection to the upstream could be made",
    )
    .because(io::Error::new(error.kind(), format!("datagrams to {address}: {error}")))
}
