//! Dependencies are guests: their licences, the crates that are not welcome and why, where they
//! come from, how many versions of one we carry, and the one table that names them.

use std::fs;

use anyhow::Context;
use cargo_metadata::{Metadata, Package};
use toml::{Table, Value};

use super::{Finding, licence::Expression};
use crate::workspace;

/// Licences that a program under Apache-2.0 may be shipped with, all without a duty to publish.
const WELCOME: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// How far a ban reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Not even a dependency of a dependency may bring it.
    Anywhere,
    /// We do not name it ourselves; that others still do is their affair.
    Ours,
}

/// Crates that stay outside, each with the reason and what to use.
const BANNED: &[(&str, Reach, &str)] = &[
    // One TLS stack.
    ("openssl", Reach::Anywhere, "one TLS stack: rustls on aws-lc-rs"),
    ("openssl-sys", Reach::Anywhere, "one TLS stack: rustls on aws-lc-rs"),
    ("boring", Reach::Anywhere, "one TLS stack: rustls on aws-lc-rs"),
    ("native-tls", Reach::Anywhere, "one TLS stack: rustls on aws-lc-rs"),
    ("s2n-tls", Reach::Anywhere, "one TLS stack: rustls on aws-lc-rs"),
    ("ring", Reach::Anywhere, "one provider of cryptography: aws-lc-rs"),
    ("rustls-pemfile", Reach::Anywhere, "archived: rustls-pki-types reads PEM itself"),
    // One runtime.
    ("async-std", Reach::Anywhere, "one runtime: tokio; this one is no longer maintained"),
    ("smol", Reach::Anywhere, "one runtime: tokio"),
    ("monoio", Reach::Anywhere, "one runtime: tokio; io_uring was measured and was slower"),
    ("glommio", Reach::Anywhere, "one runtime: tokio"),
    ("actix-rt", Reach::Anywhere, "one runtime: tokio"),
    // One HTTP stack.
    ("reqwest", Reach::Anywhere, "the data plane and the testkit have clients of their own"),
    ("ureq", Reach::Anywhere, "the testkit has a client of its own"),
    ("isahc", Reach::Anywhere, "a second HTTP stack, on curl"),
    ("curl", Reach::Anywhere, "a second HTTP stack, in C"),
    ("hyper-tls", Reach::Anywhere, "native TLS; see native-tls"),
    // One reader for each format.
    ("serde_yaml", Reach::Anywhere, "archived, and loses positions: saphyr-parser"),
    ("serde_yml", Reach::Anywhere, "unsound and archived: saphyr-parser"),
    ("yaml-rust", Reach::Anywhere, "no longer maintained: saphyr-parser"),
    ("simd-json", Reach::Anywhere, "one JSON: serde_json"),
    ("sonic-rs", Reach::Anywhere, "one JSON: serde_json"),
    // `jsonschema` brings it, and is told to use `regex` (`Collection::validator`).
    ("fancy-regex", Reach::Ours, "not linear-time: one pattern can stop a core; regex"),
    ("pcre2", Reach::Anywhere, "not linear-time: one pattern can stop a core; regex"),
    // What the standard library or a successor does now.
    ("lazy_static", Reach::Ours, "std::sync::LazyLock"),
    ("once_cell", Reach::Ours, "std::sync::OnceLock and LazyLock"),
    ("num_cpus", Reach::Ours, "std::thread::available_parallelism knows affinity and quota"),
    ("atty", Reach::Anywhere, "no longer maintained: std::io::IsTerminal"),
    ("instant", Reach::Anywhere, "no longer maintained: std::time::Instant"),
    ("structopt", Reach::Anywhere, "clap derives since version 3"),
    ("failure", Reach::Anywhere, "no longer maintained: std::error::Error"),
    ("trust-dns-resolver", Reach::Anywhere, "renamed: hickory-resolver"),
    ("log", Reach::Ours, "one way to log: tracing"),
    ("slog", Reach::Anywhere, "one way to log: tracing"),
    ("env_logger", Reach::Anywhere, "one way to log: tracing"),
];

/// Crates whose types cross our own borders: two versions of one would not fit together.
const SINGLE: &[&str] = &[
    "bytes",
    "http",
    "http-body",
    "hyper",
    "hyper-util",
    "h2",
    "tokio",
    "tower-service",
    "regex",
    "rustls",
    "schemars",
    "serde",
    "serde_json",
    "tracing",
];

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Finds every breach in the workspace of `metadata`; reads the manifests of its members.
pub(super) fn check(metadata: &Metadata) -> anyhow::Result<Vec<Finding>> {
    let built = workspace::built(metadata);
    let mut findings = licences(&built);
    findings.extend(bans(metadata, &built));
    findings.extend(sources(metadata));
    findings.extend(versions(&built));
    for member in metadata.workspace_packages() {
        let text = fs::read_to_string(&member.manifest_path)
            .with_context(|| format!("cannot read {}", member.manifest_path))?;
        let manifest: Table =
            text.parse().with_context(|| format!("cannot parse {}", member.manifest_path))?;
        findings.extend(outside_the_table(member.name.as_str(), &manifest));
    }
    Ok(findings)
}

