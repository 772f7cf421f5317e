//! The stages of the gate, cheapest first. Always the whole workspace, one feature set and one
//! profile, so that every stage reuses what the one before it compiled.

use std::process::Command;

use anyhow::{Context, bail};

use super::{log::Log, packages};
use crate::{conformance, demo, generate, rules, workspace};

/// One stage.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) name: &'static str,
    /// What it makes sure of, for people who wait.
    pub(super) title: &'static str,
    /// Stages without which this one could only repeat their failure.
    pub(super) needs: &'static [&'static str],
    pub(super) run: fn(&mut Log) -> anyhow::Result<()>,
}

/// All stages, in the order in which they run.
pub(super) const STAGES: &[Stage] = &[
    Stage {
        name: "packages",
        title: "what the tests need from Debian is installed",
        needs: &[],
        run: packages::ensure,
    },
    Stage { name: "format", title: "the code is laid out by rustfmt", needs: &[], run: format },
    Stage {
        name: "dependencies",
        title: "licences, bans, sources and versions of dependencies",
        needs: &[],
        run: dependencies,
    },
    Stage { name: "arrows", title: "crates depend only downwards", needs: &[], run: arrows },
    Stage { name: "build", title: "everything compiles, tests too", needs: &[], run: build },
    Stage {
        name: "generated",
        title: "generated files are fresh",
        needs: &["build"],
        run: generated,
    },
    Stage { name: "clippy", title: "no warning in any target", needs: &["build"], run: clippy },
    Stage { name: "docs", title: "the documentation builds", needs: &["build"], run: docs },
    Stage {
        name: "demo",
        title: "the demo does what it promises",
        needs: &["build"],
        run: rehearsal,
    },
    Stage {
        name: "h2spec",
        title: "h2spec finds HTTP/2 as docs/http2.md says",
        needs: &["packages", "build"],
        run: h2spec,
    },
    Stage {
        name: "sslyze",
        title: "TLS is as Mozilla's intermediate recommendation says",
        needs: &["packages", "build"],
        run: sslyze,
    },
    Stage {
        name: "openapi",
        title: "the admin API is as its OpenAPI document says",
        needs: &["packages", "build"],
        run: openapi,
    },
    Stage { name: "test", title: "every test", needs: &["build"], run: test },
];

fn format(log: &mut Log) -> anyhow::Result<()> {
    component("fmt", "rustfmt")?;
    log.run(cargo(&["fmt", "--all", "--check"])).context("`cargo fmt --all` lays the code out anew")
}

fn dependencies(log: &mut Log) -> anyhow::Result<()> {
    judge(log, &rules::dependencies(&workspace::metadata()?)?)
}

fn arrows(log: &mut Log) -> anyhow::Result<()> {
    judge(log, &rules::arrows(&workspace::metadata()?))
}

fn build(log: &mut Log) -> anyhow::Result<()> {
    log.run(workspace::build())
}

fn generated(log: &mut Log) -> anyhow::Result<()> {
    // Nothing to do after the stage `build`; needed when this stage is asked for alone.
    log.run(workspace::build())?;
    let stale = generate::stale()?;
    stale.iter().for_each(|line| log.line(line));
    if !stale.is_empty() {
        bail!("`cargo xtask generate` writes them anew");
    }
    Ok(())
}

fn clippy(log: &mut Log) -> anyhow::Result<()> {
    component("clippy", "clippy")?;
    log.run(cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}

fn docs(log: &mut Log) -> anyhow::Result<()> {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    log.run(command)
}

fn rehearsal(log: &mut Log) -> anyhow::Result<()> {
    log.run(workspace::build())?;
    let faults = demo::rehearse()?;
    faults.iter().for_each(|fault| log.line(fault));
    if !faults.is_empty() {
        bail!("`cargo xtask demo` would disappoint");
    }
    Ok(())
}

fn h2spec(log: &mut Log) -> anyhow::Result<()> {
    log.run(workspace::build_executables())?;
    let faults = conformance::h2spec(1, &mut |line| log.line(line))?;
    faults.iter().for_each(|fault| log.line(fault));
    if !faults.is_empty() {
        bail!("h2spec does not find what docs/http2.md says");
    }
    Ok(())
}

fn sslyze(log: &mut Log) -> anyhow::Result<()> {
    log.run(workspace::build_executables())?;
    let faults = conformance::sslyze(&mut |line| log.line(line))?;
    faults.iter().for_each(|fault| log.line(fault));
    if !faults.is_empty() {
        bail!("sslyze does not find TLS as it should be");
    }
    Ok(())
}

fn openapi(log: &mut Log) -> anyhow::Result<()> {
    log.run(workspace::build_executables())?;
    let faults = conformance::schemathesis(&mut |line| log.line(line))?;
    faults.iter().for_each(|fault| log.line(fault));
    if !faults.is_empty() {
        bail!("schemathesis finds the admin API not as its OpenAPI document says");
    }
    Ok(())
}

fn test(log: &mut Log) -> anyhow::Result<()> {
    log.run(cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]))?;
    if log.tally().is_empty() {
        bail!("no test ran");
    }
    Ok(())
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = workspace::cargo();
    command.args(arguments);
    command
}

/// Says in one line how to get a part of the toolchain that a fresh machine may lack.
fn component(subcommand: &str, name: &str) -> anyhow::Result<()> {
    let there = cargo(&[subcommand, "--version"]).output().context("cannot start cargo")?;
    if !there.status.success() {
        bail!("{name} is missing: `rustup component add {name}` installs it");
    }
    Ok(())
}

fn judge(log: &mut Log, findings: &[rules::Finding]) -> anyhow::Result<()> {
    findings.iter().for_each(|finding| log.line(&finding.to_string()));
    match findings.len() {
        0 => Ok(()),
        1 => bail!("1 breach of the rules of the house"),
        several => bail!("{several} breaches of the rules of the house"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_need_only_earlier_ones() {
        for (place, stage) in STAGES.iter().enumerate() {
            for need in stage.needs {
                let earlier = STAGES[..place].iter().any(|stage| stage.name == *need);
                assert!(earlier, "{} needs {need}", stage.name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_short_enough_for_the_table() {
        for stage in STAGES {
            assert!(stage.name.len() <= 12, "{}", stage.name);
            assert_eq!(STAGES.iter().filter(|other| other.name == stage.name).count(), 1);
        }
    }

    #[test]
    fn a_part_that_the_toolchain_lacks_is_named_in_one_line() {
        let error = component("no-such-subcommand", "rustfmt").unwrap_err();
        let text = error.to_string();
        assert_eq!(text, "rustfmt is missing: `rustup component add rustfmt` installs it");
    }
}
