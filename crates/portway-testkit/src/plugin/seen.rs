//! What came of a request on stage.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use portway_plugin::{Consumer, Error, Note, Response, ResponseExt, Result};

/// One request: how it ended, and what the target behind the plugin saw of it.
#[derive(Debug)]
pub struct Seen {
    /// What the plugin returned. The body may still have to be read.
    pub result: Result<Response>,
    /// What the target was sent, each time: head, and body in memory.
    pub targets: Vec<http::Request<Bytes>>,
    /// Who the plugin says the client is.
    pub consumer: Option<Arc<Consumer>>,
    /// What it noted for the access record.
    pub notes: Vec<Note>,
    /// Marks it left.
    pub marks: Vec<Box<str>>,
}

impl Seen {
    /// The status the client gets, of an answer or of an error.
    #[must_use]
    pub fn status(&self) -> u16 {
        match &self.result {
            Ok(response) => response.status().as_u16(),
            Err(error) => error.status().as_u16(),
        }
    }

    /// The code of an error. Empty for an answer.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.result.as_ref().err().map_or("", Error::code)
    }

    /// The header fields the client gets, of an answer or of an error.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        match &self.result {
            Ok(response) => response.headers(),
            Err(error) => error.headers(),
        }
    }

    /// The only line of a field the client gets. Empty when there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// What the target saw last. `None` when nothing was sent on.
    #[must_use]
    pub fn target(&self) -> Option<&http::Request<Bytes>> {
        self.targets.last()
    }

    /// The only line of a field the target saw. Empty when there is none.
    #[must_use]
    pub fn sent(&self, name: &str) -> &str {
        let value = self.target().and_then(|target| target.headers().get(name));
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body the client gets, as text.
    pub async fn text(&mut self) -> String {
        let Ok(response) = &mut self.result else { return String::new() };
        let body = response.buffer(64 * 1024 * 1024).await.unwrap_or_default();
        String::from_utf8_lossy(&body).into_owned()
    }
}