fn licences(built: &[&Package]) -> Vec<Finding> {
    let fault = |package: &&Package| {
        let text = match package.license.as_deref().map(str::parse::<Expression>) {
            None => "names no licence".to_owned(),
            Some(Err(error)) => error.to_string(),
            Some(Ok(expression)) if expression.is_met_by(WELCOME) => return None,
            Some(Ok(_)) => {
                format!("its licence `{}` is not welcome", package.license.as_deref()?)
            }
        };
        Some(Finding::new(title(package), text))
    };
    built.iter().filter_map(fault).collect()
}

fn bans(metadata: &Metadata, built: &[&Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, reach, reason) in BANNED {
        match reach {
            Reach::Anywhere => {
                for package in built.iter().filter(|package| package.name == *name) {
                    let by = users(built, name);
                    findings.push(Finding::new(
                        title(package),
                        format!("is banned ({reason}); brought by {by}"),
                    ));
                }
            }
            Reach::Ours => {
                for member in metadata.workspace_packages() {
                    if member.dependencies.iter().any(|dependency| dependency.name == *name) {
                        findings.push(Finding::new(
                            member.name.as_str(),
                            format!("may not name {name}: {reason}"),
                        ));
                    }
                }
            }
        }
    }
    findings
}

/// Who among `built` names the crate `name`.
fn users(built: &[&Package], name: &str) -> String {
    let users: Vec<&str> = built
        .iter()
        .filter(|package| package.dependencies.iter().any(|dependency| dependency.name == name))
        .map(|package| package.name.as_str())
        .collect();
    users.join(", ")
}

/// Judges all that cargo locked, built or not: a foreign source is fetched either way.
fn sources(metadata: &Metadata) -> Vec<Finding> {
    let fault = |package: &Package| match &package.source {
        None if metadata.workspace_members.contains(&package.id) => None,
        None => Some(Finding::new(title(package), "is a path outside the workspace")),
        Some(source) if source.repr == CRATES_IO => None,
        Some(source) => {
            Some(Finding::new(title(package), format!("comes from {source}, not from crates.io")))
        }
    };
    metadata.packages.iter().filter_map(fault).collect()
}

fn versions(built: &[&Package]) -> Vec<Finding> {
    let fault = |name: &&str| {
        let found: Vec<String> = built
            .iter()
            .filter(|package| package.name == *name)
            .map(|package| package.version.to_string())
            .collect();
        let text = format!("{} versions at once: {}", found.len(), found.join(", "));
        (found.len() > 1).then(|| Finding::new(*name, text))
    };
    SINGLE.iter().filter_map(fault).collect()
}

/// Dependencies of a manifest that do not say `workspace = true`.
fn outside_the_table(member: &str, manifest: &Table) -> Vec<Finding> {
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let nested = platforms.filter_map(|(_, platform)| platform.as_table());
    let mut findings = Vec::new();
    for table in [manifest].into_iter().chain(nested) {
        for section in sections {
            let entries = table.get(section).and_then(Value::as_table).into_iter().flatten();
            for (name, entry) in entries {
                if entry.get("workspace").and_then(Value::as_bool) != Some(true) {
                    findings.push(Finding::new(
                        member,
                        format!(
                            "[{section}] {name} must say `workspace = true` and stand in the \
                             table of the root Cargo.toml"
                        ),
                    ));
                }
            }
        }
    }
    findings
}

