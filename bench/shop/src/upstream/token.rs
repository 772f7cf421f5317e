//! Tokens of HS256.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};

const SECRET: &[u8] = b"a secret of the benchmark, which signs nothing else";
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

#[derive(Deserialize, Serialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize, Serialize)]
struct Claims {
    sub: String,
    email: String,
    exp: u64,
}

/// Who a token belongs to.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct User {
    user_id: String,
    email: String,
}

/// A token that is good until so many seconds after 1970.
#[must_use]
pub fn issue(user_id: &str, email: &str, until: u64) -> String {
    let claims = Claims { sub: user_id.to_owned(), email: email.to_owned(), exp: until };
    let claims = serde_json::to_vec(&claims).expect("texts and a number are JSON");
    let signed = format!("{}.{}", BASE64.encode(HEADER), BASE64.encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let signature = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(signature))
}

pub(super) fn verify(token: &str) -> Option<User> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header: Header = serde_json::from_slice(&BASE64.decode(header).ok()?).ok()?;
    if header.alg != "HS256" {
        return None;
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    hmac::verify(&key, signed.as_bytes(), &BASE64.decode(signature).ok()?).ok()?;
    let claims: Claims = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    (now < claims.exp).then_some(User { user_id: claims.sub, email: claims.email })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: u64 = 4_102_444_800;

    #[test]
    fn a_token_is_good_when_it_is_signed_and_not_over() {
        let token = issue("u9", "load@shop.example", NEVER);
        let user = User { user_id: "u9".into(), email: "load@shop.example".into() };
        assert_eq!(verify(&token), Some(user));
        assert_eq!(verify(&issue("u9", "load@shop.example", 1)), None);
        let (signed, _) = token.rsplit_once('.').unwrap();
        let other = issue("u8", "load@shop.example", NEVER);
        let (_, signature) = other.rsplit_once('.').unwrap();
        assert_eq!(verify(&format!("{signed}.{signature}")), None);
    }
}
