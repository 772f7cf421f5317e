//! The two fields by which client and server of HTTP/1.1 make sure that the other means WebSocket
//! (RFC 6455 section 4). Over HTTP/2 neither exists (RFC 8441 section 5): who bridges makes a key
//! for the upstream, or answers the client's.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use sha1::{Digest, Sha1};

use crate::base64;

/// What a server puts behind the key, so that nothing but WebSocket answers so (section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A client's `Sec-WebSocket-Key`: 16 bytes in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(HeaderValue);

/// There is no key, or more than one, or one that is not 16 bytes in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadKey;

impl Key {
    /// A key nobody had before.
    pub(crate) fn random() -> Self {
        Self(value(base64::encode(&fastrand::u128(..).to_be_bytes())))
    }

    /// The key of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, BadKey> {
        let mut values = headers.get_all(header::SEC_WEBSOCKET_KEY).into_iter();
        match (values.next(), values.next()) {
            (Some(key), None) if is_key(key.as_bytes()) => Ok(Self(key.clone())),
            _ => Err(BadKey),
        }
    }

    /// The key, for a request.
    pub(crate) fn value(&self) -> HeaderValue {
        self.0.clone()
    }

    /// The `Sec-WebSocket-Accept` that answers it (section 4.2.2).
    pub(crate) fn accept(&self) -> HeaderValue {
        let digest = Sha1::new().chain_update(self.0.as_bytes()).chain_update(GUID).finalize();
        value(base64::encode(&digest))
    }

    /// Whether an answer answers it (section 4.1). White space around the value is no part of it.
    pub(crate) fn is_accepted(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(header::SEC_WEBSOCKET_ACCEPT).into_iter();
        match (values.next(), values.next()) {
            (Some(said), None) => said.as_bytes().trim_ascii() == self.accept().as_bytes(),
            _ => false,
        }
    }
}

/// 22 digits and two signs of padding are 16 bytes. What is in the spare bits of the last digit is
/// not looked at: the key is hashed as text, and many clients fill them with anything.
fn is_key(text: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len() == 24 && text.ends_with(b"==") && text[..22].iter().all(is_digit)
}

fn value(text: Bytes) -> HeaderValue {
    HeaderValue::from_maybe_shared(text).expect("base64 is printable ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &http::HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn key(values: &[&'static str]) -> Result<Key, BadKey> {
        Key::of(&headers(&header::SEC_WEBSOCKET_KEY, values))
    }

    /// The example of section 1.3.
    #[test]
    fn the_answer_to_a_key() {
        let key = key(&["dGhlIHNhbXBsZSBub25jZQ=="]).unwrap();
        assert_eq!(key.accept(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let accept = |values: &[&'static str]| {
            key.is_accepted(&headers(&header::SEC_WEBSOCKET_ACCEPT, values))
        };
        let right = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        assert!(accept(&[right]));
        assert!(!accept(&[]) && !accept(&[right, right]));
        assert!(!accept(&["s3ppLMBiTxaQ9kYGzzhZRbK+xOo="]) && !accept(&[""]));
    }

    #[test]
    fn keys_that_are_none() {
        for value in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZTE=",
            "dGhlIHNhbXBsZSBub25j",
            "dGhlIHNhbXBsZSBub25jZSAx",
            "dGhlIHNhbX=sZSBub25jZQ==",
            "dGhlIHM=bXBsZSBub25jZTE=",
            "dGhlIHNhbXBsZSBub25jZ-==",
            "dGhlIHNhbXBsZSBub25jZQ== ",
        ] {
            assert_eq!(key(&[value]), Err(BadKey), "{value:?}");
        }
        let good = "dGhlIHNhbXBsZSBub25jZQ==";
        assert_eq!((key(&[]), key(&[good, good])), (Err(BadKey), Err(BadKey)));
    }

    #[test]
    fn random_keys_are_keys_and_differ() {
        let (one, other) = (Key::random(), Key::random());
        assert_ne!(one, other);
        let mut headers = HeaderMap::new();
        headers.insert(header::SEC_WEBSOCKET_KEY, one.value());
        assert_eq!(Key::of(&headers), Ok(one));
    }
}
