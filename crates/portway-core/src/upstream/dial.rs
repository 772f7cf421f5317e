//! The way to an endpoint for bytes or datagrams: a socket of one's own, which nobody shares.

use std::{
    io, mem,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdUdpSocket},
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
    balance::{Ask, Connection, Permit, Pick, score},
    descriptors,
    socket::{Own, Stream},
    telemetry::metrics::ServiceCells,
};

/// The endpoints that were tried.
pub(super) type Spent = SmallVec<[usize; MAX_ENDPOINTS]>;

/// What leads to an endpoint for bytes.
#[derive(Debug)]
pub(crate) enum Reached {
    Socket(Stream),
    /// The program has dialled.
    Own(Own),
}

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
    ///
    /// # Errors
    /// A balancer of one's own has failed.
    pub(super) fn choose(
        &self,
        spent: &Spent,
        tries: &mut Tries,
        ask: Ask<'_>,
    ) -> Result<Option<Choice>, Error> {
        if spent.len() >= MAX_ENDPOINTS {
            return Ok(None);
        }
        let pick = match &mut tries.only {
            Some((index, _)) if spent.contains(index) => None,
            Some((index, permit)) => Some(Pick { index: *index, permit: permit.take(), key: None }),
            None => self.upstream.pick(spent, ask)?,
        };
        let Some(pick) = pick else { return Ok(None) };
        tries.endpoint = Some(pick.index);
        tries.count += 1;
        let mut addresses = self.upstream.endpoints[pick.index].addresses();
        if addresses.len() > 1 {
            match pick.key {
                // The same address for the same key, too.
                Some(key) => addresses.sort_by_key(|address| score(key, address.id())),
                None => {
                    let first = self.turn() % addresses.len();
                    addresses.rotate_left(first);
                }
            }
        }
        Ok(Some(Choice { index: pick.index, permit: pick.permit, addresses }))
    }

    /// A connection to an endpoint; to the next address or endpoint where one cannot be made.
    pub(crate) async fn dial(
        &self,
        limit: Option<Duration>,
        client: IpAddr,
        tries: &mut Tries,
    ) -> Result<Dialled<Reached>, Error> {
        let (mut spent, from) = (Spent::new(), Connection(client));
        let ask = Ask { of: &from, headers: None };
        let mut last = None;
        while let Some(mut choice) = self.choose(&spent, tries, ask)? {
            for address in mem::take(&mut choice.addresses) {
                tries.started = Some(Instant::now());
                let endpoint = &self.upstream.endpoints[choice.index];
                match open(&self.upstream, endpoint, address, limit).await {
                    Ok(socket) => {
                        choice.permit.iter_mut().for_each(|permit| permit.answered(None));
                        return Ok(self.dialled(socket, choice.permit));
                    }
                    Err(error) => last = Some(error),
                }
            }
            choice.failed(last.as_ref());
            spent.push(choice.index);
        }
        Err(last.unwrap_or_else(|| no_endpoint(self.upstream.label())))
    }

    /// A socket for datagrams that are sent to one endpoint, and come from there. Whether anybody
    /// is there shows later.
    pub(crate) fn dial_datagrams(
        &self,
        client: IpAddr,
        tries: &mut Tries,
    ) -> Result<Dialled<UdpSocket>, Error> {
        let (mut spent, from) = (Spent::new(), Connection(client));
        let ask = Ask { of: &from, headers: None };
        let mut last = None;
        while let Some(mut choice) = self.choose(&spent, tries, ask)? {
            for address in mem::take(&mut choice.addresses) {
                // The check lets no Unix domain socket through for datagrams.
                let Address::Inet(address) = address else { continue };
                tries.started = Some(Instant::now());
                match open_datagrams(address) {
                    Ok(socket) => return Ok(self.dialled(socket, choice.permit)),
                    Err(error) => last = Some(no_datagrams(address, &error)),
                }
            }
            choice.failed(last.as_ref());
            spent.push(choice.index);
        }
        Err(last.unwrap_or_else(|| no_endpoint(self.upstream.label())))
    }

    fn dialled<S>(&self, socket: S, permit: Option<Permit>) -> Dialled<S> {
        self.cells.opened();
        Dialled { socket, held: Held { cells: Arc::clone(&self.cells), _permit: permit } }
    }
}

impl Choice {
    /// No connection to it could be made.
    pub(super) fn failed(&mut self, error: Option<&Error>) {
        if let Some(permit) = &mut self.permit {
            permit.failed(error.map_or("no_endpoint", Error::code));
        }
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
