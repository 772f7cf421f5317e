//! The admin API: every resource of the gateway, changed while traffic flows.
//!
//! This crate turns HTTP into changes and back. It decides who may ask (`access`), and keeps what
//! was written with its history (`ledger`), but never what a configuration means: that is
//! `portway-config`'s, and what is served is `portway-core`'s.

pub mod access;
mod api;
mod kept_tokens;
pub mod ledger;

pub use api::{Api, Extension, Extensions, Setup, openapi};
pub use kept_tokens::KeptTokens;
