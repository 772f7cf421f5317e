//! What is known of a connection under TLS.

use std::{fmt::Write, sync::Arc};

use http::HeaderValue;
use portway_config::{CertificatePart, ClientCertificates};
use rustls::{
    CommonState, ProtocolVersion, SupportedCipherSuite, crypto::CryptoProvider,
    pki_types::CertificateDer,
};
use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    objects::{oid_registry, oid2abbrev},
    prelude::FromDer,
    x509::X509Name,
};

use crate::{route::Certificate, telemetry::access::Tls};

/// What a handshake has come to.
#[derive(Clone, Debug)]
pub(crate) struct TlsFacts {
    /// The name the client asked for (SNI), in lower case.
    pub(crate) sni: Option<Box<str>>,
    /// `TLSv1.3`, or `TLSv1.2`.
    pub(crate) version: &'static str,
    /// The cipher suite, by its name in the IANA registry.
    pub(crate) cipher: &'static str,
    /// Whether HTTP/2 was agreed on (RFC 7301).
    pub(crate) http2: bool,
    /// What the client was asked for.
    pub(crate) asked: Arc<ClientCertificates>,
    /// The client's certificate, which was verified.
    pub(crate) client: Option<Arc<ClientCertificate>>,
}

impl TlsFacts {
    /// What the access log says of it.
    pub(crate) fn told(&self) -> Tls<'_> {
        Tls {
            version: self.version,
            cipher: self.cipher,
            sni: self.sni.as_deref(),
            client_subject: self.client.as_ref().map(|client| &*client.subject),
        }
    }

    pub(super) fn of(
        state: &CommonState,
        sni: Option<&str>,
        asked: Arc<ClientCertificates>,
    ) -> Self {
        let suite = state.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let suite = suite.unwrap_or("-");
        Self {
            sni: sni.map(Into::into),
            version: match state.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
                _ => "-",
            },
            // rustls says `TLS13_AES_…` where the registry says `TLS_AES_…`.
            cipher: match suite {
                "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
                "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
                "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
                other => other,
            },
            http2: state.alpn_protocol() == Some(b"h2"),
            asked,
            client: state
                .peer_certificates()
                .and_then(|chain| ClientCertificate::read(chain.first()?))
                .map(Arc::new),
        }
    }
}

/// Who a client has proved to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    pub(crate) subject: Box<str>,
    common_names: Vec<Box<str>>,
    dns: Vec<Box<str>>,
    uris: Vec<Box<str>>,
    emails: Vec<Box<str>>,
    pub(crate) fingerprint: Box<str>,
    /// `X-Forwarded-Client-Cert`.
    pub(crate) forwarded: HeaderValue,
}

impl ClientCertificate {
    fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let subject: Box<str> = distinguished(certificate.subject()).into();
        let common_names = certificate.subject().iter_common_name();
        let common_names = common_names.filter_map(|name| Some(name.as_str().ok()?.into()));
        let common_names = common_names.collect();
        let (mut dns, mut uris, mut emails) = (Vec::new(), Vec::new(), Vec::new());
        let names = certificate.subject_alternative_name().ok().flatten();
        for name in names.iter().flat_map(|extension| &extension.value.general_names) {
            match name {
                GeneralName::DNSName(name) => dns.push((*name).into()),
                GeneralName::URI(uri) => uris.push((*uri).into()),
                GeneralName::RFC822Name(email) => emails.push((*email).into()),
                _ => {}
            }
        }
        let fingerprint: Box<str> = sha256(der)?.into();
        let forwarded = forwarded(&fingerprint, &subject, &uris, &dns);
        Some(Self { subject, common_names, dns, uris, emails, fingerprint, forwarded })
    }
}

impl ClientCertificate {
    /// As plugins and the admin API are told of it.
    pub(crate) fn told(&self) -> portway_plugin::ClientCertificate<'_> {
        portway_plugin::ClientCertificate {
            subject: &self.subject,
            fingerprint: &self.fingerprint,
            dns: &self.dns,
            uris: &self.uris,
        }
    }
}

impl Certificate for ClientCertificate {
    fn values(&self, part: CertificatePart) -> &[Box<str>] {
        match part {
            CertificatePart::Subject => std::slice::from_ref(&self.subject),
            CertificatePart::CommonName => &self.common_names,
            CertificatePart::Dns => &self.dns,
            CertificatePart::Uri => &self.uris,
            CertificatePart::Email => &self.emails,
            CertificatePart::Fingerprint => std::slice::from_ref(&self.fingerprint),
        }
    }
}

/// A name as RFC 4514 writes it: the most specific part first.
fn distinguished(name: &X509Name<'_>) -> String {
    let parts: Vec<_> = name.iter_rdn().collect();
    let mut text = String::new();
    for (number, part) in parts.into_iter().rev().enumerate() {
        for (at, attribute) in part.iter().enumerate() {
            match (number, at) {
                (0, 0) => {}
                (_, 0) => text.push(','),
                _ => text.push('+'),
            }
            let kind = attribute.attr_type();
            match oid2abbrev(kind, oid_registry()) {
                Ok(short) => text.push_str(short),
                Err(_) => text.push_str(&kind.to_id_string()),
            }
            text.push('=');
            escape(attribute.as_str().unwrap_or_default(), &mut text);
        }
    }
    text
}

/// RFC 4514 section 2.4.
fn escape(value: &str, text: &mut String) {
    for (at, character) in value.char_indices() {
        let edge = at == 0 || at + character.len_utf8() == value.len();
        let special = matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\');
        if special || (edge && character == ' ') || (at == 0 && character == '#') {
            text.push('\\');
        }
        text.push(character);
    }
}

/// SHA-256 in lower-case hexadecimal, by the hash of a cipher suite.
fn sha256(bytes: &[u8]) -> Option<String> {
    let provider: CryptoProvider = rustls::crypto::aws_lc_rs::default_provider();
    let suite =
        provider.cipher_suites.iter().filter_map(SupportedCipherSuite::tls13).find(|suite| {
            suite.common.hash_provider.algorithm() == rustls::crypto::hash::HashAlgorithm::SHA256
        })?;
    let mut text = String::with_capacity(64);
    for byte in suite.common.hash_provider.hash(bytes).as_ref() {
        write!(text, "{byte:02x}").ok()?;
    }
    Some(text)
}

/// The value of `X-Forwarded-Client-Cert`, in the form Envoy has made known.
fn forwarded(hash: &str, subject: &str, uris: &[Box<str>], dns: &[Box<str>]) -> HeaderValue {
    let mut text = format!("Hash={hash};Subject={}", quoted(subject));
    let parts = uris.iter().map(|uri| ("URI", uri)).chain(dns.iter().map(|name| ("DNS", name)));
    for (key, value) in parts {
        text.push_str(&format!(";{key}={}", quoted(value)));
    }
    HeaderValue::try_from(text).unwrap_or_else(|_| {
        HeaderValue::try_from(format!("Hash={hash}")).expect("hexadecimal digits are visible ASCII")
    })
}

/// In quotes, with what would end them escaped, and without control characters.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
