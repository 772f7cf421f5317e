//! What a service sees.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body::Body;
use http_body_util::BodyExt as _;

/// A request as a service saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: http::Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: HeaderMap,
    /// Its body came to its end.
    pub(crate) whole: bool,
}

/// Requests in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<Mutex<Vec<Seen>>>);

impl Record {
    /// Notes a head. Returns its number.
    pub(crate) fn head<B>(&self, request: &Request<B>) -> usize {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(Seen {
            method: request.method().clone(),
            target: request.uri().to_string(),
            headers: request.headers().clone(),
            body: Vec::new(),
            trailers: HeaderMap::new(),
            whole: false,
        });
        seen.len() - 1
    }

    /// Reads a body to its end.
    pub(crate) async fn body<B>(&self, number: usize, body: B)
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let mut body = body;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return };
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match frame.into_data() {
                Ok(data) => seen[number].body.extend_from_slice(&data),
                Err(frame) => {
                    seen[number].trailers = frame.into_trailers().unwrap_or_default();
                }
            }
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[number].whole = true;
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
