//! Keys are paths, prefixes are folders.

use std::{borrow::Borrow, fmt, sync::Arc};

/// The path of an entry: `/portway/resources/default/route/shop`.
///
/// It begins with a slash, does not end with one, has no empty segment and no control character,
/// and is at most [`Key::MAX_LENGTH`] bytes long. Keys are ordered by their bytes. A copy shares
/// its text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// How long a key may be, in bytes.
    pub const MAX_LENGTH: usize = 1024;

    /// The key of this path.
    ///
    /// # Errors
    ///
    /// When it is not one.
    pub fn new(path: impl AsRef<str>) -> Result<Self, InvalidKey> {
        let path = path.as_ref();
        validate(path)?;
        if path.ends_with('/') {
            return Err(InvalidKey::new(path, "it ends with a slash, as prefixes do"));
        }
        Ok(Self(path.into()))
    }

    /// The whole path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment of the path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The path below `prefix`, when the key lies there.
    #[must_use]
    pub fn below(&self, prefix: &Prefix) -> Option<&str> {
        self.0.strip_prefix(&*prefix.0)
    }
}

/// A folder of keys: a path that begins and ends with a slash, so that `/a/b/` never takes
/// `/a/bc` along.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Arc<str>);

impl Prefix {
    /// The prefix of this path.
    ///
    /// # Errors
    ///
    /// When it is not one.
    pub fn new(path: impl AsRef<str>) -> Result<Self, InvalidKey> {
        let path = path.as_ref();
        validate(path)?;
        if !path.ends_with('/') {
            return Err(InvalidKey::new(path, "it does not end with a slash"));
        }
        Ok(Self(path.into()))
    }

    /// The prefix of every key.
    #[must_use]
    pub fn all() -> Self {
        Self("/".into())
    }

    /// The folder `segment` inside this one.
    ///
    /// # Errors
    ///
    /// When `segment` is empty or holds a slash or a control character, or the path gets too long.
    pub fn folder(&self, segment: &str) -> Result<Self, InvalidKey> {
        Self::new(format!("{}{}/", self.0, one_segment(segment)?))
    }

    /// The key `segment` inside this folder.
    ///
    /// # Errors
    ///
    /// When `segment` is empty or holds a slash or a control character, or the path gets too long.
    pub fn key(&self, segment: &str) -> Result<Key, InvalidKey> {
        Key::new(format!("{}{}", self.0, one_segment(segment)?))
    }

    /// The whole path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `key` lies below.
    #[must_use]
    pub fn holds(&self, key: &Key) -> bool {
        key.0.starts_with(&*self.0)
    }

    /// The first text after every key below: `/a0` for `/a/`, as `0` follows the slash.
    pub(crate) fn end(&self) -> String {
        format!("{}0", self.0.trim_end_matches('/'))
    }
}

fn validate(path: &str) -> Result<(), InvalidKey> {
    let refuse = |reason| Err(InvalidKey::new(path, reason));
    if path.len() > Key::MAX_LENGTH {
        return refuse("it is longer than 1024 bytes");
    }
    if !path.starts_with('/') {
        return refuse("it does not begin with a slash");
    }
    if path.contains("//") {
        return refuse("it holds an empty segment");
    }
    if path.chars().any(char::is_control) {
        return refuse("it holds a control character");
    }
    Ok(())
}

fn one_segment(segment: &str) -> Result<&str, InvalidKey> {
    if segment.is_empty() {
        return Err(InvalidKey::new(segment, "the segment is empty"));
    }
    if segment.contains('/') {
        return Err(InvalidKey::new(segment, "the segment holds a slash"));
    }
    Ok(segment)
}

/// A text is neither a key nor a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidKey {
    text: String,
    reason: &'static str,
}

impl InvalidKey {
    fn new(text: &str, reason: &'static str) -> Self {
        // Enough of it to recognise it by.
        Self { text: text.chars().take(128).collect(), reason }
    }
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a key: {}", self.text, self.reason)
    }
}

impl std::error::Error for InvalidKey {}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_keys() {
        for path in ["/a", "/portway/resources/default/route/shop", "/ä/ö ü"] {
            assert_eq!(Key::new(path).unwrap().as_str(), path);
        }
        let long = format!("/{}", "x".repeat(1023));
        assert!(Key::new(&long).is_ok());
        assert!(Key::new(format!("{long}x")).is_err());
        for path in ["", "a", "a/b", "/", "/a/", "//a", "/a//b", "/a\n", "/a\0b"] {
            assert!(Key::new(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn prefixes_are_folders() {
        for path in ["", "a/", "/a", "//", "/a//", "/\u{7f}/"] {
            assert!(Prefix::new(path).is_err(), "{path:?}");
        }
        let folder = Prefix::all().folder("a").unwrap().folder("b").unwrap();
        assert_eq!(folder.as_str(), "/a/b/");
        assert_eq!(folder.key("c").unwrap().as_str(), "/a/b/c");
        for segment in ["", "x/y", "/", "\n"] {
            assert!(folder.key(segment).is_err() && folder.folder(segment).is_err(), "{segment:?}");
        }
    }

    #[test]
    fn a_prefix_ends_before_its_siblings() {
        let folder = Prefix::new("/a/b/").unwrap();
        assert_eq!(folder.end(), "/a/b0");
        assert_eq!(Prefix::all().end(), "0");
        for (path, inside) in
            [("/a/b/c", true), ("/a/bc", false), ("/a/b", false), ("/a/b0", false)]
        {
            let key = Key::new(path).unwrap();
            assert_eq!(folder.holds(&key), inside, "{path}");
            let ordered = key.as_str() >= folder.as_str() && key.as_str() < folder.end().as_str();
            assert_eq!(ordered, inside, "{path}");
            assert_eq!(key.below(&folder).is_some(), inside, "{path}");
        }
    }

    #[test]
    fn a_key_knows_its_name_and_its_rest() {
        let key = Key::new("/a/b/c").unwrap();
        assert_eq!(key.name(), "c");
        assert_eq!(key.below(&Prefix::new("/a/").unwrap()), Some("b/c"));
        assert_eq!(key.below(&Prefix::all()), Some("a/b/c"));
    }
}
