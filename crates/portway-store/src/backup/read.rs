//! From bytes to entries. What is read may be cut, damaged or no backup at all.

use std::io::{BufReader, ErrorKind, Read};

use aws_lc_rs::{
    constant_time,
    digest::{Context, SHA256, SHA256_OUTPUT_LEN},
};
use bytes::Bytes;

use super::{
    Manifest, Put,
    format::{MAGIC, VALUE, VERSION},
    unreadable,
};
use crate::{entry::Revision, error::Error, key::Key};

/// Reads a whole backup and says what is in it. Blocks.
///
/// # Errors
///
/// When it is damaged, not complete, or of a later version.
pub fn verify(source: impl Read) -> Result<Manifest, Error> {
    let mut entries = Entries::open(BufReader::new(source))?;
    for entry in entries.by_ref() {
        entry?;
    }
    let Entries { manifest, mut from, .. } = entries;
    let expected = from.digest.clone().finish();
    let found: [u8; SHA256_OUTPUT_LEN] = from.array()?;
    if constant_time::verify_slices_are_equal(expected.as_ref(), &found).is_err() {
        return Err(damaged("its checksum is wrong"));
    }
    if !matches!(from.source.read(&mut [0]), Ok(0)) {
        return Err(damaged("something follows its end"));
    }
    Ok(manifest)
}

/// The entries of a backup. Without [`verify`], only the form is known to be right.
pub(super) struct Entries<R> {
    from: Digested<R>,
    manifest: Manifest,
    ended: bool,
    last: Option<Key>,
}

impl<R: Read> Entries<R> {
    pub(super) fn open(source: R) -> Result<Self, Error> {
        let mut from = Digested { source, digest: Context::new(&SHA256) };
        if from.array::<{ MAGIC.len() }>()? != *MAGIC {
            return Err(Error::Invalid("this is not a backup of a store".to_owned()));
        }
        let [version] = from.array()?;
        if version != VERSION {
            return Err(Error::Invalid(format!(
                "the backup has version {version}, written by another version of Portway; this \
                 one reads version {VERSION}"
            )));
        }
        let revision = Revision(u64::from_be_bytes(from.array()?));
        let made = u64::from_be_bytes(from.array()?);
        let manifest = Manifest { revision, made, entries: 0 };
        Ok(Self { from, manifest, ended: false, last: None })
    }

    fn entry(&mut self) -> Result<Option<(Key, Bytes)>, Error> {
        let length = u16::from_be_bytes(self.from.array()?);
        if length == 0 {
            self.ended = true;
            let counted = u64::from_be_bytes(self.from.array()?);
            if counted != self.manifest.entries {
                return Err(damaged("entries are missing"));
            }
            return Ok(None);
        }
        let path = self.from.bytes(usize::from(length))?;
        let path = String::from_utf8(path).map_err(|_| damaged("a key is not text"))?;
        let key = Key::new(path).map_err(|error| damaged(&error.to_string()))?;
        if self.last.as_ref().is_some_and(|last| *last >= key) {
            return Err(damaged("its keys are not in order"));
        }
        let length = u32::from_be_bytes(self.from.array()?);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > VALUE {
            return Err(damaged("a value is longer than any can be"));
        }
        let value = self.from.bytes(length)?;
        self.manifest.entries += 1;
        self.last = Some(key.clone());
        Ok(Some((key, value.into())))
    }
}

impl<R: Read> Iterator for Entries<R> {
    type Item = Put;

    fn next(&mut self) -> Option<Put> {
        if self.ended {
            return None;
        }
        let entry = self.entry();
        self.ended |= entry.is_err();
        entry.transpose()
    }
}

/// A reader that digests what it reads.
struct Digested<R> {
    source: R,
    digest: Context,
}

impl<R: Read> Digested<R> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        self.fill(&mut array)?;
        Ok(array)
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, Error> {
        // As much as comes, not as much as is announced.
        let mut bytes = Vec::new();
        let limit = u64::try_from(length).unwrap_or(u64::MAX);
        self.source.by_ref().take(limit).read_to_end(&mut bytes).map_err(|e| unreadable(&e))?;
        if bytes.len() < length {
            return Err(cut());
        }
        self.digest.update(&bytes);
        Ok(bytes)
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        self.source.read_exact(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => cut(),
            _ => unreadable(&error),
        })?;
        self.digest.update(buffer);
        Ok(())
    }
}

fn cut() -> Error {
    damaged("its end is missing")
}

fn damaged(what: &str) -> Error {
    Error::Invalid(format!("the backup is damaged: {what}"))
}
