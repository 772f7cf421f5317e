//! What fuzzing has found worth keeping, replayed. The folders under `fuzz/corpus` are the inputs
//! of each target; `CONTRIBUTING.md` says how they are made.

mod targets;

use std::{fs, panic, path::Path};

use targets::TARGETS;

#[test]
fn what_was_kept_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, check) in TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(root.join(name)).expect("a corpus for each target") {
            let path = entry.expect("a readable folder").path();
            let input = fs::read(&path).expect("a readable input");
            // Each in other splits too, which costs little.
            for seed in [None, Some(0), Some(7), Some(0xff)] {
                let mut input = input.clone();
                if let (Some(byte), Some(seed)) = (input.get_mut(1), seed) {
                    *byte = seed;
                }
                let held = panic::catch_unwind(|| check(&input));
                assert!(held.is_ok(), "{} with seed {seed:?}", path.display());
            }
            count += 1;
        }
        assert!(count >= 20, "{name} has only {count} inputs");
    }
}
