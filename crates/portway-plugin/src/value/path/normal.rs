//! The normal form of a path (RFC 3986 section 6.2.2), and the paths that have none.
//!
//! Escapes of unreserved characters are decoded, the hex digits of the others are upper case, dot
//! segments are resolved, and what must not stand in a path is escaped as a browser would do it.
//! `//`, `;x` and every other escape stay byte for byte. The result is printable ASCII. A query is
//! no part of it.

use std::{borrow::Cow, error::Error, fmt};

/// Why two servers could read one path differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AmbiguousPath {
    /// It does not begin with a slash.
    Relative,
    /// `%2F`: a slash to those who decode it before they split the path.
    EncodedSlash,
    /// `\` or `%5C`: a slash to some.
    Backslash,
    /// More `..` than there are segments to leave.
    ClimbsAboveRoot,
    /// `.` or `..` where a capture was put into a template.
    DotSegment,
    /// `..;x` or `.;x`: a dot segment to those who cut parameters off before they look.
    DotSegmentParameter,
    /// `%00`: the end of the path to some.
    Nul,
    /// A longer UTF-8 spelling of a shorter character, such as `%C0%AF` for a slash.
    Overlong,
    /// A `%` without two hex digits.
    MalformedEscape,
}

impl AmbiguousPath {
    /// What is wrong, without a subject: `has an encoded slash (%2F)`.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Relative => "does not begin with a slash",
            Self::EncodedSlash => "has an encoded slash (%2F)",
            Self::Backslash => "has a backslash",
            Self::ClimbsAboveRoot => "climbs above the root",
            Self::DotSegment => "has a dot segment",
            Self::DotSegmentParameter => "has a dot segment with a parameter (..;)",
            Self::Nul => "has an encoded NUL (%00)",
            Self::Overlong => "has an overlong UTF-8 sequence",
            Self::MalformedEscape => "has a '%' that is not followed by two hex digits",
        }
    }
}

impl fmt::Display for AmbiguousPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the path {}", self.reason())
    }
}

impl Error for AmbiguousPath {}

/// The normal form of a path without its query. A path that is in it already is only looked at,
/// once; the empty path is `/`.
///
/// With `allow`, what is ambiguous is kept as it is written, but for the case of hex digits.
///
/// # Errors
///
/// The path is ambiguous and `allow` is not set, or it does not begin with a slash.
pub fn normalize_path(path: &str, allow: bool) -> Result<Cow<'_, str>, AmbiguousPath> {
    if is_normal(path.as_bytes()) {
        return Ok(Cow::Borrowed(path));
    }
    if path.is_empty() {
        return Ok(Cow::Borrowed("/"));
    }
    if !path.starts_with('/') {
        return Err(AmbiguousPath::Relative);
    }
    let mut out = String::with_capacity(path.len() + 8);
    normalize_text(path, allow, &mut out).map_err(|(_, reason)| reason)?;
    if check_dot_segments(&out).is_err() {
        out = without_dot_segments(&out, allow)?;
    }
    Ok(if out == path { Cow::Borrowed(path) } else { Cow::Owned(out) })
}

/// Appends the normal form of a piece of a path, dot segments left alone. The error has the
/// offset of the byte that is wrong.
pub(super) fn normalize_text(
    text: &str,
    allow: bool,
    out: &mut String,
) -> Result<(), (usize, AmbiguousPath)> {
    let bytes = text.as_bytes();
    // Where the last malformed `%` was kept: nothing decoded after it may complete it.
    let mut bare = None;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let Some(value) = escape_at(bytes, at) else {
            let wrong = match byte {
                b'%' => Some(AmbiguousPath::MalformedEscape),
                b'\\' => Some(AmbiguousPath::Backslash),
                0 => Some(AmbiguousPath::Nul),
                _ => None,
            };
            if let Some(reason) = wrong.filter(|_| !allow) {
                return Err((at, reason));
            }
            if byte == b'%' {
                bare = Some(out.len());
            }
            match CLASS[usize::from(byte)] {
                Class::Forbidden => push_escape(out, byte),
                _ => out.push(char::from(byte)),
            }
            at += 1;
            continue;
        };
        if let Some(reason) = ambiguous_escape(bytes, at, value).filter(|_| !allow) {
            return Err((at, reason));
        }
        let completes = bare.is_some_and(|bare| out.len() - bare <= 2);
        if is_unreserved(value) && !completes {
            out.push(char::from(value));
        } else {
            push_escape(out, value);
        }
        at += 3;
    }
    Ok(())
}

/// Appends a capture of a normal form to a path. Its escapes stay what they are; whatever could
/// begin an escape, a query or a line with its neighbours is escaped.
pub(in crate::value) fn push_capture(capture: &str, out: &mut String) {
    let bytes = capture.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        match CLASS[usize::from(byte)] {
            Class::Percent if escape_at(bytes, at).is_none() => push_escape(out, byte),
            Class::Backslash | Class::Forbidden => push_escape(out, byte),
            Class::Plain | Class::Dot | Class::Percent => out.push(char::from(byte)),
        }
    }
}

