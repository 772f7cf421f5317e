//! A process that is killed at any instant of its writes leaves the last complete revision behind.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use portway_store::{List, Revision, Store, Transaction};

use crate::{
    child,
    stores::{key, open, prefix},
};

/// Rounds unless `PORTWAY_STORE_KILLS` says otherwise.
const ROUNDS: u32 = 25;
/// What the child says before the number of each revision that was acknowledged.
const ACKNOWLEDGED: &str = "acknowledged ";
const WRITERS: u64 = 3;
const KEYS: u64 = 40;

#[test]
fn killed_at_any_instant_the_last_complete_revision_is_there() {
    if let Some(directory) = child::directory() {
        return write_for_ever(&directory);
    }
    let rounds = env::var("PORTWAY_STORE_KILLS").ok().and_then(|text| text.parse().ok());
    let directory = tempfile::tempdir().unwrap();
    let mut reached = 0;
    for round in 0..rounds.unwrap_or(ROUNDS) {
        // Some are killed as they start, the first one as it makes the file.
        let starting = round % 6 == 0;
        let wanted = if starting { 0 } else { u64::from(round % 6) };
        let acknowledged = killed_in_the_middle(directory.path(), wanted).max(reached);
        assert!(starting || acknowledged > reached, "round {round}: nothing new was acknowledged");
        let found = complete_revision(directory.path());
        assert!(
            found >= acknowledged,
            "round {round}: {acknowledged} was acknowledged, {found} is there"
        );
        // Each writer has one transaction on its way; they may all be complete.
        assert!(found <= acknowledged + WRITERS, "round {round}: {found} > {acknowledged}");
        reached = found;
    }
}

/// Starts a child, kills it at some instant after it acknowledged so many revisions, and returns
/// the last one that it acknowledged.
fn killed_in_the_middle(directory: &Path, wanted: u64) -> u64 {
    let name = "crash::killed_at_any_instant_the_last_complete_revision_is_there";
    let mut command = child::command(name, directory, &[]);
    let mut child = Guard(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut last = 0;
    let mut read = |line: &str| {
        if let Some((_, revision)) = line.split_once(ACKNOWLEDGED) {
            last = last.max(revision.parse().unwrap_or(0));
            return true;
        }
        false
    };
    let mut seen = 0;
    while seen < wanted {
        seen += u64::from(read(&lines.next().expect("the child goes on until it is killed")));
    }
    // Busy on purpose: a sleep would end at a tick, the instants of a commit lie between them.
    let kill_at = Instant::now() + Duration::from_micros(fastrand::u64(0..20_000));
    while Instant::now() < kill_at {
        std::hint::spin_loop();
    }
    child.0.kill().unwrap();
    // What it acknowledged before it died may still be in the pipe.
    lines.for_each(|line| {
        read(&line);
    });
    last
}

struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Opens the store and checks that it holds exactly what its revision wrote: each transaction
/// writes its number to keys of its own and deletes another, all or nothing.
fn complete_revision(directory: &Path) -> u64 {
    runtime().block_on(async {
        let store = open(directory);
        let Revision(revision) = store.revision().await.unwrap();
        let page = store.list(List::of(&prefix("/"))).await.unwrap();
        assert_eq!(page.revision, Revision(revision));
        let mut newest = 0;
        for writer in 0..WRITERS {
            let folder = prefix(&format!("/{writer}/"));
            let of_writer = || page.entries.iter().filter(|entry| folder.holds(&entry.key));
            // Its last transaction wrote all of its keys at one revision, with one text.
            let stamps: Vec<_> =
                of_writer().map(|entry| (entry.changed, entry.value.clone())).collect();
            assert!(stamps.windows(2).all(|pair| pair[0] == pair[1]), "{:?}", page.entries);
            assert!(stamps.is_empty() || stamps.len() == usize::try_from(KEYS).unwrap());
            newest = newest.max(stamps.first().map_or(0, |(changed, _)| changed.0));
        }
        assert_eq!(newest, revision, "the last revision is there as a whole");
        revision
    })
}

fn write_for_ever(directory: &Path) {
    runtime().block_on(async {
        let store = std::sync::Arc::new(open(directory));
        let writers = (0..WRITERS).map(|writer| {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(async move {
                for turn in 0_u64.. {
                    let text = format!("{turn} {}", "x".repeat(fastrand::usize(0..4000)));
                    let mut transaction = Transaction::new();
                    for n in 0..KEYS {
                        let path = key(&format!("/{writer}/{n}"));
                        transaction = transaction.put(&path, text.clone());
                    }
                    let Revision(revision) = store.commit(transaction).await.unwrap();
                    println!("\n{ACKNOWLEDGED}{revision}");
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}
