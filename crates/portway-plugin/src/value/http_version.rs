//! Versions of HTTP that a server can be spoken to in.

use std::{fmt, str::FromStr};

use super::text::{InvalidValue, Quoted, text_form};

/// A version of HTTP: `1.1` or `2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpVersion {
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

impl FromStr for HttpVersion {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "1.1" => Ok(Self::Http11),
            "2" | "2.0" => Ok(Self::Http2),
            _ => Err(InvalidValue::new(format!("{} is not a version of HTTP", Quoted(text)))
                .hint("write 1.1 or 2")),
        }
    }
}

impl fmt::Display for HttpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http11 => "1.1",
            Self::Http2 => "2",
        })
    }
}

text_form!(HttpVersion or decimal, "portway-http-version", "a version of HTTP", ["1.1", "2"]);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_read_from_texts_and_numbers() {
        for (written, version) in [
            (json!("1.1"), HttpVersion::Http11),
            (json!(1.1), HttpVersion::Http11),
            (json!("2"), HttpVersion::Http2),
            (json!(2), HttpVersion::Http2),
            (json!(2.0), HttpVersion::Http2),
        ] {
            assert_eq!(serde_json::from_value::<HttpVersion>(written).unwrap(), version);
            assert_eq!(version.to_string().parse(), Ok(version));
        }
        for written in [json!("1"), json!(1), json!(1.0), json!(3), json!("h2"), json!("HTTP/2")] {
            assert!(serde_json::from_value::<HttpVersion>(written).is_err());
        }
    }
}
