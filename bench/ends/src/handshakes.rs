//! Connections with TLS 1.3, each for one short request. Every lane opens one after another, from a
//! loopback address of its own, so that no port has to be used again before its time.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{
    ClientConfig, DigitallySignedStruct, HandshakeKind, SignatureScheme, SupportedCipherSuite,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::Order;
use crate::tally::Tally;

/// As wrk and h2load: the same for everybody, see `bench/wrk/openssl.cnf`.
const SUITE: SupportedCipherSuite = cipher_suite::TLS13_AES_128_GCM_SHA256;
/// A head and three bytes fit.
const ROOM: usize = 4 * 1024;

/// Opens connections for as long as ordered.
pub(crate) async fn shake(order: Order, resume: bool) -> io::Result<Value> {
    let mut lanes = JoinSet::new();
    let start = Instant::now();
    for number in 0..order.lanes {
        lanes.spawn(lane(order.clone(), number, resume, start));
    }
    let mut all = Tally::default();
    while let Some(lane) = lanes.join_next().await {
        all.add(lane.map_err(io::Error::other)??);
    }
    all.report(start.elapsed())
}

async fn lane(order: Order, number: usize, resume: bool, start: Instant) -> io::Result<Tally> {
    // Sessions of its own: a ticket is good for one connection, and no lane takes another's.
    let connector = TlsConnector::from(Arc::new(config(resume)?));
    let host = u8::try_from(number % 250).expect("less than 250") + 2;
    let from = SocketAddr::from((Ipv4Addr::new(127, 0, 1, host), 0));
    let request =
        format!("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", order.path, order.to);
    let mut tally = Tally::default();
    loop {
        let begin = Instant::now();
        match connection(&connector, from, order.to, &request).await {
            Ok((kind, bytes)) => {
                tally.answered(begin.elapsed(), bytes);
                tally.resumed += u64::from(kind == Some(HandshakeKind::Resumed));
            }
            Err(error) => tally.failed(&error),
        }
        if start.elapsed() >= order.length {
            return Ok(tally);
        }
    }
}

/// One connection, from its first packet to its last; which handshake it had and what it brought.
async fn connection(
    connector: &TlsConnector,
    from: SocketAddr,
    to: SocketAddr,
    request: &str,
) -> io::Result<(Option<HandshakeKind>, usize)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(from)?;
    let socket = socket.connect(to).await?;
    socket.set_nodelay(true)?;
    let mut stream =
        connector.connect(ServerName::IpAddress(IpAddr::into(to.ip())), socket).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut room = [0; ROOM];
    let mut filled = 0;
    loop {
        match stream.read(&mut room[filled..]).await {
            Ok(0) => break,
            Ok(read) => filled += read,
            // Some close the connection without the farewell of TLS.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    if !room[..filled].starts_with(b"HTTP/1.1 200 ") {
        return Err(io::Error::other("the answer is no success"));
    }
    Ok((stream.get_ref().1.handshake_kind(), filled))
}

fn config(resume: bool) -> io::Result<ClientConfig> {
    let provider = CryptoProvider {
        cipher_suites: vec![SUITE],
        kx_groups: vec![kx_group::X25519],
        ..default_provider()
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if !resume {
        config.resumption = Resumption::disabled();
    }
    Ok(config)
}

/// Believes everybody: checking is work for a client, and it is the server that is measured.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
