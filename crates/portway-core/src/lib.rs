//! Room for `portway-core`.
