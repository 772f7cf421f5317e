//! The admin API: every resource of the gateway, changed while traffic flows.
//!
//! This crate turns HTTP into changes and back. It decides who may ask (`access`), but never what
//! a configuration means: that is `portway-config`'s, and what is served is `portway-core`'s.

pub mod access;
