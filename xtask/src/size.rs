//! `cargo xtask size`: how large the shipped executable is and how many crates it is made of. It
//! prints and judges nothing.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, ExitCode},
};

use anyhow::{Context, bail};

use crate::workspace;

/// Builds the executable as it is shipped and prints its size.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let build = ["build", "--release", "--locked", "--package", "portway-cli"];
    let status = workspace::cargo().args(build).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the release build failed");
    }
    let metadata = workspace::metadata()?;
    let file = workspace::executable(&metadata, "release", "portway");
    let bytes = fs::metadata(&file).with_context(|| format!("no {}", file.display()))?.len();
    println!("executable  {}", file.display());
    println!("stripped    {} ({bytes} bytes)", megabytes(bytes));
    println!("crates      {}", crates()?);
    Ok(ExitCode::SUCCESS)
}

/// How many crates the executable is built from on this platform, without tests and build scripts.
fn crates() -> anyhow::Result<usize> {
    let mut tree: Command = workspace::cargo();
    tree.args(["tree", "--locked", "--package", "portway-cli", "--edges", "normal"]);
    tree.args(["--prefix", "none", "--format", "{p}"]);
    let output = tree.output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("`cargo tree` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(distinct(&String::from_utf8_lossy(&output.stdout)))
}

/// Different packages among the lines of `cargo tree`, which marks repeats with `(*)`.
fn distinct(tree: &str) -> usize {
    let packages = tree.lines().map(|line| line.trim_end_matches("(*)").trim());
    packages.filter(|package| !package.is_empty()).collect::<BTreeSet<_>>().len()
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) / 1_000_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_count_once() {
        assert_eq!(
            distinct("portway v0.1.0\nhttp v1.5.0\nbytes v1.12.0\n\nbytes v1.12.0 (*)\n"),
            3
        );
    }

    #[test]
    fn sizes_are_decimal() {
        assert_eq!(megabytes(6_480_123), "6.4 MB");
        assert_eq!(megabytes(99_999), "0.0 MB");
    }
}
