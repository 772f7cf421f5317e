//! Templates of one line: the values of header fields and of query parameters.

use std::{fmt, str::FromStr};

use super::{
    TextPart, TextTemplate,
    text::{InvalidValue, Quoted, text_form},
};

/// A [`TextTemplate`] that makes one line: its own text is visible ASCII with spaces and tabs
/// inside. `{request.host}` and `{id}` stand for what a request and its route say, `{{` and `}}`
/// for braces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LineTemplate {
    source: Box<str>,
    template: TextTemplate,
}

impl LineTemplate {
    /// The template, cut into its parts.
    #[must_use]
    pub const fn get(&self) -> &TextTemplate {
        &self.template
    }

    /// The text it makes of every request, where that is always the same.
    #[must_use]
    pub fn constant(&self) -> Option<String> {
        let literal = |part: &TextPart| match part {
            TextPart::Literal(text) => Some(text.to_string()),
            TextPart::Capture(_) | TextPart::Request(_) => None,
        };
        self.template.parts().iter().map(literal).collect()
    }
}

impl FromStr for LineTemplate {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refused = |why: String| {
            InvalidValue::new(format!("{} is not a template: {why}", Quoted(text)))
                .code("bad_template")
        };
        if text.trim_ascii() != text {
            return Err(refused("it begins or ends with a space".to_owned()));
        }
        if let Some(bad) = text.chars().find(|c| !matches!(c, '\t' | ' '..='~')) {
            return Err(refused(format!("it contains '{}'", bad.escape_default()))
                .hint("use visible ASCII characters"));
        }
        let template = text.parse::<TextTemplate>().map_err(|invalid| {
            let refused = refused(match &invalid.unknown {
                Some(unknown) => format!("there is no value {}", Quoted(unknown)),
                None => invalid.to_string(),
            });
            match invalid.unknown {
                Some(_) => refused.hint(super::RequestValue::NAMES.join(", ")),
                None => refused.hint("write {{ and }} for braces that stand for themselves"),
            }
        })?;
        Ok(Self { source: text.into(), template })
    }
}

impl fmt::Display for LineTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

text_form!(
    LineTemplate,
    "portway-line-template",
    "a text of one line",
    ["no-store", "{request.client}", "/account/{id}"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        let template: LineTemplate = "a {request.host} {{b}}".parse().unwrap();
        assert_eq!(template.to_string(), "a {request.host} {{b}}");
        assert_eq!(template.constant(), None);
        assert_eq!("a {{b}}".parse::<LineTemplate>().unwrap().constant().as_deref(), Some("a {b}"));
        assert_eq!("".parse::<LineTemplate>().unwrap().constant().as_deref(), Some(""));
        for text in ["a\r\nx: y", "a\nb", " a", "a ", "\u{e9}", "a\0", "{a", "a}", "{}"] {
            assert!(text.parse::<LineTemplate>().is_err(), "{text:?}");
        }
        let unknown = "{request.hots}".parse::<LineTemplate>().unwrap_err();
        assert!(unknown.to_string().contains("there is no value \"request.hots\""), "{unknown}");
    }
}
