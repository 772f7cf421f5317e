//! Which build this is. The build script finds it out.

use portway::BuildInfo;

/// This executable.
pub(crate) const BUILD: BuildInfo = BuildInfo {
    version: env!("CARGO_PKG_VERSION"),
    commit: env!("PORTWAY_COMMIT"),
    build_time: env!("PORTWAY_BUILD_TIME"),
    rust: env!("PORTWAY_RUST"),
};
