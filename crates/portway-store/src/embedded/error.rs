//! Why a data directory cannot be opened, and what the failures of the database mean.

use std::{
    fmt,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::error::{Cause, Error};

/// Why a store cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process works in the directory.
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process, if it could be told.
        process: Option<u32>,
    },
    /// The directory or its files cannot be made, read or written.
    Directory {
        /// The directory or the file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The disk is full, so that not even what is there can be opened.
    Full {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: Cause,
    },
    /// The file is damaged, or is no store.
    Corrupt {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: Cause,
    },
    /// A later version of Portway wrote the file.
    Newer {
        /// The file.
        file: PathBuf,
        /// The version of its format.
        found: u64,
        /// The last version that is understood.
        known: u64,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path, process } => {
                write!(f, "the data directory {} is in use by ", path.display())?;
                match process {
                    Some(process) => write!(f, "process {process}"),
                    None => f.write_str("another process"),
                }?;
                f.write_str("; give each gateway a directory of its own")
            }
            Self::Directory { path, .. } => write!(f, "cannot use {}", path.display()),
            Self::Full { file, .. } => {
                write!(f, "no space left to open {}; free some", file.display())
            }
            Self::Corrupt { file, .. } => write!(
                f,
                "{} is damaged or is no store; move it away, start anew and restore a backup",
                file.display()
            ),
            Self::Newer { file, found, known } => write!(
                f,
                "{} has format {found}, written by a later version; this one knows formats up to \
                 {known}",
                file.display()
            ),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Directory { cause, .. } => Some(cause),
            Self::Full { cause, .. } | Self::Corrupt { cause, .. } => Some(&**cause),
            Self::InUse { .. } | Self::Newer { .. } => None,
        }
    }
}

/// A failure of the database, whichever of its calls it came from.
#[derive(Debug)]
pub(super) enum Failure {
    Database(redb::Error),
    /// It panicked, which it does at some damages.
    Panic(String),
}

impl<T: Into<redb::Error>> From<T> for Failure {
    fn from(error: T) -> Self {
        Self::Database(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => error.fmt(f),
            Self::Panic(text) => write!(f, "the database gave up: {text}"),
        }
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// Whether the database only says that it failed before and has to be opened anew.
    pub(super) fn is_aftermath(&self) -> bool {
        matches!(self, Self::Database(redb::Error::PreviousIo | redb::Error::DatabaseClosed))
    }

    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Database(redb::Error::Io(error)) if is_full(error))
    }

    fn is_damage(&self) -> bool {
        match self {
            Self::Panic(_) => true,
            Self::Database(error) => match error {
                redb::Error::Io(error) => is_damage(error),
                redb::Error::Corrupted(_)
                | redb::Error::UpgradeRequired(_)
                | redb::Error::RepairAborted
                | redb::Error::TableTypeMismatch { .. }
                | redb::Error::TableIsMultimap(_)
                | redb::Error::TypeDefinitionChanged { .. }
                | redb::Error::TableDoesNotExist(_) => true,
                _ => false,
            },
        }
    }

    /// What it means to who asked the store at `file`.
    pub(super) fn into_error(self, file: &Path) -> Error {
        let place = file.to_owned();
        if self.is_full() {
            Error::Full { place, cause: self.into() }
        } else if self.is_damage() {
            Error::Corrupt { place, cause: self.into() }
        } else {
            Error::Unavailable(self.into())
        }
    }

    /// What it means to who opens `file`.
    pub(super) fn into_open_error(self, file: &Path) -> OpenError {
        let file = file.to_owned();
        if self.is_full() {
            return OpenError::Full { file, cause: self.into() };
        }
        match self {
            Self::Database(redb::Error::DatabaseAlreadyOpen) => {
                OpenError::InUse { path: file, process: None }
            }
            Self::Database(redb::Error::Io(cause)) if !is_damage(&cause) => {
                OpenError::Directory { path: file, cause }
            }
            other => OpenError::Corrupt { file, cause: other.into() },
        }
    }
}

/// Whether a system call failed for want of space, whoever rations it.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
}
