//! Room for `portway`.
