//! Types of content (RFC 9110 section 8.3.1).

use std::{fmt, str::FromStr};

use super::text::{InvalidValue, Quoted, text_form};

/// Which types of content: `application/json`, `text/*` for every text, `application/*+json` for
/// all that is JSON by its suffix. In lower case, without parameters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaPattern(Box<str>);

impl MediaPattern {
    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it takes this value of a `Content-Type` field. Parameters and case do not matter.
    #[must_use]
    pub fn matches(&self, content_type: &str) -> bool {
        let given = content_type.split(';').next().unwrap_or_default().trim_ascii();
        let Some((kind, suffix)) = self.0.split_once('*') else {
            return given.eq_ignore_ascii_case(&self.0);
        };
        let (given, kind, suffix) = (given.as_bytes(), kind.as_bytes(), suffix.as_bytes());
        given.len() > kind.len() + suffix.len()
            && given[..kind.len()].eq_ignore_ascii_case(kind)
            && given[given.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
    }
}

impl FromStr for MediaPattern {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refused = |why: &str| {
            InvalidValue::new(format!("{} is not a type of content: {why}", Quoted(text)))
        };
        if text.contains(';') {
            return Err(refused("parameters are not compared").hint("leave \"; …\" out"));
        }
        let Some((kind, subtype)) = text.split_once('/') else {
            return Err(refused("it has no slash").hint("write text/html or text/*"));
        };
        let token = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
        };
        let rest = subtype.strip_prefix('*').map_or(subtype, |rest| {
            rest.strip_prefix('+').unwrap_or(if rest.is_empty() { "all" } else { "" })
        });
        if !token(kind) || !token(rest) {
            return Err(refused("it has characters that do not belong there")
                .hint("write text/html, text/* or application/*+json"));
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }
}

impl fmt::Display for MediaPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    MediaPattern,
    "portway-media-type",
    "a type of content",
    ["application/json", "text/*", "application/*+json"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_compared_without_case_and_parameters() {
        for (pattern, given, fits) in [
            ("text/html", "Text/HTML; charset=utf-8", true),
            ("text/html", "text/htmlx", false),
            ("text/*", "text/css", true),
            ("text/*", "text/", false),
            ("text/*", "texts/css", false),
            ("application/*+json", "application/problem+json;x=y", true),
            ("application/*+json", "application/json", false),
            ("application/*+json", "application/+json", false),
            ("application/json", "", false),
        ] {
            assert_eq!(pattern.parse::<MediaPattern>().unwrap().matches(given), fits, "{given}");
        }
        for text in
            ["", "text", "*/*", "text/", "/html", "text/h*", "text/html; a", "a b/c", "a/*x"]
        {
            assert!(text.parse::<MediaPattern>().is_err(), "{text}");
        }
    }
}
