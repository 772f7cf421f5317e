//! A certificate authority.

use std::io;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};

use super::der::{self, CERTIFICATE};
use super::{Identity, Order};

/// A certificate authority that was made just now, with a key of its own (ECDSA, P-256).
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// The certificates between those it issues and the root, which servers have to send along.
    chain: String,
}

impl Authority {
    /// Makes an authority. No two are the same, so one does not trust what another has issued.
    pub fn new() -> io::Result<Self> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = CertifiedIssuer::self_signed(params("Testkit Root")?, key);
        Ok(Self { issuer: issuer.map_err(io::Error::other)?, chain: String::new() })
    }

    /// An authority below this one. What it issues comes with its certificate after the leaf, so
    /// that who trusts only the root can follow.
    pub fn intermediate(&self) -> io::Result<Self> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = CertifiedIssuer::signed_by(params("Testkit Intermediate")?, key, &self.issuer)
            .map_err(io::Error::other)?;
        let chain = der::pem(CERTIFICATE, issuer.der()) + &self.chain;
        Ok(Self { issuer, chain })
    }

    /// Issues a certificate for a server with these names: DNS names, wildcards, IP addresses.
    /// It began yesterday, ends in a year, and has a P-256 key in PKCS#8.
    pub fn issue(&self, names: &[&str]) -> io::Result<Identity> {
        self.order(names).issue()
    }

    /// The same, with more to say about it before it is issued.
    pub fn order(&self, names: &[&str]) -> Order<'_> {
        Order::new(Some(self), names)
    }

    /// Its own certificate, which those who trust it need.
    #[must_use]
    pub fn cert_pem(&self) -> String {
        der::pem(CERTIFICATE, self.issuer.der())
    }

    /// Writes its certificate to `authority.pem` in a directory, and returns the path.
    pub fn write(&self, directory: &Path) -> io::Result<PathBuf> {
        let path = directory.join("authority.pem");
        std::fs::write(&path, self.cert_pem())?;
        Ok(path)
    }

    pub(super) fn issuer(&self) -> &CertifiedIssuer<'static, KeyPair> {
        &self.issuer
    }

    pub(super) fn chain(&self) -> &str {
        &self.chain
    }
}

fn params(name: &str) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}
