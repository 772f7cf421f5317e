//! The question: what the server is told of a request.

use aws_lc_rs::digest::{Context, SHA256};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use portway_plugin::{Body, Error, Exchange, Request, credential::Digest};

const FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What says what the request is. A client has no say in these.
pub(super) const FORWARDED: [HeaderName; 5] =
    [FORWARDED_METHOD, FORWARDED_PROTO, FORWARDED_HOST, FORWARDED_URI, FORWARDED_FOR];

/// The fields of the question.
pub(super) fn fields(
    request: &Request,
    exchange: &Exchange<'_>,
    chosen: &[HeaderName],
) -> Result<HeaderMap, Error> {
    let mut fields = HeaderMap::new();
    for name in chosen {
        for value in request.headers().get_all(name) {
            fields.append(name, value.clone());
        }
    }
    // The path in its normal form, which found the route.
    let target = match request.uri().query() {
        Some(query) => format!("{}?{query}", exchange.path()),
        None => exchange.path().to_owned(),
    };
    let bad = |_| Error::gateway("auth_unavailable", "the request cannot be told of");
    let value = |text: &str| HeaderValue::try_from(text).map_err(bad);
    fields.insert(FORWARDED_METHOD, value(request.method().as_str())?);
    fields.insert(FORWARDED_PROTO, HeaderValue::from_static(exchange.scheme()));
    let host = request.headers().get(http::header::HOST).cloned();
    fields.insert(FORWARDED_HOST, host.map_or_else(|| value(exchange.host()), Ok)?);
    fields.insert(FORWARDED_URI, value(&target)?);
    fields.insert(FORWARDED_FOR, value(&exchange.client().to_string())?);
    Ok(fields)
}

/// The question itself.
pub(super) fn question(method: &Method, url: &Uri, fields: HeaderMap) -> Request {
    let mut question = Request::new(Body::empty());
    *question.method_mut() = method.clone();
    *question.uri_mut() = url.clone();
    *question.headers_mut() = fields;
    question
}

/// What two questions have in common that have the same answer.
pub(super) fn digest(fields: &HeaderMap, names: &[HeaderName]) -> Digest {
    let mut context = Context::new(&SHA256);
    // Lengths, so that no value can look like the beginning of another.
    let mut add = |bytes: &[u8]| {
        context.update(&bytes.len().to_le_bytes());
        context.update(bytes);
    };
    for name in names {
        add(&fields.get_all(name).iter().count().to_le_bytes());
        fields.get_all(name).iter().for_each(|value| add(value.as_bytes()));
    }
    let mut digest = Digest::default();
    digest.copy_from_slice(context.finish().as_ref());
    digest
}
