//! Pens, writers and outputs at work, on pipes and files.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::fs::PermissionsExt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use portway_config::LogOutput;

use super::{pen::WAITING, *};

const DEADLINE: Duration = Duration::from_secs(10);

fn pipe() -> (BufReader<io::PipeReader>, Output) {
    let (reader, writer) = io::pipe().unwrap();
    (BufReader::new(reader), File::from(std::os::fd::OwnedFd::from(writer)).into())
}

fn lines(output: Output) -> (Lines<()>, Arc<AtomicU64>) {
    let dropped = Arc::<AtomicU64>::default();
    let lines = Lines::new((), Arc::clone(&dropped));
    lines.switch(Some(Writer::start(output, false).unwrap()), &());
    (lines, dropped)
}

fn write(pen: &Pen<()>, line: &str) {
    pen.line(|(), out| writeln!(out, "{line}").unwrap());
}

/// The lines of a pipe as they come.
fn follow(reader: impl BufRead + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in reader.lines() {
            if sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    lines
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "still not true: {what}");
        thread::yield_now();
    }
}

#[test]
fn a_line_arrives_without_anybody_asking() {
    let (reader, output) = pipe();
    let (lines, _) = lines(output);
    let arrived = follow(reader);
    let pen = lines.pen();
    // The writer goes to sleep in between and is woken each time.
    for turn in 0..3 {
        write(&pen, &format!("line {turn}"));
        assert_eq!(arrived.recv_timeout(DEADLINE).unwrap(), format!("line {turn}"));
    }
}

