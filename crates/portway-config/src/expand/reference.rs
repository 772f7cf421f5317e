//! How references are written.

use portway_plugin::{Problem, value::Quoted};

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// As it is.
    Literal(&'a str),
    /// `${NAME}` or `${NAME:-default}`.
    Env { name: &'a str, default: Option<&'a str>, written: &'a str },
    /// `${file:/path}`.
    File { path: &'a str, written: &'a str },
    /// `${secret:name}`.
    Secret { name: &'a str, written: &'a str },
}

/// Takes a text apart. The first `}` closes a reference.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Problem> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find("${") {
        let (before, reference) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            pieces.push(Piece::Literal(before));
            pieces.push(Piece::Literal("${"));
            rest = &reference[2..];
            continue;
        }
        pieces.push(Piece::Literal(before));
        let end = reference.find('}').ok_or_else(|| bad(reference, "is not closed"))?;
        let (written, after) = reference.split_at(end + 1);
        pieces.push(piece(written)?);
        rest = after;
    }
    pieces.push(Piece::Literal(rest));
    Ok(pieces)
}

/// `written` is `${…}`.
fn piece(written: &str) -> Result<Piece<'_>, Problem> {
    let inner = &written[2..written.len() - 1];
    if let Some(path) = inner.strip_prefix("file:") {
        return match path {
            "" => Err(bad(written, "names no file")),
            path => Ok(Piece::File { path, written }),
        };
    }
    if let Some(name) = inner.strip_prefix("secret:") {
        return match name {
            "" => Err(bad(written, "names no secret")),
            name => Ok(Piece::Secret { name, written }),
        };
    }
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(word)
    {
        return Err(bad(written, "names no environment variable"));
    }
    Ok(Piece::Env { name, default, written })
}

fn bad(written: &str, why: &str) -> Problem {
    Problem::new("bad_reference", format!("the reference {} {why}", Quoted(written)))
        .hint("write $${ for the two characters themselves")
}
