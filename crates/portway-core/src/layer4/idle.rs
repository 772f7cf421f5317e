//! Notices that nothing passes any more.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::sleep;

/// Whether anything has passed since it was last asked.
#[derive(Debug, Default)]
pub(crate) struct Movement(AtomicBool);

impl Movement {
    /// Something passes.
    pub(crate) fn note(&self) {
        self.0.store(true, Relaxed);
    }

    /// Resolves once nothing has passed for between one and two periods: a period in which
    /// something passed is followed by a whole new one, so that bytes cost no clock.
    pub(crate) async fn ceased(&self, period: Option<Duration>) {
        let Some(period) = period else { return std::future::pending().await };
        loop {
            sleep(period).await;
            if !self.0.swap(false, Relaxed) {
                return;
            }
        }
    }
}
