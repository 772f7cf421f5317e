//! Paths without placeholders: a whole path, and a prefix by segments.

use std::{borrow::Cow, fmt, str::FromStr};

use super::{Flaw, PathShape, check_depth, literal_text, normal::normalize_path, pieces::refuse};
use crate::value::{InvalidValue, text::text_form};

/// A whole path in its normal form, as in `{exact: /a/b}`. `/a` and `/a/` are two paths.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestPath(Box<str>);

impl RequestPath {
    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments between the slashes; the last one is empty behind a final slash.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }

    /// What it matches.
    #[must_use]
    pub fn shape(&self) -> PathShape {
        PathShape::exact(&self.0)
    }

    /// The same path below a prefix.
    #[must_use]
    pub fn prefixed(&self, prefix: &PathPrefix) -> Self {
        Self(format!("{}{}", prefix.without_root(), self.0).into())
    }
}

impl FromStr for RequestPath {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        normal_literal(text).map(|path| Self(path.into())).map_err(|flaw| flaw.of(text, "a path"))
    }
}

impl fmt::Display for RequestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(RequestPath, "portway-path", "a path", ["/account", "/files/"]);

/// A path and everything below it, by whole segments: `/a` is a prefix of `/a`, `/a/` and `/a/b`,
/// not of `/ab`. Slashes at its end say nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathPrefix(Box<str>);

impl PathPrefix {
    /// The prefix; no slash at its end, unless it is `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments between the slashes; none for `/`.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.without_root().split('/').skip(1)
    }

    /// Whether everything is below it.
    #[must_use]
    pub fn is_root(&self) -> bool {
        &*self.0 == "/"
    }

    /// The path without the prefix, beginning with a slash; `None` where it is no prefix of it.
    #[must_use]
    pub fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        match path.strip_prefix(self.without_root())? {
            "" => Some("/"),
            rest if rest.starts_with('/') => Some(rest),
            _ => None,
        }
    }

    /// The path with `other` where this prefix was; `None` where it is no prefix of it. A slash
    /// behind the prefix stays, and none is added.
    #[must_use]
    pub fn replace(&self, path: &str, other: &PathPrefix) -> Option<String> {
        let rest = self.strip(path)?;
        if path == self.as_str() {
            return Some(other.as_str().to_owned());
        }
        Some(format!("{}{rest}", other.without_root()))
    }

    /// What it matches.
    #[must_use]
    pub fn shape(&self) -> PathShape {
        PathShape::prefix(&self.0)
    }

    /// The same prefix below another one.
    #[must_use]
    pub fn prefixed(&self, prefix: &PathPrefix) -> Self {
        if self.is_root() {
            return prefix.clone();
        }
        Self(format!("{}{}", prefix.without_root(), self.0).into())
    }

    /// What a path below it begins with; empty for `/`.
    pub(super) fn without_root(&self) -> &str {
        if self.is_root() { "" } else { &self.0 }
    }
}

impl FromStr for PathPrefix {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let path = normal_literal(text).map_err(|flaw| flaw.of(text, "a path prefix"))?;
        let bare = path.trim_end_matches('/');
        Ok(Self(if bare.is_empty() { "/" } else { bare }.into()))
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(PathPrefix, "portway-path-prefix", "a path prefix", ["/api", "/"]);

fn normal_literal(text: &str) -> Result<String, Flaw> {
    if !text.starts_with('/') {
        return Err(Flaw::relative(text));
    }
    refuse(0, text)?;
    check_depth(text.split('/').count() - 1)?;
    // Knows where the flaw is, which the whole path's form does not.
    literal_text(0, text)?;
    normalize_path(text, false).map(Cow::into_owned).map_err(|reason| Flaw::ambiguous(0, reason))
}
