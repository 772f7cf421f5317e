//! A request that is on its way to an endpoint.

use http::StatusCode;

use super::{custom::Running, least_request::Load, least_time::Timing};

/// One request on its way to one endpoint, or one connection; it is over when this is dropped,
/// also because nobody waits for it any more.
#[derive(Debug)]
pub(crate) struct Permit(Kind);

#[derive(Debug)]
enum Kind {
    /// It is counted.
    Load {
        _load: Load,
    },
    Timing(Timing),
    /// On the heap: every request would carry it.
    Running(Box<Running>),
}

impl Permit {
    /// The head of the answer is there, or a connection that is passed on is open.
    pub(crate) fn answered(&mut self, status: Option<StatusCode>) {
        match &mut self.0 {
            Kind::Load { .. } => {}
            Kind::Timing(timing) => timing.answered(status),
            Kind::Running(running) => running.answered(status),
        }
    }

    /// There will be no answer, and the endpoint is to blame. `code` is that of the error.
    pub(crate) fn failed(&mut self, code: &'static str) {
        match &mut self.0 {
            Kind::Load { .. } => {}
            Kind::Timing(timing) => timing.failed(),
            Kind::Running(running) => running.failed(code),
        }
    }
}

impl From<Load> for Permit {
    fn from(load: Load) -> Self {
        Self(Kind::Load { _load: load })
    }
}

impl From<Timing> for Permit {
    fn from(timing: Timing) -> Self {
        Self(Kind::Timing(timing))
    }
}

impl From<Running> for Permit {
    fn from(running: Running) -> Self {
        Self(Kind::Running(Box::new(running)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Every exchange has room for one.
    #[test]
    fn it_is_small() {
        assert!(size_of::<Option<Permit>>() <= 3 * size_of::<Arc<()>>());
    }
}
