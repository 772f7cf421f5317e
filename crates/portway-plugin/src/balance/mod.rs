//! Balancers of one's own: who takes a request, chosen by code.
//!
//! A program registers what makes one by [`Registry::balancer`](crate::Registry::balancer); a
//! service asks for it by `balance: {custom: name}`. What a balancer knows of a request it is told
//! in [`Candidates`]; it never sees a body, and it cannot change anything.
//!
//! ```
//! use portway_plugin::{Registry, balance::{Balancer, Candidates}};
//!
//! /// Everybody from one address to one endpoint, the first one for all others.
//! struct Pinned(std::net::IpAddr);
//!
//! impl Balancer for Pinned {
//!     fn pick(&self, candidates: &Candidates<'_>) -> Option<usize> {
//!         let mut free = candidates.free();
//!         if candidates.client() == self.0 { free.last() } else { free.next() }
//!     }
//! }
//!
//! let registry = Registry::new().balancer("pinned", |_| Pinned([10, 0, 0, 7].into()));
//! assert!(registry.balancers().get("pinned").is_some());
//! ```

mod candidates;
mod hash;
mod registered;

use std::time::Duration;

use http::StatusCode;

pub use candidates::{Asked, Candidates, Endpoint};
pub use hash::stable_hash;
pub use registered::{Balancers, Factory};

/// Chooses among the endpoints of one service.
///
/// There is one for each service that asks for it, shared by all cores, and it lives as long as the
/// service has the same endpoints. A panic is one request's 500.
pub trait Balancer: Send + Sync + 'static {
    /// The number of the endpoint that takes a request, one of those that are
    /// [free](Candidates::free). `None`: none of them, which is answered 503.
    ///
    /// A request is asked for again, without the endpoints it was offered to, where nobody can have
    /// seen it. It must not wait.
    fn pick(&self, candidates: &Candidates<'_>) -> Option<usize>;

    /// A request is on its way to an endpoint.
    fn started(&self, endpoint: usize) {
        let _ = endpoint;
    }

    /// It is over: the last byte of the answer was sent on, it failed, or nobody wants it any more.
    /// Called once for each [`started`](Self::started), whatever happens to the request.
    fn ended(&self, endpoint: usize, ending: &Ending) {
        let _ = (endpoint, ending);
    }
}

/// How it went with a request to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It was answered.
    #[non_exhaustive]
    Answered {
        /// The status of the answer. `None` for a connection that is passed on.
        status: Option<StatusCode>,
        /// From the choice of the endpoint to the head of the answer, or to a connection that is
        /// open.
        head_time: Duration,
    },
    /// It could not be sent, or was not answered.
    #[non_exhaustive]
    Failed {
        /// The stable code of the error, such as `upstream_connect`.
        code: &'static str,
        /// From the choice of the endpoint to the failure.
        after: Duration,
    },
    /// It was given up before there was an answer: the client left, the time for the whole request
    /// was up, or the connection that was to carry it had been closed meanwhile.
    #[non_exhaustive]
    Abandoned {
        /// From the choice of the endpoint to the end.
        after: Duration,
    },
}

impl Ending {
    /// An answer came.
    #[must_use]
    pub const fn answered(status: Option<StatusCode>, head_time: Duration) -> Self {
        Self::Answered { status, head_time }
    }

    /// None came.
    #[must_use]
    pub const fn failed(code: &'static str, after: Duration) -> Self {
        Self::Failed { code, after }
    }

    /// Nobody waited for one.
    #[must_use]
    pub const fn abandoned(after: Duration) -> Self {
        Self::Abandoned { after }
    }

    /// Whether the endpoint is to blame: there was no answer, or one of the 5xx.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        match self {
            Self::Answered { status, .. } => status.is_some_and(|status| status.is_server_error()),
            Self::Failed { .. } => true,
            Self::Abandoned { .. } => false,
        }
    }
}
