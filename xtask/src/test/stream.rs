//! Runs a command and hands over what it says, line by line as it comes, standard output and
//! standard error in their true order.

use std::{
    io::{self, BufRead, BufReader, PipeReader},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

/// How long output may stay silent after the command itself has ended. A process that it left
/// behind may hold the pipe open for ever; that must not hold up the gate.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

/// Runs `command` without input and calls `line` for each line of its output.
pub(super) fn lines(mut command: Command, mut line: impl FnMut(&str)) -> io::Result<ExitStatus> {
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // The command holds our ends of the pipe: without this the output would never end.
    drop(command);

    let (sender, receiver) = mpsc::channel();
    let pump = thread::spawn(move || pump(reader, &sender));
    loop {
        match receiver.recv_timeout(LEFT_BEHIND) {
            Ok(text) => line(&text),
            Err(RecvTimeoutError::Disconnected) => {
                pump.join().expect("the pump only reads and sends");
                break;
            }
            Err(RecvTimeoutError::Timeout) if child.try_wait()?.is_some() => {
                line("(a process that was left behind still holds the output)");
                break;
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    child.wait()
}

/// Reads to the end of the output. Bytes that are no UTF-8 are replaced: a test may print any.
fn pump(reader: PipeReader, sender: &Sender<String>) {
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
        bytes.clear();
        if sender.send(text).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (ExitStatus, Vec<String>) {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let mut seen = Vec::new();
        let status = lines(command, |line| seen.push(line.to_owned())).unwrap();
        (status, seen)
    }

    #[test]
    fn both_outputs_arrive_in_order() {
        let (status, seen) = shell("echo one; echo two >&2; echo three");
        assert!(status.success());
        assert_eq!(seen, ["one", "two", "three"]);
    }

    #[test]
    fn a_failure_keeps_its_code() {
        let (status, seen) = shell("printf unfinished; exit 7");
        assert_eq!(status.code(), Some(7));
        assert_eq!(seen, ["unfinished"]);
    }

    #[test]
    fn there_is_no_input_to_wait_for() {
        let (status, seen) = shell("cat; echo end");
        assert!(status.success());
        assert_eq!(seen, ["end"]);
    }

    #[test]
    fn bytes_that_are_no_text_do_not_end_the_output() {
        let (_, seen) = shell(r"printf '\377\n'; echo after");
        assert_eq!(seen, ["\u{fffd}", "after"]);
    }

    #[test]
    fn a_process_left_behind_does_not_hold_up_the_run() {
        // The one left behind ends by itself, long after this test.
        let (status, seen) = shell("sleep 20 & echo done");
        assert!(status.success());
        assert_eq!(seen.first().map(String::as_str), Some("done"));
        assert!(seen.last().unwrap().contains("left behind"), "{seen:?}");
    }

    #[test]
    fn a_missing_program_is_an_error() {
        assert!(lines(Command::new("/nowhere/program"), |_| ()).is_err());
    }
}
