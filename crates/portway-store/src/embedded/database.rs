//! The database's file: made, opened, and opened again after a failure.

use std::{
    fs,
    io::ErrorKind,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use redb::{Builder, Database, ReadableDatabase};

use super::{
    directory::{self, Directory},
    error::{Failure, OpenError},
    tables,
};
use crate::{entry::Revision, error::Cause};

const NAME: &str = "portway.redb";
/// What becomes the file when it is complete: an empty file would be taken for a new store.
const UNFINISHED: &str = "portway.redb.new";

/// The file of a store, and how it is opened.
#[derive(Debug)]
pub(super) struct Place {
    directory: Directory,
    file: PathBuf,
    cache: usize,
}

impl Place {
    pub(super) fn new(directory: Directory, cache: usize) -> Self {
        let file = directory.file(NAME);
        Self { directory, file, cache }
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Opens the file, making it if there is none.
    pub(super) fn open_or_make(&self) -> Result<(Database, Revision), OpenError> {
        let fault = |cause| OpenError::Directory { path: self.file.clone(), cause };
        match fs::metadata(&self.file) {
            Ok(found) if found.len() == 0 => {
                let cause = Cause::from("the file is empty");
                return Err(OpenError::Corrupt { file: self.file.clone(), cause });
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => self.make()?,
            Err(error) => return Err(fault(error)),
        }
        self.open()
    }

    /// Opens the file, every page of which is checked: a damage found now is told now, not at the
    /// first read of what it hit.
    pub(super) fn open(&self) -> Result<(Database, Revision), OpenError> {
        let opened = guarded(|| {
            let mut builder = self.builder();
            builder.set_check_integrity_on_open(true);
            let database = builder.open(&self.file)?;
            let facts = tables::facts(&database.begin_read()?)?;
            Ok((database, facts))
        });
        let (database, (format, revision)) =
            opened.map_err(|failure| failure.into_open_error(&self.file))?;
        if format > tables::KNOWN_FORMAT {
            let (file, known) = (self.file.clone(), tables::KNOWN_FORMAT);
            return Err(OpenError::Newer { file, found: format, known });
        }
        Ok((database, revision))
    }

    fn make(&self) -> Result<(), OpenError> {
        let unfinished = self.directory.file(UNFINISHED);
        let fault = |cause| OpenError::Directory { path: unfinished.clone(), cause };
        // Of a start that did not get far.
        let file = directory::private_file().create(true).truncate(true).open(&unfinished);
        drop(file.map_err(fault)?);
        let made = guarded(|| {
            let database = self.builder().create(&unfinished)?;
            let write = database.begin_write()?;
            tables::found(&write)?;
            write.commit()?;
            Ok(database.close()?)
        });
        made.map_err(|failure| failure.into_open_error(&unfinished))?;
        fs::rename(&unfinished, &self.file).map_err(fault)?;
        self.directory.sync().map_err(fault)
    }

    fn builder(&self) -> Builder {
        let mut builder = Builder::new();
        builder.set_cache_size(self.cache);
        builder
    }
}

/// Does `work` with the database, which panics at some damages.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // What the panic may have left in disorder is the database's: it is opened anew after it.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Failure::Panic(text.unwrap_or("it panicked").to_owned()))
    })
}
