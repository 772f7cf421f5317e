//! Where credentials are carried: fields, the `Authorization` of bearers, parameters of the query,
//! cookies.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri::PathAndQuery};
use portway_plugin::{Request, cookie, cookies, credential::scheme, value::Token};

/// One place where a credential may be.
#[derive(Clone, Debug)]
pub(crate) enum Carrier {
    /// A field of this name.
    Header(HeaderName),
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer,
    /// A parameter of the query.
    Query(Token),
    /// A cookie.
    Cookie(Token),
}

/// There are several, and nobody can tell which of them whoever comes next would take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ambiguous;

/// A credential, and where it is.
pub(crate) type Found<'c, 'r> = (&'c Carrier, Cow<'r, [u8]>);

/// The one credential of a request.
pub(crate) fn find<'c, 'r>(
    carriers: &'c [Carrier],
    request: &'r Request,
) -> Result<Option<Found<'c, 'r>>, Ambiguous> {
    let mut found = None;
    for carrier in carriers {
        if let Some(value) = carrier.find(request)?
            && found.replace((carrier, value)).is_some()
        {
            return Err(Ambiguous);
        }
    }
    Ok(found)
}

/// Takes the credential off.
pub(crate) fn hide(carrier: &Carrier, request: &mut Request) {
    match carrier {
        Carrier::Header(name) => drop(request.headers_mut().remove(name)),
        Carrier::Bearer => drop(request.headers_mut().remove(header::AUTHORIZATION)),
        Carrier::Query(name) => hide_parameter(name, request.uri_mut()),
        Carrier::Cookie(name) => hide_cookie(name, request.headers_mut()),
    }
}

impl Carrier {
    fn find<'r>(&self, request: &'r Request) -> Result<Option<Cow<'r, [u8]>>, Ambiguous> {
        let headers = request.headers();
        match self {
            Self::Header(name) => {
                let values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
                only(values.map(Cow::Borrowed))
            }
            Self::Bearer => {
                let lines = headers.get_all(header::AUTHORIZATION).iter();
                Ok(only(lines)?
                    .and_then(|line| scheme(line.as_bytes(), b"bearer"))
                    .map(Cow::Borrowed))
            }
            Self::Query(name) => {
                let named = parameters(request.uri().query().unwrap_or_default())
                    .filter(|(parameter, _)| *decoded(parameter) == *name.as_str().as_bytes());
                only(named.map(|(_, value)| decoded(value)))
            }
            Self::Cookie(name) => {
                let named =
                    cookies(headers).filter(|(cookie, _)| *cookie == name.as_str().as_bytes());
                only(named.map(|(_, value)| Cow::Borrowed(value)))
            }
        }
    }
}

fn only<T>(mut values: impl Iterator<Item = T>) -> Result<Option<T>, Ambiguous> {
    let first = values.next();
    if values.next().is_some() { Err(Ambiguous) } else { Ok(first) }
}

/// The parameters of a query, as they are written.
fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Without percent-encoding. What is no encoding stands for itself.
fn decoded(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'%') {
        return Cow::Borrowed(bytes);
    }
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut plain, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 3;
            }
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    Cow::Owned(plain)
}

fn hide_parameter(name: &Token, uri: &mut Uri) {
    let query = uri.query().unwrap_or_default();
    let mut target = String::from(uri.path());
    for pair in query.split('&') {
        let parameter = pair.split_once('=').map_or(pair, |(parameter, _)| parameter);
        if *decoded(parameter) == *name.as_str().as_bytes() {
            continue;
        }
        target.push(if target.len() == uri.path().len() { '?' } else { '&' });
        target.push_str(pair);
    }
    let mut parts = uri.clone().into_parts();
    // A part of what was a target is one.
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    if let Ok(without) = Uri::from_parts(parts) {
        *uri = without;
    }
}

fn hide_cookie(name: &Token, headers: &mut HeaderMap) {
    let mut lines = Vec::new();
    for line in headers.get_all(header::COOKIE) {
        let pairs = line.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let kept: Vec<&[u8]> = pairs
            .filter(|pair| {
                cookie(pair).is_none_or(|(cookie, _)| cookie != name.as_str().as_bytes())
            })
            .filter(|pair| !pair.is_empty())
            .collect();
        if !kept.is_empty() {
            lines.extend(HeaderValue::from_bytes(&kept.join(&b"; "[..])));
        }
    }
    headers.remove(header::COOKIE);
    for line in lines {
        headers.append(header::COOKIE, line);
    }
}
