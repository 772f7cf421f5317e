//! Where the workspace is.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The folder that holds the root `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("xtask is a folder of the workspace").to_path_buf()
}

/// Prints the folder of the workspace.
pub(crate) fn print_root() -> anyhow::Result<ExitCode> {
    println!("{}", root().display());
    Ok(ExitCode::SUCCESS)
}
