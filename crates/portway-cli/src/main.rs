//! The executable `portway`: one YAML file in, traffic out.
//!
//! It reads its arguments, calls the façade crate `portway`, and says what came of it. It can do
//! nothing that another program could not do with the façade, or with the admin API of a gateway that
//! runs. The exit code is 0 when all went well, 1 when there were problems, 2 when the command line
//! was wrong or a difference was found, 3 when a gateway cannot be reached, 4 when it does not let in
//! who asks.

mod args;
mod build;
mod catalog;
mod check;
mod compatible;
mod completions;
mod echo;
mod hash;
mod locate;
mod man;
mod plugins;
mod remote;
mod routes;
mod run;
mod schema;
mod terminal;
mod version;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

// Measured: fewer instructions per request than the C library's, and memory goes back to the
// system after a peak. Libraries must not choose an allocator, so it is chosen here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = compatible::arguments(std::env::args_os().collect(), &locate::environment());
    let done = match Cli::parse_from(arguments).command {
        Command::Run(run) => run::run(&run),
        Command::Check(check) => check::check(&check),
        Command::Routes(routes) => routes::routes(&routes),
        Command::Hash(hash) => hash::hash(&hash),
        Command::Plugins(plugins) => plugins::plugins(&plugins),
        Command::Schema(schema) => schema::schema(&schema),
        Command::Metrics => schema::metrics(),
        Command::Echo(echo) => echo::echo(&echo),
        Command::Version(version) => version::version(&version),
        Command::Completions(completions) => completions::completions(&completions),
        Command::Man(man) => man::man(&man),
        Command::Remote(command) => remote::remote(&command),
    };
    done.unwrap_or_else(|error| terminal::failed(&error))
}
