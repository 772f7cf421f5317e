//! What may be asked for in a certificate.

use std::io;
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SanType, date_time_ymd,
};

use super::der::{self, CERTIFICATE};
use super::{Authority, Identity};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A certificate that is still to be issued.
///
/// ```
/// use portway_testkit::tls::{Authority, Key, KeyForm};
/// # fn main() -> std::io::Result<()> {
/// let authority = Authority::new()?;
/// let expired = authority.order(&["old.example"]).expired().issue()?;
/// let rsa = authority.order(&["a.example"]).key(Key::Rsa2048).form(KeyForm::Traditional).issue()?;
/// assert!(rsa.key_pem.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
/// let client = authority.order(&[]).client().common_name("billing").uri("spiffe://x/y").issue()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "it has still to be issued"]
pub struct Order<'a> {
    authority: Option<&'a Authority>,
    names: Vec<String>,
    common_name: Option<String>,
    uris: Vec<String>,
    emails: Vec<String>,
    client: bool,
    key: Key,
    form: KeyForm,
    not_before: SystemTime,
    not_after: SystemTime,
}

/// The kind of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Key {
    /// ECDSA with the curve P-256.
    #[default]
    EcdsaP256,
    /// RSA with 2048 bits. Making one takes a noticeable part of a second.
    Rsa2048,
}

/// How a key is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyForm {
    /// PKCS#8 (RFC 5958): `BEGIN PRIVATE KEY`, for every kind of key.
    #[default]
    Pkcs8,
    /// The older form of its kind: SEC1 (RFC 5915, `BEGIN EC PRIVATE KEY`) or PKCS#1 (RFC 8017,
    /// `BEGIN RSA PRIVATE KEY`).
    Traditional,
}

impl<'a> Order<'a> {
    /// An order for a certificate that signs itself and that nobody trusts.
    pub fn self_signed(names: &[&str]) -> Self {
        Self::new(None, names)
    }

    pub(super) fn new(authority: Option<&'a Authority>, names: &[&str]) -> Self {
        let now = SystemTime::now();
        Self {
            authority,
            names: names.iter().map(|&name| name.to_owned()).collect(),
            common_name: None,
            uris: Vec::new(),
            emails: Vec::new(),
            client: false,
            key: Key::default(),
            form: KeyForm::default(),
            not_before: now - DAY,
            not_after: now + 365 * DAY,
        }
    }

    /// With this kind of key.
    pub fn key(self, key: Key) -> Self {
        Self { key, ..self }
    }

    /// With the key in this form.
    pub fn form(self, form: KeyForm) -> Self {
        Self { form, ..self }
    }

    /// Valid only between these two times. Whole seconds are kept.
    pub fn valid(self, not_before: SystemTime, not_after: SystemTime) -> Self {
        Self { not_before, not_after, ..self }
    }

    /// Its time ended an hour ago.
    pub fn expired(self) -> Self {
        let now = SystemTime::now();
        self.valid(now - 30 * DAY, now - DAY / 24)
    }

    /// Its time begins tomorrow.
    pub fn not_yet_valid(self) -> Self {
        let now = SystemTime::now();
        self.valid(now + DAY, now + 30 * DAY)
    }

    /// For a client, not for a server.
    pub fn client(self) -> Self {
        Self { client: true, ..self }
    }

    /// With this common name as its subject; otherwise that is the first name, if there is one.
    pub fn common_name(self, name: &str) -> Self {
        Self { common_name: Some(name.to_owned()), ..self }
    }

    /// With a URI among its names, such as a SPIFFE identity.
    pub fn uri(mut self, uri: &str) -> Self {
        self.uris.push(uri.to_owned());
        self
    }

    /// With an address of e-mail among its names.
    pub fn email(mut self, address: &str) -> Self {
        self.emails.push(address.to_owned());
        self
    }

    /// Makes the key and the certificate. Names that no certificate can hold are an error.
    pub fn issue(self) -> io::Result<Identity> {
        let algorithm = match self.key {
            Key::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
            Key::Rsa2048 => &PKCS_RSA_SHA256,
        };
        let key = KeyPair::generate_for(algorithm).map_err(io::Error::other)?;
        let params = self.params()?;
        let (certificate, chain) = match self.authority {
            Some(authority) => (params.signed_by(&key, authority.issuer()), authority.chain()),
            None => (params.self_signed(&key), ""),
        };
        let certificate = certificate.map_err(io::Error::other)?;
        Ok(Identity {
            cert_pem: der::pem(CERTIFICATE, certificate.der()) + chain,
            key_pem: der::key_pem(key.serialized_der(), self.key, self.form)?,
        })
    }

    fn params(&self) -> io::Result<CertificateParams> {
        let mut params = CertificateParams::new(self.names.clone()).map_err(io::Error::other)?;
        for uri in &self.uris {
            let uri = uri.as_str().try_into().map_err(io::Error::other)?;
            params.subject_alt_names.push(SanType::URI(uri));
        }
        for email in &self.emails {
            let email = email.as_str().try_into().map_err(io::Error::other)?;
            params.subject_alt_names.push(SanType::Rfc822Name(email));
        }
        params.distinguished_name = DistinguishedName::new();
        if let Some(name) = self.common_name.as_ref().or(self.names.first()) {
            params.distinguished_name.push(DnType::CommonName, name.as_str());
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match self.client {
            true => ExtendedKeyUsagePurpose::ClientAuth,
            false => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        let since_1970 = |time: SystemTime| {
            time.duration_since(SystemTime::UNIX_EPOCH).map_err(io::Error::other)
        };
        params.not_before = date_time_ymd(1970, 1, 1) + since_1970(self.not_before)?;
        params.not_after = date_time_ymd(1970, 1, 1) + since_1970(self.not_after)?;
        params.use_authority_key_identifier_extension = self.authority.is_some();
        Ok(params)
    }
}
