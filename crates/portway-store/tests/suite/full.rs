//! A full disk refuses writes, says so, and spoils nothing.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use portway_store::{Error, Revision, Store, Transaction};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    child,
    stores::{key, open},
};

const BALLAST: &str = "ballast";

/// A disk of 8 MiB of its own, where this user may mount one.
#[test]
fn a_full_disk_refuses_writes_until_there_is_space() {
    if let Some(directory) = child::directory() {
        let free = || fs::remove_file(directory.join(BALLAST)).unwrap();
        fs::write(directory.join(BALLAST), vec![1; 5 << 20]).unwrap();
        return fill(&directory.join("data"), free);
    }
    let directory = tempfile::tempdir().unwrap();
    let name = "full::a_full_disk_refuses_writes_until_there_is_space";
    let mount = "mount -t tmpfs -o size=8m tmpfs \"$0\" && exec \"$@\"";
    let path = directory.path().to_str().unwrap();
    let namespace = ["unshare", "--mount", "--propagation", "private"];
    let wrapper = [&namespace[..], &["sh", "-c", mount, path]].concat();
    if may_run(Command::new(wrapper[0]).args(&wrapper[1..]).arg("true")) {
        succeeds(&child::command(name, directory.path(), &wrapper).output().unwrap());
    } else {
        // The same by the other test's means, which needs no privilege.
        limited(directory.path());
    }
}

/// A limit for the size of files, which anybody may set.
#[test]
fn a_limit_for_files_refuses_writes_until_it_is_lifted() {
    let Some(directory) = child::directory() else {
        return limited(tempfile::tempdir().unwrap().path());
    };
    let limit = getrlimit(Resource::Fsize);
    fill(&directory, || {
        setrlimit(Resource::Fsize, Rlimit { current: limit.maximum, ..limit }).unwrap();
    });
}

fn limited(directory: &Path) {
    let name = "full::a_limit_for_files_refuses_writes_until_it_is_lifted";
    // The signal would end the process; ignored, the write fails. Blocks of 512 or 1024 bytes.
    let limit = "trap '' XFSZ; ulimit -S -f 4096; exec \"$0\" \"$@\"";
    succeeds(&child::command(name, directory, &["sh", "-c", limit]).output().unwrap());
}

fn may_run(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn succeeds(output: &Output) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}\n{stderr}");
}

/// Writes to a store in `directory` until its disk is full, then `free`s some and goes on.
fn fill(directory: &Path, free: impl FnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let store = open(directory);
        let put = |n: u64, size: usize| {
            store.commit(Transaction::new().put(&key(&format!("/{n}")), vec![7; size]))
        };
        put(0, 10).await.unwrap();
        let mut written = 1;
        let refused = loop {
            match put(written, 300_000).await {
                Ok(_) => written += 1,
                Err(error) => break error,
            }
            assert!(written < 200, "the disk is never full");
        };
        assert!(
            matches!(&refused, Error::Full { place, .. } if *place == store.file()),
            "{refused:?}"
        );

        // Nothing is lost, nothing is half there, and reading goes on.
        assert_eq!(store.revision().await.unwrap(), Revision(written));
        assert_eq!(store.get(&key(&format!("/{written}"))).await.unwrap(), None);
        for n in 0..written {
            let entry = store.get(&key(&format!("/{n}"))).await.unwrap().unwrap();
            assert_eq!(entry.changed, Revision(n + 1));
        }
        // Still full, and a small neighbour of a large transaction is not refused with it.
        let (large, small) =
            (put(written, 1_400_000), store.commit(Transaction::new().delete(&key("/1"))));
        let (large, small) = tokio::join!(large, small);
        assert!(matches!(large, Err(Error::Full { .. })), "{large:?}");
        let deleted = u64::from(match small {
            Ok(_) => true,
            // Deleting needs a few pages of its own.
            Err(Error::Full { .. }) => false,
            Err(other) => panic!("{other:?}"),
        });

        free();
        for n in 0..3 {
            let revision = put(written + n, 300_000).await.unwrap();
            assert_eq!(revision, Revision(written + deleted + n + 1));
        }
        drop(store);
        let store = open(directory);
        assert_eq!(store.revision().await.unwrap(), Revision(written + deleted + 3));
    });
}
