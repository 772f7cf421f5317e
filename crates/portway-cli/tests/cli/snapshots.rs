//! What each command prints. Help texts are in `docs/reference/cli.md`, which the gate compares.

use std::process::Stdio;

use serde_json::Value;

use crate::golden::{FILES, portway, snapshot, snapshot_with};

fn stdout(arguments: &[&str]) -> String {
    let output = portway(arguments, &[]).output().expect("portway was built and can be started");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn nothing_at_all_shows_how_to_begin() {
    snapshot("bare", &[]);
}

#[test]
fn a_wrong_command_line_is_short_about_it() {
    snapshot("usage-unknown-command", &["serve"]);
    snapshot("usage-unknown-option", &["check", "--colour", "good.yaml"]);
    snapshot("usage-unknown-form", &["routes", "-o", "yaml", "good.yaml"]);
    snapshot("usage-no-cores", &["run", "--cores", "0", "good.yaml"]);
    snapshot("usage-echo-address", &["echo", "127.0.0.1"]);
    snapshot("usage-no-shell", &["completions", "cmd"]);
    snapshot("no-file-run", &["run"]);
    snapshot("no-file-check", &["check"]);
    snapshot("no-file-routes", &["routes"]);
}

#[test]
fn check_says_all_that_is_wrong() {
    snapshot("check-good", &["check", "good.yaml"]);
    snapshot("check-toml", &["check", "good.toml"]);
    snapshot("check-restgate", &["check", "restgate.yaml"]);
    snapshot("check-broken", &["check", "broken.yaml"]);
    snapshot("check-several", &["check", "good.yaml", "missing.yaml", "empty.yaml"]);
    snapshot("check-together", &["check", "--together", "good.yaml", "-c", "directory"]);
    snapshot("check-directory", &["check", "directory"]);
    snapshot("check-directory-broken", &["check", "broken"]);
    snapshot("check-warned", &["check", "warned.yaml"]);
}

#[test]
fn check_can_be_read_by_programs() {
    let arguments = ["check", "--output", "json", "good.yaml", "warned.yaml", "broken.yaml"];
    snapshot("check-json", &arguments);
    snapshot("check-json-directory", &["check", "-o", "json", "directory"]);
}

#[test]
fn the_file_may_be_named_by_the_environment() {
    let (good, missing) = (("PORTWAY_CONFIG", "good.yaml"), ("PORTWAY_CONFIG", ""));
    let restgate = ("RESTGATE_CONFIG_PATH", "restgate.yaml");
    let misspelt = ("RESTATE_CONFIG_PATH", "good.toml");
    snapshot_with("env-portway", &["check"], &[good, restgate, misspelt]);
    snapshot_with("env-restgate", &["check"], &[missing, restgate, misspelt]);
    snapshot_with("env-misspelt", &["check"], &[misspelt]);
    snapshot_with("env-and-argument", &["check", "good.toml"], &[good]);
    snapshot_with("env-routes", &["routes"], &[good]);
    snapshot_with("env-several", &["check"], &[("PORTWAY_CONFIG", "good.yaml:directory")]);
}

#[test]
fn routes_are_listed_in_the_order_in_which_they_are_tried() {
    snapshot("routes", &["routes", "good.yaml"]);
    snapshot("routes-many", &["routes", "many.yaml"]);
    snapshot("routes-restgate", &["routes", "--config", "restgate.yaml"]);
    snapshot("routes-json", &["routes", "--output", "json", "many.yaml"]);
    snapshot("routes-directory", &["routes", "directory", "good.yaml"]);
    snapshot("routes-directory-json", &["routes", "-o", "json", "directory"]);
    snapshot("routes-broken", &["routes", "broken.yaml"]);
    snapshot("routes-streams", &["routes", "streams.yaml"]);
    snapshot("routes-streams-json", &["routes", "-o", "json", "streams.yaml"]);
}

#[test]
fn a_wrong_file_is_not_served() {
    snapshot("run-broken", &["run", "broken.yaml"]);
    snapshot("run-missing", &["run", "missing.yaml"]);
    snapshot("run-several", &["run", "good.yaml", "--config", "broken"]);
    snapshot("run-twice", &["run", "good.yaml", "--config", "good.yaml"]);
    snapshot("run-restgate-flag", &["-config", "broken.yaml"]);
    snapshot("run-restgate-flag-equals", &["-config=broken.yaml"]);
    snapshot_with("run-bare", &[], &[("RESTGATE_CONFIG_PATH", "broken.yaml")]);
}

#[test]
fn the_version_tells_the_build() {
    let said: Value = serde_json::from_str(&stdout(&["version", "--output", "json"])).unwrap();
    assert_eq!(said["version"], env!("CARGO_PKG_VERSION"));
    let text = |key: &str| said[key].as_str().unwrap().to_owned();
    assert!(text("rust").starts_with("1."), "{said}");
    let built = text("build_time");
    let shape = built.replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(shape, "0000-00-00T00:00:00Z", "{built}");
    let commit = text("commit");
    assert!(commit == "unknown" || commit.chars().all(|c| c.is_ascii_hexdigit()), "{commit}");

    let human = stdout(&["version"]);
    assert!(human.starts_with(concat!("portway ", env!("CARGO_PKG_VERSION"), "\n")), "{human}");
    for part in [commit, built] {
        assert!(human.contains(&part), "{human}");
    }
    assert_eq!(stdout(&["--version"]), concat!("portway ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn the_schema_is_one() {
    let schema: Value = serde_json::from_str(&stdout(&["schema"])).unwrap();
    assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"));
    assert!(schema["properties"]["services"].is_object());
}

#[test]
fn every_shell_has_its_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(&["completions", shell]);
        for word in ["portway", "check", "routes", "completions"] {
            assert!(script.contains(word), "{shell} without {word}");
        }
    }
}

#[test]
fn colours_are_for_terminals() {
    let stderr = |environment: &[(&str, &str)]| {
        let output = portway(&["check", "broken.yaml"], environment).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let plain = stderr(&[]);
    assert!(!plain.contains('\u{1b}'), "{plain}");
    let forced = stderr(&[("CLICOLOR_FORCE", "1")]);
    assert!(forced.contains("\u{1b}["), "{forced}");
    assert_eq!(stderr(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]), plain);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child =
        portway(&["schema"], &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_file_may_come_through_a_pipe() {
    let file = std::fs::File::open(format!("{FILES}/good.yaml")).unwrap();
    let output = portway(&["check", "/dev/stdin"], &[]).stdin(file).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "/dev/stdin: ok, 1 service, 2 routes\n");
}
