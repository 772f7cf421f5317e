//! What can be said about a connection after its handshake.

use rustls::{CommonState, HandshakeKind, ProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::wire::Secured;

/// What this connection has agreed on, and who the peer is.
pub(crate) fn secured(stream: &TlsStream<TcpStream>) -> Secured {
    let (_, state): (_, &CommonState) = match stream {
        TlsStream::Client(stream) => {
            let (tcp, connection) = stream.get_ref();
            (tcp, connection)
        }
        TlsStream::Server(stream) => {
            let (tcp, connection) = stream.get_ref();
            (tcp, connection)
        }
    };
    let server_name = match stream {
        TlsStream::Client(_) => None,
        TlsStream::Server(stream) => stream.get_ref().1.server_name().map(str::to_owned),
    };
    let certificate = state.peer_certificates().and_then(<[_]>::first);
    let (peer_subject, peer_names) = certificate.and_then(|der| describe(der)).unwrap_or_default();
    Secured {
        version: match state.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
            other => format!("{other:?}"),
        },
        cipher: state
            .negotiated_cipher_suite()
            .map(|suite| format!("{:?}", suite.suite()))
            .unwrap_or_default(),
        alpn: state.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        server_name,
        peer_subject,
        peer_names,
        resumed: state.handshake_kind() == Some(HandshakeKind::Resumed),
    }
}

/// The subject of a certificate and its alternative names.
fn describe(der: &[u8]) -> Option<(Option<String>, Vec<String>)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let names = certificate.subject_alternative_name().ok()?;
    let names = names.map(|names| names.value.general_names.iter().filter_map(name).collect());
    Some((Some(certificate.subject().to_string()), names.unwrap_or_default()))
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => {
            Some((*name).to_owned())
        }
        GeneralName::IPAddress(octets) => match <[u8; 4]>::try_from(*octets) {
            Ok(octets) => Some(std::net::Ipv4Addr::from(octets).to_string()),
            Err(_) => {
                let octets = <[u8; 16]>::try_from(*octets).ok()?;
                Some(std::net::Ipv6Addr::from(octets).to_string())
            }
        },
        _ => None,
    }
}
