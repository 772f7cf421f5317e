//! One request over TLS, to see whether a program is ready.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use portway_testkit::tls::ClientTls;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::bench::sandbox::{Answer, PATIENCE};

/// The answer to one GET on a connection of its own.
pub(super) fn get(address: SocketAddr, path: &str) -> anyhow::Result<Answer> {
    let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let config = ClientTls::trusting_anybody().alpn(&["http/1.1"]).config()?;
    let connection = ClientConnection::new(config, ServerName::from(address.ip()))?;
    let mut stream = StreamOwned::new(connection, socket);
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        // Some close the connection without the farewell of TLS.
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(error.into()),
        _ => {}
    }
    Answer::read(&answer)
}
