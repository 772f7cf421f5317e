//! What a request says about itself, put into the templates of plugins.
//!
//! Values are bytes of a client: whoever renders them decides what they must not do to their
//! surroundings. In a header field they cannot end the line, in a query they cannot end the
//! parameter. This room parses no template and changes no message.

mod query;

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use portway_plugin::{
    Exchange, Request,
    value::{RequestValue, TextPart, TextTemplate},
};

pub(crate) use query::{decode, pairs, push_encoded};

/// A request, as it is asked about itself.
pub(crate) struct Asked<'a> {
    exchange: &'a Exchange<'a>,
    method: &'a Method,
    query: Option<&'a str>,
    headers: &'a HeaderMap,
}

impl<'a> Asked<'a> {
    /// The request of an exchange.
    pub(crate) fn new(exchange: &'a Exchange<'a>, request: &'a Request) -> Self {
        let (method, query) = (request.method(), request.uri().query());
        Self { exchange, method, query, headers: request.headers() }
    }

    /// What a part stands for; nothing, where the request does not have it.
    pub(crate) fn value<'v>(&'v self, part: &'v TextPart) -> Cow<'v, [u8]> {
        let value = match part {
            TextPart::Literal(text) => return Cow::Borrowed(text.as_bytes()),
            TextPart::Capture(name) => {
                let value = self.exchange.parameter(name).unwrap_or_default();
                return Cow::Owned(value.into_bytes());
            }
            TextPart::Request(value) => value,
        };
        match value {
            RequestValue::Host => Cow::Borrowed(self.exchange.host().as_bytes()),
            RequestValue::Path => Cow::Borrowed(self.exchange.path().as_bytes()),
            RequestValue::Method => Cow::Borrowed(self.method.as_str().as_bytes()),
            RequestValue::Scheme => Cow::Borrowed(self.exchange.scheme().as_bytes()),
            RequestValue::Client => Cow::Owned(self.exchange.client().to_string().into_bytes()),
            RequestValue::Id => Cow::Borrowed(self.exchange.request_id().as_bytes()),
            RequestValue::Query(name) => {
                let found = pairs(self.query).find(|(other, _)| *decode(other) == *name.as_bytes());
                found.map(|(_, value)| decode(value)).unwrap_or_default()
            }
            RequestValue::Header(name) => joined(self.headers, name.get()),
        }
    }

    /// The value of a header field that a template makes. `None` for one that cannot be sent.
    pub(crate) fn field(&self, template: &TextTemplate) -> Option<HeaderValue> {
        let mut field = String::with_capacity(64);
        for part in template.parts() {
            match part {
                TextPart::Literal(text) => field.push_str(text),
                _ => push_field(&self.value(part), &mut field),
            }
        }
        HeaderValue::try_from(field).ok()
    }
}

/// The one value of a header field, its lines joined.
fn joined<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Cow<'a, [u8]> {
    let mut lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let mut value = Cow::Borrowed(lines.next().unwrap_or_default());
    let separator: &[u8] = if *name == header::COOKIE { b"; " } else { b", " };
    for line in lines {
        value.to_mut().extend_from_slice(separator);
        value.to_mut().extend_from_slice(line);
    }
    value
}

/// Appends a value to a header field. Whatever is not visible ASCII or a space is written as an
/// escape of a URL: no value ends the line (RFC 9110 section 5.5).
fn push_field(value: &[u8], out: &mut String) {
    for &byte in value {
        match byte {
            b' '..=b'~' => out.push(char::from(byte)),
            _ => query::push_escape(byte, out),
        }
    }
}
