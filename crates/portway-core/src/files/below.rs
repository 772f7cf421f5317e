//! From the path of a request to the name of a file below the root.

/// A path below the root, decoded. No segment of it is empty, a dot segment, or holds anything
/// that could be taken for the border between two.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Below {
    /// The segments with slashes between them; empty for the root itself.
    pub(super) path: String,
    /// Whether the path ended with a slash, as that of a folder does.
    pub(super) is_folder: bool,
}

impl Below {
    /// Reads a path in its normal form. `None` for one that can name no file, or only a hidden
    /// one where these are not served.
    ///
    /// An empty segment names no file: `//private/x` is not below `/private` for the router, so
    /// that it must not be `private/x` here.
    pub(super) fn read(path: &str, hidden: bool) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        if path.is_empty() {
            return Some(Self { path: String::new(), is_folder: true });
        }
        let (path, is_folder) = match path.strip_suffix('/') {
            Some(folder) => (folder, true),
            None => (path, false),
        };
        let mut below = String::with_capacity(path.len());
        for (at, segment) in path.split('/').enumerate() {
            let name = decode(segment)?;
            // `/.well-known` is meant for everybody (RFC 8615).
            let is_well_known = at == 0 && name == ".well-known";
            if !is_servable(&name, hidden || is_well_known) {
                return None;
            }
            if at > 0 {
                below.push('/');
            }
            below.push_str(&name);
        }
        Some(Self { path: below, is_folder })
    }
}

/// Whether a name may be asked for.
pub(super) fn is_servable(name: &str, hidden: bool) -> bool {
    !matches!(name, "" | "." | "..")
        && !name.contains(['/', '\\', '\0'])
        && (hidden || !name.starts_with('.'))
}

/// Appends the name as it is written in a URL.
pub(super) fn push_encoded(name: &str, out: &mut String) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
    }
}

/// The text a segment stands for. `None` when it is not UTF-8, or has a `%` that begins no escape.
pub(super) fn decode(segment: &str) -> Option<String> {
    let mut bytes = segment.bytes();
    let mut out = Vec::with_capacity(segment.len());
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    fn below(path: &str) -> Option<(String, bool)> {
        Below::read(path, false).map(|below| (below.path, below.is_folder))
    }

    #[test]
    fn paths_name_files() {
        for (path, name, is_folder) in [
            ("/", "", true),
            ("/a", "a", false),
            ("/a/", "a", true),
            ("/a/b.txt", "a/b.txt", false),
            ("/a%20b/%C3%A9", "a b/\u{e9}", false),
            ("/%252e%252e", "%2e%2e", false),
            ("/.well-known/x", ".well-known/x", false),
            ("/a..b", "a..b", false),
        ] {
            assert_eq!(below(path), Some((name.to_owned(), is_folder)), "{path}");
        }
    }

    #[test]
    fn nothing_leads_out_or_around() {
        for path in [
            "",
            "a",
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/..",
            "/a/../b",
            "/%2e%2e/a",
            "/a%2Fb",
            "/a%2f..",
            "/a%5C..",
            "/a\\b",
            "/a%00b",
            "/%C0%AE%C0%AE",
            "/%FF",
            "/%",
            "/%2",
            "/%zz",
            "/.env",
            "/a/.git/config",
            "/a/.well-known/x",
            "/.well-known/.env",
        ] {
            assert_eq!(below(path), None, "{path}");
        }
        assert!(Below::read("/a/.git/config", true).is_some());
        assert!(Below::read("/a/../b", true).is_none());
    }

    proptest! {
        #[test]
        fn whatever_is_read_stays_below(
            path in "/(/|%2[eEfF]|%5[cC]|%00|%[cC]0%[aA][eEfF]|\\\\|\\.|[a-c]|%){0,12}",
            hidden: bool,
        ) {
            if let Some(below) = Below::read(&path, hidden) {
                let is_plain = |part| matches!(part, Component::Normal(_));
                prop_assert!(Path::new(&below.path).components().all(is_plain), "{below:?}");
                prop_assert!(!below.path.contains(['\\', '\0']), "{below:?}");
                prop_assert!(!below.path.contains("//"), "{below:?}");
            }
        }
    }

    #[test]
    fn names_survive_their_spelling_in_a_url() {
        for name in ["a b", "a%b", "a?b#c", "\u{e9}\u{20ac}", "a\"<>&'b", "a:b", "a\nb"] {
            let mut path = String::from("/");
            push_encoded(name, &mut path);
            assert!(path.parse::<http::uri::PathAndQuery>().is_ok_and(|uri| uri.path() == path));
            assert_eq!(below(&path), Some((name.to_owned(), false)));
        }
    }
}
