//! Keys, each for one algorithm.

use std::fmt;

use aws_lc_rs::{
    hmac, rsa,
    signature::{self, ParsedPublicKey, RsaParameters, VerificationAlgorithm},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    Problem,
    credential::{Algorithm, JwtKeySpec},
    value::is_pem,
};

/// The shortest secret: as long as the shortest hash (RFC 7518 section 3.2).
const SHORTEST_SECRET: usize = 32;
/// The shortest RSA key (RFC 7518 section 3.3).
const SHORTEST_RSA: u32 = 2048;

/// A key, good for one algorithm.
pub struct Key {
    /// What tokens call it.
    pub id: Option<Box<str>>,
    /// What it is good for.
    pub algorithm: Algorithm,
    verifier: Verifier,
}

enum Verifier {
    Secret(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

/// What a key of an algorithm is made into.
enum Kind {
    Hmac(hmac::Algorithm),
    Rsa(&'static RsaParameters),
    /// Of elliptic curves.
    Curve(&'static dyn VerificationAlgorithm),
}

/// Why something is no key. It says nothing of the key.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidKey(pub &'static str);

impl Kind {
    fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Hs256 => Self::Hmac(hmac::HMAC_SHA256),
            Algorithm::Hs384 => Self::Hmac(hmac::HMAC_SHA384),
            Algorithm::Hs512 => Self::Hmac(hmac::HMAC_SHA512),
            Algorithm::Rs256 => Self::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Rs384 => Self::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            Algorithm::Rs512 => Self::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            Algorithm::Ps256 => Self::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Algorithm::Ps384 => Self::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
            Algorithm::Ps512 => Self::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
            Algorithm::Es256 => Self::Curve(&signature::ECDSA_P256_SHA256_FIXED),
            Algorithm::Es384 => Self::Curve(&signature::ECDSA_P384_SHA384_FIXED),
            Algorithm::EdDsa => Self::Curve(&signature::ED25519),
        }
    }
}

impl Key {
    /// The key of a spec.
    ///
    /// # Errors
    /// It is none, or too short, or for another algorithm.
    pub fn of(spec: &JwtKeySpec) -> Result<Self, Problem> {
        let algorithm = spec.algorithm;
        let problem = |what: String| Problem::new("bad_value", what);
        let key = match (algorithm.is_symmetric(), &spec.secret, &spec.public_key) {
            (true, Some(secret), None) if secret.expose().len() < SHORTEST_SECRET => {
                return Err(problem(format!(
                    "the secret is too short: {} bytes, at least {SHORTEST_SECRET}",
                    secret.expose().len()
                ))
                .at("secret")
                .hint("make one: openssl rand -base64 48"));
            }
            (true, Some(secret), None) => Self::secret(algorithm, secret.expose())
                .map_err(|InvalidKey(why)| problem(why.to_owned()).at("secret"))?,
            (false, None, Some(pem)) => Self::public(algorithm, pem)
                .map_err(|InvalidKey(why)| problem(why.to_owned()).at("public_key"))?,
            (symmetric, ..) => {
                let wanted = if symmetric { "secret" } else { "public_key" };
                let name = algorithm.name();
                let what = format!("a key for {name} has a {wanted}, and nothing else");
                return Err(Problem::new("one_of", what));
            }
        };
        Ok(Self { id: spec.id.as_deref().map(Into::into), ..key })
    }

    /// The key of a consumer: a secret, or a public key in PEM.
    ///
    /// # Errors
    /// It is neither, or for another algorithm.
    pub fn of_consumer(algorithm: Algorithm, secret: &str) -> Result<Self, InvalidKey> {
        match algorithm.is_symmetric() {
            true => Self::secret(algorithm, secret),
            false => Self::public(algorithm, secret),
        }
    }

    fn secret(algorithm: Algorithm, secret: &str) -> Result<Self, InvalidKey> {
        let Kind::Hmac(hash) = Kind::of(algorithm) else {
            return Err(InvalidKey("the algorithm has no secret"));
        };
        // Whoever has seen the public key could sign with it.
        if is_pem(secret) {
            return Err(InvalidKey("a key in PEM is not a shared secret"));
        }
        let verifier = Verifier::Secret(Box::new(hmac::Key::new(hash, secret.as_bytes())));
        Ok(Self { id: None, algorithm, verifier })
    }

    fn public(algorithm: Algorithm, pem: &str) -> Result<Self, InvalidKey> {
        let der = der(pem)?;
        let refused = |_| InvalidKey("it is not a public key for this algorithm");
        let key = match Kind::of(algorithm) {
            Kind::Hmac(_) => return Err(InvalidKey("the algorithm has no public key")),
            Kind::Rsa(parameters) => {
                let key = rsa::PublicKey::from_der(&der).map_err(refused)?;
                long_enough(key.as_ref())?;
                ParsedPublicKey::new(parameters, &der).map_err(refused)?
            }
            Kind::Curve(curve) => ParsedPublicKey::new(curve, &der).map_err(refused)?,
        };
        Ok(Self { id: None, algorithm, verifier: Verifier::Public(key) })
    }

    /// An RSA key by its numbers.
    ///
    /// # Errors
    /// They make none, or too short a one.
    pub fn rsa(algorithm: Algorithm, n: &[u8], e: &[u8]) -> Result<Self, InvalidKey> {
        let refused = |_| InvalidKey("it is not an RSA key");
        let Kind::Rsa(parameters) = Kind::of(algorithm) else {
            return Err(InvalidKey("it is not for RSA"));
        };
        // Leading zeros add no strength.
        let bits = n.iter().skip_while(|byte| **byte == 0).count() * 8;
        if bits < SHORTEST_RSA as usize {
            return Err(InvalidKey("the RSA key has less than 2048 bits"));
        }
        let key = rsa::PublicKeyComponents { n, e }.to_parsed_public_key(parameters);
        let verifier = Verifier::Public(key.map_err(refused)?);
        Ok(Self { id: None, algorithm, verifier })
    }

    /// A key of an elliptic curve by its point.
    ///
    /// # Errors
    /// It is no point of the curve.
    pub fn point(algorithm: Algorithm, point: &[u8]) -> Result<Self, InvalidKey> {
        let refused = |_| InvalidKey("it is not a point of the curve");
        let Kind::Curve(curve) = Kind::of(algorithm) else {
            return Err(InvalidKey("it is not for a curve"));
        };
        let key = ParsedPublicKey::new(curve, point).map_err(refused)?;
        Ok(Self { id: None, algorithm, verifier: Verifier::Public(key) })
    }

    /// Under this name.
    #[must_use]
    pub fn called(self, id: Option<&str>) -> Self {
        Self { id: id.map(Into::into), ..self }
    }

    /// Whether it has signed `message`.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.verifier {
            Verifier::Secret(key) => hmac::verify(key, message, signature).is_ok(),
            Verifier::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}

/// Without what it is made of.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

fn long_enough(pkcs1: &[u8]) -> Result<(), InvalidKey> {
    match RsaParameters::public_modulus_len(pkcs1) {
        Ok(bits) if bits >= SHORTEST_RSA => Ok(()),
        Ok(_) => Err(InvalidKey("the RSA key has less than 2048 bits")),
        Err(_) => Err(InvalidKey("it is not an RSA key")),
    }
}

/// The one block of a PEM text (RFC 7468).
fn der(pem: &str) -> Result<Vec<u8>, InvalidKey> {
    const EXPECTED: InvalidKey =
        InvalidKey("a public key begins with -----BEGIN PUBLIC KEY-----, and there is one");
    let (_, rest) = pem.split_once("-----BEGIN ").ok_or(EXPECTED)?;
    let (label, rest) = rest.split_once("-----").ok_or(EXPECTED)?;
    if !matches!(label, "PUBLIC KEY" | "RSA PUBLIC KEY") {
        return Err(EXPECTED);
    }
    let (body, rest) = rest.split_once("-----END ").ok_or(EXPECTED)?;
    if rest.contains("-----BEGIN ") {
        return Err(EXPECTED);
    }
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).map_err(|_| EXPECTED)
}
