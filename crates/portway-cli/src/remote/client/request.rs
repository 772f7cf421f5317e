//! What is asked.

use std::fmt::Write;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use http_body_util::Full;
use serde_json::Value;

use super::Failure;

/// One question to the admin API.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
}

impl Request {
    /// Asks for `path`, which begins behind `/api/v1` and has been escaped.
    pub(crate) fn new(method: Method, path: &str) -> Self {
        let path = format!("/api/v1{path}");
        Self { method, path, headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new(Method::POST, path)
    }

    /// Adds to the query.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        self.path.push(separator);
        self.path += &format!("{}={}", escaped(name), escaped(value));
        self
    }

    /// Adds to the query what is there.
    pub(crate) fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds to the query `name=true`, if it is.
    pub(crate) fn flag(self, name: &str, is_set: bool) -> Self {
        self.maybe(name, is_set.then_some("true"))
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }

    pub(crate) fn body(mut self, kind: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(header::CONTENT_TYPE, kind)
    }

    /// For the wire.
    pub(super) fn over(&self, path: &str) -> Result<http::Request<Full<Bytes>>, Failure> {
        let mut request = http::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() =
            path.parse().map_err(|_| Failure::Local(format!("{path:?} is no path")))?;
        let agent = HeaderValue::from_static(concat!("portway/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().insert(header::USER_AGENT, agent);
        for (name, value) in &self.headers {
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| Failure::Local(format!("{name} cannot be {value:?}")))?;
            request.headers_mut().insert(name.clone(), value);
        }
        Ok(request)
    }
}

/// Text as one segment of a path, or as one part of a query (RFC 3986 section 2.3).
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    // They would be taken for steps, however they are escaped.
    match escaped.as_str() {
        "." | ".." => escaped.replace('.', "%2E"),
        _ => escaped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_their_segment() {
        let path = format!("/routes/{}", escaped("a/../b?c=d e"));
        let request = Request::get(&path).query("label", "a=b&c").flag("dry_run", true);
        assert_eq!(
            request.path,
            "/api/v1/routes/a%2F..%2Fb%3Fc%3Dd%20e?label=a%3Db%26c&dry_run=true"
        );
        assert_eq!(escaped(".."), "%2E%2E");
        assert_eq!(escaped("ü"), "%C3%BC");
        assert!(request.over("/\u{7f}").is_err());
    }
}
