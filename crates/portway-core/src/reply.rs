//! Makes replies from templates.
//!
//! A [`ReplyTemplate`] is cut into its parts once; a request only puts its values between them. A
//! value never becomes part of its surroundings: in a body it is escaped as the type of the
//! content demands, in a header field it cannot end the line. This room answers nothing and
//! matches nothing: whoever does brings what is [`Asked`].

use std::{borrow::Cow, net::IpAddr};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use portway_config::{
    Reply,
    value::{RequestValue, TextPart, TextTemplate},
};
use portway_plugin::{Body, Escape, Response};

use crate::route::{Captures, field_value, query_value};

/// A reply, compiled.
#[derive(Debug)]
pub(crate) struct ReplyTemplate {
    status: StatusCode,
    /// The fields that are the same for every request.
    headers: HeaderMap,
    fields: Box<[(HeaderName, TextTemplate)]>,
    body: TextTemplate,
    escape: Escape,
}

/// What is known of a request.
pub(crate) struct Asked<'a> {
    /// Without its port.
    pub(crate) host: &'a str,
    /// In its normal form.
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) method: &'a Method,
    pub(crate) scheme: &'static str,
    pub(crate) client: IpAddr,
    pub(crate) id: &'a HeaderValue,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) captures: Captures<'a>,
}

impl ReplyTemplate {
    /// Cuts the texts of a reply into their parts. `None` for one that is no template, which the
    /// check refuses.
    pub(crate) fn new(reply: &Reply) -> Option<Self> {
        let mut headers = HeaderMap::new();
        let mut fields = Vec::new();
        for (name, value) in &reply.headers {
            let template: TextTemplate = value.as_str().parse().ok()?;
            if template.is_constant() {
                let text: String = template.parts().iter().map(literal).collect();
                headers.insert(name.get().clone(), HeaderValue::try_from(text).ok()?);
            } else {
                fields.push((name.get().clone(), template));
            }
        }
        // Without a type, a browser would guess one from what a client put into the body.
        let kind = headers
            .entry(header::CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("text/plain; charset=utf-8"));
        let escape = Escape::of(kind.to_str().unwrap_or_default());
        let body = reply.body.parse().ok()?;
        Some(Self { status: reply.status.get(), headers, fields: fields.into(), body, escape })
    }

    /// The reply to one request.
    pub(crate) fn render(&self, asked: &Asked<'_>) -> Response {
        let mut body = String::with_capacity(256);
        for part in self.body.parts() {
            match part {
                TextPart::Literal(text) => body.push_str(text),
                _ => self.escape.push(&String::from_utf8_lossy(&asked.value(part)), &mut body),
            }
        }
        let mut headers = self.headers.clone();
        for (name, template) in &self.fields {
            let mut field = String::with_capacity(64);
            for part in template.parts() {
                match part {
                    TextPart::Literal(text) => field.push_str(text),
                    _ => push_field(&asked.value(part), &mut field),
                }
            }
            if let Ok(value) = HeaderValue::try_from(field) {
                headers.insert(name, value);
            }
        }
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        response
    }
}

impl<'a> Asked<'a> {
    /// What a part stands for; nothing, when the request does not have it.
    fn value(&self, part: &TextPart) -> Cow<'a, [u8]> {
        let value = match part {
            TextPart::Literal(_) => return Cow::Borrowed(b""),
            TextPart::Capture(name) => {
                return Cow::Borrowed(self.captures.get(name).unwrap_or_default().as_bytes());
            }
            TextPart::Request(value) => value,
        };
        match value {
            RequestValue::Host => Cow::Borrowed(self.host.as_bytes()),
            RequestValue::Path => Cow::Borrowed(self.path.as_bytes()),
            RequestValue::Method => Cow::Borrowed(self.method.as_str().as_bytes()),
            RequestValue::Scheme => Cow::Borrowed(self.scheme.as_bytes()),
            RequestValue::Client => Cow::Owned(self.client.to_string().into_bytes()),
            RequestValue::Id => Cow::Borrowed(self.id.as_bytes()),
            RequestValue::Query(name) => query_value(self.query, name).unwrap_or_default(),
            RequestValue::Header(name) => field_value(self.headers, name.get()).unwrap_or_default(),
        }
    }
}

fn literal(part: &TextPart) -> &str {
    match part {
        TextPart::Literal(text) => text,
        TextPart::Capture(_) | TextPart::Request(_) => "",
    }
}

/// Appends a value to a header field. Whatever is not visible ASCII or a space is written as an
/// escape of a URL: no value ends the line (RFC 9110 section 5.5).
fn push_field(value: &[u8], out: &mut String) {
    for &byte in value {
        match byte {
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_ends_its_line() {
        let mut field = String::new();
        push_field("a b\r\nX-Evil: 1\0\t\u{e9}\u{7f}".as_bytes(), &mut field);
        assert_eq!(field, "a b%0D%0AX-Evil: 1%00%09%C3%A9%7F");
    }
}
