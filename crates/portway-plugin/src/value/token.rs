//! Words of protocols.

use std::{fmt, str::FromStr};

use super::text::{InvalidValue, Quoted, text_form};

/// A token of HTTP (RFC 9110 section 5.6.2), such as the name of a cookie or of a parameter in a
/// query. Case matters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(Box<str>);

impl Token {
    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Token {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if text.is_empty() {
            return Err(InvalidValue::new("the name is empty"));
        }
        match text.chars().find(|c| !allowed(*c)) {
            None => Ok(Self(text.into())),
            Some(bad) => Err(InvalidValue::new(format!(
                "{} is not a name: it contains '{}'",
                Quoted(text),
                bad.escape_debug()
            ))
            .hint("use letters, digits, \"-\", \"_\" and \".\"")),
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(Token, "portway-token", "a name without spaces", ["api_key"]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_no_separators() {
        assert_eq!("api_key".parse::<Token>().unwrap().as_str(), "api_key");
        for bad in ["", "a b", "a=b", "a;b", "é", "a\0"] {
            assert!(bad.parse::<Token>().is_err(), "{bad:?}");
        }
    }
}
