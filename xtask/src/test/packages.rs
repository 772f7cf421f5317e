//! Programs that the tests run and that come from Debian's packages. As root on Debian they are
//! installed without asking; elsewhere one line says what is missing. Nothing is ever left running.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use super::log::Log;

/// A Debian package and why a test cannot do without it.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    package: &'static str,
    /// The program that shows it is there, wherever it came from.
    program: &'static str,
    /// The service it would start when installed.
    service: Option<&'static str>,
    reason: &'static str,
}

/// All that the tests want.
const WANTED: &[Wanted] = &[Wanted {
    package: "nginx",
    program: "nginx",
    service: Some("nginx"),
    reason: "a server that is not ours, as an upstream of the end-to-end tests",
}];

/// Where Debian keeps programs for root; a user's `PATH` often lacks the last two.
const ALSO_IN: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Makes sure that everything wanted is installed.
pub(super) fn ensure(log: &mut Log) -> anyhow::Result<()> {
    let missing: Vec<Wanted> =
        WANTED.iter().filter(|wanted| find(wanted.program).is_none()).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    for wanted in &missing {
        log.line(&format!("{}: {}", wanted.package, wanted.reason));
    }
    if !is_root() || find("apt-get").is_none() {
        bail!("{}", advice(&missing));
    }
    install(log, &missing)?;
    match missing.iter().find(|wanted| find(wanted.program).is_none()) {
        None => Ok(()),
        Some(wanted) => bail!("{} installed no program {}", wanted.package, wanted.program),
    }
}

/// One line for those whom we cannot help.
fn advice(missing: &[Wanted]) -> String {
    format!(
        "missing: {0}; `sudo apt-get install {0}` or your system's way to get it",
        list(missing)
    )
}

fn list(wanted: &[Wanted]) -> String {
    wanted.iter().map(|wanted| wanted.package).collect::<Vec<_>>().join(" ")
}

fn install(log: &mut Log, missing: &[Wanted]) -> anyhow::Result<()> {
    let services: Vec<&str> = missing.iter().filter_map(|wanted| wanted.service).collect();
    let before = running(&services);
    for service in &services {
        forbid_start(log, service)?;
    }
    let installed = apt_install(log, missing).or_else(|_| {
        log.line("no package lists, or old ones: renewing them");
        log.run(apt(&["update"]))?;
        apt_install(log, missing)
    });
    for service in &services {
        keep_stopped(log, service)?;
    }
    installed.with_context(|| advice(missing))?;
    let started: Vec<u32> = running(&services).difference(&before).copied().collect();
    if !started.is_empty() {
        bail!("the installation left processes running that hold ports: {started:?}");
    }
    Ok(())
}

fn apt_install(log: &mut Log, missing: &[Wanted]) -> anyhow::Result<()> {
    let mut command = apt(&["install", "--yes", "--no-install-recommends"]);
    command.args(missing.iter().map(|wanted| wanted.package));
    log.run(command)
}

/// `apt-get` that asks nothing. Without systemd, Debian starts a new service only when the current
/// run level lists it; in run level 1, rescue, nothing is listed.
fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(["-q", "-o", "DPkg::Lock::Timeout=300"]).args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1").env("PREVLEVEL", "N");
    command
}

/// Under systemd a masked unit cannot be started by the installation.
fn forbid_start(log: &mut Log, service: &str) -> anyhow::Result<()> {
    if !has_systemd() {
        return Ok(());
    }
    let mut command = Command::new("systemctl");
    command.args(["mask", &format!("{service}.service")]);
    log.run(command)
}

/// Leaves the service as a person would want it: theirs to start, not started at the next boot.
fn keep_stopped(log: &mut Log, service: &str) -> anyhow::Result<()> {
    if has_systemd() {
        let mut command = Command::new("systemctl");
        command.args(["unmask", &format!("{service}.service")]);
        log.run(command)?;
    }
    if Path::new("/etc/init.d").join(service).exists() {
        let mut command = Command::new("update-rc.d");
        command.args([service, "disable"]);
        log.run(command)?;
    }
    Ok(())
}

fn has_systemd() -> bool {
    Path::new("/run/systemd/system").exists()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The processes whose program has one of these names.
fn running(names: &[&str]) -> BTreeSet<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| {
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        names.contains(&name.trim())
    })
    .collect()
}

/// The program's path, looked up as a shell would, and where Debian keeps programs for root.
fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(ALSO_IN.iter().map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_where_a_shell_finds_them() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program-anywhere"), None);
    }

    #[test]
    fn the_advice_names_everything_in_one_line() {
        let two = [
            Wanted { package: "nginx", program: "nginx", service: None, reason: "upstream" },
            Wanted { package: "haproxy", program: "haproxy", service: None, reason: "peer" },
        ];
        assert_eq!(
            advice(&two),
            "missing: nginx haproxy; `sudo apt-get install nginx haproxy` or your system's way to \
             get it"
        );
    }

    #[test]
    fn apt_asks_nothing_and_starts_nothing() {
        let command = apt(&["update"]);
        let set = |name: &str, value: &str| {
            command.get_envs().any(|(key, set)| key == name && set.is_some_and(|set| set == value))
        };
        assert!(set("DEBIAN_FRONTEND", "noninteractive"));
        assert!(set("RUNLEVEL", "1"));
    }

    #[test]
    fn running_processes_are_found_by_name() {
        let mut child = Command::new("sleep").arg("30").spawn().unwrap();
        let found = running(&["sleep"]).contains(&child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found);
        assert!(running(&["no-such-program"]).is_empty());
    }
}
