//! Commands that ask a running gateway, by its admin API.
//!
//! A command is told what is meant ([`args`]), finds out which gateway is meant and who asks
//! ([`connect`]), asks it ([`client`]), and shows the answer ([`show`]). Whatever the gateway can
//! say for itself is asked of it: its kinds of resources, their schemas, what is wrong with a
//! change. Nothing is checked here that the gateway checks, and no secret is ever printed but a
//! token that was just made.

pub(crate) mod args;
mod client;
mod connect;
mod files;
mod kinds;
mod pairs;
mod progress;
mod run;
mod show;

use std::process::ExitCode;

use tokio::runtime;

pub(crate) use self::client::Failure;
use crate::terminal;

/// Does what the command says. A refusal is told as such, with its own exit code.
pub(crate) fn remote(command: &args::Command) -> anyhow::Result<ExitCode> {
    // Threads that wait for a keyboard or for a slow name server must not hold up the end.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(run::run(command));
    runtime.shutdown_background();
    done.or_else(|error| match error.downcast::<Failure>() {
        Ok(failure) => Ok(terminal::refused(&failure)),
        Err(other) => Err(other),
    })
}
