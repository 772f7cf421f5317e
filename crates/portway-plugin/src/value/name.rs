//! Names of resources, and the share a resource gets.

use std::{
    borrow::Borrow,
    fmt,
    str::FromStr,
    sync::{Arc, LazyLock},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{InvalidValue, Quoted, text_form};

/// The name of a resource or a namespace: ASCII letters, digits, `-`, `_` and `.`, beginning with
/// a letter or a digit, at most 253. Cloning it is cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The longest name.
    pub const MAX: usize = 253;

    const DEFAULT: &str = "default";

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `default`, the namespace of what names none.
    #[must_use]
    pub fn is_default_namespace(&self) -> bool {
        &*self.0 == Self::DEFAULT
    }
}

/// The default namespace. Almost everything belongs to it, so that its name is held once.
impl Default for Name {
    fn default() -> Self {
        static NAME: LazyLock<Name> = LazyLock::new(|| Name(Name::DEFAULT.into()));
        NAME.clone()
    }
}

impl FromStr for Name {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text == Self::DEFAULT {
            return Ok(Self::default());
        }
        const RULE: &str = "use letters, digits, \"-\", \"_\" and \".\", and begin with a letter \
                            or a digit";
        if text.is_empty() {
            return Err(InvalidValue::new("the name is empty").hint(RULE));
        }
        if text.len() > Self::MAX {
            let (length, max) = (text.len(), Self::MAX);
            return Err(InvalidValue::new(format!(
                "the name {} is too long: {length} bytes, at most {max}",
                Quoted(text)
            )));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
            let bad = bad.escape_debug();
            return Err(InvalidValue::new(format!(
                "{} is not a name: it contains '{bad}'",
                Quoted(text)
            ))
            .hint(RULE));
        }
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(InvalidValue::new(format!(
                "{} is not a name: it begins with '{}'",
                Quoted(text),
                &text[..1]
            ))
            .hint(RULE));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

text_form!(Name, "portway-name", "a name", ["accounts", "get-account", "v2.search_index"]);

/// Namespaces somebody may have to do with: one by its name, or `*` for all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamespaceScope {
    /// `*`.
    All,
    /// One of them.
    One(Name),
}

impl NamespaceScope {
    /// Whether it takes this namespace; `None` stands for what belongs to no single one.
    #[must_use]
    pub fn takes(&self, namespace: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::One(name) => namespace == Some(name.as_str()),
        }
    }

    /// Whether whatever `other` takes is taken here too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        *self == Self::All || self == other
    }
}

impl FromStr for NamespaceScope {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text == "*" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

impl fmt::Display for NamespaceScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::One(name) => name.fmt(f),
        }
    }
}

text_form!(
    NamespaceScope,
    "portway-namespace-scope",
    "the name of a namespace, or * for all",
    ["*", "shop"]
);

/// A share relative to others, 0 to 65535. `0` takes none.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Weight(u16);

impl Weight {
    /// A share of `weight`.
    #[must_use]
    pub const fn new(weight: u16) -> Self {
        Self(weight)
    }

    /// The share as a number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<Name>().unwrap_err().message.into_owned()
    }

    #[test]
    fn a_name_is_a_word_that_fits_a_label() {
        assert_eq!("get-account".parse::<Name>().unwrap().as_str(), "get-account");
        assert_eq!(refused(""), "the name is empty");
        assert_eq!(refused("get account"), "\"get account\" is not a name: it contains ' '");
        assert_eq!(refused("../admin"), "\"../admin\" is not a name: it contains '/'");
        assert_eq!(refused(".."), "\"..\" is not a name: it begins with '.'");
        assert_eq!(refused("é"), "\"é\" is not a name: it contains 'é'");
        assert!(refused(&"a".repeat(254)).ends_with("is too long: 254 bytes, at most 253"));
    }

    #[test]
    fn the_default_namespace_is_called_default() {
        assert!(Name::default().is_default_namespace());
        assert!(!"other".parse::<Name>().unwrap().is_default_namespace());
    }
}
