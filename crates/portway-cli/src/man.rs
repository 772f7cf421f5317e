//! `portway man`.

use std::{fs, process::ExitCode};

use anyhow::Context;
use clap::CommandFactory;

use crate::{
    args::{Cli, Man},
    terminal::print,
};

pub(crate) fn man(args: &Man) -> anyhow::Result<ExitCode> {
    let folder = args.folder.display();
    fs::create_dir_all(&args.folder).with_context(|| format!("cannot make {folder}"))?;
    // The nouns are left out of the overview, where they would hide the rest.
    let command = Cli::command().mut_subcommands(|one| {
        let is_for_documentation = one.get_name() == "metrics";
        one.hide(is_for_documentation)
    });
    let written = clap_mangen::generate_to(command, &args.folder);
    written.with_context(|| format!("cannot write to {folder}"))?;
    print(&format!("{folder}: portway.1 and one page for each command\n"))?;
    Ok(ExitCode::SUCCESS)
}
