//! Room for `portway-plugin`.
