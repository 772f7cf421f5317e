//! A certificate and its key.

use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate, those between it and the root, and its key. All of it is PEM.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Identity {
    /// The certificate, and after it the certificates of the authorities below the root.
    pub cert_pem: String,
    /// The private key.
    pub key_pem: String,
}

/// Where an identity was written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Files {
    /// The file with [`Identity::cert_pem`].
    pub cert: PathBuf,
    /// The file with [`Identity::key_pem`].
    pub key: PathBuf,
}

impl Identity {
    /// Writes `cert.pem` and `key.pem` in a directory. What is there is replaced.
    pub fn write(&self, directory: &Path) -> io::Result<Files> {
        self.write_as(directory, "cert", "key")
    }

    /// Writes `<name>.crt.pem` and `<name>.key.pem`, for a directory with several identities.
    pub fn write_named(&self, directory: &Path, name: &str) -> io::Result<Files> {
        self.write_as(directory, &format!("{name}.crt"), &format!("{name}.key"))
    }

    fn write_as(&self, directory: &Path, cert: &str, key: &str) -> io::Result<Files> {
        let files = Files {
            cert: directory.join(format!("{cert}.pem")),
            key: directory.join(format!("{key}.pem")),
        };
        std::fs::write(&files.cert, &self.cert_pem)?;
        std::fs::write(&files.key, &self.key_pem)?;
        Ok(files)
    }

    pub(super) fn certificates(&self) -> io::Result<Vec<CertificateDer<'static>>> {
        certificates(&self.cert_pem)
    }

    pub(super) fn private_key(&self) -> io::Result<PrivateKeyDer<'static>> {
        PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).map_err(io::Error::other)
    }
}

/// The certificates in a PEM text.
pub(super) fn certificates(pem: &str) -> io::Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    found.map_err(io::Error::other)
}
