//! The answer with a file that was found.

use std::{io, ops::RangeInclusive, sync::Arc};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri,
    header::{self, Entry},
};
use portway_plugin::{Body, Error, Response, Result};
use tower_http::services::{ServeDir, fs::ServeFileSystemResponseBody};

use super::{
    body::FileBody,
    disk::Disk,
    multipart::Multipart,
    not_found,
    ranges::{self, Extent},
    unreadable,
};

/// The fields of a request that decide what is sent of a file.
const CONDITIONS: [HeaderName; 5] = [
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::ACCEPT_ENCODING,
];

type Served = http::Response<ServeFileSystemResponseBody>;

/// A file and those who ask for it.
#[derive(Clone)]
pub(super) struct Sender {
    spec: Arc<portway_config::Files>,
    disk: Disk,
    uri: Uri,
    /// What of the request's head is about the file.
    conditions: HeaderMap,
}

impl Sender {
    pub(super) fn new(
        spec: Arc<portway_config::Files>,
        disk: Disk,
        headers: &HeaderMap,
    ) -> Result<Self> {
        // A name that is too long for a URL cannot have been asked for by one.
        let uri = disk.found.url_path.parse().map_err(|error| not_found().because(error))?;
        Ok(Self { spec, disk, uri, conditions: conditions(headers) })
    }

    pub(super) async fn answer(&self, method: &Method, headers: &HeaderMap) -> Result<Response> {
        // Ranges are defined for GET alone (RFC 9110 section 14.2).
        let specs = if *method == Method::GET { ranges::asked_for(headers) } else { None };
        let Some(specs) = specs else { return self.whole(method).await };
        // What the file is comes first: the ranges depend on its size and on whether it changed.
        // Nothing is opened for it.
        let known = self.serve(Method::HEAD, self.conditions.clone()).await?;
        if known.status() != StatusCode::OK || !ranges::still_apply(headers, known.headers()) {
            return self.whole(method).await;
        }
        let size = content_length(known.headers())?;
        match ranges::extent(&specs, size) {
            Extent::Whole => self.whole(method).await,
            Extent::Nothing => Err(not_satisfiable(size)),
            Extent::One(range) => {
                let served = self.range(known.headers(), &range).await?;
                if served.status() == StatusCode::PARTIAL_CONTENT {
                    return self.finish(served);
                }
                // It changed at this very moment.
                self.whole(method).await
            }
            Extent::Several(ranges) => Ok(self.several(known, ranges, size)),
        }
    }

    async fn whole(&self, method: &Method) -> Result<Response> {
        let served = self.serve(method.clone(), self.conditions.clone()).await?;
        self.finish(served)
    }

    /// One range of the file, if it is still the one that was looked at.
    async fn range(&self, known: &HeaderMap, range: &RangeInclusive<u64>) -> Result<Served> {
        let mut headers = HeaderMap::with_capacity(3);
        let field = format!("bytes={}-{}", range.start(), range.end());
        let field = HeaderValue::try_from(field).map_err(invalid)?;
        headers.insert(header::RANGE, field);
        if let Some(tag) = known.get(header::ETAG) {
            headers.insert(header::IF_MATCH, tag.clone());
        }
        for accepted in self.conditions.get_all(header::ACCEPT_ENCODING) {
            headers.append(header::ACCEPT_ENCODING, accepted.clone());
        }
        self.serve(Method::GET, headers).await
    }

