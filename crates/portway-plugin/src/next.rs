//! The rest of a chain, as a plugin sees it.

use crate::{BoxFuture, Exchange, Host, RefusedNote, Request, Response, Result};

/// What comes after a plugin: the narrower plugins, then the target. A copy is as good as the
/// original, so a request that can be [cloned](crate::RequestExt::try_clone) may be run again.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    chain: &'a (dyn Chain + 'a),
    exchange: &'a Exchange<'a>,
    at: usize,
}

/// The steps of one request's chain. Whoever hosts plugins implements it.
pub trait Chain: Send + Sync {
    /// Runs step `at` and all that follow it. There is one step more than there are plugins: the
    /// last one is the target.
    fn run<'a>(
        &'a self,
        at: usize,
        request: Request,
        exchange: &'a Exchange<'a>,
    ) -> BoxFuture<'a, Result<Response>>;

    /// What the gateway does for the plugin of step `at`.
    fn host(&self, at: usize) -> &Host;

    /// Hears how the plugin of step `at` ended.
    fn ended(&self, at: usize, result: &Result<Response>, panicked: bool);
}

impl<'a> Next<'a> {
    /// The chain from step `at` on.
    #[must_use]
    pub fn new(chain: &'a (dyn Chain + 'a), exchange: &'a Exchange<'a>, at: usize) -> Self {
        Self { chain, exchange, at }
    }

    /// Sends the request on, and brings the head of the answer.
    ///
    /// # Errors
    /// What went wrong on the way: of a narrower plugin, of the target, or because an earlier run
    /// of the same request is still under way.
    pub fn run(self, request: Request) -> BoxFuture<'a, Result<Response>> {
        self.chain.run(self.at, request, self.exchange)
    }

    /// What is known of the request.
    #[must_use]
    pub fn exchange(self) -> &'a Exchange<'a> {
        self.exchange
    }

    /// What the gateway does for this plugin.
    #[must_use]
    pub fn host(self) -> &'a Host {
        self.chain.host(self.plugin())
    }

    /// Adds a note to the access record of the request, under the plugin's name: `limit` of
    /// `rate-limit` is recorded as `rate-limit.limit`. A second note of the same key takes the
    /// place of the first.
    ///
    /// # Errors
    /// The note is too large, or there are too many.
    pub fn note(self, key: &str, value: impl Into<String>) -> Result<(), RefusedNote> {
        let plugin = self.host().plugin();
        self.exchange.notes().add(plugin, key, value.into())
    }

    /// The step of the plugin that holds this.
    pub(crate) fn plugin(self) -> usize {
        self.at.saturating_sub(1)
    }

    pub(crate) fn chain(self) -> &'a (dyn Chain + 'a) {
        self.chain
    }
}

impl std::fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Next").field("at", &self.at).finish_non_exhaustive()
    }
}
