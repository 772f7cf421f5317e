//! Files that are written by the product itself, committed, and must be fresh: the JSON Schema of
//! the configuration, the `OpenAPI` document of the admin API, the references of the command line, of the metrics and of each plugin. `cargo xtask generate`
//! writes them; the gate only compares.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::workspace;

/// One generated file.
#[derive(Debug)]
struct Document {
    /// Below the root of the workspace.
    path: &'static str,
    write: fn(&Portway) -> anyhow::Result<String>,
}

/// All generated files.
const DOCUMENTS: &[Document] = &[
    Document {
        path: "docs/schema/portway.schema.json",
        write: |portway| portway.says(&["schema"]),
    },
    Document {
        path: "docs/schema/admin.openapi.json",
        write: |portway| portway.says(&["schema", "--openapi"]),
    },
    Document { path: "docs/reference/cli.md", write: command_line },
    Document { path: "docs/reference/metrics.md", write: |portway| portway.says(&["metrics"]) },
];

/// Builds the product and writes every generated file that is not fresh.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let status = workspace::build().status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the workspace does not build");
    }
    for Written { path, text } in Portway::built()?.all()? {
        let file = workspace::root().join(&path);
        if fs::read_to_string(&file).is_ok_and(|committed| committed == text) {
            println!("fresh    {path}");
            continue;
        }
        fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        println!("written  {path}");
    }
    Ok(ExitCode::SUCCESS)
}

/// A generated file as it has to be.
#[derive(Debug)]
struct Written {
    path: String,
    text: String,
}

/// One line for each generated file that is not fresh. The product must be built.
pub(crate) fn stale() -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    for Written { path, text: fresh } in Portway::built()?.all()? {
        match fs::read_to_string(workspace::root().join(&path)) {
            Ok(committed) => {
                let difference = first_difference(&committed, &fresh);
                lines.extend(difference.map(|text| format!("{path}: {text}")));
            }
            Err(error) => lines.push(format!("{path}: {error}")),
        }
    }
    Ok(lines)
}

/// The executable that was built.
#[derive(Debug)]
struct Portway {
    executable: PathBuf,
}

impl Portway {
    fn built() -> anyhow::Result<Self> {
        let metadata = workspace::metadata()?;
        Ok(Self { executable: workspace::executable(&metadata, "debug", "portway") })
    }

    /// Every generated file.
    fn all(&self) -> anyhow::Result<Vec<Written>> {
        let mut all = Vec::new();
        for document in DOCUMENTS {
            all.push(Written { path: document.path.to_owned(), text: self.write(document)? });
        }
        let plugins: Plugins = serde_json::from_str(&self.says(&["plugins", "-o", "json"])?)?;
        for Plugin { name } in plugins.plugins {
            let text = plugin_page(self, &name)?;
            all.push(Written { path: format!("docs/plugins/{name}.md"), text });
        }
        Ok(all)
    }

    fn write(&self, document: &Document) -> anyhow::Result<String> {
        (document.write)(self).with_context(|| format!("cannot generate {}", document.path))
    }