    fn several(&self, known: Served, ranges: Vec<RangeInclusive<u64>>, size: u64) -> Response {
        let (mut parts, _) = known.into_parts();
        self.complete(&mut parts.headers);
        let boundary = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let kind = parts.headers.remove(header::CONTENT_TYPE);
        let (sender, file) = (self.clone(), parts.headers.clone());
        let open = Box::new(move |range: RangeInclusive<u64>| {
            let (sender, file) = (sender.clone(), file.clone());
            let opening = async move {
                let served = sender.range(&file, &range).await?;
                if served.status() != StatusCode::PARTIAL_CONTENT {
                    return Err(Error::gateway(
                        "file_changed",
                        "the file has changed while it was sent",
                    ));
                }
                Ok(Body::stream(FileBody::new(served.into_body(), ranges::length(&range))))
            };
            Box::pin(opening) as super::multipart::Opening
        });
        let body = Multipart::new(ranges, size, kind.as_ref(), &boundary, open);
        let kind = format!("multipart/byteranges; boundary={boundary}");
        if let Ok(kind) = HeaderValue::try_from(kind) {
            parts.headers.insert(header::CONTENT_TYPE, kind);
        }
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.left()));
        parts.status = StatusCode::PARTIAL_CONTENT;
        Response::from_parts(parts, Body::stream(body))
    }

    /// Asks tower-http for the file.
    async fn serve(&self, method: Method, headers: HeaderMap) -> Result<Served> {
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        let mut files = ServeDir::with_backend(self.disk.root(), self.disk.clone())
            .append_index_html_on_directories(false);
        for encoding in &self.spec.precompressed {
            files = match encoding {
                portway_config::Encoding::Gzip => files.precompressed_gzip(),
                portway_config::Encoding::Br => files.precompressed_br(),
                portway_config::Encoding::Zstd => files.precompressed_zstd(),
            };
        }
        files.try_call(request).await.map_err(|error: io::Error| unreadable(&error))
    }

    /// The answer as it goes to the client. What is not one becomes an error.
    fn finish(&self, served: Served) -> Result<Response> {
        let (mut parts, body) = served.into_parts();
        match parts.status {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => {
                self.complete(&mut parts.headers);
                let is_head = http_body::Body::is_end_stream(&body);
                let body = match content_length(&parts.headers)? {
                    bytes if !is_head => Body::stream(FileBody::new(body, bytes)),
                    _ => Body::empty(),
                };
                Ok(Response::from_parts(parts, body))
            }
            StatusCode::NOT_MODIFIED => {
                self.complete(&mut parts.headers);
                Ok(Response::from_parts(parts, Body::empty()))
            }
            StatusCode::PRECONDITION_FAILED => Err(Error::client(
                StatusCode::PRECONDITION_FAILED,
                "precondition_failed",
                "the file is not the one the request is about",
            )),
            StatusCode::NOT_FOUND => Err(not_found()),
            other => Err(Error::gateway("file_unreadable", "the file could not be read")
                .because(format!("the file was answered with {other}"))),
        }
    }

    /// Adds what tower-http does not say.
    fn complete(&self, headers: &mut HeaderMap) {
        if let Some(control) = &self.spec.cache_control {
            headers.insert(header::CACHE_CONTROL, control.get().clone());
        }
        if !self.spec.precompressed.is_empty() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if let Entry::Occupied(mut kind) = headers.entry(header::CONTENT_TYPE)
            && let Some(with_charset) = kind.get().to_str().ok().and_then(with_charset)
        {
            kind.insert(with_charset);
        }
    }
}

/// Text says how its characters are written: in UTF-8, as everywhere.
fn with_charset(kind: &str) -> Option<HeaderValue> {
    let is_bare_text = kind.starts_with("text/") && !kind.contains(';');
    is_bare_text.then(|| HeaderValue::try_from(format!("{kind}; charset=utf-8")).ok())?
}

/// What of a request's head is about the file. Several lines of a field are one list
/// (RFC 9110 section 5.3).
fn conditions(headers: &HeaderMap) -> HeaderMap {
    let mut conditions = HeaderMap::new();
    for name in CONDITIONS {
        let mut lines = headers.get_all(&name).iter();
        let Some(first) = lines.next() else { continue };
        let mut joined = first.clone();
        for line in lines {
            let both = [joined.as_bytes(), line.as_bytes()].join(&b", "[..]);
            joined = HeaderValue::from_bytes(&both).unwrap_or(joined);
        }
        conditions.insert(name, joined);
    }
    conditions
}

fn content_length(headers: &HeaderMap) -> Result<u64> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).ok_or_else(|| invalid("no length"))
}

fn invalid(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::gateway("file_unreadable", "the file could not be read").because(cause)
}

fn not_satisfiable(size: u64) -> Error {
    let error = Error::client(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range_not_satisfiable",
        "the file has none of these bytes",
    );
    match HeaderValue::try_from(format!("bytes */{size}")) {
        Ok(range) => error.with_header(header::CONTENT_RANGE, range),
        Err(_) => error,
    }
}
