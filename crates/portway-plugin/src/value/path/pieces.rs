//! The text of patterns and templates cut into literal text and `{placeholders}`.

use super::{Flaw, normal::normalize_text};
use crate::value::Quoted;

/// A piece of a pattern or template. Offsets count bytes of the whole text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::value) enum Piece<'a> {
    /// Text as it was written, slashes included.
    Literal { text: &'a str, at: usize },
    /// `{name}`, `{name:regex}` or `{*name}`.
    Placeholder { name: &'a str, kind: Kind<'a>, at: usize },
}

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::value) enum Kind<'a> {
    /// A part of one segment.
    Param,
    /// A part of one segment that fits the regex, which begins at the offset.
    Regex(&'a str, usize),
    /// All that follows.
    Rest,
}

/// Cuts the text, which must begin with a slash.
pub(in crate::value) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Flaw> {
    if !text.starts_with('/') {
        return Err(Flaw::relative(text));
    }
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with('{') {
            let piece = placeholder(text, at)?;
            at = piece.1;
            pieces.push(piece.0);
        } else {
            let end = text[at..].find('{').map_or(text.len(), |length| at + length);
            let literal = &text[at..end];
            refuse(at, literal)?;
            pieces.push(Piece::Literal { text: literal, at });
            at = end;
        }
    }
    Ok(pieces)
}

/// The normal form of a literal piece, dot segments left alone.
pub(in crate::value) fn literal_text(at: usize, literal: &str) -> Result<String, Flaw> {
    let mut out = String::with_capacity(literal.len());
    normalize_text(literal, false, &mut out)
        .map_err(|(offset, reason)| Flaw::ambiguous(at + offset, reason))?;
    Ok(out)
}

/// Refuses paths of very many segments: what compares paths may recurse into them.
pub(super) fn check_depth(segments: usize) -> Result<(), Flaw> {
    const MOST: usize = 256;
    if segments > MOST {
        return Err(Flaw::new(0, format!("it has {segments} segments, at most {MOST} are taken")));
    }
    Ok(())
}

/// Refuses characters that cannot be meant as part of a path.
pub(super) fn refuse(at: usize, literal: &str) -> Result<(), Flaw> {
    for (offset, character) in literal.char_indices() {
        let hint = match character {
            '?' => "a query is no part of a path; write %3F for a question mark",
            '#' => "a fragment never reaches a server; write %23 for the sign",
            '{' => "placeholders stand in `path: /a/{name}` only; write %7B for a brace",
            '}' => "there is no '{' before it; write {name} for a placeholder, %7D for a brace",
            _ if character.is_control() || character.is_whitespace() => {
                "write %20 for a space; other white space and control characters have no place here"
            }
            _ => continue,
        };
        return Err(Flaw::new(at + offset, format!("it has {character:?} in it")).hint(hint));
    }
    Ok(())
}

/// Reads the placeholder at `at`; gives it with the offset behind it.
fn placeholder(text: &str, at: usize) -> Result<(Piece<'_>, usize), Flaw> {
    let inner = at + 1;
    let Some(end) = closing_brace(&text[inner..]).map(|length| inner + length) else {
        return Err(Flaw::new(at, "a brace is never closed")
            .hint("write {name} for a placeholder, %7B for a brace"));
    };
    let content = &text[inner..end];
    let (name, kind) = match (content.strip_prefix('*'), content.split_once(':')) {
        (Some(name), _) => (name, Kind::Rest),
        (None, Some((name, regex))) => (name, Kind::Regex(regex, inner + name.len() + 1)),
        (None, None) => (content, Kind::Param),
    };
    let first = name.bytes().next();
    if !first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    {
        let why = if name.is_empty() {
            "a placeholder has no name".to_owned()
        } else {
            format!("{} is no name for a placeholder", Quoted(name))
        };
        return Err(
            Flaw::new(inner, why).hint("a name is a letter, then letters, digits, '_' and '-'")
        );
    }
    if matches!(kind, Kind::Regex("", _)) {
        return Err(Flaw::new(end, "an expression is missing")
            .hint(format!("write {{{name}}} for any text")));
    }
    Ok((Piece::Placeholder { name, kind, at }, end + 1))
}

/// The offset of the brace that closes a placeholder. Braces of the regex are balanced, escaped,
/// or stand in a character class.
fn closing_brace(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'[' => {
                brackets += 1;
                // A bracket that comes first in its class stands for itself.
                at += usize::from(bytes.get(at + 1) == Some(&b'^'));
                at += usize::from(bytes.get(at + 1) == Some(&b']'));
            }
            b']' => brackets = brackets.saturating_sub(1),
            b'{' if brackets == 0 => braces += 1,
            b'}' if brackets == 0 && braces == 0 => return Some(at),
            b'}' if brackets == 0 => braces -= 1,
            _ => {}
        }
        at += 1;
    }
    None
}