    /// Its standard output. The environment is empty, so that nothing of this machine gets in.
    fn says(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let title = format!("portway {}", arguments.join(" "));
        let output = Command::new(&self.executable)
            .args(arguments)
            .env_clear()
            .output()
            .with_context(|| format!("cannot start {}", self.executable.display()))?;
        if !output.status.success() {
            bail!("`{title}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        String::from_utf8(output.stdout).with_context(|| format!("`{title}` printed no text"))
    }
}

/// What the executable says about its plugins.
#[derive(Debug, Deserialize)]
struct Plugins {
    plugins: Vec<Plugin>,
}

#[derive(Debug, Deserialize)]
struct Plugin {
    name: String,
}

/// The page of a plugin: what it says about itself, and the example that stands beside its code.
fn plugin_page(portway: &Portway, name: &str) -> anyhow::Result<String> {
    let mut text = portway.says(&["plugins", name])?;
    let example = format!("crates/portway-plugins/src/{}/example.yaml", name.replace('-', "_"));
    let example = fs::read_to_string(workspace::root().join(&example))
        .with_context(|| format!("the plugin {name} has no example ({example})"))?;
    text += &format!("\n## Example\n\n```yaml\n{}\n```\n", example.trim_end());
    text += "\n<!-- Written by `cargo xtask generate` from the plugin's settings. -->\n";
    Ok(text)
}

/// The help of the executable and of each of its subcommands.
fn command_line(portway: &Portway) -> anyhow::Result<String> {
    let overview = portway.says(&["--help"])?;
    let mut text = "# The command line\n\n\
        <!-- Written by `cargo xtask generate` from the help of the executable. -->\n"
        .to_owned();
    text += &section("portway", &overview);
    for command in subcommands(&overview) {
        let help = portway.says(&[command, "--help"])?;
        text += &section(&format!("portway {command}"), &help);
        // Some commands are a noun with verbs.
        for verb in subcommands(&help) {
            let help = portway.says(&[command, verb, "--help"])?;
            text += &section(&format!("portway {command} {verb}"), &help);
        }
    }
    Ok(text)
}

fn section(title: &str, help: &str) -> String {
    // Trailing blanks are how help is laid out on a screen; in a file they are noise.
    let lines: Vec<&str> = help.trim().lines().map(str::trim_end).collect();
    format!("\n## `{title}`\n\n```text\n{}\n```\n", lines.join("\n"))
}

/// The names below `Commands:`, without `help`, which explains the others.
fn subcommands(overview: &str) -> Vec<&str> {
    let list = overview.lines().skip_while(|line| line.trim() != "Commands:").skip(1);
    let entries = list.take_while(|line| !line.trim().is_empty());
    // Text that goes on in the next line is indented deeper than a name.
    let names = entries.filter_map(|line| line.strip_prefix("  ")).filter(|l| !l.starts_with(' '));
    names.filter_map(|l| l.split_whitespace().next()).filter(|name| *name != "help").collect()
}

/// Says where two texts part, or nothing when they are equal.
fn first_difference(committed: &str, fresh: &str) -> Option<String> {
    if committed == fresh {
        return None;
    }
    let mut old = committed.lines();
    let mut new = fresh.lines();
    for number in 1.. {
        match (old.next(), new.next()) {
            (Some(old), Some(new)) if old == new => {}
            (None, None) => break,
            (old, new) => {
                let old = old.unwrap_or("the end").trim();
                let new = new.unwrap_or("the end").trim();
                return Some(format!("stale at line {number}: has `{old}`, should have `{new}`"));
            }
        }
    }
    Some("stale in its line ends".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVERVIEW: &str = "\
An API gateway

Usage: portway <COMMAND>

Commands:
  run    Serve a file
           until told to stop
  check  Check a file
  help   Print this message

Options:
  -h, --help  Print help
";

    #[test]
    fn subcommands_are_read_from_the_overview() {
        assert_eq!(subcommands(OVERVIEW), ["run", "check"]);
        assert!(subcommands("Usage: portway\n").is_empty());
    }

    #[test]
    fn equal_texts_are_fresh() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
    }

    #[test]
    fn a_stale_text_shows_where() {
        let at = |old, new| first_difference(old, new).unwrap();
        assert_eq!(at("a\nb\n", "a\nc\n"), "stale at line 2: has `b`, should have `c`");
        assert_eq!(at("a\n", "a\nb\n"), "stale at line 2: has `the end`, should have `b`");
        assert_eq!(at("a\nb\n", "a\n"), "stale at line 2: has `b`, should have `the end`");
        assert_eq!(at("a\n", "a"), "stale in its line ends");
    }

    #[test]
    fn a_section_has_no_blanks_at_line_ends() {
        assert_eq!(section("portway", "Usage:  \n\n"), "\n## `portway`\n\n```text\nUsage:\n```\n");
    }

    #[test]
    fn a_program_that_fails_is_quoted() {
        let shell = Portway { executable: "/bin/sh".into() };
        let error = shell.says(&["-c", "echo no such file >&2; exit 1"]).unwrap_err();
        assert!(error.to_string().ends_with("failed: no such file"), "{error}");
    }

    #[test]
    fn nothing_of_this_machine_gets_in() {
        let shell = Portway { executable: "/bin/sh".into() };
        assert_eq!(shell.says(&["-c", "echo \"[$HOME]\""]).unwrap(), "[]\n");
    }
}
