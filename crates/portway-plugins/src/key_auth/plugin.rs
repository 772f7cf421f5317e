//! The compiled form.

use aws_lc_rs::digest::{SHA256, digest};
use portway_plugin::{CredentialKind, Next, Plugin, Problem, Request, Response, Result};

use super::KeyAuthSpec;
use crate::identity::{Carrier, Gate, challenge, find, hide, introduce};

/// Lets in who has a key.
#[derive(Debug)]
pub struct KeyAuth {
    gate: Gate,
    carriers: Box<[Carrier]>,
}

impl Plugin for KeyAuth {
    const NAME: &'static str = "key-auth";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = KeyAuthSpec;

    fn create(spec: KeyAuthSpec) -> Result<Self, Problem> {
        let headers = spec.key_names.into_iter().map(|name| Carrier::Header(name.get().clone()));
        let bearer = spec.bearer.then_some(Carrier::Bearer);
        let query = spec.query_names.into_iter().map(Carrier::Query);
        let cookies = spec.cookie_names.into_iter().map(Carrier::Cookie);
        let carriers: Box<[_]> = headers.chain(bearer).chain(query).chain(cookies).collect();
        let scheme = match &*carriers {
            [] => {
                return Err(Problem::new("bad_value", "there is no place a key may come in")
                    .at("key_names")
                    .hint("name a header field, or leave key_names out for apikey"));
            }
            [Carrier::Bearer] => "Bearer",
            _ => "Key",
        };
        let gate = Gate::new(&spec.identity, challenge(scheme, &spec.realm, ""));
        Ok(Self { gate, carriers })
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        let exchange = next.exchange();
        if self.gate.lets_pass(&mut request, exchange) {
            return next.run(request).await;
        }
        let found = find(&self.carriers, &request).map_err(|_| self.gate.ambiguous())?;
        let Some((carrier, key)) = found else {
            self.gate.stranger(request.headers_mut(), exchange)?;
            return next.run(request).await;
        };
        let id = hex(digest(&SHA256, &key).as_ref());
        let Some(credential) = exchange.consumers().get(CredentialKind::Key, &id) else {
            return Err(self.gate.refusal("invalid_credentials", "the key is not known"));
        };
        if self.gate.hides() {
            hide(carrier, &mut request);
        }
        introduce(request.headers_mut(), exchange, &credential.consumer);
        next.run(request).await
    }
}

/// A key as a configuration may hold it in its place: `sha256:` and its digest.
#[must_use]
pub fn hash_key(key: &str) -> String {
    format!("sha256:{}", hex(digest(&SHA256, key.as_bytes()).as_ref()))
}

/// In lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
