//! Texts that nobody is shown.

use std::{fmt, str::FromStr};

use super::text::{InvalidValue, text_form};

/// What shows in place of a secret, wherever it would be shown.
pub const MASKED: &str = "(masked)";

/// A shared secret. It is never shown. A configuration takes it from its surroundings:
/// `${NAME}` or `${file:/path}`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Box<str>);

impl Secret {
    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.is_empty() {
            return Err(InvalidValue::new("the secret is empty"));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASKED)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

text_form!(Secret, "portway-secret", "a secret", ["${TOKEN_SECRET}"]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_never_shown() {
        let secret: Secret = "s3cret".parse().unwrap();
        assert_eq!(secret.expose(), "s3cret");
        let shown = format!("{secret} {secret:?} {}", serde_json::to_string(&secret).unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!("".parse::<Secret>().is_err());
    }
}
