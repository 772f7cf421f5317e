//! Connections of another server: it may give one up once it has sent a 101.

use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::io::{AsyncRead, AsyncWrite};

use super::tunnel::Side;

/// A connection that its server gives up once it has sent a 101: put into the extensions of a
/// request in HTTP/1.1 by whoever hosts a [`Gateway`](crate::Gateway), so that WebSocket and other
/// upgrades pass. Without it, a request for an upgrade is forwarded without that wish.
#[derive(Clone)]
pub struct Upgradable(Arc<Mutex<Option<Opening>>>);

/// The bytes of a connection, as soon as they are the gateway's.
type Opening = Pin<Box<dyn Future<Output = io::Result<Box<dyn Side>>> + Send>>;

impl Upgradable {
    /// A connection that is given up by `opening`, which ends when the 101 was sent, and fails when
    /// none will be.
    pub fn new<S>(opening: impl Future<Output = io::Result<S>> + Send + 'static) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let opening = async move { Ok(Box::new(opening.await?) as Box<dyn Side>) };
        Self(Arc::new(Mutex::new(Some(Box::pin(opening)))))
    }

    /// Takes it. There is one tunnel on a connection.
    pub(super) fn take(&self) -> Option<Opening> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Upgradable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgradable").finish_non_exhaustive()
    }
}
