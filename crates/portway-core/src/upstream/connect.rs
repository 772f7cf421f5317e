//! A fresh connection to an endpoint.

use std::{io, net::SocketAddr, time::Duration};

use http::StatusCode;
use portway_http1::limits::HeadLimits;
use portway_plugin::Error;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    descriptors,
    driver::Connection,
    socket::{Stream, Wire},
};

/// Connects within `limit`. Whatever goes wrong here, nobody has seen a byte of the request.
pub(super) async fn connect(
    address: SocketAddr,
    limit: Option<Duration>,
    head: HeadLimits,
) -> Result<Connection, Error> {
    let socket = open(address, limit).await?;
    Ok(Connection::new(Wire::Plain(socket), head))
}

/// Opens a connection within `limit`, on which nothing is said yet.
pub(super) async fn open(address: SocketAddr, limit: Option<Duration>) -> Result<Stream, Error> {
    let opened = match limit {
        Some(limit) => match timeout(limit, TcpStream::connect(address)).await {
            Ok(opened) => opened,
            Err(_) => return Err(timed_out(address)),
        },
        None => TcpStream::connect(address).await,
    };
    let socket = opened.map_err(|error| refused(address, &error))?;
    if descriptors::is_reserved(&socket) {
        return Err(refused(address, &io::Error::other("too few file descriptors are left")));
    }
    // Heads and small bodies are written whole: waiting to fill a segment only adds latency.
    socket.set_nodelay(true).map_err(|error| refused(address, &error))?;
    Ok(Stream::Tcp(socket))
}

fn refused(address: SocketAddr, error: &io::Error) -> Error {
    Error::upstream(
        StatusCode::BAD_GATEWAY,
        "upstream_connect",
        "no connection to the upstream could be made",
    )
    .because(io::Error::new(error.kind(), format!("connect to {address}: {error}")))
    .unseen()
}

fn timed_out(address: SocketAddr) -> Error {
    Error::upstream(
        StatusCode::GATEWAY_TIMEOUT,
        "connect_timeout",
        "the upstream did not accept a connection in time",
    )
    .because(format!("connect to {address}"))
    .unseen()
}
