//! Values in pieces.

use bytes::Bytes;
use portway_store::{Limits, List, Memory, Store, pieces};

use crate::stores::{self, prefix};

fn value(length: usize) -> Bytes {
    (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect::<Vec<_>>().into()
}

#[tokio::test]
async fn a_value_of_any_size_comes_back_from_every_store() {
    let etcd = Memory::with(Limits::ETCD, 8);
    let embedded = stores::embedded();
    let stores: [&dyn Store; 2] = [&etcd, &*embedded.store];
    let folder = prefix("/records/7/");
    for store in stores {
        assert_eq!(pieces::read(store, &folder).await.unwrap(), None);
        let limit = store.limits().value;
        for (length, count) in
            [(limit * 2 + 1, 3), (limit, 1), (limit + 1, 2), (0, 1), (limit * 2, 2), (1, 1)]
        {
            let value = value(length);
            let revision = pieces::write(store, &folder, &value).await.unwrap();
            let page = store.list(List::of(&folder)).await.unwrap();
            // Nothing of the longer value before is left.
            assert_eq!((page.entries.len(), page.revision), (count, revision), "{length} bytes");
            assert!(pieces::read(store, &folder).await.unwrap() == Some(value), "{length} bytes");
        }
    }
}

#[test]
fn many_pieces_are_in_order() {
    let limits = Limits { value: 3, ..Limits::LOCAL };
    let folder = prefix("/r/");
    let value = value(1000);
    let mut split = pieces::split(&folder, &value, &limits).unwrap();
    assert_eq!(split.len(), 334);
    assert!(split.is_sorted_by_key(|(key, _)| key.clone()));
    assert!(split.iter().all(|(key, piece)| folder.holds(key) && piece.len() <= 3));
    assert_eq!(split.pop().unwrap().1.len(), 1);
}
