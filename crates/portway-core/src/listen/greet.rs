//! What a connection goes through before HTTP is spoken on it: a PROXY protocol header, the first
//! byte, a handshake. Each has a deadline, and each way to fail a counter.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Buf as _, BytesMut};
use tokio::time::timeout;

use super::Presence;
use crate::{
    driver::Protocol,
    forward::Peer,
    proxy_protocol::{self, Parsed},
    snapshot::{ListenerPlan, View},
    socket::{Prefixed, Stream, Wire},
    telemetry::metrics::{ListenerCells, Refusal},
    tls::{HandshakeError, TlsPlan, handshake},
};

/// The first byte of TLS: a record of the type `handshake` (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 0x16;

/// How long a client that is to be closed may take to say something else.
pub(super) const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);

/// A connection that was accepted, and nobody has read from.
pub(super) struct Newcomer {
    pub(super) stream: Stream,
    /// Who is at the other end, by the socket or by a proxy's word.
    pub(super) peer: SocketAddr,
    /// The address it came to.
    pub(super) local: SocketAddr,
    pub(super) presence: Presence,
}

/// A connection on which HTTP can be spoken.
pub(super) struct Guest {
    pub(super) wire: Wire,
    pub(super) read: BytesMut,
    pub(super) protocol: Option<Protocol>,
    pub(super) peer: Arc<Peer>,
}

impl Newcomer {
    /// Hears whom a trusted proxy names, where one is to. `None`: it is over, and was counted.
    pub(super) async fn introduce(
        &mut self,
        plan: &ListenerPlan,
        cells: &ListenerCells,
    ) -> Option<BytesMut> {
        let mut read = BytesMut::new();
        if plan.awaits_proxy(self.peer.ip()) {
            let patience = plan.server.header_read.unwrap_or(DEFAULT_PATIENCE);
            let header = timeout(patience, self.introduced(&mut read)).await;
            if let Err(refusal) = header.unwrap_or(Err(Refusal::ProxyHeader)) {
                cells.refused(refusal);
                return None;
            }
        }
        Some(read)
    }

    /// Takes a connection as far as HTTP. `None`: it is over, and was counted.
    pub(super) async fn greet(
        self,
        mut read: BytesMut,
        plan: &ListenerPlan,
        view: &View,
        cells: &ListenerCells,
    ) -> Option<Guest> {
        let Some(tls) = &plan.tls else { return Some(self.plain(read)) };
        if tls.accept_plain {
            match timeout(tls.timeout.unwrap_or(DEFAULT_PATIENCE), self.first_byte(&mut read)).await
            {
                Ok(Some(HANDSHAKE)) => {}
                Ok(Some(_)) => return Some(self.plain(read)),
                Ok(None) => return None,
                Err(_) => {
                    cells.refused(Refusal::FirstBytesTimeout);
                    return None;
                }
            }
        }
        self.under_tls(read, tls, (plan, view), cells).await
    }

    /// Reads a PROXY header, and believes whom it names. What follows it is left in `read`.
    async fn introduced(&mut self, read: &mut BytesMut) -> Result<(), Refusal> {
        loop {
            match proxy_protocol::parse(read) {
                Parsed::Header(header) => {
                    if let Some(addresses) = header.addresses() {
                        self.peer = addresses.source;
                        self.local = addresses.destination;
                    }
                    read.advance(header.length);
                    return Ok(());
                }
                Parsed::Incomplete => {
                    self.read_more(read).await.map_err(|_| Refusal::ProxyHeader)?;
                }
                Parsed::Absent => return Err(Refusal::ProxyHeader),
                Parsed::Invalid(reason) => {
                    tracing::debug!(proxy = %self.peer.ip(), %reason, "no connection by a proxy");
                    return Err(Refusal::ProxyHeader);
                }
            }
        }
    }

    pub(super) fn plain(self, read: BytesMut) -> Guest {
        let Self { stream, peer, local, presence } = self;
        let peer = Arc::new(Peer::new(peer, local, None, Some(presence)));
        Guest { wire: Wire::Plain(stream), read, protocol: None, peer }
    }

