//! A connection from a client: requests one after the other, each answered before the next is
//! looked at.
//!
//! Everything runs in the task that polls [`Connection::serve`]. A request's [`Body`] reads from
//! the connection by itself, wherever it is polled; while somebody holds it nobody else does, and
//! at all other times the connection watches for a client that leaves. [`Control`] is how a
//! service speaks to the connection beyond its answer: interim answers, the last request, limits.

mod answer;
mod body;
mod closing;
mod connection;
mod control;
mod line;
mod link;
mod options;
mod upload;

#[cfg(test)]
mod tests;

use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};

use crate::{error::HeadError, limits::HeadLimits};

pub use body::Body;
pub use connection::{Connection, End};
pub use control::{Control, Upgraded, Upgrading};
pub use options::{Continue, Options};

/// What answers requests. Answers never fail: what goes wrong is an answer too.
pub trait Service {
    /// The body of an answer. An error in it closes the connection, so that the client sees that
    /// the answer is not whole.
    type Body: http_body::Body<Data = Bytes>;
    /// The answer to come. Dropped when the client leaves.
    type Future: Future<Output = Response<Self::Body>>;

    /// Answers a request.
    fn call(&self, request: Request<Body>) -> Self::Future;

    /// Answers a head that is no request. The connection is closed behind it.
    fn refuse(&self, error: HeadError) -> Response<Self::Body>;

    /// Asked when a head is beyond the bounds of its connection: they may have been raised since
    /// that was opened.
    fn head_limits(&self, now: HeadLimits) -> HeadLimits {
        now
    }
}
