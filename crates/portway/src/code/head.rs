//! The head of a request, as code sees and changes it.

use std::{fmt, net::IpAddr, sync::Arc};

use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri, Version,
    uri::{Parts as UriParts, PathAndQuery},
};
use portway_plugin::{Consumer, Exchange};
use serde::{Serialize, de::DeserializeOwned};

use super::{Halt, Route, input};

/// A request's method, URI and header fields, and what the gateway knows of it. What is changed
/// here is what the upstream sees; the route was chosen before.
pub struct Head<'a> {
    pub(super) parts: http::request::Parts,
    exchange: &'a Exchange<'a>,
    route: &'static Route,
}

impl<'a> Head<'a> {
    pub(super) fn new(
        parts: http::request::Parts,
        exchange: &'a Exchange<'a>,
        route: &'static Route,
    ) -> Self {
        Self { parts, exchange, route }
    }

    /// The service the request is for. Empty when the route's own code answers.
    #[must_use]
    pub fn service(&self) -> &'a str {
        self.exchange.service().unwrap_or_default()
    }

    /// The path of the route below its service's prefix, as it was declared: `/items/{id}`.
    #[must_use]
    pub fn route_path(&self) -> &'static str {
        self.route.path
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The path in its normal form and the query, as the client asked for them: the route's rewrite
    /// comes after its code.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.parts.uri
    }

    /// The same, to change.
    pub fn uri_mut(&mut self) -> &mut Uri {
        &mut self.parts.uri
    }

    /// The version of HTTP the client speaks.
    #[must_use]
    pub fn version(&self) -> Version {
        self.exchange.protocol()
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The header fields, to change.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.parts.headers
    }

    /// The first header field of this name, if it is text.
    #[must_use]
    pub fn header(&self, name: impl AsRef<str>) -> Option<&str> {
        self.parts.headers.get(name.as_ref())?.to_str().ok()
    }

    /// Sets a header field, in place of all of its name.
    ///
    /// # Errors
    /// No field can be called so, or say so: 500 `invalid_header_name` or `invalid_header_value`,
    /// for it is not the client that is wrong.
    pub fn set_header(
        &mut self,
        name: impl AsRef<str>,
        value: impl fmt::Display,
    ) -> Result<(), Halt> {
        let (name, value) = field(name.as_ref(), &value)?;
        self.parts.headers.insert(name, value);
        Ok(())
    }

    /// Sets a header field unless there is one of its name.
    ///
    /// # Errors
    /// As for [`set_header`](Self::set_header).
    pub fn set_header_if_absent(
        &mut self,
        name: impl AsRef<str>,
        value: impl fmt::Display,
    ) -> Result<(), Halt> {
        let (name, value) = field(name.as_ref(), &value)?;
        self.parts.headers.entry(name).or_insert(value);
        Ok(())
    }

    /// Takes all header fields of a name away, and gives back the first.
    pub fn remove_header(&mut self, name: impl AsRef<str>) -> Option<HeaderValue> {
        self.parts.headers.remove(name.as_ref())
    }

    /// The extensions of the request, as tower layers around the gateway left them.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.parts.extensions
    }

    /// The same, to change.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.parts.extensions
    }

    /// What a placeholder of the route stands for, decoded.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.exchange.parameter(name).map(|text| input::decoded(&text))
    }

    /// Reads what the placeholders stand for: a struct with fields of their names, a tuple, or a
    /// single value.
    ///
    /// # Errors
    /// 400 `invalid_path_parameters`.
    pub fn extract_path<T: DeserializeOwned>(&self) -> Result<T, Halt> {
        input::path(self.exchange, self.route)
    }

    /// Reads the query. A name that comes several times fills a list.
    ///
    /// # Errors
    /// 400 `invalid_query`.
    pub fn extract_query<T: DeserializeOwned>(&self) -> Result<T, Halt> {
        input::query(self.parts.uri.query().unwrap_or_default())
    }

    /// Puts another query in the place of the one that is forwarded.
    ///
    /// # Errors
    /// 500 `serialize_mapped_query_failed`: the value is no list of names and texts.
    pub fn set_query(&mut self, query: &impl Serialize) -> Result<(), Halt> {
        let query = serde_html_form::to_string(query)
            .map_err(|error| Halt::fault("serialize_mapped_query_failed", error.to_string()))?;
        self.set_encoded_query(&query)
    }

    /// The same with text that is encoded already. Empty for none.
    ///
    /// # Errors
    /// 500 `rebuild_uri_failed`: it is no query (RFC 3986 section 3.4).
    pub fn set_encoded_query(&mut self, query: &str) -> Result<(), Halt> {
        let failed = |error: http::Error| Halt::fault("rebuild_uri_failed", error.to_string());
        let path = self.parts.uri.path();
        let whole = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        let whole = PathAndQuery::try_from(whole).map_err(|error| failed(error.into()))?;
        let mut parts: UriParts = std::mem::take(&mut self.parts.uri).into_parts();
        parts.path_and_query = Some(whole);
        self.parts.uri = Uri::from_parts(parts).map_err(|error| failed(error.into()))?;
        Ok(())
    }

    /// The client's address: the connection's, or what a trusted proxy says.
    #[must_use]
    pub fn client(&self) -> IpAddr {
        self.exchange.client()
    }

    /// The id of the request, which the client and the upstream see too.
    #[must_use]
    pub fn request_id(&self) -> &'a str {
        self.exchange.request_id()
    }

    /// Who asks, where a plugin has found out.
    #[must_use]
    pub fn consumer(&self) -> Option<&'a Arc<Consumer>> {
        self.exchange.consumer()
    }

    /// All else that is known of the request.
    #[must_use]
    pub fn exchange(&self) -> &'a Exchange<'a> {
        self.exchange
    }
}

/// A header field that code makes.
fn field(name: &str, value: &dyn fmt::Display) -> Result<(HeaderName, HeaderValue), Halt> {
    let named = HeaderName::try_from(name).map_err(|_| {
        Halt::fault("invalid_header_name", format!("{name:?} is no name of a header field"))
    })?;
    let value = HeaderValue::try_from(value.to_string()).map_err(|_| {
        Halt::fault("invalid_header_value", format!("no value for the header field {name}"))
    })?;
    Ok((named, value))
}

impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("method", self.method())
            .field("uri", self.uri())
            .finish_non_exhaustive()
    }
}
