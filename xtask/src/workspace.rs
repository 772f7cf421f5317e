//! The workspace as cargo describes it: its folder, its packages, and which of the locked packages
//! are really built; and the one way in which all of it is compiled.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};
use cargo_metadata::{Metadata, MetadataCommand, Node, Package, PackageId};

/// The platforms that Portway is built for. Crates that only other platforms need are neither
/// downloaded nor judged.
const PLATFORMS: [&str; 3] =
    ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin"];

/// The folder that holds the root `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("xtask is a folder of the workspace").to_path_buf()
}

/// The cargo that runs this program, started in the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Compiles every target of every crate, tests too: what all later steps reuse.
pub(crate) fn build() -> Command {
    let mut command = cargo();
    command.args(["build", "--workspace", "--all-targets", "--locked"]);
    command
}

/// Compiles the executables of the dev build, and no tests. All of the workspace, because a part
/// of it would be compiled with other features.
pub(crate) fn build_executables() -> Command {
    let mut command = cargo();
    command.args(["build", "--workspace", "--locked"]);
    command
}

/// Builds the executable as it is shipped, and says where it is.
pub(crate) fn shipped() -> anyhow::Result<PathBuf> {
    let build = ["build", "--release", "--locked", "--package", "portway-cli"];
    let status = cargo().args(build).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the release build failed");
    }
    Ok(executable(&metadata()?, "release", "portway"))
}

/// Where cargo puts an executable of the profile (`debug`, `release`) that it built.
pub(crate) fn executable(metadata: &Metadata, profile: &str, name: &str) -> PathBuf {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    metadata.target_directory.as_std_path().join(profile).join(file)
}

/// Asks cargo about the workspace. The lockfile is taken as committed.
pub(crate) fn metadata() -> anyhow::Result<Metadata> {
    let mut options = vec!["--locked".to_owned()];
    for platform in PLATFORMS {
        options.extend(["--filter-platform".to_owned(), platform.to_owned()]);
    }
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(options)
        .exec()
        .context("`cargo metadata --locked` failed (a stale Cargo.lock? `cargo check` renews it)")
}

/// The packages of `metadata` that some member really builds, members included, by name.
///
/// The lockfile also names optional crates that are only mentioned (`ring?/std`); cargo's resolve
/// graph keeps the edges to them. An edge counts here only when a feature switched it on.
pub(crate) fn built(metadata: &Metadata) -> Vec<&Package> {
    let packages: HashMap<&PackageId, &Package> =
        metadata.packages.iter().map(|package| (&package.id, package)).collect();
    let nodes: HashMap<&PackageId, &Node> = metadata
        .resolve
        .iter()
        .flat_map(|graph| &graph.nodes)
        .map(|node| (&node.id, node))
        .collect();

    let mut seen = HashSet::new();
    let mut open: Vec<&PackageId> = metadata.workspace_members.iter().collect();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let (Some(package), Some(node)) = (packages.get(id), nodes.get(id)) else { continue };
        let used = node.deps.iter().filter(|dep| {
            packages.get(&dep.pkg).is_some_and(|to| switched_on(package, node, to.name.as_str()))
        });
        open.extend(used.map(|dep| &dep.pkg));
    }

    let mut built: Vec<&Package> =
        metadata.packages.iter().filter(|package| seen.contains(&package.id)).collect();
    built.sort_by(|a, b| (a.name.as_str(), &a.version).cmp(&(b.name.as_str(), &b.version)));
    built
}

/// Whether `package`, with the features of `node`, really depends on the crate `name`.
fn switched_on(package: &Package, node: &Node, name: &str) -> bool {
    package.dependencies.iter().filter(|dependency| dependency.name == name).any(|dependency| {
        if !dependency.optional {
            return true;
        }
        let key = dependency.rename.as_deref().unwrap_or(&dependency.name);
        let explicit = format!("dep:{key}");
        let strong = format!("{key}/");
        let on = node.features.iter().filter_map(|feature| package.features.get(feature.as_str()));
        on.flatten().any(|value| *value == explicit || value.starts_with(&strong))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::synthetic::Synthetic;

    fn names(synthetic: &Synthetic) -> Vec<String> {
        built(&synthetic.metadata()).iter().map(|package| package.name.to_string()).collect()
    }

    #[test]
    fn the_root_holds_this_workspace() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }

    #[test]
    fn dependencies_of_dependencies_are_built() {
        let mut tree = Synthetic::default();
        tree.member("portway-core").needs("hyper");
        tree.foreign("hyper", "1.0.0").needs("bytes");
        tree.foreign("bytes", "1.0.0");
        assert_eq!(names(&tree), ["bytes", "hyper", "portway-core"]);
    }

    #[test]
    fn an_optional_crate_that_no_feature_switched_on_is_not_built() {
        let mut tree = Synthetic::default();
        tree.member("portway-core").needs("resolver");
        tree.foreign("resolver", "1.0.0")
            .needs_optional("ring")
            .feature("std", &["ring?/std"], true)
            .feature("dnssec", &["dep:ring"], false);
        tree.foreign("ring", "0.17.0");
        assert_eq!(names(&tree), ["portway-core", "resolver"]);
    }

    #[test]
    fn an_optional_crate_that_a_feature_switched_on_is_built() {
        for value in ["dep:ring", "ring/std"] {
            let mut tree = Synthetic::default();
            tree.member("portway-core").needs("resolver");
            tree.foreign("resolver", "1.0.0").needs_optional("ring").feature(
                "secure",
                &[value],
                true,
            );
            tree.foreign("ring", "0.17.0");
            assert_eq!(names(&tree), ["portway-core", "resolver", "ring"], "{value}");
        }
    }
}
