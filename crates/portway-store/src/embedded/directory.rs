//! The data directory: who may look into it, and that one process at a time works in it.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process,
};

use super::error::OpenError;

/// The file that is locked as long as somebody works in the directory. The database's own file
/// will not do: it is closed and opened again after a failure.
const LOCK: &str = "lock";

/// A directory that this process alone works in.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Unlocked with it, and by the end of the process.
    lock: File,
}

impl Directory {
    /// Makes the directory if it is missing, for this user alone, and locks it.
    pub(super) fn claim(path: &Path) -> Result<Self, OpenError> {
        let fault = |cause| OpenError::Directory { path: path.to_owned(), cause };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(fault)?;
        let lock = private_file().create(true).truncate(false).open(path.join(LOCK));
        let mut lock = lock.map_err(fault)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { path: path.to_owned(), process: holder(&mut lock) });
            }
            Err(TryLockError::Error(cause)) => return Err(fault(cause)),
        }
        sign(&lock).map_err(fault)?;
        Ok(Self { path: path.to_owned(), lock })
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes what was created or renamed in it last.
    pub(super) fn sync(&self) -> io::Result<()> {
        sync(&self.path)
    }
}

impl Drop for Directory {
    /// Closing the file would not do: a process that is just being started may have a copy of its
    /// descriptor for a moment.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

/// Makes what was created or renamed in the directory `path` last.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// How a file that only this user may read and write is opened.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

/// Leaves the number of this process, for who finds the directory in use. A full disk does not
/// matter here.
fn sign(mut lock: &File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.seek(SeekFrom::Start(0))?;
    match writeln!(lock, "{}", process::id()) {
        Err(error) if super::error::is_full(&error) => Ok(()),
        other => other,
    }
}

/// Who holds the lock, as far as it has signed.
fn holder(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
