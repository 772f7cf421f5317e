//! What is told to a webhook beside the message, and what it may say.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, uri::PathAndQuery,
};
use portway_plugin::{Error, Result, value::normalize_path};

use super::error::unusable;

pub(super) const METHOD: HeaderName = HeaderName::from_static("x-real-method");
pub(super) const URI: HeaderName = HeaderName::from_static("x-real-uri");
pub(super) const STATUS: HeaderName = HeaderName::from_static("x-real-status");

/// Fields that concern one connection or frame one message (RFC 9110 section 7.6.1), and those by
/// which a server speaks of itself.
const NOT_OF_THE_MESSAGE: [HeaderName; 13] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::DATE,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-connection"),
    header::SERVER,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::VIA,
];

/// The fields a webhook gets: those of the message, without what a client might have said about
/// the real one.
pub(super) fn outward(headers: &HeaderMap, method: &Method, uri: &Uri) -> HeaderMap {
    let mut outward = headers.clone();
    for name in NOT_OF_THE_MESSAGE.iter().filter(|name| !is_told(name)) {
        outward.remove(name);
    }
    outward.remove(header::HOST);
    // What comes back is read here, not by the client.
    outward.remove(header::ACCEPT_ENCODING);
    outward.remove(STATUS);
    if let Ok(method) = HeaderValue::try_from(method.as_str()) {
        outward.insert(METHOD, method);
    }
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    match HeaderValue::try_from(target) {
        Ok(target) => outward.insert(URI, target),
        Err(_) => outward.remove(URI),
    };
    outward
}

/// Of an answer, who made it and when is part of it.
fn is_told(name: &HeaderName) -> bool {
    *name == header::DATE || *name == header::SERVER
}

/// What a webhook said about the message itself.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) method: Option<Method>,
    pub(super) target: Option<PathAndQuery>,
    pub(super) status: Option<StatusCode>,
}

/// Takes out of the fields of a webhook's answer what is not of the message.
///
/// # Errors
/// A method, a target or a status that is none.
pub(super) fn inward(headers: &mut HeaderMap) -> Result<Said> {
    for name in &NOT_OF_THE_MESSAGE {
        headers.remove(name);
    }
    let method = text(headers, &METHOD)?.map(|text| text.parse()).transpose();
    let method = method.map_err(|_| unusable("X-Real-Method is no method"))?;
    let status = text(headers, &STATUS)?.map(|text| text.parse::<StatusCode>()).transpose();
    let status = status
        .ok()
        .filter(|status| status.is_none_or(|status| (200..600).contains(&status.as_u16())));
    let status = status.ok_or_else(|| unusable("X-Real-Status is no status of an answer"))?;
    let target = text(headers, &URI)?.map(|text| target(&text)).transpose()?;
    Ok(Said { method, target, status })
}

fn text(headers: &mut HeaderMap, name: &HeaderName) -> Result<Option<String>> {
    let Some(value) = headers.remove(name) else { return Ok(None) };
    let text = value.to_str().map_err(|_| unusable(format!("{name} is no text")))?;
    Ok(Some(text.to_owned()))
}

/// A path in its normal form, and a query.
fn target(text: &str) -> Result<PathAndQuery, Error> {
    let (path, query) = text.split_once('?').map_or((text, None), |(p, q)| (p, Some(q)));
    let path =
        normalize_path(path, false).map_err(|error| unusable(format!("X-Real-Uri: {error}")))?;
    let target = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.into_owned(),
    };
    PathAndQuery::try_from(target).map_err(|error| unusable(format!("X-Real-Uri: {error}")))
}
