//! Output snapshots: what a command prints is compared with a committed file. With
//! `UPDATE_GOLDEN=1` the files are written anew.

use std::{
    env, fs,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Where commands run: the files they name are here.
pub(crate) const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/files");
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/golden");

/// `portway` with these arguments and no environment but this.
pub(crate) fn portway(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portway"));
    command.args(arguments).env_clear().envs(environment.iter().copied());
    command.current_dir(FILES).stdin(Stdio::null());
    command
}

/// Runs `portway` and compares what it prints with `golden/<name>.txt`.
pub(crate) fn snapshot(name: &str, arguments: &[&str]) {
    snapshot_with(name, arguments, &[]);
}

/// The same, in an environment.
pub(crate) fn snapshot_with(name: &str, arguments: &[&str], environment: &[(&str, &str)]) {
    let output =
        portway(arguments, environment).output().expect("portway was built and can be started");
    let variables = environment.iter().map(|(name, value)| format!("{name}={value} "));
    let line = [&["portway"], arguments].concat().join(" ");
    let shown = format!("$ {}{line}\n{}", variables.collect::<String>(), shown(&output));

    let path = Path::new(GOLDEN).join(name).with_extension("txt");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, shown).expect("the folder is part of the repository");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let path = path.display();
    assert_eq!(shown, expected, "{path} (UPDATE_GOLDEN=1 writes it anew)");
}

fn shown(output: &Output) -> String {
    let code = output.status.code().map_or_else(|| "none".to_owned(), |code| code.to_string());
    let mut text = format!("exit code {code}\n");
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if !bytes.is_empty() {
            text += &format!("--- {name}\n{}", masked(bytes));
        }
    }
    text
}

/// Without what is another at the next release.
fn masked(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace(env!("CARGO_PKG_VERSION"), "[version]")
}
