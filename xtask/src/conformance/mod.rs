//! Programs of others that judge what the gateway speaks: h2spec for HTTP/2, sslyze for TLS,
//! schemathesis for the admin API. They are fetched at pinned versions into the target folder, once,
//! and run against the executable of the dev build. Nothing here judges speed, and nothing leaves
//! the machine once they are there.

mod administered;
mod gateway;
mod h2spec;
mod python;
mod report;
mod schemathesis;
mod sslyze;

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::workspace;

/// What may be said after `cargo xtask h2spec`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often everything is run over each transport
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// `cargo xtask h2spec`: builds the gateway and runs h2spec again and again.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    succeeds(&mut workspace::build_executables())?;
    let faults = h2spec(options.rounds, &mut |line| println!("{line}"))?;
    faults.iter().for_each(|fault| println!("{fault}"));
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs h2spec so many times over each transport, against the gateway that is built; returns what
/// is not as `docs/http2.md` says.
pub(crate) fn h2spec(rounds: u32, say: &mut dyn FnMut(&str)) -> anyhow::Result<Vec<String>> {
    let program = h2spec::ensure(say)?;
    runtime()?.block_on(h2spec::run(&program, rounds, say))
}

/// Lets sslyze look at a listener with TLS that has no setting but its certificate; returns what
/// is not as Mozilla's intermediate recommendation says.
pub(crate) fn sslyze(say: &mut dyn FnMut(&str)) -> anyhow::Result<Vec<String>> {
    let program = sslyze::PROGRAM.ensure(say)?;
    runtime()?.block_on(sslyze::run(&program))
}

/// Lets schemathesis try the admin API by the API's own `OpenAPI` document; returns where the two
/// differ.
pub(crate) fn schemathesis(say: &mut dyn FnMut(&str)) -> anyhow::Result<Vec<String>> {
    let program = schemathesis::PROGRAM.ensure(say)?;
    runtime()?.block_on(schemathesis::run(&program, say))
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Runs a command to its end; its output is shown only when it fails.
fn succeeds(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
