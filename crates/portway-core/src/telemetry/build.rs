//! Which build this is.

/// What was built, from what, when, and by which compiler. The executable passes in its own; a
/// program that uses the library passes in its own as well, or takes the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildInfo {
    /// The version, such as `1.4.0`.
    pub version: &'static str,
    /// The commit it was built from.
    pub commit: &'static str,
    /// When it was built, as RFC 3339 writes it.
    pub build_time: &'static str,
    /// The compiler, such as `1.95.0`.
    pub rust: &'static str,
}

impl BuildInfo {
    /// What stands where nothing is known.
    pub const UNKNOWN: &str = "unknown";
}

/// The version of this library; the rest is unknown.
impl Default for BuildInfo {
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: Self::UNKNOWN,
            build_time: Self::UNKNOWN,
            rust: Self::UNKNOWN,
        }
    }
}
