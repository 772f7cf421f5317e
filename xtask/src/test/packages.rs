//! Programs that the tests run and that come from Debian's packages. As root on Debian they are
//! installed without asking; elsewhere one line says what is missing. Nothing is ever left running.

use std::{
    env,
    net::{Ipv4Addr, TcpListener},
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
    service: Option<Service>,
    reason: &'static str,
}

/// A service of a package that the tests want only the program of.
#[derive(Debug, Clone, Copy)]
struct Service {
    name: &'static str,
    /// Where it would listen.
    port: u16,
}

/// All that the tests want.
const WANTED: &[Wanted] = &[
    Wanted {
        package: "curl",
        program: "curl",
        service: None,
        reason: "types the lines in the heads of the examples",
    },
    Wanted {
        package: "nginx",
        program: "nginx",
        service: Some(Service { name: "nginx", port: 80 }),
        reason: "a server that is not ours, as an upstream of the end-to-end tests",
    },
    Wanted {
        package: "chromium",
        program: "chromium",
        service: None,
        reason: "a browser that looks at the page of the admin API",
    },
    Wanted {
        package: "golang-go",
        program: "go",
        service: None,
        reason: "builds h2spec, which judges HTTP/2",
    },
    Wanted {
        package: "python3-venv",
        program: "python3",
        service: None,
        reason: "runs sslyze, which judges TLS, and schemathesis, which judges the admin API",
    },
];

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
    let services: Vec<Service> = missing.iter().filter_map(|wanted| wanted.service).collect();
    // A port that somebody holds already is theirs, before and after.
    let (free, _): (Vec<Service>, Vec<Service>) =
        services.iter().partition(|service| is_free(service.port));
    for service in &services {
        forbid_start(log, *service)?;
    }
    let installed = apt_install(log, missing).or_else(|_| {
        log.line("no package lists, or old ones: renewing them");
        log.run(apt(&["update"]))?;
        apt_install(log, missing)
    });
    for service in &services {
        keep_stopped(log, *service)?;
    }
    for service in free.iter().filter(|service| !is_free(service.port)) {
        // A policy of this machine may start what nobody asked it to.
        log.run(command("service", &[service.name, "stop"]))?;
        if !is_free(service.port) {
            bail!("port {} is held by the new service {}", service.port, service.name);
        }
    }
    installed.with_context(|| advice(missing))
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
    command.args(["-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]);
    command.args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1").env("PREVLEVEL", "N");
    command
}

/// Under systemd a masked unit cannot be started by the installation.
fn forbid_start(log: &mut Log, service: Service) -> anyhow::Result<()> {
    if has_systemd() { log.run(command("systemctl", &["mask", service.name])) } else { Ok(()) }
}

/// Leaves the service as a person would want it: theirs to start, not started at the next boot.
fn keep_stopped(log: &mut Log, service: Service) -> anyhow::Result<()> {
    if has_systemd() {
        log.run(command("systemctl", &["unmask", service.name]))?;
    }
    if Path::new("/etc/init.d").join(service.name).exists() {
        log.run(command("update-rc.d", &[service.name, "disable"]))?;
    }
    Ok(())
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn has_systemd() -> bool {
    Path::new("/run/systemd/system").exists()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether nobody listens on a port.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
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
    fn a_port_is_free_until_somebody_listens() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(!is_free(port));
        drop(taken);
        assert!(is_free(port));
    }
}
