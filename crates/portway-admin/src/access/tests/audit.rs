//! The record of what was asked for.

use std::{fs, path::Path};

use portway_config::LogOutput;

use crate::access::{AuditLog, AuditRecord, By, Moment};

fn record(revision: u64) -> AuditRecord {
    AuditRecord {
        time: Moment::from_millis(1_800_000_000_000),
        author: "ann\n{\"author\":\"eve\"}".to_owned(),
        by: Some(By::Token),
        client: "192.0.2.1".parse().unwrap(),
        method: "PUT".to_owned(),
        path: "/api/v1/routes/a".to_owned(),
        status: 200,
        revision: Some(revision),
        message: None,
    }
}

fn revisions(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<AuditRecord>(line).unwrap());
    records.filter_map(|record| record.revision).collect()
}

#[test]
fn each_record_is_one_line_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let log = AuditLog::open(&LogOutput::File(path.clone())).unwrap();
    for revision in 0..100 {
        log.write(&record(revision));
    }
    drop(log);
    assert_eq!(revisions(&path), (0..100).collect::<Vec<_>>());
    let line = fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
    let expected = r#"{"time":"2027-01-15T08:00:00.000Z","author":"ann\n{\"author\":\"eve\"}","by":"token","client":"192.0.2.1","method":"PUT","path":"/api/v1/routes/a","status":200,"revision":0}"#;
    assert_eq!(line, expected);
    // It goes on where it was, and only its owner reads it.
    let log = AuditLog::open(&LogOutput::File(path.clone())).unwrap();
    log.write(&record(100));
    assert_eq!(log.lost(), 0);
    drop(log);
    assert_eq!(revisions(&path).len(), 101);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_was_moved_away_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("audit.log"), folder.path().join("audit.log.1"));
    let log = AuditLog::open(&LogOutput::File(path.clone())).unwrap();
    fs::rename(&path, &old).unwrap();
    log.write(&record(1));
    drop(log);
    assert_eq!((revisions(&path), revisions(&old)), (vec![1], vec![]));
}

#[test]
fn what_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    assert!(AuditLog::open(&LogOutput::File(folder.path().to_owned())).is_err());
    assert!(AuditLog::open(&LogOutput::File("/proc/nowhere/audit.log".into())).is_err());
    let log = AuditLog::to_process_log();
    log.write(&record(1));
    assert_eq!(log.lost(), 0);
}

/// All pages of a log, from the last record to the first.
fn pages(log: &AuditLog, limit: usize) -> Vec<Vec<u64>> {
    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let page = log.read(before, limit).unwrap();
        pages.push(page.records.iter().filter_map(|record| record.revision).collect());
        before = page.before;
        if before.is_none() {
            return pages;
        }
    }
}

#[test]
fn what_was_written_is_read_back_from_a_file_and_from_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let in_file = AuditLog::open(&LogOutput::File(path.clone())).unwrap();
    for log in [&in_file, &AuditLog::to_process_log()] {
        assert_eq!(pages(log, 10), [Vec::<u64>::new()]);
        for revision in 0..25 {
            log.write(&record(revision));
        }
        let numbers = |from: u64, to: u64| (from..to).rev().collect::<Vec<_>>();
        assert_eq!(pages(log, 10), [numbers(15, 25), numbers(5, 15), numbers(0, 5)]);
        assert_eq!(pages(log, 25), [numbers(0, 25)]);
    }
    // What somebody else writes there is no record.
    fs::write(&path, [fs::read(&path).unwrap().as_slice(), b"\nnoise\n{}"].concat()).unwrap();
    assert_eq!(in_file.read(None, 3).unwrap().records.len(), 3);
    fs::remove_file(&path).unwrap();
    assert_eq!(pages(&in_file, 10), [Vec::<u64>::new()]);
}

#[test]
fn a_long_file_is_read_from_its_end_and_memory_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let in_file = AuditLog::open(&LogOutput::File(folder.path().join("audit.log"))).unwrap();
    let in_memory = AuditLog::to_process_log();
    for revision in 0..3000 {
        in_memory.write(&record(revision));
        in_file.write(&record(revision));
        // The file is a thread's to write, which falls behind.
        if revision % 500 == 0 {
            in_file.read(None, 1).unwrap();
        }
    }
    assert_eq!(in_file.lost(), 0);
    assert_eq!(pages(&in_file, 1000).concat(), (0..3000).rev().collect::<Vec<_>>());
    assert_eq!(pages(&in_memory, 300).concat(), (2000..3000).rev().collect::<Vec<_>>());
}
