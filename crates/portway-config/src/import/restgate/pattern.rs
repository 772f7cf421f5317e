//! Path templates as RESTGate's router reads them: `{id}` for one segment, `{id:regex}` for what
//! the expression takes, which may be several segments. The whole path is compared.

use std::{collections::HashSet, fmt::Write};

use portway_plugin::value::{Format, InvalidValue, PathPattern, Quoted, Regex};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::resource::{PathMatch, TypedPath};

/// A path template.
#[derive(Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("format" = FORMAT.name))]
pub(super) struct Pattern(PathMatch);

pub(super) const FORMAT: Format = Format {
    name: "restgate-pattern",
    noun: "a path template",
    examples: &["/account/{id}"],
    check: |text| read(text).map(drop),
};

impl Pattern {
    pub(super) fn into_path(self) -> PathMatch {
        self.0
    }
}

impl TryFrom<String> for Pattern {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        read(&text).map(Self)
    }
}

/// A piece of a template.
enum Piece<'a> {
    Literal(&'a str),
    Variable { name: &'a str, regex: Option<&'a str> },
}

fn read(text: &str) -> Result<PathMatch, InvalidValue> {
    let pieces = pieces(text)?;
    let mut names = HashSet::new();
    for piece in &pieces {
        if let Piece::Variable { name, regex } = piece {
            if !names.insert(*name) {
                return Err(bad(text, &format!("the variable {} is there twice", Quoted(name))));
            }
            if let Some(regex) = regex {
                regex.parse::<Regex>().map_err(|invalid| bad(text, &invalid.message))?;
            }
        }
    }
    let template = template(&pieces);
    if let Some(Ok(pattern)) = template.as_deref().map(str::parse::<PathPattern>) {
        return Ok(PathMatch::Pattern(pattern));
    }
    // What only an expression can say: a variable over several segments, two side by side.
    if pieces.iter().all(|piece| matches!(piece, Piece::Literal(_))) {
        let parsed = template.unwrap_or_default().parse::<PathPattern>();
        return parsed.map(PathMatch::Pattern).map_err(|invalid| bad(text, &invalid.message));
    }
    let whole = expression(&pieces).parse().map_err(|i: InvalidValue| bad(text, &i.message))?;
    Ok(PathMatch::Typed(TypedPath::Regex(whole)))
}

fn bad(text: &str, why: &str) -> InvalidValue {
    InvalidValue::new(format!("{} is not a path template: {why}", Quoted(text)))
        .hint("write a path such as /account/{id}")
        .code("bad_path")
}

/// Takes a template apart. Braces are counted, so that expressions may have balanced ones.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, InvalidValue> {
    if !text.starts_with('/') {
        return Err(bad(text, "it does not begin with a slash"));
    }
    let (mut pieces, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, c) in text.char_indices() {
        match (c, depth) {
            ('{', 0) => {
                pieces.push(Piece::Literal(&text[start..at]));
                (depth, start) = (1, at + 1);
            }
            ('{', _) => depth += 1,
            ('}', 0) => return Err(bad(text, "a brace is not opened")),
            ('}', 1) => {
                pieces.push(variable(&text[start..at]).map_err(|why| bad(text, why))?);
                (depth, start) = (0, at + 1);
            }
            ('}', _) => depth -= 1,
            _ => {}
        }
    }
    if depth > 0 {
        return Err(bad(text, "a brace is not closed"));
    }
    pieces.push(Piece::Literal(&text[start..]));
    Ok(pieces)
}

fn variable(inner: &str) -> Result<Piece<'_>, &'static str> {
    let (name, regex) = match inner.split_once(':') {
        Some((name, regex)) => (name, Some(regex)),
        None => (inner, None),
    };
    match (name, regex) {
        ("", _) => Err("a variable has no name"),
        (_, Some("")) => Err("a variable's expression is empty"),
        (name, regex) => Ok(Piece::Variable { name, regex }),
    }
}

