//! Room for `portway-testkit`.
