//! Room for `portway-config`.
