//! How long a route or a listener is part of the configuration.

use std::future::Future;

use tokio::sync::watch;

/// Lives from the revision that brought a resource to the end of the drain time after the
/// revision that removed it. Carried over by every revision in between.
#[derive(Debug)]
pub(crate) struct Life(watch::Sender<bool>);

impl Life {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Ends it: streams that still depend on it are cut.
    pub(crate) fn end(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn has_ended(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when it has ended.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut life = self.0.subscribe();
        async move {
            // An error means that the last snapshot that knew of it is gone.
            let _ = life.wait_for(|ended| *ended).await;
        }
    }
}
