//! Certificates and keys as text (PEM, RFC 7468).

use std::{fmt, str::FromStr};

use super::text::{InvalidValue, Quoted, text_form};

/// What shows in place of a private key, wherever it would be shown.
const MASKED: &str = "-----BEGIN PRIVATE KEY-----\n(masked)\n-----END PRIVATE KEY-----\n";

/// Certificates: one, a chain that begins with the server's own, or a bundle of authorities. In a
/// file it is written as a path, or as the PEM text itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Certificates(Box<str>);

impl Certificates {
    /// The PEM text.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.0
    }
}

impl FromStr for Certificates {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if has_block(text, |label| label == "CERTIFICATE" || label == "TRUSTED CERTIFICATE") {
            return Ok(Self(text.into()));
        }
        Err(no_block(text, "certificate", "-----BEGIN CERTIFICATE-----"))
    }
}

impl fmt::Display for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificates({} bytes)", self.0.len())
    }
}

text_form!(
    Certificates,
    "portway-certificates",
    "the path of a PEM file with certificates",
    ["-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n"]
);

/// A private key: PKCS#8, PKCS#1 (RSA) or SEC1 (elliptic curves). In a file it is written as a
/// path, or as the PEM text itself. It is never shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrivateKey(Box<str>);

impl PrivateKey {
    /// The PEM text.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.0
    }
}

impl FromStr for PrivateKey {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if has_block(text, |label| label == "ENCRYPTED PRIVATE KEY") {
            return Err(InvalidValue::new("the private key is encrypted")
                .hint("decrypt it: openssl pkey -in key.pem -out plain.pem"));
        }
        if has_block(text, |label| label.ends_with("PRIVATE KEY")) {
            return Ok(Self(text.into()));
        }
        Err(no_block(text, "private key", "-----BEGIN PRIVATE KEY-----"))
    }
}

impl fmt::Display for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASKED)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

text_form!(
    PrivateKey,
    "portway-private-key",
    "the path of a PEM file with a private key",
    ["-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----\n"]
);

/// Whether `text` is PEM rather than the path of a file.
#[must_use]
pub fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN ")
}

fn has_block(text: &str, wanted: impl Fn(&str) -> bool) -> bool {
    text.lines().any(|line| {
        let label = line.trim_end().strip_prefix("-----BEGIN ");
        label.and_then(|label| label.strip_suffix("-----")).is_some_and(&wanted)
    })
}

/// Nothing is quoted that may be secret: of a text that is no path, its size is told.
fn no_block(text: &str, noun: &str, begin: &str) -> InvalidValue {
    if is_pem(text) || text.contains('\n') || text.is_empty() {
        let size = text.len();
        return InvalidValue::new(format!("there is no {noun} in these {size} bytes"))
            .hint(format!("a {noun} begins with {begin}"));
    }
    InvalidValue::new(format!("{} is neither PEM nor a file that was read", Quoted(text)))
        .hint("give the path of a PEM file, or the PEM text itself")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_text_decides_what_it_is() {
        let cert = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
            let key = format!("-----BEGIN {label}-----\nc2VjcmV0\n-----END {label}-----\n");
            let read: PrivateKey = key.parse().expect("a private key");
            assert_eq!(read.pem(), key);
            assert!(!format!("{read} {read:?}").contains("c2VjcmV0"));
            assert!(key.parse::<Certificates>().is_err());
        }
        assert_eq!(cert.parse::<Certificates>().expect("a certificate").pem(), cert);
        assert!(cert.parse::<PrivateKey>().is_err());
        assert!("".parse::<Certificates>().is_err());
    }

    #[test]
    fn a_refusal_shows_no_secret() {
        let key =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----";
        let error = key.parse::<PrivateKey>().unwrap_err().to_string();
        assert!(error.contains("openssl pkey") && !error.contains("c2VjcmV0"), "{error}");
        let error = "-----BEGIN X-----\nc2VjcmV0".parse::<PrivateKey>().unwrap_err().to_string();
        assert!(!error.contains("c2VjcmV0"), "{error}");
    }
}
