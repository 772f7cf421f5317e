//! From a snapshot to a stream of bytes.

use std::{
    mem,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};

use super::{
    Archive, Snapshot,
    format::{MAGIC, VERSION},
};
use crate::{entry::Entry, error::Error};

/// A backup of the last revision of `store`, in pieces as they are asked for. The last piece holds
/// the checksum: without it, a backup is not complete and is not restored.
///
/// # Errors
///
/// Those of the store; also as the last item of the stream.
pub async fn backup(
    store: &dyn Archive,
) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
    let Snapshot { revision, entries } = store.snapshot().await?;
    let made = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut head = BytesMut::with_capacity(64);
    head.put_slice(MAGIC);
    head.put_u8(VERSION);
    head.put_u64(revision.0);
    head.put_u64(made);
    let writing = Writing { entries: Some(entries), digest: Context::new(&SHA256), count: 0, head };
    Ok(stream::unfold(writing, |mut writing| async move {
        let piece = writing.piece().await?;
        Some((piece, writing))
    }))
}

struct Writing<S> {
    /// `None` after the last piece.
    entries: Option<S>,
    digest: Context,
    count: u64,
    /// What goes before the next entries.
    head: BytesMut,
}

impl<S: Stream<Item = Result<Vec<Entry>, Error>> + Unpin> Writing<S> {
    async fn piece(&mut self) -> Option<Result<Bytes, Error>> {
        let mut piece = mem::take(&mut self.head);
        match self.entries.as_mut()?.next().await {
            Some(Ok(entries)) => {
                for entry in &entries {
                    put(&mut piece, entry);
                }
                self.count += entries.len() as u64;
                self.digest.update(&piece);
            }
            Some(Err(error)) => {
                self.entries = None;
                return Some(Err(error));
            }
            None => {
                self.entries = None;
                piece.put_u16(0);
                piece.put_u64(self.count);
                self.digest.update(&piece);
                piece.put_slice(self.digest.clone().finish().as_ref());
            }
        }
        Some(Ok(piece.freeze()))
    }
}

fn put(piece: &mut BytesMut, entry: &Entry) {
    let key = entry.key.as_str();
    let length = "keys have 1 to 1024 bytes, values far less than 4 GiB";
    piece.put_u16(u16::try_from(key.len()).expect(length));
    piece.put_slice(key.as_bytes());
    piece.put_u32(u32::try_from(entry.value.len()).expect(length));
    piece.put_slice(&entry.value);
}
