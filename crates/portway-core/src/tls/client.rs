//! TLS towards an upstream.

use std::{fmt, io, sync::Arc};

use portway_config::{Problem, Service, UpstreamHttp2, UpstreamTls, value::ServiceUrl};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio_rustls::TlsConnector;

use super::material::{authorities, certificates, private_key, provider, versions};
use super::prepare::trusted_by_the_system;
use crate::{
    driver::SPEAKS_HTTP2,
    socket::{Own, Prefixed, Stream, Wire},
};

/// How a service's endpoints are spoken to over TLS.
#[derive(Clone)]
pub(crate) struct Client {
    config: Arc<ClientConfig>,
    /// In place of the endpoint's own name.
    name: Option<ServerName<'static>>,
}

/// Which HTTP is offered in a handshake (ALPN, RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// What the service says.
    OfService,
    Http1,
    Http2,
}

/// Against what a server's certificate is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    /// The authorities the system trusts.
    System,
    /// Others, or none.
    Own,
}

impl Verification {
    pub(crate) fn of(tls: &UpstreamTls) -> Self {
        if tls.ca.is_none() && !tls.insecure_skip_verify { Self::System } else { Self::Own }
    }
}

/// How servers are asked on the gateway's own behalf: verified by what the system trusts.
pub(crate) fn outbound(service: &Service) -> Option<Client> {
    let mut warnings = Vec::new();
    let system = Arc::new(trusted_by_the_system(&mut warnings, "outbound"));
    for warning in warnings {
        tracing::warn!(code = warning.code, "{}", warning.message);
    }
    let mut problems = Vec::new();
    let client = Client::new(service, &system, "outbound", &mut problems);
    Some(client.expect("a service with no TLS settings has none that are wrong"))
}

impl Client {
    /// Compiles what `service` says. All that is wrong is told; `path` is where its TLS stands.
    pub(super) fn new(
        service: &Service,
        system: &Arc<RootCertStore>,
        path: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let tls = &service.tls;
        let before = problems.len();
        let mut told =
            |key: &str, problem: Problem| problems.push(problem.at(format!("{path}.{key}")));
        let roots = match &tls.ca {
            Some(ca) => authorities(ca).map_err(|problem| told("ca", problem)).ok(),
            None => Some(Arc::clone(system)),
        };
        let shown = match (&tls.cert, &tls.key) {
            (Some(cert), Some(key)) => {
                let chain = certificates(cert).map_err(|problem| told("cert", problem)).ok();
                let key = private_key(key).map_err(|problem| told("key", problem)).ok();
                chain.zip(key)
            }
            _ => None,
        };
        let name = tls.server_name.as_ref().and_then(|name| {
            ServerName::try_from(name.as_str().to_owned())
                .map_err(|error| told("server_name", Problem::new("bad_value", error.to_string())))
                .ok()
        });
        let provider = provider(&[]);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions(tls.min_version))
            .map_err(|error| told("min_version", Problem::new("bad_tls", error.to_string())))
            .ok()?;
        let builder = if tls.insecure_skip_verify {
            builder.dangerous().with_custom_certificate_verifier(Anybody::new(&provider))
        } else {
            builder.with_root_certificates(roots?)
        };
        let config = match shown {
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| {
                    let message = format!("the certificate and its key cannot be used: {error}");
                    told("key", Problem::new("certificate_mismatch", message));
                })
                .ok(),
            None => Some(builder.with_no_client_auth()),
        };
        let mut config = config?;
        if problems.len() > before {
            return None;
        }
        config.alpn_protocols = match service.http2 {
            UpstreamHttp2::Auto if !SPEAKS_HTTP2 => vec![b"http/1.1".to_vec()],
            UpstreamHttp2::Auto => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            UpstreamHttp2::Never => vec![b"http/1.1".to_vec()],
            UpstreamHttp2::Always => vec![b"h2".to_vec()],
        };
        Some(Self { config: Arc::new(config), name })
    }

    /// The name an endpoint's certificate must be for. `None`: its host can be in no certificate.
    pub(crate) fn name_of(&self, url: &ServiceUrl) -> Option<ServerName<'static>> {
        self.name.clone().or_else(|| match url.ip() {
            Some(ip) => Some(ServerName::IpAddress(ip.into())),
            None => ServerName::try_from(url.host().to_owned()).ok(),
        })
    }

    /// Shakes hands, and says whether HTTP/2 was agreed on.
    pub(crate) async fn connect(
        &self,
        stream: Stream,
        name: ServerName<'static>,
        offer: Offer,
    ) -> io::Result<(Wire, bool)> {
        let stream = Prefixed::new(bytes::Bytes::new(), stream);
        let stream = self.offering(offer).connect(name, stream).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((Wire::Tls(Box::new(stream.into())), http2))
    }

    /// The same over what the program has dialled.
    pub(crate) async fn connect_over(
        &self,
        stream: Own,
        name: ServerName<'static>,
        offer: Offer,
    ) -> io::Result<(Wire, bool)> {
        let stream = self.offering(offer).connect(name, stream).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((Wire::Own(Own::new(Box::new(stream))), http2))
    }

    fn offering(&self, offer: Offer) -> TlsConnector {
        let only: Option<&[u8]> = match offer {
            Offer::OfService => None,
            Offer::Http1 => Some(b"http/1.1"),
            Offer::Http2 => Some(b"h2"),
        };
        TlsConnector::from(match only {
            None => Arc::clone(&self.config),
            Some(only) => {
                let mut config = ClientConfig::clone(&self.config);
                config.alpn_protocols = vec![only.to_vec()];
                Arc::new(config)
            }
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Takes any certificate (`insecure_skip_verify`). That the server has its key is verified.
#[derive(Debug)]
struct Anybody(WebPkiSupportedAlgorithms);

impl Anybody {
    fn new(provider: &CryptoProvider) -> Arc<Self> {
        Arc::new(Self(provider.signature_verification_algorithms))
    }
}

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
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
