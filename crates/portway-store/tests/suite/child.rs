//! Tests that need a process of their own start themselves once more, and say so in the
//! environment.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const DIRECTORY: &str = "PORTWAY_STORE_TEST_DIRECTORY";

/// The directory this process works in, if it is a child.
pub(crate) fn directory() -> Option<PathBuf> {
    env::var_os(DIRECTORY).map(PathBuf::from)
}

/// The test `name` once more, as a child that works in `directory`; started by `wrapper`, a
/// program and its arguments, if there is one.
pub(crate) fn command(name: &str, directory: &Path, wrapper: &[&str]) -> Command {
    let this = env::current_exe().unwrap();
    let mut command = match wrapper {
        [] => Command::new(&this),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(&this);
            command
        }
    };
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(DIRECTORY, directory).stdin(Stdio::null());
    command
}
