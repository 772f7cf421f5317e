//! Values too large for one entry: pieces in a folder of their own.
//!
//! [`split`] makes them, for who writes them in a transaction with other things. [`write()`] writes
//! them by themselves, in as many transactions as the store asks for. What refers to a folder is
//! written when its pieces are, so nobody looks at one that is not complete; see
//! `docs/decisions/0007-store.md`.

use bytes::{Bytes, BytesMut};

use crate::{
    entry::{List, Revision},
    error::Error,
    key::{InvalidKey, Key, Prefix},
    store::Store,
    transaction::{Limits, Transaction},
};

/// `value` in pieces below `folder`, each within `limits`; an empty value is one empty piece.
///
/// # Errors
///
/// When the paths get too long.
pub fn split(
    folder: &Prefix,
    value: &Bytes,
    limits: &Limits,
) -> Result<Vec<(Key, Bytes)>, InvalidKey> {
    let size = limits.value.min(limits.transaction.saturating_sub(Key::MAX_LENGTH)).max(1);
    let count = value.len().div_ceil(size).max(1);
    (0..count)
        .map(|index| {
            let (from, to) = (index * size, value.len().min((index + 1) * size));
            // As many digits as keep numbers in order.
            Ok((folder.key(&format!("{index:08}"))?, value.slice(from..to)))
        })
        .collect()
}

/// Writes `value` below `folder`, in place of whatever was there. It is not atomic when it takes
/// more than one transaction: write to a folder that nothing refers to yet.
///
/// Answers the last revision it made.
///
/// # Errors
///
/// Those of the store.
pub async fn write(store: &dyn Store, folder: &Prefix, value: &Bytes) -> Result<Revision, Error> {
    let limits = store.limits();
    store.commit(Transaction::new().delete_below(folder)).await?;
    let mut transaction = Transaction::new();
    for (key, piece) in split(folder, value, &limits)? {
        let full = transaction.operations().len() >= limits.operations
            || transaction.size() + key.as_str().len() + piece.len() > limits.transaction;
        if full {
            store.commit(std::mem::take(&mut transaction)).await?;
        }
        transaction = transaction.put(&key, piece);
    }
    store.commit(transaction).await
}

/// The value whose pieces lie below `folder`; `None` when there are none.
///
/// # Errors
///
/// Those of the store.
pub async fn read(store: &dyn Store, folder: &Prefix) -> Result<Option<Bytes>, Error> {
    let mut pieces = store.list(List::of(folder)).await?.entries;
    if pieces.len() < 2 {
        return Ok(pieces.pop().map(|only| only.value));
    }
    let mut value = BytesMut::with_capacity(pieces.iter().map(|piece| piece.value.len()).sum());
    for piece in &pieces {
        value.extend_from_slice(&piece.value);
    }
    Ok(Some(value.freeze()))
}