/// The template in the gateway's own spelling, unless only an expression can say it.
fn template(pieces: &[Piece<'_>]) -> Option<String> {
    let (mut text, last) = (String::new(), pieces.len().saturating_sub(2));
    for (at, piece) in pieces.iter().enumerate() {
        // What follows the last variable is literal text, perhaps none.
        let ends = at == last && matches!(pieces.last(), Some(Piece::Literal("")));
        match piece {
            Piece::Literal(literal) => text.push_str(&escaped(literal)),
            Piece::Variable { regex: Some(".*"), .. } if ends && text.ends_with('/') => {
                text.push_str("{*rest}");
            }
            Piece::Variable { name, regex } => {
                let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let good =
                    name.chars().all(word) && !name.starts_with(|c: char| c.is_ascii_digit());
                // Nothing refers to the names: one that is no word here gets another.
                let name = if good { (*name).to_owned() } else { format!("variable{at}") };
                match regex {
                    None => write!(text, "{{{name}}}").ok()?,
                    Some(regex) if in_one_segment(regex) => {
                        write!(text, "{{{name}:{regex}}}").ok()?;
                    }
                    Some(_) => return None,
                }
            }
        }
    }
    Some(text)
}

/// Whether the expression surely takes no slash. Where that is not plain to see, it may.
fn in_one_segment(regex: &str) -> bool {
    const WIDE: [&str; 10] = [".", "[^", "/", "\\D", "\\W", "\\S", "\\P", "\\x", "\\u", "(?"];
    // Ranges such as `[!-~]` have a slash inside.
    let range = |window: &[u8]| match *window {
        [low, b'-', high] => low <= b'/' && high >= b'/' && low != b'[' && high != b']',
        _ => false,
    };
    !WIDE.iter().any(|wide| regex.contains(wide)) && !regex.as_bytes().windows(3).any(range)
}

/// The template as one expression over the whole path.
fn expression(pieces: &[Piece<'_>]) -> String {
    pieces.iter().fold(String::new(), |mut text, piece| {
        match piece {
            Piece::Literal(literal) => text.push_str(&regex::escape(&escaped(literal))),
            Piece::Variable { regex: None, .. } => text.push_str("[^/]+"),
            Piece::Variable { regex: Some(regex), .. } => {
                text.push_str("(?:");
                text.push_str(regex);
                text.push(')');
            }
        }
        text
    })
}

/// Literal text is compared with the decoded path there: what a path cannot hold as it is, it
/// holds escaped.
fn escaped(literal: &str) -> String {
    let bytes = literal.as_bytes();
    let mut text = String::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        let escape =
            || bytes[at + 1..].iter().take(2).filter(|b| b.is_ascii_hexdigit()).count() == 2;
        match byte {
            b'%' if escape() => text.push('%'),
            b'%' | b'?' | b'#' | 0..=b' ' | 0x7f.. => {
                text.push_str(&format!("%{byte:02X}"));
            }
            byte => text.push(char::from(*byte)),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match read(text) {
            Ok(path) => path.to_string(),
            Err(invalid) => invalid.message.into_owned(),
        }
    }

    #[test]
    fn templates_are_read_as_their_router_reads_them() {
        for (text, path) in [
            ("/account", "/account"),
            ("/account/{id}", "/account/{id}"),
            ("/account/{user-id}/", "/account/{variable1}/"),
            ("/order/{id:[0-9]+}", "/order/{id:[0-9]+}"),
            ("/order/{id:[0-9]{4}}", "/order/{id:[0-9]{4}}"),
            ("/files/{path:.*}", "/files/{*rest}"),
            ("/files/{path:.+}", "regex /files/(?:.+)"),
            ("/files/{path:.*}/raw", "regex /files/(?:.*)/raw"),
            ("/a b", "/a%20b"),
            ("/", "/"),
        ] {
            assert_eq!(shown(text), path, "{text}");
        }
    }

    #[test]
    fn a_bad_template_is_refused() {
        for (text, why) in [
            ("account", "it does not begin with a slash"),
            ("", "it does not begin with a slash"),
            ("/a/{id", "a brace is not closed"),
            ("/a/id}", "a brace is not opened"),
            ("/a/{}", "a variable has no name"),
            ("/a/{id:}", "a variable's expression is empty"),
            ("/a/{id}/{id}", "the variable \"id\" is there twice"),
            ("/a/{id:[}", "is not a regular expression"),
        ] {
            assert!(shown(text).contains(why), "{text}: {}", shown(text));
        }
    }
}