#[test]
fn lines_of_many_pens_stay_whole_and_in_order() {
    const PENS: usize = 4;
    const EACH: usize = 3000;
    let (reader, output) = pipe();
    let (lines, dropped) = lines(output);
    let arrived = follow(reader);
    let writers: Vec<_> = (0..PENS)
        .map(|number| {
            let pen = lines.pen();
            thread::spawn(move || {
                for turn in 0..EACH {
                    write(&pen, &format!("{number} {turn} {}", "x".repeat(turn % 100)));
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    drop(lines);
    let mut next = [0; PENS];
    for line in arrived {
        let words: Vec<_> = line.split(' ').collect();
        let [number, turn, rest] = words[..] else { panic!("{line}") };
        let (number, turn): (usize, usize) = (number.parse().unwrap(), turn.parse().unwrap());
        assert_eq!(turn, next[number], "{line}");
        assert_eq!(rest.len(), turn % 100);
        next[number] += 1;
    }
    assert_eq!(next, [EACH; PENS]);
    assert_eq!(dropped.load(Relaxed), 0);
}

#[test]
fn a_pipe_nobody_reads_stops_no_one_and_resumes() {
    let (reader, output) = pipe();
    let (lines, dropped) = lines(output);
    let pen = lines.pen();
    let line = "x".repeat(1000);
    let mut written = 0;
    // More than the pipe and the buffers hold.
    let enough = (64 + 2 * WAITING * 16) as u64;
    let began = Instant::now();
    while written < enough || dropped.load(Relaxed) == 0 {
        write(&pen, &line);
        written += 1;
        assert!(began.elapsed() < DEADLINE);
    }
    let lost = dropped.load(Relaxed);
    assert!(lost < written);
    // Somebody reads again: what was kept comes, and so does what is written from now on.
    let arrived = follow(reader);
    for _ in 0..written - lost {
        assert_eq!(arrived.recv_timeout(DEADLINE).unwrap(), line);
    }
    write(&pen, "resumed");
    assert_eq!(arrived.recv_timeout(DEADLINE).unwrap(), "resumed");
    assert_eq!(dropped.load(Relaxed), lost);
}

#[test]
fn the_end_does_not_wait_for_a_pipe_nobody_reads() {
    let (reader, output) = pipe();
    let (lines, _) = lines(output);
    let pen = lines.pen();
    for _ in 0..200 {
        write(&pen, &"x".repeat(1000));
    }
    let began = Instant::now();
    drop(lines);
    assert!(began.elapsed() < DEADLINE);
    drop(reader);
}

#[test]
fn what_is_written_is_there_at_the_end_and_what_comes_later_is_counted() {
    let (mut reader, output) = pipe();
    let (lines, dropped) = lines(output);
    let (pen, gone) = (lines.pen(), lines.pen());
    write(&pen, "first");
    write(&gone, "from a core that has ended");
    drop(gone);
    let another = lines.pen();
    write(&another, "second");
    drop(lines);
    write(&pen, "late");
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let mut arrived: Vec<_> = text.lines().collect();
    arrived.sort_unstable();
    assert_eq!(arrived, ["first", "from a core that has ended", "second"]);
    assert_eq!(dropped.load(Relaxed), 1);
}

#[test]
fn a_switch_sends_each_line_where_it_was_meant_to_go() {
    let (mut first, output) = pipe();
    let (lines, dropped) = lines(output);
    let pen = lines.pen();
    write(&pen, "one");
    let (mut second, output) = pipe();
    lines.switch(Some(Writer::start(output, false).unwrap()), &());
    write(&pen, "two");
    lines.switch(None, &());
    assert!(!pen.is_on());
    write(&pen, "nowhere");
    let mut text = String::new();
    first.read_to_string(&mut text).unwrap();
    second.read_to_string(&mut text).unwrap();
    assert_eq!(text, "one\ntwo\n");
    assert_eq!(dropped.load(Relaxed), 0, "lines nobody wants are not lost");
}

#[test]
fn a_writer_that_was_never_used_ends() {
    let (mut reader, output) = pipe();
    drop(Writer::<()>::start(output, false).unwrap());
    // The pipe ends when the thread has let go of it.
    assert_eq!(reader.read_to_end(&mut Vec::new()).unwrap(), 0);
}

#[test]
fn a_file_that_was_moved_or_removed_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    let (lines, dropped) = lines(Output::open(&LogOutput::File(path.clone())).unwrap());
    let pen = lines.pen();
    write(&pen, "before");
    until("the line is in the file", || read("access.log") == "before\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o007, 0);

    // As logrotate does.
    fs::rename(&path, folder.path().join("access.log.1")).unwrap();
    lines.reopen();
    until("the file is there again", || path.exists());
    write(&pen, "after");
    until("the line is in the new file", || read("access.log") == "after\n");
    assert_eq!(read("access.log.1"), "before\n");

    // Without a word: noticed within a second.
    fs::remove_file(&path).unwrap();
    until("a line is in a new file", || {
        write(&pen, "again");
        read("access.log").starts_with("again\n")
    });

    // A folder that is gone as well: lines go to the file that is still open, and come back.
    fs::remove_dir_all(folder.path()).unwrap();
    lines.reopen();
    write(&pen, "nowhere to be seen");
    fs::create_dir(folder.path()).unwrap();
    until("a line is in a new file", || {
        write(&pen, "at last");
        read("access.log").contains("at last\n")
    });
    assert_eq!(dropped.load(Relaxed), 0);
}

#[test]
fn a_named_pipe_needs_no_reader_to_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let (lines, dropped) = lines(Output::open(&LogOutput::File(path.clone())).unwrap());
    let pen = lines.pen();
    write(&pen, "waiting");
    let arrived = follow(BufReader::new(File::open(&path).unwrap()));
    assert_eq!(arrived.recv_timeout(DEADLINE).unwrap(), "waiting");
    assert_eq!(dropped.load(Relaxed), 0);
}

#[test]
fn an_output_that_cannot_be_opened_says_which() {
    let output = LogOutput::File("/nonexistent/access.log".into());
    let error = Output::open(&output).unwrap_err();
    assert_eq!(error.to_string(), "cannot open /nonexistent/access.log for writing");
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().contains("No such file"), "{source}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_lines_and_counts_them() {
    let (lines, dropped) = lines(Output::open(&LogOutput::File("/dev/full".into())).unwrap());
    let pen = lines.pen();
    write(&pen, "one");
    write(&pen, "two");
    until("both are counted", || dropped.load(Relaxed) == 2);
    let (mut reader, output) = pipe();
    lines.switch(Some(Writer::start(output, false).unwrap()), &());
    write(&pen, "three");
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "three\n");
}

#[test]
fn a_line_that_was_cut_is_ended_before_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut output = Output::open(&LogOutput::File(path.clone())).unwrap();
    output.write(b"whole\ncu");
    output.write(b"next\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), "whole\ncu\nnext\n");
}
