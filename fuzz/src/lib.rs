//! Feeds invented bytes to the checks of portway-http1.

#[path = "../../crates/portway-http1/tests/corpus/targets/mod.rs"]
mod targets;

/// Runs the check of a target.
///
/// # Panics
/// When something does not hold.
pub fn check(target: &str, input: &[u8]) {
    let found = targets::TARGETS.iter().find(|(name, _)| *name == target);
    let (_, check) = found.expect("a target's name");
    check(input);
}
