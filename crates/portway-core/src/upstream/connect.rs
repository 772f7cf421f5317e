//! A fresh connection to an endpoint.

use std::{io, net::SocketAddr, time::Duration};

use http::StatusCode;
use portway_config::{Socket, value::EndpointScheme};
use portway_plugin::Error;
use socket2::SockRef;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream, UnixStream},
    time::timeout,
};

use super::{Endpoint, Upstream, dial::Reached, endpoint::Address, own};
use crate::{
    descriptors,
    socket::{Stream, Wire, tune},
    tls::Offer,
};

/// A fresh connection, and whether HTTP/2 was agreed on.
pub(super) struct Connected {
    pub(super) wire: Wire,
    pub(super) http2: bool,
}

/// Connects within `limit`, TLS included. Whatever goes wrong here, nobody has seen a byte of the
/// request. `introduction` comes before everything.
pub(super) async fn connect(
    upstream: &Upstream,
    endpoint: &Endpoint,
    address: Address,
    limit: Option<Duration>,
    offer: Offer,
    introduction: Option<&[u8]>,
) -> Result<Connected, Error> {
    let work = async {
        if let Some(dialler) = &endpoint.dialler {
            let dialling = own::dialled(dialler, (upstream, endpoint), limit, offer, introduction);
            return dialling.await;
        }
        let mut stream = reach(upstream, endpoint, address).await?;
        if let Some(introduction) = introduction {
            let written = stream.write_all(introduction).await;
            written.map_err(|error| refused(address, &error))?;
        }
        secured(upstream, endpoint, stream, offer).await
    };
    within(limit, address, work).await
}

/// Opens a connection within `limit`, on which nothing is said yet.
pub(super) async fn open(
    upstream: &Upstream,
    endpoint: &Endpoint,
    address: Address,
    limit: Option<Duration>,
) -> Result<Reached, Error> {
    let work = async {
        match &endpoint.dialler {
            Some(dialler) => own::opened(dialler, limit).await.map(Reached::Own),
            None => reach(upstream, endpoint, address).await.map(Reached::Socket),
        }
    };
    within(limit, address, work).await
}

async fn within<T>(
    limit: Option<Duration>,
    address: Address,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match limit {
        Some(limit) => timeout(limit, work).await.unwrap_or_else(|_| Err(timed_out(address))),
        None => work.await,
    }
}

async fn reach(
    upstream: &Upstream,
    endpoint: &Endpoint,
    address: Address,
) -> Result<Stream, Error> {
    let socket = upstream.socket();
    let opened = match (address, endpoint.socket()) {
        (Address::Inet(address), _) => tcp(address, socket).await.map(Stream::Tcp),
        (Address::Unix, Some(path)) => UnixStream::connect(path).await.map(Stream::Unix),
        (Address::Unix, None) | (Address::Named, _) => Err(io::ErrorKind::AddrNotAvailable.into()),
    };
    let stream = opened.map_err(|error| refused(address, &error))?;
    if descriptors::is_reserved(&stream) {
        return Err(refused(address, &io::Error::other("too few file descriptors are left")));
    }
    stream.set_nodelay(socket.nodelay).map_err(|error| refused(address, &error))?;
    Ok(stream)
}

/// What is asked of the kernel is asked before it connects: the room for bytes that come is agreed
/// on then.
async fn tcp(address: SocketAddr, wanted: &Socket) -> io::Result<TcpStream> {
    if !wanted.is_tuned() {
        return TcpStream::connect(address).await;
    }
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    tune(&SockRef::from(&socket), wanted)?;
    socket.connect(address).await
}

async fn secured(
    upstream: &Upstream,
    endpoint: &Endpoint,
    stream: Stream,
    offer: Offer,
) -> Result<Connected, Error> {
    let tls = match (endpoint.scheme, &upstream.tls) {
        (EndpointScheme::Https, Some(tls)) => tls,
        // Never in clear text what is meant for TLS.
        (EndpointScheme::Https, None) => return Err(untrusted("there is no TLS for it")),
        _ => return Ok(Connected { wire: Wire::Plain(stream), http2: false }),
    };
    let name = endpoint.server_name.clone();
    let name = name.ok_or_else(|| untrusted("no certificate can be for its host"))?;
    let shaken = tls.connect(stream, name, offer).await;
    let (wire, http2) = shaken.map_err(untrusted)?;
    Ok(Connected { wire, http2 })
}

fn refused(address: Address, error: &io::Error) -> Error {
    Error::upstream(
        StatusCode::BAD_GATEWAY,
        "upstream_connect",
        "no connection to the upstream could be made",
    )
    .because(io::Error::new(error.kind(), format!("connect to {address}: {error}")))
    .unseen()
}

pub(super) fn untrusted(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::upstream(
        StatusCode::BAD_GATEWAY,
        "upstream_tls",
        "no connection to the upstream could be made under TLS",
    )
    .because(cause)
    .unseen()
}

fn timed_out(address: Address) -> Error {
    Error::upstream(
        StatusCode::GATEWAY_TIMEOUT,
        "connect_timeout",
        "the upstream did not accept a connection in time",
    )
    .because(format!("connect to {address}"))
    .unseen()
}
