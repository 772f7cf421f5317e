//! What header fields say about a body, kept true when a plugin makes another one of it.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Digests of a body, which are wrong once it is another one (RFC 9530, and what was before).
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-md5"),
];

/// Takes off what is no longer true of a body that was made another one, and makes a strong entity
/// tag weak: the bytes are others now, what they mean is not.
pub(crate) fn body_changes(headers: &mut HeaderMap) {
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::ACCEPT_RANGES);
    for name in &DIGESTS {
        headers.remove(name);
    }
    let weak = match headers.get(header::ETAG) {
        Some(tag) if tag.as_bytes().starts_with(b"\"") => {
            HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()).ok()
        }
        _ => None,
    };
    if let Some(weak) = weak {
        headers.insert(header::ETAG, weak);
    }
}

/// Says that another request may get another answer because of this field, unless that is said
/// already.
pub(crate) fn vary(headers: &mut HeaderMap, field: HeaderValue) {
    let lines = headers.get_all(header::VARY).iter();
    let mut named = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let said = named.any(|name| {
        let name = name.trim_ascii();
        name == b"*" || name.eq_ignore_ascii_case(field.as_bytes())
    });
    if !said {
        headers.append(header::VARY, field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_of_the_old_body_goes() {
        let mut headers = HeaderMap::new();
        for name in ["content-length", "accept-ranges", "content-digest", "etag", "x-kept"] {
            headers.insert(name, HeaderValue::from_static("\"1\""));
        }
        body_changes(&mut headers);
        assert_eq!(headers.len(), 2);
        assert_eq!(headers["etag"], "W/\"1\"");
        body_changes(&mut headers);
        assert_eq!(headers["etag"], "W/\"1\"");
    }

    #[test]
    fn a_field_is_named_once() {
        let mut headers = HeaderMap::new();
        for _ in 0..2 {
            vary(&mut headers, HeaderValue::from_static("Origin"));
        }
        assert_eq!(headers.get_all("vary").iter().count(), 1);
        headers.insert("vary", HeaderValue::from_static("accept, ORIGIN"));
        vary(&mut headers, HeaderValue::from_static("Origin"));
        assert_eq!(headers.get_all("vary").iter().count(), 1);
        headers.insert("vary", HeaderValue::from_static("*"));
        vary(&mut headers, HeaderValue::from_static("Origin"));
        assert_eq!(headers.get_all("vary").iter().count(), 1);
    }
}
