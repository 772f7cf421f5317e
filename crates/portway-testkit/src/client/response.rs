//! An answer, collected.

use std::borrow::Cow;
use std::io;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;

use crate::echo::Answer;

/// A whole answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response {
    /// The status code.
    pub status: StatusCode,
    /// The protocol in which it came.
    pub version: Version,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The trailer fields.
    pub trailers: HeaderMap,
}

impl Response {
    pub(super) async fn collect(response: http::Response<Incoming>) -> io::Result<Self> {
        let (head, body) = response.into_parts();
        let collected = body.collect().await.map_err(io::Error::other)?;
        let trailers = collected.trailers().cloned().unwrap_or_default();
        Ok(Self {
            status: head.status,
            version: head.version,
            headers: head.headers,
            body: collected.to_bytes(),
            trailers,
        })
    }

    /// The value of the first header of that name, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body from JSON. The error shows status and body.
    pub fn json<T: DeserializeOwned>(&self) -> io::Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let text = format!("{error}: {} {:?}", self.status, self.text());
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
    }

    /// What the echo upstream got.
    pub fn answer(&self) -> io::Result<Answer> {
        self.json()
    }
}
