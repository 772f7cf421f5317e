//! The data directory: who may read it, and that one process works in it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use portway_store::{Embedded, OpenError, Options, Revision, Store, Transaction};

use crate::stores::{key, open};

fn mode(path: impl AsRef<std::path::Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn it_is_made_for_its_owner_alone() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("var/portway");
    let store = open(&directory);
    store.commit(Transaction::new().put(&key("/a"), "1")).await.unwrap();
    assert_eq!(mode(&directory), 0o700);
    let mut names = Vec::new();
    for file in fs::read_dir(&directory).unwrap() {
        let file = file.unwrap();
        assert_eq!(mode(file.path()), 0o600, "{:?}", file.path());
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["lock", "portway.redb"]);
    assert_eq!(store.file(), directory.join("portway.redb"));
}

#[tokio::test]
async fn what_was_written_is_there_when_it_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    for revision in 0..3 {
        let store = open(directory.path());
        assert_eq!(store.revision().await.unwrap(), Revision(revision));
        let found = store.get(&key("/a")).await.unwrap();
        assert_eq!(found.map_or(0, |entry| entry.version), revision);
        store.commit(Transaction::new().put(&key("/a"), "1")).await.unwrap();
    }
}

#[tokio::test]
async fn the_second_to_open_it_is_told_who_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path());
    let second = Embedded::open(directory.path(), Options::default());
    let Err(error @ OpenError::InUse { process, .. }) = second else { panic!("{second:?}") };
    assert_eq!(process, Some(std::process::id()));
    let text = error.to_string();
    assert!(text.contains(directory.path().to_str().unwrap()), "{text}");
    drop(first);
    // A process that another test is just starting has the lock too, until it is a program of its
    // own.
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Err(error) = Embedded::open(directory.path(), Options::default()) {
        assert!(matches!(error, OpenError::InUse { .. }) && Instant::now() < deadline, "{error}");
        std::thread::yield_now();
    }
}

#[test]
fn a_directory_that_cannot_be_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let opened = Embedded::open(file.join("data"), Options::default());
    assert!(
        matches!(&opened, Err(OpenError::Directory { path, .. }) if *path == file.join("data")),
        "{opened:?}"
    );
}

#[tokio::test]
async fn a_start_that_was_cut_short_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("portway.redb.new"), "half").unwrap();
    let store = open(directory.path());
    assert_eq!(store.revision().await.unwrap(), Revision::ZERO);
    assert!(!directory.path().join("portway.redb.new").exists());
}
