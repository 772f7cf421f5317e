//! Child processes. The shell stands for the executable that would be tested.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use portway_testkit::{DEADLINE, Process, Signal, eventually, free_port};

fn shell(script: &str) -> Process {
    Process::start("sh", &["-c", script], &[]).unwrap()
}

#[tokio::test]
async fn arguments_and_environment_arrive_and_both_streams_are_kept_apart() {
    let script = "echo \"$0 $GREETING\"; echo warning >&2; exit 7";
    let mut process =
        Process::start("sh", &["-c", script, "zero"], &[("GREETING", "hello")]).unwrap();
    assert_eq!(process.wait_exit(DEADLINE).await.unwrap().code(), Some(7));
    assert_eq!(process.stdout(), ["zero hello"]);
    assert_eq!(process.stderr(), ["warning"]);
}

#[tokio::test]
async fn a_line_is_waited_for_whether_it_was_printed_before_or_comes_later() {
    let process = shell("echo one; echo two; exec sleep 60");
    assert_eq!(process.wait_for_line(|line| line.starts_with("tw")).await.unwrap(), "two");
    assert_eq!(process.wait_for_line(|line| line == "one").await.unwrap(), "one");
}

#[tokio::test]
async fn a_line_that_never_comes_is_an_error_with_the_output() {
    let process = shell("echo one; echo two >&2");
    let error = process.wait_for_line(|line| line == "three").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    let text = error.to_string();
    assert!(text.starts_with("the output ended without such a line; it printed:\n"), "{text}");
    assert!(text.contains("one") && text.contains("two"), "{text}");
}

#[tokio::test]
async fn signals_arrive_until_the_process_has_ended() {
    // Not HUP: no shell can trap what was ignored when it was started, as it is below `nohup`.
    let mut process = shell("trap 'echo usr1' USR1; echo ready; while :; do sleep 0.01; done");
    process.wait_for_line(|line| line == "ready").await.unwrap();
    process.signal(Signal::USR1).unwrap();
    process.wait_for_line(|line| line == "usr1").await.unwrap();
    assert!(process.try_exit().unwrap().is_none());

    process.signal(Signal::TERM).unwrap();
    let status = process.wait_exit(DEADLINE).await.unwrap();
    assert_eq!(status.code(), None, "it was ended by a signal");
    assert_eq!(process.signal(Signal::TERM).unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_process_that_does_not_end_is_an_error_with_the_output() {
    let mut process = shell("echo stuck; exec sleep 60");
    process.wait_for_line(|line| line == "stuck").await.unwrap();
    let error = process.wait_exit(Duration::from_millis(20)).await.unwrap_err();
    assert_eq!(error.to_string(), "no end of the process within 20ms; it printed:\nstuck");
    process.kill().await.unwrap();
    assert!(process.try_exit().unwrap().is_some());
}

#[tokio::test]
async fn dropping_a_process_kills_it() {
    let process = shell("exec sleep 60");
    let cmdline = format!("/proc/{}/cmdline", process.id());
    eventually("sleep runs", || {
        std::fs::read(&cmdline).is_ok_and(|cmdline| cmdline.starts_with(b"sleep"))
    })
    .await
    .unwrap();
    drop(process);
    // A killed process has no command line, even before it is reaped.
    eventually("sleep is gone", || std::fs::read(&cmdline).map_or(true, |line| line.is_empty()))
        .await
        .unwrap();
}

#[tokio::test]
async fn memory_and_files_are_seen_from_outside() {
    let process = shell("exec 8</dev/null 9</dev/null; echo open; while :; do sleep 0.01; done");
    process.wait_for_line(|line| line == "open").await.unwrap();
    assert!(process.open_files().unwrap() >= 5, "three standard streams and two more");
    assert!(process.rss_kib().unwrap() > 100);
    assert_eq!(process.listening().unwrap(), []);
}

#[tokio::test]
async fn a_missing_executable_is_named() {
    let error = Process::start("/no/such/portway", &[], &[]).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().starts_with("cannot start /no/such/portway: "), "{error}");
}

#[test]
fn a_free_port_can_be_bound_and_is_given_out_once() {
    let ports: Vec<u16> = (0..250).map(|_| free_port().unwrap()).collect();
    for port in &ports {
        TcpListener::bind(("127.0.0.1", *port)).unwrap();
    }
    let once: HashSet<&u16> = ports.iter().collect();
    assert_eq!(once.len(), ports.len());
}
