//! The automation of this repository, reached as `cargo xtask`: everything a person or a build
//! machine does beyond `cargo build`. It never becomes part of the product: no crate depends on it.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod workspace;

/// The automation of the Portway repository.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

/// One line per task; each lives in a module of the same name.
#[derive(Debug, Subcommand)]
enum Task {
    /// Print the folder of the workspace
    #[command(hide = true)]
    Root,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Root => workspace::print_root(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
