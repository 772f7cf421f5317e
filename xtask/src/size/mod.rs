//! `cargo xtask size`: how large the shipped executable is, and how large the smallest useful program
//! on the library is, without TLS and with it, and how long that takes to build. It prints and
//! judges nothing, but the small programs must serve.
//!
//! By hand, not in the gate: a build with other features is another build of all dependencies.

mod smallest;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context, bail};

use crate::workspace;

/// What may be said after `cargo xtask size`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The smallest programs alone
    #[arg(long)]
    smallest: bool,
}

/// Builds the executable as it is shipped, and the smallest programs, and prints their sizes.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if !options.smallest {
        let file = workspace::shipped()?;
        println!("executable  {}", file.display());
        println!("stripped    {}", size(&file)?);
        println!("crates      {}", crates("portway-cli", &[])?);
    }
    smallest::measure()?;
    Ok(ExitCode::SUCCESS)
}

fn size(file: &Path) -> anyhow::Result<String> {
    let bytes = fs::metadata(file).with_context(|| format!("no {}", file.display()))?.len();
    Ok(format!("{} ({bytes} bytes)", megabytes(bytes)))
}

/// How many crates a package is built from on this platform, without tests and build scripts.
fn crates(package: &str, features: &[&str]) -> anyhow::Result<usize> {
    let mut tree: Command = workspace::cargo();
    tree.args(["tree", "--locked", "--package", package, "--edges", "normal"]).args(features);
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
