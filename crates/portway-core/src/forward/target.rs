//! The path and query the upstream sees, and where a redirect leads.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, uri::PathAndQuery};
use portway_config::{
    Redirect, Rewrite,
    value::{AmbiguousPath, PathPrefix},
};
use portway_plugin::Error;

use crate::route::Captures;

/// The target to forward, before the endpoint's own path and query are put to it. `normal` is the
/// path's normal form; `original` what the client sent. Unchanged, it costs nothing.
///
/// # Errors
/// A target that a rewrite has made too long, or that it has made ambiguous.
pub(crate) fn forwarded_target<'a>(
    original: &PathAndQuery,
    normal: &str,
    raw: bool,
    drop_query: bool,
    rewrite: Option<&Rewrite>,
    captures: impl FnOnce() -> Captures<'a>,
) -> Result<PathAndQuery, Error> {
    let query = if drop_query { None } else { original.query() };
    let rewritten;
    let path = match rewrite {
        None if raw => original.path(),
        None => normal,
        Some(Rewrite::StripPrefix(prefix)) => match prefix.strip(normal) {
            Some(rest) if rest.starts_with('/') => rest,
            Some(rest) => {
                rewritten = format!("/{rest}");
                &rewritten
            }
            None => normal,
        },
        Some(Rewrite::Path(template)) => {
            let captures = captures();
            rewritten = template.render(|name| captures.get(name)).map_err(ambiguous_path)?;
            &rewritten
        }
    };
    if path == original.path() && query == original.query() {
        return Ok(original.clone());
    }
    let target = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    PathAndQuery::from_maybe_shared(Bytes::from(target)).map_err(|error| {
        Error::client(StatusCode::URI_TOO_LONG, "uri_too_long", "the request target is too long")
            .because(error)
    })
}

/// Where a redirect leads. It is relative to the host asked for when it changes neither scheme,
/// host nor port. `matched` is the prefix by which the path was matched.
pub(crate) fn redirect_location<'a>(
    redirect: &Redirect,
    original: &PathAndQuery,
    normal: &str,
    scheme: &str,
    host: Option<&str>,
    matched: Option<&PathPrefix>,
    captures: impl FnOnce() -> Captures<'a>,
) -> Result<HeaderValue, Error> {
    let replaced = || matched?.replace(normal, redirect.prefix.as_ref()?);
    let path = match &redirect.path {
        Some(template) => {
            let captures = captures();
            template.render(|name| captures.get(name)).map_err(ambiguous_path)?
        }
        None => replaced().unwrap_or_else(|| normal.to_owned()),
    };
    let query = original.query().map(|query| format!("?{query}")).unwrap_or_default();
    let moves = redirect.scheme.is_some() || redirect.host.is_some() || redirect.port.is_some();
    let origin = match (moves, host) {
        (true, Some(asked)) => {
            let scheme = match redirect.scheme {
                Some(other) => other.as_str(),
                None => scheme,
            };
            let host = redirect.host.as_ref().map_or(super::without_port(asked), |h| h.as_str());
            let port = redirect.port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("{scheme}://{host}{port}")
        }
        _ => String::new(),
    };
    location(&origin, &path, &query)
}

/// Where the folder is whose path was asked for without a slash at its end.
pub(crate) fn folder_location(original: &PathAndQuery, normal: &str) -> Result<HeaderValue, Error> {
    let query = original.query().map(|query| format!("?{query}")).unwrap_or_default();
    location("", &format!("{normal}/"), &query)
}

fn location(origin: &str, path: &str, query: &str) -> Result<HeaderValue, Error> {
    // `//evil` would name a host: a path that begins so is told apart by an empty segment.
    let dot = if origin.is_empty() && path.starts_with("//") { "/." } else { "" };
    HeaderValue::try_from(format!("{origin}{dot}{path}{query}")).map_err(|error| {
        Error::gateway("bad_redirect", "the redirect leads to no valid location").because(error)
    })
}

/// What is answered for a path that two servers could read differently.
pub(crate) fn ambiguous_path(reason: AmbiguousPath) -> Error {
    Error::client(StatusCode::BAD_REQUEST, "ambiguous_path", reason.reason()).closing()
}
