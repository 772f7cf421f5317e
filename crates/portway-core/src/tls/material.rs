//! From PEM text to what rustls works with.

use std::sync::Arc;

use portway_config::{
    CipherSuite, Problem, TlsVersion,
    value::{Certificates, PrivateKey},
};
use rustls::{
    ALL_VERSIONS, RootCertStore, SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::TLS13,
};

/// The certificates of a text, at least one.
pub(super) fn certificates(text: &Certificates) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.pem().as_bytes()).collect();
    let chain = read.map_err(|error| {
        Problem::new("bad_certificate", format!("the certificate cannot be read: {error}"))
            .hint("a PEM file that is cut short, or not Base64")
    })?;
    if chain.is_empty() {
        return Err(Problem::new("bad_certificate", "there is no certificate in it"));
    }
    Ok(chain)
}

/// The private key of a text.
pub(super) fn private_key(text: &PrivateKey) -> Result<PrivateKeyDer<'static>, Problem> {
    PrivateKeyDer::from_pem_slice(text.pem().as_bytes()).map_err(|_| {
        // The cause is not told: it may quote the text.
        Problem::new("bad_private_key", "the private key cannot be read")
            .hint("PKCS#8, PKCS#1 or SEC1 in PEM; is the file cut short?")
    })
}

/// The authorities of a bundle.
pub(super) fn authorities(text: &Certificates) -> Result<Arc<RootCertStore>, Problem> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(text)? {
        store.add(certificate).map_err(|error| {
            Problem::new("bad_certificate", format!("an authority cannot be used: {error}"))
        })?;
    }
    Ok(Arc::new(store))
}

/// What the gateway can compute: everything modern, or the suites that are listed.
pub(super) fn provider(suites: &[CipherSuite]) -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    if !suites.is_empty() {
        let all = std::mem::take(&mut provider.cipher_suites);
        let find = |wanted: &CipherSuite| {
            let name = registry_name(*wanted);
            all.iter().find(|suite| suite.suite().as_str() == Some(name)).copied()
        };
        provider.cipher_suites = suites.iter().filter_map(find).collect();
    }
    Arc::new(provider)
}

/// The versions that are spoken.
pub(super) fn versions(min: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    static MODERN: &[&SupportedProtocolVersion] = &[&TLS13];
    match min {
        TlsVersion::Tls12 => ALL_VERSIONS,
        TlsVersion::Tls13 => MODERN,
    }
}

/// What rustls calls a suite: those of TLS 1.3 begin with `TLS13_` there.
fn registry_name(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::TLS_AES_128_GCM_SHA256 => "TLS13_AES_128_GCM_SHA256",
        CipherSuite::TLS_AES_256_GCM_SHA384 => "TLS13_AES_256_GCM_SHA384",
        CipherSuite::TLS_CHACHA20_POLY1305_SHA256 => "TLS13_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => {
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
        }
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => {
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        }
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => {
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
        }
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => {
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        }
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => {
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
        }
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => {
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_that_can_be_listed_is_known() {
        let all = [
            CipherSuite::TLS_AES_128_GCM_SHA256,
            CipherSuite::TLS_AES_256_GCM_SHA384,
            CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
            CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ];
        assert_eq!(provider(&all).cipher_suites.len(), all.len());
        assert_eq!(provider(&[]).cipher_suites.len(), all.len());
    }
}
