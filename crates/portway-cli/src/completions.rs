//! `portway completions`.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::{
    args::{Cli, Completions},
    terminal::print,
};

pub(crate) fn completions(args: &Completions) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "portway", &mut script);
    print(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
