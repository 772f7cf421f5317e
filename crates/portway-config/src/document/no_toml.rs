//! What stands in the place of TOML in a build without it.

use portway_plugin::Problem;

use super::{Flaw, Mark, Node};

pub(super) fn parse(_: &str) -> Result<Node, Vec<Flaw>> {
    let problem = Problem::new("not_in_this_build", "this build does not read TOML");
    let problem = problem.hint("build portway with the feature toml, or write YAML");
    Err(vec![Flaw::new(problem, Mark { line: 1, column: 1 })])
}
