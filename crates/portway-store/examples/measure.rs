//! How long a durable commit takes, and how large the file gets:
//! `cargo run --package portway-store --example measure [DIRECTORY]`.

#![allow(clippy::unwrap_used, reason = "a measurement that fails has nothing to tell")]

use std::{
    env, fs,
    io::{Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use portway_store::{Embedded, Key, List, Options, Prefix, Store, Transaction};

const ENTRIES: usize = 10_000;
const SINGLE: usize = 300;
const REVISIONS: usize = 1000;
const REWRITES: usize = 20;

fn main() {
    let place = env::args_os().nth(1).unwrap_or_else(|| env::temp_dir().into_os_string());
    let directory = tempfile::tempdir_in(place).unwrap();
    fsyncs(directory.path());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(measure(&directory.path().join("data")));
}

/// What the disk itself takes, to compare with.
fn fsyncs(directory: &Path) {
    let mut file = fs::File::create(directory.join("floor")).unwrap();
    let mut times = Vec::with_capacity(SINGLE);
    for _ in 0..SINGLE {
        let start = Instant::now();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(&[1; 4096]).unwrap();
        file.sync_data().unwrap();
        times.push(start.elapsed());
    }
    report("write and sync of 4 KiB, bare", times);
}

async fn measure(directory: &Path) {
    let store = Arc::new(Embedded::open(directory, Options::default()).unwrap());
    let routes = Prefix::new("/portway/resources/default/route/").unwrap();
    let key = |n: usize| routes.key(&format!("route-{n:05}")).unwrap();
    let value = |turn: usize| format!("{turn} {}", "v".repeat(600));

    let all = (0..ENTRIES).fold(Transaction::new(), |t, n| t.put(&key(n), value(0)));
    let start = Instant::now();
    store.commit(all).await.unwrap();
    println!("one batch of {ENTRIES} puts of 600 bytes: {:?}", start.elapsed());
    println!("file after it: {}", megabytes(&store));

    let mut times = Vec::with_capacity(SINGLE);
    for turn in 0..SINGLE {
        let start = Instant::now();
        store.commit(Transaction::new().put(&key(turn * 31 % ENTRIES), value(turn))).await.unwrap();
        times.push(start.elapsed());
    }
    report("one durable commit among 10 000 entries", times);

    let start = Instant::now();
    let commits = (0..SINGLE).map(|turn| {
        let (store, key): (_, Key) = (Arc::clone(&store), key(turn));
        let text = value(turn);
        tokio::spawn(async move { store.commit(Transaction::new().put(&key, text)).await.unwrap() })
    });
    for commit in commits.collect::<Vec<_>>() {
        commit.await.unwrap();
    }
    println!("{SINGLE} commits asked for at once: {:?}", start.elapsed());

    for turn in 0..REVISIONS {
        let changed = (0..10).map(|n| key((turn * 7919 + n * 104_729) % ENTRIES));
        let history = Key::new(format!("/portway/history/{turn:08}")).unwrap();
        let mut transaction = Transaction::new().put(&history, value(turn));
        for key in changed.collect::<std::collections::BTreeSet<_>>() {
            transaction = transaction.put(&key, value(turn));
        }
        store.commit(transaction).await.unwrap();
    }
    println!("file after {REVISIONS} more revisions of 10 entries each: {}", megabytes(&store));

    for turn in 0..REWRITES {
        let all = (0..ENTRIES).fold(Transaction::new(), |t, n| t.put(&key(n), value(turn)));
        store.commit(all).await.unwrap();
    }
    println!("file after {REWRITES} rewrites of everything: {}", megabytes(&store));
    println!("memory of this process: {}", memory());

    let start = Instant::now();
    let page = store.list(List::of(&routes)).await.unwrap();
    println!("list of {} entries: {:?}", page.entries.len(), start.elapsed());
    drop(Arc::into_inner(store));
    let start = Instant::now();
    let store = Embedded::open(directory, Options::default()).unwrap();
    println!("opening it, every page checked: {:?}", start.elapsed());
    drop(store);
}

fn megabytes(store: &Embedded) -> String {
    let bytes = fs::metadata(store.file()).unwrap().len();
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim();
    format!("{} now, {} at most", line("VmRSS:"), line("VmHWM:"))
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    println!("{what}: p50 {:?}, p99 {:?}", at(50), at(99));
}
