//! Feeds invented bytes to the checks of the wire and of the data plane.

#[path = "../../crates/portway-core/tests/corpus/targets/mod.rs"]
mod data_plane;
#[path = "../../crates/portway-http1/tests/corpus/targets/mod.rs"]
mod targets;

/// Runs the check of a target.
///
/// # Panics
/// When something does not hold.
pub fn check(target: &str, input: &[u8]) {
    let mut all = targets::TARGETS.iter().chain(&data_plane::TARGETS);
    let (_, check) = all.find(|(name, _)| *name == target).expect("a target's name");
    check(input);
}
