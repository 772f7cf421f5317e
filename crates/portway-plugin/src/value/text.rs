//! What all values share: one text form, one way to say why a text is not a value, and the list
//! of formats by which a schema names its parser.

use std::{borrow::Cow, fmt, str::FromStr};

use super::{
    BindAddr, ByteSize, Certificates, Cidr, DomainPattern, Duration, Expression, FetchUrl,
    FieldName, FieldValue, FilePath, HostPattern, HostValue, HttpVersion, LineTemplate, ListenAddr,
    MediaPattern, Method, Name, OriginPattern, PathPattern, PathPrefix, PathTemplate, PeerAddr,
    PrivateKey, Rate, Regex, RequestPath, Secret, ServiceUrl, TimeOfDay, Token, UpgradeProtocol,
    UtcOffset,
};

/// A value with one text form, which `FromStr` reads and `Display` writes.
pub trait TextForm: FromStr<Err = InvalidValue> + fmt::Display {
    /// The `format` of its JSON Schema.
    const FORMAT: Format;
}

/// How a schema's `format` is checked: by the parser of the value itself, so that a message says
/// the same wherever the value came from.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The word in the schema, such as `portway-duration`.
    pub name: &'static str,
    /// What is expected, with its article: `a duration`.
    pub noun: &'static str,
    /// Texts that are read.
    pub examples: &'static [&'static str],
    /// The parser, without the value.
    pub check: fn(&str) -> Result<(), InvalidValue>,
}

/// Every format. A new kind of value adds its line here.
pub const FORMATS: &[Format] = &[
    BindAddr::FORMAT,
    ListenAddr::FORMAT,
    PeerAddr::FORMAT,
    ByteSize::FORMAT,
    Certificates::FORMAT,
    Cidr::FORMAT,
    DomainPattern::FORMAT,
    Duration::FORMAT,
    Expression::FORMAT,
    FetchUrl::FORMAT,
    FieldName::FORMAT,
    FieldValue::FORMAT,
    FilePath::FORMAT,
    HostPattern::FORMAT,
    HostValue::FORMAT,
    HttpVersion::FORMAT,
    LineTemplate::FORMAT,
    MediaPattern::FORMAT,
    Method::FORMAT,
    Name::FORMAT,
    super::NamespaceScope::FORMAT,
    OriginPattern::FORMAT,
    PathPattern::FORMAT,
    PathPrefix::FORMAT,
    PathTemplate::FORMAT,
    PrivateKey::FORMAT,
    Rate::FORMAT,
    Regex::FORMAT,
    RequestPath::FORMAT,
    Secret::FORMAT,
    ServiceUrl::FORMAT,
    TimeOfDay::FORMAT,
    Token::FORMAT,
    UpgradeProtocol::FORMAT,
    UtcOffset::FORMAT,
];

/// Why a text is not a value of its kind: what is wrong, with the text in it, and what to write
/// instead where that can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    /// A stable word for programs; `bad_value` unless the kind has a better one.
    pub code: &'static str,
    /// What is wrong; lowercase, no final dot.
    pub message: Cow<'static, str>,
    /// What to write instead.
    pub hint: Option<Cow<'static, str>>,
}

impl InvalidValue {
    /// A text that is wrong for the reason given.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: "bad_value", message: message.into(), hint: None }
    }

    /// Says what to write instead.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Gives a code of its own.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for InvalidValue {}

/// A text from outside as it is shown in a message: in quotes, control characters escaped, cut
/// when it is very long.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a str);

impl Quoted<'_> {
    /// The characters shown before the cut.
    const SHOWN: usize = 120;
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for (at, character) in self.0.chars().enumerate() {
            if at == Self::SHOWN {
                f.write_str("…")?;
                break;
            }
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        f.write_str("\"")
    }
}

/// Gives a type with `FromStr` and `Display` its serde form, its schema and its [`Format`].
/// `number` says that a file may also write it as an integer, `decimal` as any number.
macro_rules! text_form {
    ($type:ident, $format:literal, $noun:literal, [$($example:literal),+ $(,)?]) => {
        $crate::value::text::text_form!(
            @all $type, $format, $noun, [$($example),+], "string", deserialize_str
        );
    };
    ($type:ident or number, $format:literal, $noun:literal, [$($example:literal),+ $(,)?]) => {
        $crate::value::text::text_form!(
            @all $type, $format, $noun, [$($example),+], ["string", "integer"], deserialize_any
        );
    };
    ($type:ident or decimal, $format:literal, $noun:literal, [$($example:literal),+ $(,)?]) => {
        $crate::value::text::text_form!(
            @all $type, $format, $noun, [$($example),+], ["string", "number"], deserialize_any
        );
    };
    (
        @all $type:ident, $format:literal, $noun:literal, [$($example:literal),+], $json:tt,
        $deserialize:ident
    ) => {
        impl $crate::value::TextForm for $type {
            const FORMAT: $crate::value::Format = $crate::value::Format {
                name: $format,
                noun: $noun,
                examples: &[$($example),+],
                check: |text| text.parse::<$type>().map(drop),
            };
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.$deserialize($crate::value::text::TextVisitor::<$type>::new())
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": $json,
                    "format": $format,
                    "examples": [$($example),+],
                })
            }
        }
    };
}
pub(in crate::value) use text_form;

/// Reads a value from its text, or from a number where the caller lets one through.
pub(in crate::value) struct TextVisitor<T>(std::marker::PhantomData<T>);

impl<T> TextVisitor<T> {
    pub(in crate::value) fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T: TextForm> serde::de::Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} such as {}", T::FORMAT.noun, Quoted(T::FORMAT.examples[0]))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_reads_its_own_examples_and_has_its_own_name() {
        for (at, format) in FORMATS.iter().enumerate() {
            for example in format.examples {
                assert_eq!((format.check)(example), Ok(()), "{} {example}", format.name);
            }
            assert!(FORMATS[at + 1..].iter().all(|other| other.name != format.name));
        }
    }

    #[test]
    fn a_quoted_text_cannot_break_a_line_or_fill_a_screen() {
        assert_eq!(Quoted("a\nb\u{1b}[0m").to_string(), r#""a\nb\u{1b}[0m""#);
        assert_eq!(Quoted(&"x".repeat(500)).to_string().chars().count(), 120 + 3);
    }
}
