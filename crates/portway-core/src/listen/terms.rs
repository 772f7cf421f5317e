//! What is asked of the kernel for a listening socket.

use std::io;

use portway_config::{
    Listener, Socket,
    value::{BindAddr, Name},
};
use socket2::{SockRef, Socket as RawSocket, Type};

use crate::socket::tune;

/// What is asked of the kernel for a listening socket, and for what comes to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    backlog: i32,
    pub(super) reuse_address: bool,
    /// Whether the port may be another process's, too.
    pub(super) reuse_port: bool,
    socket: Socket,
}

impl Terms {
    pub(crate) fn of(listener: &Listener) -> Self {
        Self {
            backlog: i32::try_from(listener.backlog).unwrap_or(i32::MAX),
            reuse_address: listener.reuse_address,
            reuse_port: listener.reuse_port,
            socket: listener.socket.clone(),
        }
    }

    /// Asks for what is to hold before it listens.
    pub(super) fn prepare(&self, socket: &SockRef<'_>) -> io::Result<()> {
        tune(socket, &self.socket)
    }

    /// Begins to listen.
    pub(super) fn listen(&self, socket: &SockRef<'_>) -> io::Result<()> {
        socket.listen(self.backlog)
    }

    /// Asks for all of it in place of `before`, while the socket is open: whoever connects from now
    /// on has it, and nobody who waits in the queue is lost. A buffer whose size is left out again has
    /// the size of a new socket, though the kernel adapts it no more.
    pub(crate) fn replace(&self, before: &Self, socket: &SockRef<'_>) -> io::Result<()> {
        if socket.r#type()? == Type::STREAM && self.backlog != before.backlog {
            self.listen(socket)?;
        }
        let (now, was) = (&self.socket, &before.socket);
        if now.receive_buffer.is_zero() && !was.receive_buffer.is_zero() {
            // The kernel doubles what it is told.
            socket.set_recv_buffer_size(fresh(socket)?.recv_buffer_size()? / 2)?;
        }
        if now.send_buffer.is_zero() && !was.send_buffer.is_zero() {
            socket.set_send_buffer_size(fresh(socket)?.send_buffer_size()? / 2)?;
        }
        if now.keepalive.is_none() && was.keepalive.is_some() {
            socket.set_keepalive(false)?;
        }
        tune(socket, now)
    }
}

/// A new socket of the same kind.
fn fresh(socket: &SockRef<'_>) -> io::Result<RawSocket> {
    RawSocket::new(socket.domain()?, socket.r#type()?, socket.protocol()?)
}

impl Default for Terms {
    fn default() -> Self {
        let name: Name = "default".parse().expect("a name");
        Self::of(&Listener::new(name, BindAddr::localhost(0)))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use portway_config::{Keepalive, value::ByteSize};

    use super::*;

    /// What a client's connection has of it, by the listening socket alone.
    fn accepted(listener: &TcpListener) -> (usize, bool) {
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let socket = SockRef::from(&stream);
        (socket.recv_buffer_size().unwrap(), socket.keepalive().unwrap())
    }

    #[test]
    fn whoever_connects_after_a_change_has_what_it_asks_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = SockRef::from(&listener);
        let usual = Terms::default();
        let mut tuned = Terms { backlog: 7, ..Terms::default() };
        tuned.socket.receive_buffer = ByteSize::kib(8);
        tuned.socket.keepalive = Some(Keepalive::default());
        let (before, asks) = accepted(&listener);
        assert!(!asks);
        tuned.replace(&usual, &socket).unwrap();
        // The kernel has room for its own notes besides.
        assert_eq!(accepted(&listener), (16 * 1024, true));
        usual.replace(&tuned, &socket).unwrap();
        assert_eq!(accepted(&listener), (before, false));
    }
}
