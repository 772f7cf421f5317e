//! How long a route or a listener is part of the configuration.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

/// Lives from the revision that brought a resource to the end of the drain time after the
/// revision that removed it, or to the last snapshot that knew of it. Carried over by every revision
/// in between. There is one for each route, so it is small: its end is made when somebody waits for
/// it.
#[derive(Debug)]
pub(crate) struct Life(OnceLock<Arc<End>>);

#[derive(Debug, Default)]
struct End {
    has_come: AtomicBool,
    came: Notify,
}

impl Life {
    pub(crate) fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Ends it: streams that still depend on it are cut.
    pub(crate) fn end(&self) {
        let end = self.0.get_or_init(Arc::default);
        end.has_come.store(true, Ordering::Release);
        end.came.notify_waiters();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.0.get().is_some_and(|end| end.has_come.load(Ordering::Acquire))
    }

    /// Resolves when it has ended.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let end = Arc::clone(self.0.get_or_init(Arc::default));
        async move {
            let mut came = pin!(end.came.notified());
            // Who is told from now on need not have been polled.
            came.as_mut().enable();
            if !end.has_come.load(Ordering::Acquire) {
                came.await;
            }
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // Nobody waits for an end that was not made.
        if self.0.get().is_some() {
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_hears_of_the_end_and_whoever_comes_later() {
        let life = Life::new();
        let waiting = tokio::spawn(life.ended());
        tokio::task::yield_now().await;
        assert!(!life.has_ended() && !waiting.is_finished());
        let early = life.ended();
        life.end();
        waiting.await.unwrap();
        early.await;
        life.ended().await;
        assert!(life.has_ended());
    }

    #[tokio::test]
    async fn what_nobody_knows_of_any_more_has_ended() {
        let life = Life::new();
        let waiting = tokio::spawn(life.ended());
        tokio::task::yield_now().await;
        drop(life);
        waiting.await.unwrap();
    }
}
