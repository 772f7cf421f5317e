//! What clients say, read as values: paths, queries, JSON, forms. Codes and statuses are those that
//! `ApiGate`'s users know.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode, header};
use portway_plugin::{Error, Exchange, value::ByteSize};
use serde::de::DeserializeOwned;

use super::{Halt, Route, text};

/// The longest body a route wants read into memory, when it says.
pub(super) fn limit(route: &Route) -> Option<usize> {
    // What is no size was refused when the gateway was built.
    let size: ByteSize = route.body_limit?.parse().ok()?;
    usize::try_from(size.limit()?).ok()
}

/// The text behind escapes. What is no UTF-8 is replaced: it cannot be a value anyway.
pub(super) fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

pub(super) fn path<T: DeserializeOwned>(exchange: &Exchange<'_>, route: &Route) -> Result<T, Halt> {
    let names = placeholders(route.path);
    let read = |name: &'static str| {
        let text = exchange.parameter(name)?;
        Some((name, decoded(&text)))
    };
    let pairs = names.filter_map(read).collect();
    text::read(pairs).map_err(|error| {
        refused(StatusCode::BAD_REQUEST, "invalid_path_parameters", "the path", &error.to_string())
    })
}

/// The names in a path: `id` and `rest` of `/items/{id:[0-9]+}/{*rest}`.
fn placeholders(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('{').skip(1).filter_map(|part| {
        let name = part.split(['}', ':']).next()?;
        Some(name.strip_prefix('*').unwrap_or(name))
    })
}

pub(super) fn query<T: DeserializeOwned>(query: &str) -> Result<T, Halt> {
    form(query.as_bytes(), "invalid_query", "the query")
}

pub(super) fn form_query<T: DeserializeOwned>(query: &str) -> Result<T, Halt> {
    form(query.as_bytes(), "invalid_form_query", "the form in the query")
}

pub(super) fn form_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Halt> {
    form(body, "invalid_form_body", "the form")
}

fn form<T: DeserializeOwned>(bytes: &[u8], code: &'static str, what: &str) -> Result<T, Halt> {
    if let Ok(value) = serde_html_form::from_bytes(bytes) {
        return Ok(value);
    }
    // It is read again where it is wrong, for to know at every moment where one is has its cost.
    let pairs = form_urlencoded::parse(bytes);
    let read = serde_html_form::Deserializer::new(pairs);
    serde_path_to_error::deserialize(read).map_err(|error| {
        let error = at(error.path(), &error.inner().to_string());
        refused(StatusCode::BAD_REQUEST, code, what, &error)
    })
}

pub(super) fn json<T: DeserializeOwned>(body: &[u8], unprocessable: bool) -> Result<T, Halt> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    // As above.
    let mut read = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut read).map_err(|error| {
        let is_other = error.inner().is_data();
        (is_other, at(error.path(), &error.inner().to_string()))
    });
    let value = value.and_then(|value| match read.end() {
        Ok(()) => Ok(value),
        Err(error) => Err((false, error.to_string())),
    });
    value.map_err(|(is_other, error)| {
        let status = match is_other && unprocessable {
            true => StatusCode::UNPROCESSABLE_ENTITY,
            false => StatusCode::BAD_REQUEST,
        };
        refused(status, "invalid_json_body", "the JSON body", &error)
    })
}

/// `max_price: invalid type: …`
fn at(path: &serde_path_to_error::Path, error: &str) -> String {
    match path.iter().next() {
        Some(_) => format!("{path}: {error}"),
        None => error.to_owned(),
    }
}

fn refused(status: StatusCode, code: &'static str, what: &str, error: &str) -> Halt {
    Error::client(status, code, format!("{what} is not as expected: {error}")).into()
}

pub(super) fn too_large(limit: usize) -> Error {
    let message = format!("the request body is larger than {limit} bytes");
    Error::client(StatusCode::PAYLOAD_TOO_LARGE, "request_body_too_large", message).closing()
}

pub(super) fn expect_form(headers: &HeaderMap) -> Result<(), Halt> {
    if media(headers).eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(());
    }
    Err(unsupported("expected_form_urlencoded", "application/x-www-form-urlencoded"))
}

pub(super) fn expect_multipart(headers: &HeaderMap) -> Result<(), Halt> {
    let has_boundary = content_type(headers).to_ascii_lowercase().contains("boundary=");
    if has_boundary && media(headers).eq_ignore_ascii_case("multipart/form-data") {
        return Ok(());
    }
    Err(unsupported("expected_multipart_form_data", "multipart/form-data with a boundary"))
}

fn unsupported(code: &'static str, wanted: &str) -> Halt {
    let message = format!("the request body must be {wanted}");
    Error::client(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, message).into()
}

fn media(headers: &HeaderMap) -> Cow<'_, str> {
    let whole = content_type(headers);
    match whole.find(';') {
        Some(end) => whole[..end].trim().to_owned().into(),
        None => whole,
    }
}

fn content_type(headers: &HeaderMap) -> Cow<'_, str> {
    let value = headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    String::from_utf8_lossy(value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Search {
        #[serde(default)]
        tag: Vec<String>,
        max_price: Option<u32>,
    }

    #[test]
    fn names_are_read_off_a_path() {
        let names: Vec<_> = placeholders("/a/{id:[0-9]+}/{x}-{y}/{*rest}").collect();
        assert_eq!(names, ["id", "x", "y", "rest"]);
    }

    #[test]
    fn a_name_that_comes_often_is_a_list() {
        let search: Search = query("tag=a&tag=b%20c&max_price=3").unwrap();
        let expected = Search { tag: vec!["a".into(), "b c".into()], max_price: Some(3) };
        assert_eq!(search, expected);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let error = json::<Search>(br#"{"max_price": "cheap"}"#, false).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.to_string().contains("max_price: invalid type"), "{error}");
        assert_eq!(json::<Search>(br#"{"max_price": "cheap"}"#, true).unwrap_err().status(), 422);
        assert_eq!(json::<Search>(br#"{"max_price": 1} x"#, true).unwrap_err().status(), 400);
        assert_eq!(json::<Search>(b"{", true).unwrap_err().status(), 400);
        let error = query::<Search>("max_price=cheap").unwrap_err();
        assert!(error.to_string().contains("max_price"), "{error}");
    }

    #[test]
    fn forms_say_what_they_are() {
        let with = |value: &'static str| {
            HeaderMap::from_iter([(header::CONTENT_TYPE, http::HeaderValue::from_static(value))])
        };
        assert!(expect_form(&with("application/x-www-form-urlencoded; charset=utf-8")).is_ok());
        assert_eq!(expect_form(&with("application/json")).unwrap_err().status(), 415);
        assert!(expect_multipart(&with("multipart/form-data; boundary=x")).is_ok());
        assert!(expect_multipart(&with("multipart/form-data")).is_err());
        assert!(expect_multipart(&HeaderMap::new()).is_err());
    }
}
