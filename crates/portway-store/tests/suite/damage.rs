//! Damaged files are found when they are opened, and named.

use std::{fs, path::Path};

use portway_store::{Embedded, OpenError, Options, Store, Transaction};

use crate::stores::{key, open};

async fn filled(directory: &Path) -> Vec<u8> {
    let store = open(directory);
    for n in 0..50 {
        let value = format!("value {n} ").repeat(100);
        store.commit(Transaction::new().put(&key(&format!("/{n}")), value)).await.unwrap();
    }
    let file = store.file();
    drop(store);
    fs::read(file).unwrap()
}

/// Opens the store over `bytes`: what is damaged is said to be, by the file's name.
fn refused(directory: &Path, bytes: &[u8]) -> Option<String> {
    let file = directory.join("portway.redb");
    fs::write(&file, bytes).unwrap();
    match Embedded::open(directory, Options::default()) {
        Ok(_) => None,
        Err(error @ OpenError::Corrupt { .. }) => {
            let text = error.to_string();
            assert!(text.contains(file.to_str().unwrap()), "{text}");
            assert!(text.contains("restore a backup"), "{text}");
            Some(text)
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_store_is_said_to_be_none() {
    let directory = tempfile::tempdir().unwrap();
    let whole = filled(directory.path()).await;
    let cases: [&[u8]; 5] =
        [b"", b"not a database", &[0; 100_000], &whole[..whole.len() / 2], &whole[..5000]];
    for bytes in cases {
        assert!(refused(directory.path(), bytes).is_some(), "{} bytes", bytes.len());
    }
    assert_eq!(refused(directory.path(), &whole), None);
}

#[tokio::test]
async fn a_damaged_page_is_found_when_the_store_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let whole = filled(directory.path()).await;
    // Where values lie in pages that are in use; others lie in pages that were freed.
    let needle = b"value 7 value 7";
    let places: Vec<usize> = (0..whole.len() - needle.len())
        .filter(|at| whole[*at..].starts_with(needle))
        .step_by(37)
        .collect();
    let found = places.iter().filter(|place| {
        let mut damaged = whole.clone();
        damaged[**place] ^= 1;
        refused(directory.path(), &damaged).is_some()
    });
    assert!(found.count() > 0, "{} places", places.len());
    assert_eq!(refused(directory.path(), &whole), None);
}
