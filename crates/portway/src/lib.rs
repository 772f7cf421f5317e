//! The gateway as a library: what the executable `portway` is made of.
//!
//! ```no_run
//! # async fn serve() -> Result<(), Vec<portway::config::Problem>> {
//! // As the executable does: follow a file until SIGTERM.
//! portway::Builder::new().serve_file("gateway.yaml".as_ref()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! A program that makes its configuration itself starts a [`Server`] with it and changes it with
//! [`Server::apply`]; one that hosts the data plane on sockets of its own takes
//! [`Server::gateway`], which is a tower service.
//!
//! | module | what is in it |
//! |---|---|
//! | [`config`] | resources, loading and checking; pure |
//! | [`plugin`] | the contract for code that runs inside |
//! | [`plugins`] | the plugins that are there already |
//! | [`source`] | where configuration comes from |
//! | [`explain`] | what a configuration does, told to people |
//! | [`telemetry`] | logs and metrics |
//!
//! There is almost no code here: this crate names what a program may rely on.

mod admin;
mod builder;
mod signals;

pub use builder::Builder;
pub use portway_config as config;
pub use portway_core::{
    ClientAddr, Gateway, Options, Server, Stop, explain, run, source, telemetry,
    telemetry::BuildInfo, verify,
};
pub use portway_plugin as plugin;
pub use portway_plugins as plugins;

/// The code of the guide is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/first-plugin.md")]
struct FirstPlugin;
