//! Keys as identity providers publish them (RFC 7517, RFC 7518 section 6, RFC 8037).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portway_plugin::credential::{Algorithm, InvalidKey, Key};
use serde::Deserialize;

/// The keys that are looked at.
const MOST: usize = 100;

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

/// What counts of a key. The rest is for others.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The keys of a set that are of any use, and why others are not.
pub(super) fn read(json: &[u8], taken: &[Algorithm]) -> Result<(Vec<Key>, Vec<String>), String> {
    let set: Set = serde_json::from_slice(json).map_err(|_| "it is not a set of keys")?;
    let (mut keys, mut useless) = (Vec::new(), Vec::new());
    for (number, value) in set.keys.into_iter().take(MOST).enumerate() {
        let key = serde_json::from_value::<Jwk>(value)
            .map_err(|_| InvalidKey("it is not a key"))
            .and_then(|jwk| jwk.key(taken));
        match key {
            Ok(Some(key)) => keys.push(key),
            Ok(None) => {}
            Err(InvalidKey(why)) => useless.push(format!("key {}: {why}", number + 1)),
        }
    }
    if keys.is_empty() {
        let why =
            if useless.is_empty() { String::new() } else { format!(" ({})", useless.join("; ")) };
        return Err(format!("there is no key in it that can be used{why}"));
    }
    Ok((keys, useless))
}

impl Jwk {
    /// The key. `None` for one that is for something else.
    fn key(self, taken: &[Algorithm]) -> Result<Option<Key>, InvalidKey> {
        let signs = self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.key_ops.iter().flatten().all(|operation| operation == "verify");
        let Some(algorithm) = self.algorithm(taken).filter(|_| signs) else { return Ok(None) };
        let key = match algorithm {
            Algorithm::Es256 => Key::point(algorithm, &self.point(32)?)?,
            Algorithm::Es384 => Key::point(algorithm, &self.point(48)?)?,
            Algorithm::EdDsa => Key::point(algorithm, &number(self.x.as_deref())?)?,
            _ => Key::rsa(algorithm, &number(self.n.as_deref())?, &number(self.e.as_deref())?)?,
        };
        Ok(Some(key.called(self.kid.as_deref())))
    }

    /// The one algorithm it is good for, among those that are taken. Shared secrets have no
    /// business in a public document.
    fn algorithm(&self, taken: &[Algorithm]) -> Option<Algorithm> {
        let fits = |algorithm: Algorithm| match algorithm {
            Algorithm::Es256 => self.kty == "EC" && self.crv.as_deref() == Some("P-256"),
            Algorithm::Es384 => self.kty == "EC" && self.crv.as_deref() == Some("P-384"),
            Algorithm::EdDsa => self.kty == "OKP" && self.crv.as_deref() == Some("Ed25519"),
            symmetric if symmetric.is_symmetric() => false,
            _ => self.kty == "RSA",
        };
        let named = |algorithm: Algorithm| {
            self.alg.as_deref().is_none_or(|name| {
                name == algorithm.name() || (name == "Ed25519" && algorithm == Algorithm::EdDsa)
            })
        };
        taken.iter().copied().find(|algorithm| fits(*algorithm) && named(*algorithm))
    }

    /// Both coordinates, each of its full length.
    fn point(&self, size: usize) -> Result<Vec<u8>, InvalidKey> {
        let (x, y) = (number(self.x.as_deref())?, number(self.y.as_deref())?);
        if x.len() != size || y.len() != size {
            return Err(InvalidKey("its coordinates do not have the length of its curve"));
        }
        Ok([&[4], &*x, &*y].concat())
    }
}

/// Some providers pad what must not be padded.
fn number(text: Option<&str>) -> Result<Vec<u8>, InvalidKey> {
    let text = text.ok_or(InvalidKey("a number of it is missing"))?;
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    bytes.map_err(|_| InvalidKey("a number of it is not in base64url"))
}
