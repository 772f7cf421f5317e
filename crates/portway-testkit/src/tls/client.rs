//! How a client speaks TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::identity::certificates;
use super::version::versions;
use super::{Authority, Identity, Version};

/// How a client speaks TLS.
///
/// Clones share their session tickets, so that the second connection can resume the first.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientTls {
    /// The certificate of the authority it trusts; without one it believes everybody.
    roots: Option<String>,
    server_name: Option<String>,
    sni: bool,
    alpn: Vec<Vec<u8>>,
    identity: Option<Identity>,
    only: Option<Version>,
    config: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl ClientTls {
    /// Trusts servers with a certificate of this authority, for the address they are reached at
    /// unless [`server_name`](Self::server_name) gives a name.
    pub fn trusting(authority: &Authority) -> Self {
        Self::new(Some(authority.cert_pem()))
    }

    /// Believes every certificate, to see which one a server shows.
    pub fn trusting_anybody() -> Self {
        Self::new(None)
    }

    /// Asks for this server name (SNI), and expects a certificate for it.
    pub fn server_name(self, name: &str) -> Self {
        Self { server_name: Some(name.to_owned()), ..self.unbuilt() }
    }

    /// Sends no server name; the certificate is still checked for it.
    pub fn without_sni(self) -> Self {
        Self { sni: false, ..self.unbuilt() }
    }

    /// Offers these protocols by ALPN (RFC 7301), the best first.
    pub fn alpn(self, protocols: &[&str]) -> Self {
        let alpn = protocols.iter().map(|name| name.as_bytes().to_owned()).collect();
        Self { alpn, ..self.unbuilt() }
    }

    /// Shows this certificate when the server asks for one.
    pub fn identity(self, identity: &Identity) -> Self {
        Self { identity: Some(identity.clone()), ..self.unbuilt() }
    }

    /// Speaks only this version.
    pub fn only(self, version: Version) -> Self {
        Self { only: Some(version), ..self.unbuilt() }
    }

    /// The same for other clients on rustls.
    pub fn config(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.build()?);
        Ok(Arc::clone(self.config.get_or_init(|| config)))
    }

    pub(crate) async fn connect(
        &self,
        stream: TcpStream,
        addr: SocketAddr,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = match &self.server_name {
            Some(name) => ServerName::try_from(name.clone()).map_err(io::Error::other)?,
            None => ServerName::from(addr.ip()),
        };
        TlsConnector::from(self.config()?).connect(name, stream).await
    }

    /// The name of the server at this address, as an authority of a URI has it.
    pub(crate) fn host(&self, addr: SocketAddr) -> String {
        match &self.server_name {
            Some(name) => format!("{name}:{}", addr.port()),
            None => addr.to_string(),
        }
    }

    fn new(roots: Option<String>) -> Self {
        let (server_name, alpn, identity, only) = (None, Vec::new(), None, None);
        Self { roots, server_name, sni: true, alpn, identity, only, config: Arc::default() }
    }

    /// What was built before a change is not what the changed one needs.
    fn unbuilt(self) -> Self {
        Self { config: Arc::default(), ..self }
    }

    fn build(&self) -> io::Result<ClientConfig> {
        let provider = Arc::new(default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions(self.only))
            .map_err(io::Error::other)?;
        let builder = match &self.roots {
            None => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody)),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certificates(authority)?);
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_webpki_verifier(verifier.map_err(io::Error::other)?)
            }
        };
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder
                .with_client_auth_cert(identity.certificates()?, identity.private_key()?)
                .map_err(io::Error::other)?,
        };
        config.alpn_protocols.clone_from(&self.alpn);
        config.enable_sni = self.sni;
        Ok(config)
    }
}

/// Believes every certificate. The handshake is not checked either: nothing secret is sent here.
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
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
