//! The automation of this repository, reached as `cargo xtask`: everything a person or a build
//! machine does beyond `cargo build`. It never becomes part of the product: no crate depends on it.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod changes;
mod conformance;
mod demo;
mod generate;
mod rules;
mod size;
mod soak;
mod test;
mod workspace;

/// The automation of the Portway repository. Two tasks do all the set-up on a fresh machine:
/// `cargo xtask demo` to see the gateway work, `cargo xtask test` to check a change.
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
    /// Build the gateway, start it on an example with upstreams, and say what to try
    Demo,
    /// Run every check of the gate: format, rules, clippy, docs, tests
    Test(test::Args),
    /// Write the committed files that the product generates: schema and references
    Generate,
    /// Measure Portway side by side with the floor and its peers
    Bench(bench::Options),
    /// Run h2spec against HTTP/2 of the gateway, again and again, over TLS and without
    #[command(name = "h2spec")]
    H2spec(conformance::Options),
    /// Build the executable as it is shipped and the smallest program on the library, and print
    /// their sizes
    Size(size::Options),
    /// Measure how fast the executable takes changes with many routes
    Changes(changes::Options),
    /// Load the executable for long, with reloads; by hand, before a release
    Soak(soak::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Demo => demo::run(),
        Task::Test(args) => test::run(&args),
        Task::Generate => generate::run(),
        Task::Bench(options) => bench::run(&options),
        Task::H2spec(options) => conformance::run(&options),
        Task::Size(options) => size::run(&options),
        Task::Changes(options) => changes::run(&options),
        Task::Soak(options) => soak::run(&options),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_stage_that_does_not_exist_is_refused() {
        assert!(Cli::try_parse_from(["cargo xtask", "test", "arrows", "format"]).is_ok());
        let error = Cli::try_parse_from(["cargo xtask", "test", "spelling"]).unwrap_err();
        assert!(error.to_string().contains("arrows"), "{error}");
    }
}
