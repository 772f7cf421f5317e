//! The file that keys are kept in.

use std::{
    fmt,
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{InvalidKeys, KeyRing, SealError};
use crate::embedded::{private_file, sync};

const HEAD: &str = "\
# Keys of the secrets of this gateway: the first one seals, all of them open.
# Keep a copy apart from the backups, which do not hold it. Without it the secrets are lost.
";

/// How a key file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// There was none: it was made, with one new key. Say so where people look.
    Made,
    /// It was there.
    Kept {
        /// Whether users other than its owner may read or write it. Say so too.
        exposed: bool,
    },
}

/// The keys in `path`; a new file with a new key, for this user alone, when there is none.
///
/// # Errors
///
/// When the file cannot be read or made, or holds something else.
pub fn load_or_make(path: &Path) -> Result<(KeyRing, Found), KeyFileError> {
    match load(path) {
        Err(KeyFileError::File { cause, .. }) if cause.kind() == ErrorKind::NotFound => {}
        loaded => return loaded.map(|(ring, exposed)| (ring, Found::Kept { exposed })),
    }
    let ring = KeyRing::generate().map_err(KeyFileError::Key)?;
    // A link, not a rename: if another process was faster, its key stays.
    let made = write(path, &ring, |new, path| {
        let linked = fs::hard_link(new, path);
        fs::remove_file(new)?;
        linked
    });
    match made {
        Err(KeyFileError::File { cause, .. }) if cause.kind() == ErrorKind::AlreadyExists => {
            load(path).map(|(ring, exposed)| (ring, Found::Kept { exposed }))
        }
        made => made.map(|()| (ring, Found::Made)),
    }
}

/// Puts the keys of `ring` in place of those in `path`: all of them or, when it fails, none.
///
/// # Errors
///
/// When the file cannot be written.
pub fn save(path: &Path, ring: &KeyRing) -> Result<(), KeyFileError> {
    write(path, ring, |new, path| fs::rename(new, path))
}

fn load(path: &Path) -> Result<(KeyRing, bool), KeyFileError> {
    let fault = |cause| KeyFileError::File { path: path.to_owned(), cause };
    let mut file = File::open(path).map_err(fault)?;
    let exposed = file.metadata().map_err(fault)?.permissions().mode() & 0o077 != 0;
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(fault)?;
    let invalid = |cause| KeyFileError::Invalid { path: path.to_owned(), cause };
    Ok((KeyRing::parse(&text).map_err(invalid)?, exposed))
}

fn write(
    path: &Path,
    ring: &KeyRing,
    place: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> Result<(), KeyFileError> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let written = || {
        // One that was cut short may be about, with whatever mode.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private_file().create_new(true).open(&new)?;
        file.write_all(HEAD.as_bytes())?;
        file.write_all(ring.text().as_bytes())?;
        file.sync_all()?;
        place(&new, path)?;
        sync(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(".".as_ref()))
    };
    written().map_err(|cause| KeyFileError::File { path: path.to_owned(), cause })
}

/// Why there are no keys.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It holds something else.
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: InvalidKeys,
    },
    /// No key can be made.
    Key(SealError),
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => write!(f, "cannot use the key file {}", path.display()),
            Self::Invalid { path, .. } => write!(f, "the key file {} is invalid", path.display()),
            Self::Key(_) => f.write_str("cannot make a key"),
        }
    }
}

impl std::error::Error for KeyFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { cause, .. } => Some(cause),
            Self::Invalid { cause, .. } => Some(cause),
            Self::Key(cause) => Some(cause),
        }
    }
}
