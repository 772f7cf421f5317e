//! The loop of one client connection, and the pool of upstream connections of its thread.
//! The task that reads the request also drives the upstream exchange: no channel, no second task.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::framing::{self, Body, Malformed, RequestHead, ResponseHead};

/// Room for a request head and the beginning of its body.
const INBOUND: usize = 16 * 1024;
/// One read of a response: large enough that a system call's own cost disappears in the copy.
const OUTBOUND: usize = 64 * 1024;

thread_local! {
    /// Idle upstream connections, the last used first: it is the warmest.
    static IDLE: RefCell<Vec<TcpStream>> = const { RefCell::new(Vec::new()) };
}

/// Serves one client connection until either side ends it.
pub(crate) async fn serve(client: TcpStream, upstream: SocketAddr) -> io::Result<()> {
    let mut exchange = Exchange {
        client,
        upstream,
        inbound: vec![0; INBOUND].into_boxed_slice(),
        filled: 0,
        outbound: vec![0; OUTBOUND].into_boxed_slice(),
    };
    while let Some(request) = exchange.request().await? {
        if !exchange.forward(request).await? {
            break;
        }
    }
    Ok(())
}

/// A client connection and the two buffers that its messages pass through.
struct Exchange {
    client: TcpStream,
    upstream: SocketAddr,
    inbound: Box<[u8]>,
    /// Bytes at the front of `inbound` that are not forwarded yet.
    filled: usize,
    outbound: Box<[u8]>,
}

impl Exchange {
    /// Waits for a whole request head; `None` when the client closed instead.
    async fn request(&mut self) -> io::Result<Option<RequestHead>> {
        loop {
            if self.filled > 0
                && let Some(request) = framing::request(&self.inbound[..self.filled])?
            {
                return Ok(Some(request));
            }
            let read = self.client.read(&mut self.inbound[self.filled..]).await?;
            if read == 0 {
                return Ok(None);
            }
            self.filled += read;
        }
    }

    /// Sends the request on and the answer back; says whether the client may ask again.
    async fn forward(&mut self, request: RequestHead) -> io::Result<bool> {
        let RequestHead { mut head, is_head } = request;
        let first = head.len + head.body.take(&self.inbound[head.len..self.filled])?;
        let whole = head.body.done();
        let idle = IDLE.with_borrow_mut(Vec::pop);
        let reused = idle.is_some();
        let mut server = match idle {
            Some(server) => server,
            None => self.connect().await?,
        };
        let mut read = self.ask(&mut server, first, &mut head.body).await;
        // The upstream closed an idle connection just now: nothing was answered, so a request
        // that is still in the buffer goes out again on a fresh one.
        if reused && whole && !matches!(read, Ok(1..)) {
            server = self.connect().await?;
            read = self.ask(&mut server, first, &mut head.body).await;
        }
        let read = read?;
        if whole {
            self.inbound.copy_within(first..self.filled, 0);
            self.filled -= first;
        }
        if read == 0 || !self.answer(&mut server, read, is_head).await? {
            return Ok(false);
        }
        IDLE.with_borrow_mut(|idle| idle.push(server));
        Ok(head.keep_alive)
    }

    /// Writes the request, whose first bytes are at the front of `inbound`, and makes the first
    /// read of the answer. What follows the body in `inbound` stays there.
    async fn ask(
        &mut self,
        server: &mut TcpStream,
        first: usize,
        body: &mut Body,
    ) -> io::Result<usize> {
        server.write_all(&self.inbound[..first]).await?;
        while !body.done() {
            let read = self.client.read(&mut self.inbound).await?;
            if read == 0 {
                return Ok(0);
            }
            let taken = body.take(&self.inbound[..read])?;
            server.write_all(&self.inbound[..taken]).await?;
            self.inbound.copy_within(taken..read, 0);
            self.filled = read - taken;
        }
        server.read(&mut self.outbound).await
    }

    /// Copies the answer, of which `filled` bytes have been read, to the client; says whether the
    /// upstream connection may be used again.
    async fn answer(
        &mut self,
        server: &mut TcpStream,
        mut filled: usize,
        to_head: bool,
    ) -> io::Result<bool> {
        let (mut body, keep_alive, mut taken) = loop {
            match framing::response(&self.outbound[..filled], to_head)? {
                Some(ResponseHead { head, interim: true }) => {
                    self.client.write_all(&self.outbound[..head.len]).await?;
                    self.outbound.copy_within(head.len..filled, 0);
                    filled -= head.len;
                }
                Some(ResponseHead { mut head, interim: false }) => {
                    let taken = head.len + head.body.take(&self.outbound[head.len..filled])?;
                    break (head.body, head.keep_alive, taken);
                }
                None => {
                    let read = server.read(&mut self.outbound[filled..]).await?;
                    if read == 0 {
                        return Ok(false);
                    }
                    filled += read;
                }
            }
        };
        self.client.write_all(&self.outbound[..taken]).await?;
        while !body.done() {
            filled = server.read(&mut self.outbound).await?;
            if filled == 0 {
                return Ok(false);
            }
            taken = body.take(&self.outbound[..filled])?;
            self.client.write_all(&self.outbound[..taken]).await?;
        }
        // Bytes behind the end of an answer: whatever they are, nobody asked for them.
        Ok(keep_alive && body.done() && taken == filled)
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let server = TcpStream::connect(self.upstream).await?;
        server.set_nodelay(true)?;
        Ok(server)
    }
}

impl From<Malformed> for io::Error {
    fn from(_: Malformed) -> Self {
        Self::new(io::ErrorKind::InvalidData, "malformed message")
    }
}
