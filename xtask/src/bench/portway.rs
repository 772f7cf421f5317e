//! Portway and the floor, built from this workspace.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::bail;
use cargo_metadata::Metadata;

use super::case::{Case, Form};
use super::contender::{Contender, Place, Role};
use super::machine::version;
use super::progress::Progress;
use super::template::fill;
use crate::workspace;

/// The routes of the large configuration.
const MANY: usize = 10_000;

/// Builds the floor as it would be released.
pub(crate) fn floor(progress: &Progress) -> anyhow::Result<Contender> {
    let program = build("portway-bench-floor", "floor", progress)?;
    Ok(Contender {
        name: "floor".to_owned(),
        role: Role::Floor,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        // It knows neither TLS nor connections that change their protocol.
        takes_part: |case| case.form() == Form::Plain,
        prepare: Box::new(move |place| {
            let mut command = Command::new(&program);
            command.arg(place.listen.to_string()).arg(place.upstream.to_string());
            Ok(command)
        }),
    })
}

/// Builds Portway as it is released; it runs with one route and, in one case, with many.
pub(crate) fn portway(progress: &Progress) -> anyhow::Result<Vec<Contender>> {
    let program = build("portway-cli", "portway", progress)?;
    let (many, bare) = (program.clone(), program.clone());
    let version = version(Command::new(&program).arg("version"))?;
    Ok(vec![
        Contender {
            name: "portway".to_owned(),
            role: Role::Portway,
            version: version.clone(),
            takes_part: |_| true,
            prepare: Box::new(move |place| one_route(&program, place)),
        },
        Contender {
            name: "portway, no plugins".to_owned(),
            role: Role::Portway,
            version: version.clone(),
            takes_part: |case| case.form().works_on_requests(),
            prepare: Box::new(move |place| {
                one_route(&bare, &Place { form: Form::Plain, folder: place.folder, ..*place })
            }),
        },
        Contender {
            name: "portway, 10 000 routes".to_owned(),
            role: Role::Portway,
            version,
            takes_part: |case| case == Case::Routes10k,
            prepare: Box::new(move |place| many_routes(&many, place)),
        },
    ])
}

/// Another executable of Portway, to be compared with the one of this workspace.
pub(crate) fn other(program: &Path) -> anyhow::Result<Contender> {
    let program = std::path::absolute(program)?;
    Ok(Contender {
        name: format!("portway at {}", program.display()),
        role: Role::Portway,
        version: version(Command::new(&program).arg("version"))?,
        takes_part: |_| true,
        prepare: Box::new(move |place| one_route(&program, place)),
    })
}

/// Builds the ends of the benchmark: clients and an upstream that no tool at hand offers.
pub(crate) fn ends(progress: &Progress) -> anyhow::Result<()> {
    build("portway-bench-ends", "ends", progress).map(drop)
}

/// Where the executable of the last release build is. Cargo is asked once: nothing else should run
/// while a program is measured.
pub(crate) fn released(name: &str) -> anyhow::Result<PathBuf> {
    static METADATA: OnceLock<Metadata> = OnceLock::new();
    let metadata = match METADATA.get() {
        Some(metadata) => metadata,
        None => {
            let asked = workspace::metadata()?;
            METADATA.get_or_init(|| asked)
        }
    };
    Ok(workspace::executable(metadata, "release", name))
}

/// The command for a gateway with one route that every path of the benchmark matches.
pub(crate) fn one_route(program: &Path, place: &Place<'_>) -> anyhow::Result<Command> {
    let file = fill("portway/portway.yaml", place)?;
    Ok(run(program, &file))
}

/// The command for a gateway with ten thousand routes, one of them for each group of paths.
pub(crate) fn many_routes(program: &Path, place: &Place<'_>) -> anyhow::Result<Command> {
    let file = fill("portway/portway.yaml", place)?;
    let mut text = std::fs::read_to_string(&file)?;
    // The template ends with the list of routes: one for the cases, the others for the crowd.
    for number in 0..MANY - 1 {
        writeln!(
            text,
            "      - {{name: group-{number}, match: {{path: \"/bench/group-{number}/items/{{id}}\"}}}}"
        )?;
    }
    std::fs::write(&file, text)?;
    Ok(run(program, &file))
}

/// Where the template puts the probes.
pub(crate) fn probes(place: &Place<'_>) -> SocketAddr {
    place.side
}

fn run(program: &Path, file: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("run").arg(file);
    command
}

/// Builds an executable of this workspace as it would be released.
pub(crate) fn build(package: &str, program: &str, progress: &Progress) -> anyhow::Result<PathBuf> {
    progress.line(&format!("building {program} (release)"));
    let status = workspace::cargo()
        .args(["build", "--release", "--quiet", "--package", package])
        .status()?;
    if !status.success() {
        bail!("the release build of {package} failed");
    }
    released(program)
}