    async fn under_tls(
        self,
        read: BytesMut,
        tls: &TlsPlan,
        (plan, view): (&ListenerPlan, &View),
        cells: &ListenerCells,
    ) -> Option<Guest> {
        let Self { stream, peer, local, presence } = self;
        let allowed = |name: Option<&str>| {
            let listed = name.is_some_and(|name| plan.allows(name)) || plan.allowed.is_none();
            let served = name.is_none_or(|name| view.world(name).is_some());
            !plan.strict || (listed && served)
        };
        let shaken = handshake(Prefixed::new(read.freeze(), stream), tls, allowed).await;
        let (wire, facts) = shaken.map_err(|error| refused(peer, &error, cells)).ok()?;
        let protocol = match facts.http2 {
            true => Protocol::Http2,
            false => Protocol::Http1,
        };
        let peer = Arc::new(Peer::new(peer, local, Some(facts), Some(presence)));
        Some(Guest { wire, read: BytesMut::new(), protocol: Some(protocol), peer })
    }

    /// Reads until there is a first byte. `None`: the client left without a word.
    async fn first_byte(&self, read: &mut BytesMut) -> Option<u8> {
        while read.is_empty() {
            self.read_more(read).await.ok()?;
        }
        read.first().copied()
    }

    /// Waits for more.
    pub(super) async fn read_more(&self, read: &mut BytesMut) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            read.reserve(1024);
            match self.stream.try_read_buf(read) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn refused(peer: SocketAddr, error: &HandshakeError, cells: &ListenerCells) {
    let refusal = match error {
        HandshakeError::Busy => Refusal::TooManyHandshakes,
        HandshakeError::TimedOut => Refusal::HandshakeTimeout,
        HandshakeError::UnknownName(_) => Refusal::UnknownName,
        HandshakeError::NotTls => Refusal::NotTls,
        HandshakeError::Failed(_) => Refusal::HandshakeFailed,
        // Load balancers look whether somebody is there, and leave.
        HandshakeError::Left => return,
    };
    cells.refused(refusal);
    tracing::debug!(client = %peer.ip(), %error, "no connection under TLS");
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::AsyncWriteExt as _,
        net::{UnixStream, unix::OwnedWriteHalf},
    };

    use super::*;
    use crate::listen::Crowd;

    /// Somebody who has come, and what the proxy in front of them says it with.
    fn newcomer() -> (Newcomer, OwnedWriteHalf) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let presence = Crowd::new(1).0.enter(0);
        let peer = "127.0.0.1:5".parse().unwrap();
        let newcomer = Newcomer {
            stream: Stream::Unix(ours),
            peer,
            local: ([127, 0, 0, 1], 80).into(),
            presence,
        };
        (newcomer, theirs.into_split().1)
    }

    #[tokio::test]
    async fn a_proxy_is_believed_and_what_follows_is_kept() {
        for (header, peer, port) in [
            (&b"PROXY TCP4 192.0.2.1 192.0.2.2 8080 443\r\n"[..], "192.0.2.1:8080", 443),
            (b"PROXY UNKNOWN\r\n", "127.0.0.1:5", 80),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", "127.0.0.1:5", 80),
            (
                b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\0\x01\x01\xbb",
                "192.0.2.1:1",
                443,
            ),
        ] {
            let (mut newcomer, mut proxy) = newcomer();
            let sent = [header, b"GET /"].concat();
            let mut read = BytesMut::new();
            // In two pieces: the second is written when the first was read and was not enough.
            let (first, second) = sent.split_at(header.len() - 3);
            proxy.write_all(first).await.unwrap();
            let introduced = {
                let mut introduced = std::pin::pin!(newcomer.introduced(&mut read));
                tokio::select! {
                    biased;
                    done = &mut introduced => panic!("{done:?} before the header was whole"),
                    written = proxy.write_all(second) => written.unwrap(),
                }
                introduced.await
            };
            assert_eq!(introduced, Ok(()));
            assert_eq!((newcomer.peer, newcomer.local.port()), (peer.parse().unwrap(), port));
            assert_eq!(&read[..], b"GET /");
        }
    }

    #[tokio::test]
    async fn who_does_not_say_it_well_is_not_let_in() {
        for sent in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"PROXY TCP4 192.0.2.1 192.0.2.2 8080\r\n",
            b"PROXY TCP4 192.0.2.1",
            b"",
        ] {
            let (mut newcomer, mut proxy) = newcomer();
            proxy.write_all(sent).await.unwrap();
            drop(proxy);
            let introduced = newcomer.introduced(&mut BytesMut::new()).await;
            assert_eq!(introduced, Err(Refusal::ProxyHeader), "{}", sent.escape_ascii());
            assert_eq!(newcomer.peer, "127.0.0.1:5".parse().unwrap());
        }
    }
}
