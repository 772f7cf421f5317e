//! What the program that hosts the gateway is told of a request, and what it says in its place.

use std::time::Duration;

use http::StatusCode;
use portway_config::ListenerProtocol;
use portway_plugin::{Error, Response, Side};

use super::Exchange;
use crate::observe::{Event, What};

impl Exchange {
    /// The answer for an error, where the program that hosts the gateway makes it itself. What the
    /// admin API says is the gateway's own.
    pub(crate) fn rendered(&self, error: &Error) -> Option<Response> {
        let hosts = &self.shard.hosts;
        hosts.renderer.as_ref()?;
        let listener = self.view.snapshot.listener(self.listener);
        if listener.is_some_and(|listener| listener.protocol == ListenerProtocol::Admin) {
            return None;
        }
        hosts.render(error, self.request_id.to_str().unwrap_or_default())
    }

    /// Tells the program that hosts the gateway, where it listens.
    fn observe<'a>(&'a self, what: impl FnOnce() -> Option<What<'a>>) {
        let Some(observer) = &self.shard.hosts.observer else { return };
        let Some(what) = what() else { return };
        observer.observe(&Event {
            request_id: self.request_id.to_str().unwrap_or_default(),
            route: self.plan().map(|plan| &*plan.route),
            service: self.upstream().map(|upstream| self.view.service(Some(upstream))),
            what,
        });
    }

    /// A route has taken it, with something before its target or not.
    pub(crate) fn tell_started(&self, chain: bool) {
        self.observe(|| Some(What::Started { method: &self.method, path: self.uri.path(), chain }));
    }

    /// It has ended with an error before any endpoint was chosen.
    pub(crate) fn tell_refused(&self, error: &Error) {
        self.observe(|| match self.tries.endpoint {
            Some(_) => None,
            None if error.side() == Side::Upstream => Some(What::NotDispatched { error }),
            None => Some(What::Refused { error }),
        });
    }

    /// An endpoint has answered, or failed.
    pub(crate) fn tell_asked(&self, outcome: Result<StatusCode, &Error>) {
        self.observe(|| {
            let endpoint = self.endpoint()?;
            let took = self.upstream_took.unwrap_or_default();
            Some(match outcome {
                Ok(status) => What::Answered { endpoint, status, took },
                Err(error) => What::Failed { endpoint, error, took },
            })
        });
    }

    /// It is over.
    pub(super) fn tell_finished(&self, status: u16, bytes_in: u64, took: Duration) {
        let bytes_out = self.bytes_out;
        self.observe(|| Some(What::Finished { status, bytes_in, bytes_out, took }));
    }
}
