//! The keys for the tokens of the admin API: each is one.

use portway_plugin::credential::{JwtKeySpec, Key};

use super::Findings;

pub(super) fn check(keys: &[JwtKeySpec], findings: &mut Findings) {
    for (at, key) in keys.iter().enumerate() {
        let Err(problem) = Key::of(key) else { continue };
        let dot = if problem.path.is_empty() { "" } else { "." };
        let path = format!("admin.access.jwt.keys[{at}]{dot}{}", problem.path);
        findings.problem(problem.at(path));
    }
}
