//! Arrows between the crates of the house. They point down, so that a lower room can be read,
//! tested and replaced without the upper ones.

use cargo_metadata::{Dependency, DependencyKind, Metadata, Package};

use super::Finding;

/// The tests of any crate may use it: it is a guest of `dev-dependencies` everywhere.
const TESTKIT: &str = "portway-testkit";

/// Every crate of the plan and the crates of the house it may depend on, upper ones first.
/// Some are not written yet: their walls stand already.
const ARROWS: &[(&str, &[&str])] = &[
    // Around the house: the demo starts the testkit's echo upstream; the floor is bare on purpose.
    ("xtask", &[TESTKIT]),
    ("portway-bench-floor", &[]),
    ("portway-bench-ends", &[]),
    // A program as users write it, with what it is measured by.
    ("portway-bench-shop", &["portway"]),
    // Examples: programs of the façade's users.
    ("portway-smallest", &["portway"]),
    // The executable: all of the façade; the testkit's echo upstream is `portway echo`.
    ("portway-cli", &["portway", TESTKIT]),
    // Programs of users.
    ("portway-examples", &["portway"]),
    // The façade sees everything that a library user can switch on.
    (
        "portway",
        &[
            "portway-core",
            "portway-config",
            "portway-plugin",
            "portway-plugins",
            "portway-macros",
            "portway-admin",
            "portway-store",
            "portway-k8s",
            "portway-js",
            "portway-worker",
            "portway-dylib",
        ],
    ),
    // Doors: the admin API hosts nothing itself; stores and Kubernetes never see the data plane.
    ("portway-admin", &["portway-core", "portway-config", "portway-store"]),
    ("portway-k8s", &["portway-config"]),
    ("portway-store", &["portway-config"]),
    // The data plane.
    ("portway-core", &["portway-config", "portway-plugin", "portway-http1"]),
    // Ways to run code: siblings that never meet and know only the contract.
    ("portway-plugins", &["portway-plugin"]),
    ("portway-js", &["portway-plugin"]),
    ("portway-worker", &["portway-plugin"]),
    ("portway-dylib", &["portway-plugin"]),
    // Configuration takes schemas and values from the contract, nothing else.
    ("portway-config", &["portway-plugin"]),
    // One that saw core would give core's own tests a second copy of it.
    (TESTKIT, &["portway-plugin"]),
    // Nothing of the house.
    ("portway-plugin", &[]),
    ("portway-http1", &[]),
    ("portway-macros", &[]),
    ("portway-sdk", &[]),
];

/// Finds every arrow that [`ARROWS`] does not hold, and every member that it does not know.
pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in metadata.workspace_packages() {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| member.name == *name) else {
            findings.push(Finding::new(
                member.name.as_str(),
                "is not in the plan; a crate needs a reason and a line in the table of arrows \
                 (xtask/src/rules/arrows.rs)",
            ));
            continue;
        };
        findings.extend(forbidden(member, allowed));
    }
    findings
}

fn forbidden(member: &Package, allowed: &[&str]) -> Vec<Finding> {
    let ours = member.dependencies.iter().filter(|dependency| dependency.path.is_some());
    ours.filter(|dependency| !allowed.contains(&dependency.name.as_str()) && !exempt(dependency))
        .map(|dependency| {
            let may = if allowed.is_empty() {
                "no crate of the house".to_owned()
            } else {
                allowed.join(", ")
            };
            let kind = match dependency.kind {
                DependencyKind::Development => " (for its tests)",
                DependencyKind::Build => " (for its build)",
                _ => "",
            };
            Finding::new(
                member.name.as_str(),
                format!("may not depend on {}{kind}; it may on: {may}", dependency.name),
            )
        })
        .collect()
}

fn exempt(dependency: &Dependency) -> bool {
    dependency.kind == DependencyKind::Development && dependency.name == TESTKIT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rules::synthetic::Synthetic, workspace};

    fn findings(build: impl FnOnce(&mut Synthetic)) -> Vec<String> {
        let mut tree = Synthetic::default();
        build(&mut tree);
        check(&tree.metadata()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn this_workspace_follows_the_plan() {
        assert_eq!(check(&workspace::metadata().unwrap()), []);
    }

    #[test]
    fn arrows_of_the_plan_pass() {
        let found = findings(|tree| {
            tree.member("portway-cli").needs("portway").needs("portway-testkit");
            tree.member("portway").needs("portway-core").needs_optional("portway-js");
            tree.member("portway-core").needs("portway-config").needs("portway-plugin");
            tree.member("portway-js").needs("portway-plugin");
            tree.member("portway-config").needs("portway-plugin");
            tree.member("portway-plugin");
            tree.member("portway-testkit").needs("portway-plugin");
        });
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn an_arrow_up_is_refused() {
        let found = findings(|tree| {
            tree.member("portway-config").needs("portway-core");
            tree.member("portway-core");
        });
        assert_eq!(
            found,
            ["portway-config: may not depend on portway-core; it may on: portway-plugin"]
        );
    }

    #[test]
    fn an_arrow_out_of_a_bottom_crate_is_refused() {
        let found = findings(|tree| {
            tree.member("portway-plugin").builds_with("portway-config");
            tree.member("portway-config");
        });
        assert_eq!(
            found,
            ["portway-plugin: may not depend on portway-config (for its build); \
              it may on: no crate of the house"]
        );
    }

    #[test]
    fn an_optional_arrow_is_an_arrow() {
        let found = findings(|tree| {
            tree.member("portway-k8s").needs_optional("portway-core");
            tree.member("portway-core");
        });
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn siblings_never_meet() {
        let found = findings(|tree| {
            tree.member("portway-js").needs("portway-worker");
            tree.member("portway-worker").needs("portway-dylib");
            tree.member("portway-dylib").needs("portway-plugins");
            tree.member("portway-plugins");
        });
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn tests_may_use_the_testkit_and_nothing_else_out_of_order() {
        let found = findings(|tree| {
            tree.member("portway-plugin").tests_with("portway-testkit").tests_with("portway-core");
            tree.member("portway-core").needs("portway-testkit");
            tree.member("portway-testkit");
        });
        assert_eq!(
            found,
            [
                "portway-plugin: may not depend on portway-core (for its tests); \
                 it may on: no crate of the house",
                "portway-core: may not depend on portway-testkit; \
                 it may on: portway-config, portway-plugin, portway-http1",
            ]
        );
    }

    #[test]
    fn an_unknown_member_is_refused() {
        let found = findings(|tree| {
            tree.member("portway-common");
        });
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("portway-common: is not in the plan"), "{found:?}");
    }

    #[test]
    fn crates_from_outside_are_not_arrows() {
        let found = findings(|tree| {
            tree.member("portway-plugin").needs("http");
            tree.foreign("http", "1.0.0");
        });
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn the_table_names_each_crate_once_and_has_no_circle() {
        // Upper crates come first, so an allowed arrow always points to a later line.
        for (line, (from, allowed)) in ARROWS.iter().enumerate() {
            for to in *allowed {
                let target = ARROWS.iter().position(|(name, _)| name == to);
                assert!(target.is_some_and(|target| target > line), "{from} -> {to}");
            }
            let times = ARROWS.iter().filter(|(name, _)| name == from).count();
            assert_eq!(times, 1, "{from}");
        }
    }
}
