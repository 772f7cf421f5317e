//! From a source of configuration to a gateway that serves, in one line.

use std::{future::Future, path::PathBuf};

use portway_config::{Config, Source};

use crate::{Builder, Gateway, Problems};

/// Serves what `source` says until `shutdown` is over; then finishes what is in flight. Returns
/// whether everything could. For more than one source, plugins or routes in Rust there is
/// [`Builder::source`].
///
/// ```
/// use portway::{build::{Listener, Route, Service}, config::Config, source};
///
/// # async fn serve(stop: tokio::sync::oneshot::Receiver<()>) -> Result<(), portway::Problems> {
/// # let configurations = futures_util::stream::empty::<Config>();
/// let registry = source::stream("registry", configurations);
/// portway::startup(registry, async move { drop(stop.await) }).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// All that is wrong at the start. Then nothing was opened.
pub async fn startup(
    source: impl Source + 'static,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<bool, Problems> {
    serve(Gateway::builder().source(source), shutdown).await
}

/// The same for a file, or all files in a directory, which are followed.
///
/// # Errors
/// All that is wrong at the start. Then nothing was opened.
pub async fn startup_file(
    path: impl Into<PathBuf>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<bool, Problems> {
    serve(Gateway::builder().file(path), shutdown).await
}

/// The same for one configuration, which stays. It is the program's own: where it leaves the probes or
/// the access log as they are by default, there are none.
///
/// # Errors
/// All that is wrong at the start. Then nothing was opened.
pub async fn startup_static(
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<bool, Problems> {
    serve(Gateway::builder().configure(|own| *own = config), shutdown).await
}

/// The same for the store in a directory, which the admin API changes. It listens as `admin` in a
/// configuration does by default, on loopback alone. There are no probes and no access log.
///
/// # Errors
/// All that is wrong at the start. Then nothing was opened.
#[cfg(feature = "admin")]
pub async fn startup_store(
    directory: impl Into<PathBuf>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<bool, Problems> {
    let directory = directory.into();
    let builder = Gateway::builder().configure(|config| {
        config.admin.enabled = true;
        config.store.directory = Some(directory.to_string_lossy().into_owned());
    });
    serve(builder, shutdown).await
}

async fn serve(
    builder: Builder,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<bool, Problems> {
    builder.build()?.serve([], shutdown).await
}