fn title(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::synthetic::Synthetic;

    fn tree(build: impl FnOnce(&mut Synthetic)) -> Metadata {
        let mut tree = Synthetic::default();
        build(&mut tree);
        tree.metadata()
    }

    fn lines(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(ToString::to_string).collect()
    }

    fn licences_of(expression: Option<&str>) -> Vec<String> {
        let metadata = tree(|tree| {
            tree.member("portway-core").needs("guest");
            tree.foreign("guest", "1.2.3").licence(expression);
        });
        lines(&licences(&workspace::built(&metadata)))
    }

    #[test]
    fn the_guests_of_this_workspace_are_welcome() {
        assert_eq!(check(&workspace::metadata().unwrap()).unwrap(), []);
    }

    #[test]
    fn a_welcome_licence_passes() {
        assert!(licences_of(Some("GPL-2.0-only OR (MIT AND Zlib)")).is_empty());
    }

    #[test]
    fn an_unwelcome_licence_is_found() {
        assert_eq!(
            licences_of(Some("MIT AND AGPL-3.0-only")),
            ["guest 1.2.3: its licence `MIT AND AGPL-3.0-only` is not welcome"]
        );
    }

    #[test]
    fn a_missing_licence_is_found() {
        assert_eq!(licences_of(None), ["guest 1.2.3: names no licence"]);
    }

    #[test]
    fn a_licence_that_cannot_be_read_is_found() {
        assert_eq!(
            licences_of(Some("MIT OR")),
            ["guest 1.2.3: `MIT OR` is no SPDX expression: expected a licence"]
        );
    }

    #[test]
    fn a_banned_crate_is_found_however_deep_and_names_who_brought_it() {
        let metadata = tree(|tree| {
            tree.member("portway-core").needs("guest");
            tree.foreign("guest", "1.0.0").needs("openssl-sys");
            tree.foreign("openssl-sys", "0.9.1");
        });
        assert_eq!(
            lines(&bans(&metadata, &workspace::built(&metadata))),
            ["openssl-sys 0.9.1: is banned (one TLS stack: rustls on aws-lc-rs); brought by guest"]
        );
    }

    #[test]
    fn a_banned_crate_that_is_only_locked_passes() {
        let metadata = tree(|tree| {
            tree.member("portway-core").needs("guest");
            tree.foreign("guest", "1.0.0").needs_optional("ring");
            tree.foreign("ring", "0.17.0");
        });
        assert_eq!(bans(&metadata, &workspace::built(&metadata)), []);
    }

    #[test]
    fn what_only_we_may_not_name_is_found_with_us_and_passes_with_others() {
        let metadata = tree(|tree| {
            tree.member("portway-core").needs("guest");
            tree.member("portway-cli").needs("lazy_static");
            tree.foreign("guest", "1.0.0").needs("lazy_static");
            tree.foreign("lazy_static", "1.5.0");
        });
        assert_eq!(
            lines(&bans(&metadata, &workspace::built(&metadata))),
            ["portway-cli: may not name lazy_static: std::sync::LazyLock"]
        );
    }

    #[test]
    fn a_foreign_source_is_found() {
        let metadata = tree(|tree| {
            tree.member("portway-core").needs("forked").needs("private").needs("guest");
            tree.foreign("forked", "1.0.0").source("git+https://example.com/forked#0123");
            tree.foreign("private", "1.0.0").source("registry+https://example.com/index");
            tree.foreign("guest", "1.0.0");
        });
        assert_eq!(
            lines(&sources(&metadata)),
            [
                "forked 1.0.0: comes from git+https://example.com/forked#0123, not from crates.io",
                "private 1.0.0: comes from registry+https://example.com/index, not from crates.io",
            ]
        );
    }

    #[test]
    fn a_second_version_of_a_border_crate_is_found() {
        let metadata = tree(|tree| {
            tree.member("portway-core").needs("http").needs("guest").needs("syn");
            tree.foreign("http", "1.5.0");
            tree.foreign("guest", "1.0.0").needs("http");
            tree.foreign("syn", "2.0.0");
        });
        assert_eq!(versions(&workspace::built(&metadata)), []);

        let mut twice = workspace::built(&metadata);
        let mut old =
            twice.iter().find(|package| package.name == "http").copied().cloned().unwrap();
        old.version = "0.2.12".parse().unwrap();
        twice.push(&old);
        assert_eq!(lines(&versions(&twice)), ["http: 2 versions at once: 1.5.0, 0.2.12"]);
    }

    #[test]
    fn a_dependency_outside_the_table_is_found_in_every_section() {
        let manifest: Table = r#"
            [dependencies]
            bytes.workspace = true
            http = "1"
            tokio = { workspace = true, features = ["rt"] }
            [dev-dependencies]
            tempfile = { version = "3" }
            [build-dependencies]
            cc = { path = "../cc" }
            [target.'cfg(unix)'.dependencies]
            nix = "0.30"
        "#
        .parse()
        .unwrap();
        let found = lines(&outside_the_table("portway-core", &manifest));
        let names: Vec<&str> =
            found.iter().filter_map(|line| line.split(" must say").next()).collect();
        assert_eq!(
            names,
            [
                "portway-core: [dependencies] http",
                "portway-core: [dev-dependencies] tempfile",
                "portway-core: [build-dependencies] cc",
                "portway-core: [dependencies] nix",
            ]
        );
    }

    #[test]
    fn the_table_of_bans_names_each_crate_once() {
        for (name, _, reason) in BANNED {
            assert!(!reason.is_empty(), "{name}");
            assert_eq!(BANNED.iter().filter(|(other, ..)| other == name).count(), 1, "{name}");
        }
    }
}
