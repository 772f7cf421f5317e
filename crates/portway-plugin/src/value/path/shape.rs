//! What a path condition matches, whatever its placeholders are called.

use super::super::Regex;

/// Two path conditions of one shape match the same paths.
///
/// `/a/{id}` and `/a/{name}` have one shape, and so have a pattern without placeholders and the
/// same exact path, and all ways to say "any path".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathShape(Box<str>);

impl PathShape {
    /// The shape of no condition at all, of the prefix `/` and of `/{*rest}`.
    #[must_use]
    pub fn any() -> Self {
        Self::prefix("/")
    }

    /// The shape of a regular expression over the whole path.
    #[must_use]
    pub fn regex(regex: &Regex) -> Self {
        // No other shape begins like this: all paths begin with a slash.
        Self(format!("~{regex}").into())
    }

    pub(super) fn exact(path: &str) -> Self {
        Self(path.into())
    }

    /// `prefix` has no slash at its end, unless it is the root.
    pub(super) fn prefix(prefix: &str) -> Self {
        Self(format!("{}{{/}}", prefix.trim_end_matches('/')).into())
    }

    pub(super) fn pattern(text: String) -> Self {
        if text == "/{*}" { Self::any() } else { Self(text.into()) }
    }
}
