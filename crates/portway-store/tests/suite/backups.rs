//! Backups: what goes into one comes out of it, and nothing is replaced by a damaged one.

use std::io::Cursor;

use bytes::Bytes;
use futures_util::TryStreamExt;
use portway_store::{
    Error, Expect, List, Revision, Transaction,
    backup::{Archive, Replacement, backup, verify},
};

use crate::stores::{self, Subject, key, prefix};

/// Each store with each as where its backup goes.
fn pairs() -> [(Subject, Subject); 4] {
    let stores = [stores::memory, stores::embedded];
    [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(from, to)| (stores[from](), stores[to]()))
}

async fn filled(store: &dyn Archive) -> Vec<(String, Bytes)> {
    let entries: Vec<(String, Bytes)> = (0..700)
        .map(|n| (format!("/f/{n:04}"), Bytes::from(format!("value {n} ").repeat(n % 50))))
        .collect();
    let all = entries.iter().fold(Transaction::new(), |t, (k, v)| t.put(&key(k), v.clone()));
    store.commit(all).await.unwrap();
    store.commit(Transaction::new().put(&key("/last"), "one")).await.unwrap();
    entries.into_iter().chain([("/last".to_owned(), Bytes::from("one"))]).collect()
}

async fn bytes_of(store: &dyn Archive) -> Vec<u8> {
    let pieces: Vec<Bytes> = backup(store).await.unwrap().try_collect().await.unwrap();
    pieces.concat()
}

async fn held(store: &dyn Archive) -> Vec<(String, Bytes)> {
    let page = store.list(List::of(&prefix("/"))).await.unwrap();
    page.entries.into_iter().map(|entry| (entry.key.to_string(), entry.value)).collect()
}

#[tokio::test]
async fn a_backup_is_restored_over_whatever_is_there() {
    for (from, to) in pairs() {
        let entries = filled(&*from.store).await;
        let bytes = bytes_of(&*from.store).await;
        let manifest = verify(&bytes[..]).unwrap();
        assert_eq!((manifest.revision, manifest.entries), (Revision(2), 701));
        assert!(manifest.made > 1_700_000_000);

        let old = Transaction::new().put(&key("/old"), "old").put(&key("/last"), "old");
        to.store.commit(old).await.unwrap();
        let mut watch = to.store.watch(&prefix("/"), Revision(2)).await.unwrap();
        let restored = to.store.replace(Replacement::new(Cursor::new(bytes))).await.unwrap();
        // Above the store's and above the backup's.
        assert_eq!(restored, Revision(3));
        assert_eq!(held(&*to.store).await, entries);
        let missed = watch.next().await;
        assert!(matches!(missed, Some(Err(Error::Compacted { .. }))), "{missed:?}");

        // Whoever saw the key before finds that it has changed, and writing goes on.
        let last = key("/last");
        let put = |seen| {
            let expected = Transaction::new().expect(&last, Expect::ChangedAt(Revision(seen)));
            to.store.commit(expected.put(&last, "two"))
        };
        assert!(matches!(put(2).await, Err(Error::Conflict(_))));
        assert_eq!(put(3).await.unwrap(), Revision(4));
    }
}

#[tokio::test]
async fn a_backup_is_of_one_revision() {
    for from in [stores::memory(), stores::embedded()] {
        let entries = filled(&*from.store).await;
        let mut pieces = std::pin::pin!(backup(&*from.store).await.unwrap());
        let mut bytes = pieces.try_next().await.unwrap().unwrap().to_vec();
        let after = Transaction::new().put(&key("/last"), "late").delete_below(&prefix("/f/"));
        from.store.commit(after).await.unwrap();
        while let Some(piece) = pieces.try_next().await.unwrap() {
            bytes.extend_from_slice(&piece);
        }
        let to = stores::memory();
        to.store.replace(Replacement::new(Cursor::new(bytes))).await.unwrap();
        assert_eq!(held(&*to.store).await, entries);
    }
}

#[tokio::test]
async fn a_damaged_backup_replaces_nothing() {
    let from = stores::memory();
    from.store.commit(Transaction::new().put(&key("/a"), "1").put(&key("/b"), "22")).await.unwrap();
    let whole = bytes_of(&*from.store).await;
    let mut damaged: Vec<Vec<u8>> = (0..whole.len()).map(|cut| whole[..cut].to_vec()).collect();
    damaged.extend((0..whole.len()).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        bytes
    }));
    damaged.push([&whole[..], b"more"].concat());
    for to in [stores::memory(), stores::embedded()] {
        to.store.commit(Transaction::new().put(&key("/old"), "old")).await.unwrap();
        for bytes in &damaged {
            let refused = to.store.replace(Replacement::new(Cursor::new(bytes.clone()))).await;
            assert!(matches!(&refused, Err(Error::Invalid(_))), "{refused:?} for {bytes:?}");
        }
        assert_eq!(held(&*to.store).await, [("/old".to_owned(), Bytes::from("old"))]);
        assert_eq!(to.store.revision().await.unwrap(), Revision(1));
    }
}

#[tokio::test]
async fn an_empty_store_is_backed_up_too() {
    for (from, to) in pairs() {
        to.store.commit(Transaction::new().put(&key("/old"), "old")).await.unwrap();
        let bytes = bytes_of(&*from.store).await;
        to.store.replace(Replacement::new(Cursor::new(bytes))).await.unwrap();
        assert_eq!(held(&*to.store).await, []);
    }
}
