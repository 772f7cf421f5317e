//! The process log as an operator reads it.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    os::fd::OwnedFd,
    sync::atomic::Ordering::Relaxed,
};

use serde_json::Value;

use super::*;

fn log(format: LogFormat, level: LogLevel) -> (BufReader<io::PipeReader>, Dispatch, LogControl) {
    let (reader, writer) = io::pipe().unwrap();
    let output = Output::from(File::from(OwnedFd::from(writer))).unreported();
    let (dispatch, control) = build(&Logging { level, format }, output).unwrap();
    (BufReader::new(reader), dispatch, control)
}

/// What was logged, once the log has ended.
fn text(mut reader: impl Read, control: LogControl) -> String {
    drop(control);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_level_changes_while_it_runs() {
    let (reader, dispatch, control) = log(LogFormat::Text, LogLevel::Warn);
    let config = |level| Logging { level, format: LogFormat::Text };
    // The event stands at one place, as it does in the code that logs: what is decided about it
    // must not be kept beyond a change.
    let tell = |number: u32| tracing::info!(number, "told");
    tracing::dispatcher::with_default(&dispatch, || {
        tell(1);
        control.apply(&config(LogLevel::Info));
        tell(2);
        control.apply(&config(LogLevel::Error));
        tell(3);
        tracing::error!("still told");
    });
    let text = text(reader, control);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("INFO") && lines[0].ends_with("told number=2"), "{text}");
    assert!(lines[1].contains("ERROR") && lines[1].ends_with("still told"), "{text}");
}

#[test]
fn chatty_libraries_are_heard_when_everything_is() {
    let (reader, dispatch, control) = log(LogFormat::Text, LogLevel::Debug);
    let tell = || tracing::debug!(target: "h2::codec", "a frame");
    tracing::dispatcher::with_default(&dispatch, || {
        tell();
        tracing::warn!(target: "h2::codec", "a bad frame");
        control.apply(&Logging { level: LogLevel::Trace, format: LogFormat::Text });
        tell();
    });
    let text = text(reader, control);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].ends_with("a bad frame") && lines[1].ends_with("a frame"), "{text}");
}

#[test]
fn a_value_forges_no_line() {
    let forged = "x\r\n2026 ERROR forged\u{1b}[2J\u{9b}\u{2028}";
    let (reader, dispatch, control) = log(LogFormat::Text, LogLevel::Info);
    tracing::dispatcher::with_default(&dispatch, || {
        tracing::info!(value = %forged, "{forged}");
    });
    let text = text(reader, control);
    assert_eq!(text.matches('\n').count(), 1, "{text:?}");
    assert!(!text.trim_end().contains(|c: char| c.is_control() || c == '\u{2028}'), "{text:?}");
    assert!(text.contains("forged"));
}

#[test]
fn json_lines_are_objects_with_the_fields_of_the_event() {
    let (reader, dispatch, control) = log(LogFormat::Json, LogLevel::Info);
    tracing::dispatcher::with_default(&dispatch, || {
        tracing::info!(revision = 7, path = "a\"b\n\u{1b}", "applied");
    });
    let text = text(reader, control);
    assert_eq!(text.matches('\n').count(), 1, "{text:?}");
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["message"], "applied");
    assert_eq!(line["revision"], 7);
    assert_eq!(line["path"], "a\"b\n\u{1b}");
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
}

#[test]
fn an_output_nobody_reads_stops_no_one() {
    let (reader, dispatch, control) = log(LogFormat::Text, LogLevel::Info);
    let dropped = control.dropped();
    tracing::dispatcher::with_default(&dispatch, || {
        // Each event is 1 KiB; the pipe and the buffers hold little more than one MiB.
        let long = "x".repeat(1024);
        for _ in 0..4000 {
            tracing::info!("{long}");
        }
    });
    assert!(dropped.load(Relaxed) > 0);
    drop(reader);
}
