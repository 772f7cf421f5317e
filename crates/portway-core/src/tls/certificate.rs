//! A certificate a listener shows.

use std::sync::Arc;

use portway_config::{KeyPair as Spec, Problem};
use rustls::{
    SignatureAlgorithm, crypto::CryptoProvider, pki_types::CertificateDer, sign::CertifiedKey,
};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer};

use super::material::{certificates, private_key};

/// A certificate with its key, the names it is shown for, and its last second.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    /// `a.example`, or `*.b.example`; in lower case.
    pub(super) names: Vec<Box<str>>,
    /// In seconds since 1970.
    pub(super) not_after: i64,
}

impl Certificate {
    /// Reads a pair. All that is wrong with it is told; `path` is where it stands.
    pub(super) fn new(
        spec: &Spec,
        provider: &CryptoProvider,
        path: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let mut told =
            |key: &str, problem: Problem| problems.push(problem.at(format!("{path}.{key}")));
        let chain = certificates(&spec.cert).map_err(|problem| told("cert", problem)).ok();
        let key = private_key(&spec.key).map_err(|problem| told("key", problem)).ok();
        let (chain, key) = (chain?, key?);
        let facts = Facts::of(&chain[0]).map_err(|problem| told("cert", problem)).ok()?;
        let signing = provider.key_provider.load_private_key(key).map_err(|error| {
            let message = format!("the private key cannot be used: {error}");
            told("key", Problem::new("bad_private_key", message));
        });
        let key = CertifiedKey::new(chain, signing.ok()?);
        if let Err(error) = key.keys_match() {
            let message = match error {
                rustls::Error::InconsistentKeys(_) => {
                    "the private key is not the key of the certificate".to_owned()
                }
                other => format!("the certificate cannot be used: {other}"),
            };
            let problem = Problem::new("certificate_mismatch", message);
            told("key", problem.hint("were both made for the same request?"));
            return None;
        }
        let names = match spec.hosts.is_empty() {
            true => facts.names,
            false => spec.hosts.iter().map(|host| host.as_str().into()).collect(),
        };
        Some(Self { key: Arc::new(key), names, not_after: facts.not_after })
    }

    /// What logs and metrics call it: the first of its names.
    pub(super) fn name(&self) -> &str {
        self.names.first().map_or("-", |name| name)
    }

    /// RSA costs a server many times what the others do: it is the last choice.
    pub(super) fn is_rsa(&self) -> bool {
        self.key.key.algorithm() == SignatureAlgorithm::RSA
    }
}

/// What a certificate says about itself.
struct Facts {
    names: Vec<Box<str>>,
    not_after: i64,
}

impl Facts {
    fn of(certificate: &CertificateDer<'_>) -> Result<Self, Problem> {
        let (_, certificate) = X509Certificate::from_der(certificate).map_err(|error| {
            Problem::new("bad_certificate", format!("the certificate cannot be read: {error}"))
        })?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.iter().flat_map(|extension| &extension.value.general_names);
        let names = names.filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase().into()),
            _ => None,
        });
        Ok(Self { names: names.collect(), not_after: certificate.validity().not_after.timestamp() })
    }
}
