//! Where the echo upstream listens.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};

use crate::wire::{self, NO_ADDR, Stream};

/// A listening socket.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix { listener: UnixListener, _unlink: Unlink },
}

/// Takes the name of a Unix domain socket away when nobody listens any more.
#[derive(Debug)]
pub(super) struct Unlink(PathBuf);

impl Listener {
    /// Takes a path, which must not be there.
    pub(super) fn bind_unix(path: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        Ok(Self::Unix { listener, _unlink: Unlink(path.to_owned()) })
    }

    pub(super) async fn accept(&self) -> (Stream, SocketAddr) {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer_addr) = wire::accept(listener).await;
                // Each event leaves in a packet of its own. It fails only on a connection that
                // is already gone.
                let _ = stream.set_nodelay(true);
                (Stream::Tcp(stream), peer_addr)
            }
            Self::Unix { listener, .. } => loop {
                match listener.accept().await {
                    Ok((stream, _)) => return (Stream::Unix(stream), NO_ADDR),
                    // Most likely out of file descriptors: wait until one is given back.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            },
        }
    }
}

impl Drop for Unlink {
    fn drop(&mut self) {
        // Whoever took it away before has done the work.
        let _ = std::fs::remove_file(&self.0);
    }
}