/// Refuses a path with dot segments.
pub(in crate::value) fn check_dot_segments(path: &str) -> Result<(), AmbiguousPath> {
    match path.split('/').find(|segment| starts_with_dot_segment(segment.as_bytes())) {
        None => Ok(()),
        Some(segment) if segment.contains(';') => Err(AmbiguousPath::DotSegmentParameter),
        Some(_) => Err(AmbiguousPath::DotSegment),
    }
}

/// Whether the path is in its normal form: one look at each byte.
fn is_normal(path: &[u8]) -> bool {
    let Some((b'/', rest)) = path.split_first() else { return false };
    let mut before = b'/';
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        match CLASS[usize::from(byte)] {
            Class::Plain => at += 1,
            Class::Dot => {
                if before == b'/' && starts_with_dot_segment(&rest[at..]) {
                    return false;
                }
                at += 1;
            }
            Class::Percent => match escape_at(rest, at) {
                Some(value)
                    if !is_unreserved(value)
                        && ambiguous_escape(rest, at, value).is_none()
                        && is_upper_hex(rest[at + 1])
                        && is_upper_hex(rest[at + 2]) =>
                {
                    at += 3;
                }
                _ => return false,
            },
            Class::Backslash | Class::Forbidden => return false,
        }
        before = byte;
    }
    true
}

/// `.` or `..` as a whole segment, or with a parameter.
fn starts_with_dot_segment(rest: &[u8]) -> bool {
    let dots = rest.iter().take_while(|byte| **byte == b'.').count();
    dots <= 2 && dots > 0 && matches!(rest.get(dots), None | Some(b'/' | b';'))
}

/// Takes `.` out and lets each `..` take the segment before it with it (RFC 3986 section 5.2.4).
fn without_dot_segments(path: &str, allow: bool) -> Result<String, AmbiguousPath> {
    let mut out = String::with_capacity(path.len());
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if !starts_with_dot_segment(segment.as_bytes()) {
            out.push('/');
            out.push_str(segment);
            continue;
        }
        let ambiguous = match segment {
            "." => None,
            // What climbed out stays in front: nothing may leave it again.
            ".." if out.is_empty() || out.ends_with("/..") => Some(AmbiguousPath::ClimbsAboveRoot),
            ".." => {
                out.truncate(out.rfind('/').unwrap_or(0));
                None
            }
            _ => Some(AmbiguousPath::DotSegmentParameter),
        };
        match ambiguous {
            Some(reason) if !allow => return Err(reason),
            Some(_) => {
                out.push('/');
                out.push_str(segment);
            }
            None if segments.peek().is_none() => out.push('/'),
            None => {}
        }
    }
    Ok(out)
}

/// The byte an escape at `at` stands for.
fn escape_at(bytes: &[u8], at: usize) -> Option<u8> {
    match bytes.get(at..at + 3)? {
        [b'%', high, low] => Some(hex_digit(*high)? << 4 | hex_digit(*low)?),
        _ => None,
    }
}

/// Why the escape of `value` at `at` is read differently by different servers.
fn ambiguous_escape(bytes: &[u8], at: usize, value: u8) -> Option<AmbiguousPath> {
    let next = || escape_at(bytes, at + 3);
    match value {
        0 => Some(AmbiguousPath::Nul),
        b'/' => Some(AmbiguousPath::EncodedSlash),
        b'\\' => Some(AmbiguousPath::Backslash),
        // No UTF-8 text has these bytes; lenient decoders take whatever escape follows for the
        // rest, be it one that is only made here.
        0xC0 | 0xC1 => {
            let follower = bytes.get(at + 3)?;
            let escaped = CLASS[usize::from(*follower)] == Class::Forbidden || next().is_some();
            escaped.then_some(AmbiguousPath::Overlong)
        }
        0xE0 => next().filter(|b| (0x80..0xA0).contains(b)).map(|_| AmbiguousPath::Overlong),
        0xF0 => next().filter(|b| (0x80..0x90).contains(b)).map(|_| AmbiguousPath::Overlong),
        _ => None,
    }
}

fn push_escape(out: &mut String, byte: u8) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    out.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

fn is_upper_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)
}

/// RFC 3986 section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What a byte means to the scan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Stands for itself.
    Plain,
    /// May begin a dot segment.
    Dot,
    /// Begins an escape.
    Percent,
    /// A slash to some.
    Backslash,
    /// Must be escaped: the path percent-encode set of the URL standard, which browsers use.
    Forbidden,
}

const CLASS: [Class; 256] = {
    let mut table = [Class::Forbidden; 256];
    let mut byte = 0x21;
    while byte < 0x7F {
        table[byte] = Class::Plain;
        byte += 1;
    }
    let forbidden = b"\"#<>?^`{}";
    let mut index = 0;
    while index < forbidden.len() {
        table[forbidden[index] as usize] = Class::Forbidden;
        index += 1;
    }
    table[b'.' as usize] = Class::Dot;
    table[b'%' as usize] = Class::Percent;
    table[b'\\' as usize] = Class::Backslash;
    table
};
