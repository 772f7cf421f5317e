//! Commands that ask a gateway: what goes over the wire, what is printed, how it ends.

mod connection;
mod gateway;
mod resources;
mod served;
mod stub;
mod terminal;

use std::{path::Path, process::Output};

use portway_testkit::process::Command;

const PORTWAY: &str = env!("CARGO_BIN_EXE_portway");

/// Runs `portway` against an admin API, with no environment but this folder as its home.
async fn portway(home: &Path, admin: &str, arguments: &[&str]) -> Output {
    with(home, arguments, &[("PORTWAY_ADMIN", admin)], "").await
}

/// The same with other variables, and with text on standard input.
async fn with(home: &Path, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
    let file = home.join(".input");
    std::fs::write(&file, input).expect("a test's folder can be written to");
    let mut command = Command::new(PORTWAY);
    command.args(arguments).env_clear().envs(variables.iter().copied());
    command.env("HOME", home).current_dir(home).kill_on_drop(true);
    command.stdin(std::fs::File::open(&file).expect("it was just written"));
    let ended = portway_testkit::within(portway_testkit::DEADLINE, "portway", command.output());
    ended.await.expect("portway was built and ends")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Its standard output, after it ended well.
fn good(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    stdout(output)
}

/// Its standard error, after it ended with this code.
fn bad(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    stderr(output)
}
