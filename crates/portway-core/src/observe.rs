//! What a program that hosts the gateway is told of requests, and what it says in its place.
//!
//! Nothing is paid for where nobody listens: one look at an `Option` that is the core's own.

use std::{fmt, sync::Arc, time::Duration};

use http::{Method, StatusCode};
use portway_plugin::{Error, Response};

/// Hears of every request, on the thread that serves it: it must not block.
pub trait Observer: Send + Sync + 'static {
    /// Something has happened.
    fn observe(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Observer for F {
    fn observe(&self, event: &Event<'_>) {
        self(event);
    }
}

/// Something that has happened to a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The id of the request, which the client and the upstream see too.
    pub request_id: &'a str,
    /// The route that takes it.
    pub route: Option<&'a str>,
    /// The service it is for.
    pub service: Option<&'a str>,
    /// What has happened.
    pub what: What<'a>,
}

/// What has happened to a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum What<'a> {
    /// A route has taken it.
    Started {
        /// Its method.
        method: &'a Method,
        /// Its path, as the client spelled it.
        path: &'a str,
        /// Whether plugins or code stand before its target.
        chain: bool,
    },
    /// It ended with an error before any endpoint was chosen: no route takes it, a plugin or the
    /// code of the route refuses it, or fails.
    Refused {
        /// The error, with what only the log may show.
        error: &'a Error,
    },
    /// No endpoint could be asked.
    NotDispatched {
        /// Why.
        error: &'a Error,
    },
    /// An endpoint was chosen. It happens again where another one is tried.
    EndpointChosen {
        /// Its address: `10.0.0.7:8080`.
        endpoint: &'a str,
    },
    /// The head of an answer has come.
    Answered {
        /// From which endpoint.
        endpoint: &'a str,
        /// The status.
        status: StatusCode,
        /// How long it took from the first byte that was sent.
        took: Duration,
    },
    /// An endpoint was asked and did not answer.
    Failed {
        /// Which one.
        endpoint: &'a str,
        /// Why, with what only the log may show.
        error: &'a Error,
        /// How long it took.
        took: Duration,
    },
    /// The last byte of the answer has been sent, or nobody wants it any more.
    Finished {
        /// The status; 499 where the client left before there was one.
        status: u16,
        /// The bytes of the request's body.
        bytes_in: u64,
        /// The bytes of the answer's body.
        bytes_out: u64,
        /// How long all of it took.
        took: Duration,
    },
}

/// Makes the answer for an error of a request with this id. What the error says of the header
/// fields of the answer (`Allow`, `Retry-After`) is added to it.
pub type Renderer = Arc<dyn Fn(&Error, &str) -> Response + Send + Sync>;

/// What the program that hosts a gateway has a say in.
#[derive(Clone, Default)]
pub(crate) struct Hosts {
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) renderer: Option<Renderer>,
}

impl Hosts {
    /// An error as the program wants it told.
    pub(crate) fn render(&self, error: &Error, request_id: &str) -> Option<Response> {
        let mut response = self.renderer.as_ref()?(error, request_id);
        for (name, value) in error.headers() {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        Some(response)
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosts")
            .field("observer", &self.observer.is_some())
            .field("renderer", &self.renderer.is_some())
            .finish()
    }
}
