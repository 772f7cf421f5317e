//! Conditions on header fields and query parameters.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, header};
use portway_config::{CertificatePart, ValueMatch};
use portway_plugin::value::FieldName;
use smallvec::SmallVec;

use super::{
    regexes::{Programs, RegexId, RegexTable},
    router::Certificate,
};

/// What a value must be; with nothing said, that it is there.
#[derive(Debug)]
struct Wanted {
    exact: Option<Box<[u8]>>,
    regex: Option<RegexId>,
}

impl Wanted {
    fn new<'a, N>(condition: &'a ValueMatch<N>, regexes: &mut RegexTable<'a>) -> Self {
        Self {
            exact: condition.exact.as_deref().map(|exact| exact.as_bytes().into()),
            regex: condition.regex.as_ref().map(|regex| regexes.add(regex)),
        }
    }

    /// Expressions are over text: a value that is not UTF-8 fits none.
    fn is_met(&self, value: &[u8], regexes: &Programs) -> bool {
        self.exact.as_ref().is_none_or(|exact| **exact == *value)
            && self.regex.is_none_or(|regex| {
                str::from_utf8(value).is_ok_and(|value| regexes.get(regex).is_match(value))
            })
    }
}

/// A condition on a header field. Several field lines of one name are one value, joined by `, `
/// (RFC 9110 section 5.3) and those of `Cookie` by `; ` (RFC 9113 section 8.2.3).
#[derive(Debug)]
pub(super) struct HeaderCondition {
    name: HeaderName,
    wanted: Wanted,
}

impl HeaderCondition {
    pub(super) fn new<'a>(
        condition: &'a ValueMatch<FieldName>,
        regexes: &mut RegexTable<'a>,
    ) -> Self {
        Self { name: condition.name.get().clone(), wanted: Wanted::new(condition, regexes) }
    }

    pub(super) fn is_met(&self, headers: &HeaderMap, regexes: &Programs) -> bool {
        let mut lines = headers.get_all(&self.name).iter();
        let Some(first) = lines.next() else { return false };
        if lines.next().is_none() {
            return self.wanted.is_met(first.as_bytes(), regexes);
        }
        let mut value = SmallVec::<[u8; 256]>::from_slice(first.as_bytes());
        push_other_lines(headers, &self.name, &mut value);
        self.wanted.is_met(&value, regexes)
    }
}

/// The one value of a header field, its lines joined.
pub(crate) fn field_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Cow<'a, [u8]>> {
    let mut lines = headers.get_all(name).iter();
    let mut value = Cow::Borrowed(lines.next()?.as_bytes());
    if lines.next().is_some() {
        push_other_lines(headers, name, value.to_mut());
    }
    Some(value)
}

/// Joins the lines behind the first one to it.
fn push_other_lines(headers: &HeaderMap, name: &HeaderName, value: &mut impl Extend<u8>) {
    let separator: &[u8] = if *name == header::COOKIE { b"; " } else { b", " };
    for line in headers.get_all(name).iter().skip(1) {
        value.extend(separator.iter().chain(line.as_bytes()).copied());
    }
}

/// A condition on a query parameter. The first of several with one name counts.
#[derive(Debug)]
pub(super) struct QueryCondition {
    name: Box<[u8]>,
    wanted: Wanted,
}

impl QueryCondition {
    pub(super) fn new<'a>(condition: &'a ValueMatch<String>, regexes: &mut RegexTable<'a>) -> Self {
        Self { name: condition.name.as_bytes().into(), wanted: Wanted::new(condition, regexes) }
    }

    pub(super) fn is_met(&self, parameters: &mut Parameters<'_>, regexes: &Programs) -> bool {
        parameters.first(&self.name).is_some_and(|value| self.wanted.is_met(value, regexes))
    }
}

/// A condition on the client's certificate. Where it says several things of a part, any of them
/// may fit.
#[derive(Debug)]
pub(super) struct CertificateCondition {
    part: CertificatePart,
    wanted: Wanted,
}

impl CertificateCondition {
    pub(super) fn new<'a>(
        condition: &'a ValueMatch<CertificatePart>,
        regexes: &mut RegexTable<'a>,
    ) -> Self {
        Self { part: condition.name, wanted: Wanted::new(condition, regexes) }
    }

    /// A client without a certificate meets no condition.
    pub(super) fn is_met(&self, certificate: Option<&dyn Certificate>, regexes: &Programs) -> bool {
        let values = certificate.map_or(&[][..], |certificate| certificate.values(self.part));
        values.iter().any(|value| self.wanted.is_met(value.as_bytes(), regexes))
    }
}

/// The parameters of a query, which are read when the first condition asks for them.
pub(super) struct Parameters<'a> {
    query: Option<&'a str>,
    read: Option<SmallVec<[Parameter<'a>; 8]>>,
}

/// A name and a value, decoded.
type Parameter<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

impl<'a> Parameters<'a> {
    pub(super) fn new(query: Option<&'a str>) -> Self {
        Self { query, read: None }
    }

    fn first(&mut self, name: &[u8]) -> Option<&[u8]> {
        let read = self.read.get_or_insert_with(|| {
            parameters(self.query).map(|(name, value)| (decode(name), decode(value))).collect()
        });
        read.iter().find(|(other, _)| **other == *name).map(|(_, value)| &**value)
    }
}

/// The value of the first parameter of this name, decoded.
pub(crate) fn query_value<'a>(query: Option<&'a str>, name: &str) -> Option<Cow<'a, [u8]>> {
    let mut parameters = parameters(query);
    let found = parameters.find(|(other, _)| *decode(other) == *name.as_bytes());
    found.map(|(_, value)| decode(value))
}

/// Names and values as they are written.
fn parameters(query: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The same, byte by byte, for which nothing is allocated.
pub(crate) fn query_bytes<'a>(
    query: Option<&'a str>,
    name: &str,
) -> Option<impl Iterator<Item = u8> + use<'a>> {
    let mut parameters = parameters(query);
    let found = parameters.find(|(other, _)| decoded(other).eq(name.bytes()));
    found.map(|(_, value)| decoded(value))
}

/// Escapes decoded, `+` as a space. An escape that is none stays as it is.
fn decode(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Owned(decoded(text).collect());
    }
    Cow::Borrowed(bytes)
}

fn decoded(text: &str) -> impl Iterator<Item = u8> + use<'_> {
    let mut left = text.as_bytes();
    std::iter::from_fn(move || {
        let (byte, rest) = match *left {
            [] => return None,
            [b'+', ref rest @ ..] => (b' ', rest),
            [b'%', high, low, ref rest @ ..] => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => (high << 4 | low, rest),
                _ => (b'%', &left[1..]),
            },
            [byte, ref rest @ ..] => (byte, rest),
        };
        left = rest;
        Some(byte)
    })
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
