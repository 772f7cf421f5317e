//! How a peer spelled the names of its header fields, and in which order it sent them: for those
//! few who must pass that on, and only when they ask for it.

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName};

use super::fields::put_field;

/// The names of a head's fields as they were spelled, in their order. Put into the extensions of
/// a message, it is followed when that is encoded; fields the list does not know come last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling(Bytes);

impl Spelling {
    /// Of a head that was parsed without an error.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        let mut names = BytesMut::new();
        for line in head.split(|&byte| byte == b'\n').skip(1) {
            if let Some(colon) = line.iter().position(|&byte| byte == b':') {
                names.put_slice(&line[..=colon]);
            }
        }
        Self(names.freeze())
    }

    /// The names, each as it was spelled.
    fn names(&self) -> impl Iterator<Item = (&[u8], HeaderName)> {
        let names = self.0.split(|&byte| byte == b':');
        names.filter_map(|name| Some((name, HeaderName::from_bytes(name).ok()?)))
    }
}

/// Writes the fields of `headers` that `is_wanted` in the order and spelling of a list, then all
/// others.
pub(super) fn put_spelled(
    headers: &HeaderMap,
    spelling: &Spelling,
    is_wanted: impl Fn(&HeaderName) -> bool,
    out: &mut BytesMut,
) {
    let mut written: Vec<HeaderName> = Vec::new();
    let count =
        |written: &[HeaderName], name: &HeaderName| written.iter().filter(|w| *w == name).count();
    for (spelled, name) in spelling.names().filter(|(_, name)| is_wanted(name)) {
        let before = count(&written, &name);
        if let Some(value) = headers.get_all(&name).iter().nth(before) {
            put_field(out, spelled, value.as_bytes());
            written.push(name);
        }
    }
    for name in headers.keys().filter(|name| is_wanted(name)) {
        for value in headers.get_all(name).iter().skip(count(&written, name)) {
            put_field(out, name.as_str().as_bytes(), value.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn names_keep_their_order_and_case() {
        let head = b"GET / HTTP/1.1\r\nX-Second: a:b\r\nHOST: h\r\nx-Two: 1\r\nX-TWO: 2\r\n\r\n";
        let spelling = Spelling::of(head);
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("x-two", "1"), ("host", "h"), ("added", "0"), ("x-two", "2"), ("x-two", "3")]
        {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_static(value));
        }
        let mut out = BytesMut::new();
        put_spelled(&headers, &spelling, |_| true, &mut out);
        assert_eq!(
            std::str::from_utf8(&out).unwrap(),
            "HOST: h\r\nx-Two: 1\r\nX-TWO: 2\r\nx-two: 3\r\nadded: 0\r\n"
        );
    }
}
