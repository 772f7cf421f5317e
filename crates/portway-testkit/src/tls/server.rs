//! How a server speaks TLS.

use std::io;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;

use super::identity::certificates;
use super::version::versions;
use super::{Authority, Identity, Version};

/// How a server speaks TLS.
#[derive(Clone, Debug)]
#[must_use]
pub struct ServerTls {
    identity: Identity,
    alpn: Vec<Vec<u8>>,
    clients: Option<(String, bool)>,
    only: Option<Version>,
}

impl ServerTls {
    /// Shows this identity to every client: TLS 1.2 and 1.3, no ALPN, no client certificates.
    pub fn new(identity: &Identity) -> Self {
        Self { identity: identity.clone(), alpn: Vec::new(), clients: None, only: None }
    }

    /// Agrees by ALPN (RFC 7301) on the first of these that the client offers. A client that
    /// offers only others is refused.
    pub fn alpn(self, protocols: &[&str]) -> Self {
        Self { alpn: protocols.iter().map(|name| name.as_bytes().to_owned()).collect(), ..self }
    }

    /// Refuses clients without a certificate of this authority.
    pub fn require_client(self, authority: &Authority) -> Self {
        Self { clients: Some((authority.cert_pem(), true)), ..self }
    }

    /// Asks clients for a certificate of this authority; those without one are served too.
    pub fn ask_client(self, authority: &Authority) -> Self {
        Self { clients: Some((authority.cert_pem(), false)), ..self }
    }

    /// Speaks only this version.
    pub fn only(self, version: Version) -> Self {
        Self { only: Some(version), ..self }
    }

    /// The same for other servers on rustls.
    pub fn config(&self) -> io::Result<ServerConfig> {
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions(self.only))
            .map_err(io::Error::other)?;
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some((authority, required)) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certificates(authority)?);
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = match required {
                    true => verifier.build(),
                    false => verifier.allow_unauthenticated().build(),
                };
                builder.with_client_cert_verifier(verifier.map_err(io::Error::other)?)
            }
        };
        let mut config = builder
            .with_single_cert(self.identity.certificates()?, self.identity.private_key()?)
            .map_err(io::Error::other)?;
        config.alpn_protocols.clone_from(&self.alpn);
        Ok(config)
    }

    pub(crate) fn acceptor(&self) -> io::Result<TlsAcceptor> {
        Ok(TlsAcceptor::from(Arc::new(self.config()?)))
    }
}
