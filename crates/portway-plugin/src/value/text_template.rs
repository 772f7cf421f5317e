//! Templates of text: the bodies and header fields that replies are made of.

use std::{borrow::Cow, error::Error, fmt, str::FromStr};

use super::FieldName;

/// A text to be made: literal text, the captures of a route as in `{id}`, and what the request
/// says about itself as in `{request.host}`. `{{` and `}}` are literal braces.
///
/// It knows no escaping: whoever renders it decides what a value must not do to its surroundings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TextTemplate {
    parts: Box<[TextPart]>,
}

/// A part of a [`TextTemplate`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextPart {
    /// Text as it is.
    Literal(Box<str>),
    /// What a placeholder of the route's path stands for.
    Capture(Box<str>),
    /// What the request says about itself.
    Request(RequestValue),
}

/// What a request says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RequestValue {
    /// `{request.host}`: the host asked for, without its port.
    Host,
    /// `{request.path}`: the path in its normal form, before any rewrite.
    Path,
    /// `{request.method}`: the method.
    Method,
    /// `{request.scheme}`: `http` or `https`.
    Scheme,
    /// `{request.client}`: the address of the client.
    Client,
    /// `{request.id}`: the request's id.
    Id,
    /// `{request.query.NAME}`: the first query parameter of this name, decoded.
    Query(Box<str>),
    /// `{request.header.NAME}`: the header field of this name.
    Header(FieldName),
}

/// Why a text is not a [`TextTemplate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTemplate {
    /// The character that is wrong, from 1.
    pub character: usize,
    /// What is wrong.
    pub why: Cow<'static, str>,
    /// The name that nothing is known by, where that is what is wrong.
    pub unknown: Option<String>,
}

impl RequestValue {
    /// The names of all values, without their braces. `NAME` is to be chosen.
    pub const NAMES: [&str; 8] = [
        "request.host",
        "request.path",
        "request.method",
        "request.scheme",
        "request.client",
        "request.id",
        "request.query.NAME",
        "request.header.NAME",
    ];

    fn named(name: &str) -> Option<Self> {
        let value = name.strip_prefix("request.")?;
        Some(match value {
            "host" => Self::Host,
            "path" => Self::Path,
            "method" => Self::Method,
            "scheme" => Self::Scheme,
            "client" => Self::Client,
            "id" => Self::Id,
            _ => match value.split_once('.')? {
                ("query", parameter) if !parameter.is_empty() => Self::Query(parameter.into()),
                ("header", field) => Self::Header(field.parse().ok()?),
                _ => return None,
            },
        })
    }
}

impl TextTemplate {
    /// The parts, in order.
    #[must_use]
    pub fn parts(&self) -> &[TextPart] {
        &self.parts
    }

    /// The names of the captures it wants, in order. A name may come twice.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            TextPart::Capture(name) => Some(&**name),
            TextPart::Literal(_) | TextPart::Request(_) => None,
        })
    }

    /// Whether it makes the same text for every request.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, TextPart::Literal(_)))
    }
}

impl FromStr for TextTemplate {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, InvalidTemplate> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            let offset = text.len() - from.len();
            if let Some(behind) = from.strip_prefix("{{") {
                literal.push('{');
                rest = behind;
            } else if let Some(behind) = from.strip_prefix("}}") {
                literal.push('}');
                rest = behind;
            } else if let Some(inner) = from.strip_prefix('{') {
                let Some((name, behind)) = inner.split_once('}') else {
                    return Err(flaw(text, offset, "a brace is never closed"));
                };
                if !literal.is_empty() {
                    parts.push(TextPart::Literal(std::mem::take(&mut literal).into()));
                }
                parts.push(placeholder(text, offset, name)?);
                rest = behind;
            } else {
                return Err(flaw(text, offset, "a brace is closed that was never opened"));
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(TextPart::Literal(literal.into()));
        }
        Ok(Self { parts: parts.into() })
    }
}

impl fmt::Display for InvalidTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at character {}", self.why, self.character)
    }
}

impl Error for InvalidTemplate {}

fn placeholder(text: &str, offset: usize, name: &str) -> Result<TextPart, InvalidTemplate> {
    if let Some(value) = RequestValue::named(name) {
        return Ok(TextPart::Request(value));
    }
    let first = name.bytes().next();
    if !first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    {
        return Err(flaw(text, offset, "what stands in the braces is no name"));
    }
    if name.contains('.') {
        let mut error = flaw(text, offset, "no value has this name");
        error.unknown = Some(name.to_owned());
        return Err(error);
    }
    Ok(TextPart::Capture(name.into()))
}

fn flaw(text: &str, offset: usize, why: &'static str) -> InvalidTemplate {
    let before = text.get(..offset).unwrap_or_default();
    InvalidTemplate { character: before.chars().count() + 1, why: why.into(), unknown: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<TextPart> {
        text.parse::<TextTemplate>().unwrap().parts().to_vec()
    }

    #[test]
    fn text_is_cut_into_its_parts() {
        assert_eq!(
            parts("{{\"id\": \"{id}\", \"host\": \"{request.host}\"}}"),
            [
                TextPart::Literal("{\"id\": \"".into()),
                TextPart::Capture("id".into()),
                TextPart::Literal("\", \"host\": \"".into()),
                TextPart::Request(RequestValue::Host),
                TextPart::Literal("\"}".into()),
            ]
        );
        assert_eq!(
            parts("{request.query.a-b c}{request.header.X-A}"),
            [
                TextPart::Request(RequestValue::Query("a-b c".into())),
                TextPart::Request(RequestValue::Header("x-a".parse().unwrap())),
            ]
        );
        assert!(parts("").is_empty());
        assert!("a {{b}}".parse::<TextTemplate>().unwrap().is_constant());
    }

    #[test]
    fn every_name_that_is_told_is_known() {
        for name in RequestValue::NAMES {
            assert!(RequestValue::named(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_refusal_says_where() {
        for (text, message) in [
            ("a {b", "a brace is never closed, at character 3"),
            ("\u{e9}b}", "a brace is closed that was never opened, at character 3"),
            ("{\"a\": 1}", "what stands in the braces is no name, at character 1"),
            ("{}", "what stands in the braces is no name, at character 1"),
            ("{request.hots}", "no value has this name, at character 1"),
            ("{request.query.}", "no value has this name, at character 1"),
        ] {
            let error = text.parse::<TextTemplate>().unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
        }
        let unknown = "{request.hots}".parse::<TextTemplate>().unwrap_err().unknown;
        assert_eq!(unknown.as_deref(), Some("request.hots"));
    }
}
