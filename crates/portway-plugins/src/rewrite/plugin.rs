//! The plugin.

use std::borrow::Cow;

use http::{HeaderValue, StatusCode, Uri, header, uri::PathAndQuery};
use portway_plugin::{Error, Next, Plugin, Problem, Request, Response, Result};

use super::{RewriteSpec, query::QueryEdit};
use crate::{asked::Asked, path_edit::PathEdit};

/// Another host, path or query for requests.
#[derive(Debug)]
pub struct Rewrite {
    host: Option<HeaderValue>,
    path: Option<PathEdit>,
    query: Option<QueryEdit>,
}

impl Plugin for Rewrite {
    const NAME: &'static str = "rewrite";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = RewriteSpec;

    fn create(spec: RewriteSpec) -> Result<Self, Problem> {
        let host = spec
            .host
            .map(|host| HeaderValue::try_from(host.as_str()).expect("a host is visible ASCII"));
        let path = PathEdit::new(spec.path)?;
        let query = spec.query.map(QueryEdit::new).transpose()?;
        if host.is_none() && path.is_none() && query.is_none() {
            return Err(Problem::new("missing", "nothing is rewritten")
                .hint("give a host, a path, a prefix, a regex or a query"));
        }
        Ok(Self { host, path, query })
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        if let Some(target) = self.target(&request, next)? {
            *request.uri_mut() = Uri::from(target);
        }
        if let Some(host) = &self.host {
            request.headers_mut().insert(header::HOST, host.clone());
        }
        next.run(request).await
    }
}

impl Rewrite {
    /// The new path and query. `None` where the old ones stay: those are passed on as they came.
    fn target(&self, request: &Request, next: Next<'_>) -> Result<Option<PathAndQuery>> {
        let (exchange, uri) = (next.exchange(), request.uri());
        let path = match &self.path {
            Some(edit) => edit.apply(uri.path(), exchange)?.map(Cow::Owned),
            None => None,
        };
        if path.is_none() && self.query.is_none() {
            return Ok(None);
        }
        let path = path.unwrap_or(Cow::Borrowed(uri.path()));
        let query = match &self.query {
            Some(edit) => edit.apply(uri.query(), &Asked::new(exchange, request)).map(Cow::Owned),
            None => uri.query().map(Cow::Borrowed),
        };
        let target = match query {
            Some(query) => format!("{path}?{query}"),
            None => path.into_owned(),
        };
        let target = PathAndQuery::try_from(target).map_err(|error| {
            let message = "the request's target cannot be rewritten";
            Error::client(StatusCode::BAD_REQUEST, "bad_target", message).because(error)
        })?;
        Ok(Some(target))
    }
}
