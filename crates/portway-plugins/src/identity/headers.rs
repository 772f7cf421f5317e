//! What the upstream is told of who asks, and what clients may not say of themselves.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use portway_plugin::{Consumer, IDENTITY_FIELDS};

const USERNAME: HeaderName = HeaderName::from_static("x-consumer-username");
const CUSTOM_ID: HeaderName = HeaderName::from_static("x-consumer-custom-id");
const GROUPS: HeaderName = HeaderName::from_static("x-consumer-groups");
const CREDENTIAL: HeaderName = HeaderName::from_static("x-credential-identifier");
const ANONYMOUS: HeaderName = HeaderName::from_static("x-anonymous-consumer");

/// Whether a field says what a message is, where it goes or who sends it: no place for what others
/// say.
pub(crate) fn is_framing(name: &HeaderName) -> bool {
    const FRAMING: [HeaderName; 10] = [
        header::AUTHORIZATION,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::COOKIE,
        header::EXPECT,
        header::HOST,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    FRAMING.contains(name)
}

/// Takes all of them off, and fields that a lenient upstream reads as them: with `_` for `-`.
pub(super) fn strip(headers: &mut HeaderMap) {
    for name in &IDENTITY_FIELDS {
        headers.remove(name);
    }
    let twins: Vec<HeaderName> = headers.keys().filter(|name| is_twin(name)).cloned().collect();
    for name in twins {
        headers.remove(name);
    }
}

fn is_twin(name: &HeaderName) -> bool {
    let name = name.as_str();
    let same = |other: &HeaderName| {
        let other = other.as_str();
        other.len() == name.len()
            && other.bytes().zip(name.bytes()).all(|(a, b)| a == b || (a == b'-' && b == b'_'))
    };
    name.starts_with('x') && name.contains('_') && IDENTITY_FIELDS.iter().any(same)
}

/// Tells who asks. A name that cannot stand in a field is not told.
pub(super) fn tell(headers: &mut HeaderMap, consumer: &Consumer, anonymous: bool) {
    set(headers, USERNAME, &consumer.name);
    if let Some(id) = &consumer.custom_id {
        set(headers, CUSTOM_ID, id);
    }
    if let Some(credential) = &consumer.credential {
        set(headers, CREDENTIAL, credential);
    }
    // A group whose name holds a comma would be read as two.
    let mut groups = String::new();
    for group in consumer.groups.iter().filter(|group| !group.contains(',')) {
        if !groups.is_empty() {
            groups.push_str(", ");
        }
        groups.push_str(group);
    }
    if !groups.is_empty() {
        set(headers, GROUPS, &groups);
    }
    if anonymous {
        headers.insert(ANONYMOUS, HeaderValue::from_static("true"));
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(name, value);
    }
}
