//! What may be opened: regular files below the root, and folders.

use std::{
    fs::Metadata,
    future::{Ready, ready},
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs::{Backend, File};

/// The folder nothing may be outside of.
#[derive(Debug)]
pub(super) struct Root {
    /// What names are put to.
    pub(super) path: PathBuf,
    /// Whether links may lead out of it. If not, `path` is free of links.
    follows: bool,
}

/// A file that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Its name below the root, as a URL path.
    pub(super) url_path: String,
    pub(super) metadata: Metadata,
}

impl Root {
    /// Looks where the root is now: a link to it may have been changed since the last request.
    pub(super) fn open(path: &Path, follows: bool) -> io::Result<Self> {
        let path = if follows { Path::new(".").join(path) } else { path.canonicalize()? };
        Ok(Self { path, follows })
    }

    /// The path, with its links followed, if it does not leave the root.
    fn inside<'a>(&self, path: &'a Path) -> io::Result<std::borrow::Cow<'a, Path>> {
        if self.follows {
            return Ok(path.into());
        }
        let real = path.canonicalize()?;
        if real.starts_with(&self.path) {
            Ok(real.into())
        } else {
            Err(io::Error::new(io::ErrorKind::NotFound, "a symbolic link leaves the root"))
        }
    }

    /// What the path is: a regular file or a folder. Anything else is not there: opening a pipe
    /// waits for its writer, and reading a device has no end.
    pub(super) fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let metadata = self.inside(path)?.metadata()?;
        if metadata.is_file() || metadata.is_dir() {
            return Ok(metadata);
        }
        Err(io::Error::new(io::ErrorKind::NotFound, "neither a file nor a folder"))
    }

    fn open_file(&self, path: &Path) -> io::Result<OpenFile> {
        let real = self.inside(path)?;
        if !real.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "not a file"));
        }
        let file = std::fs::File::open(real)?;
        let metadata = file.metadata()?;
        Ok(OpenFile { file: file.into(), metadata })
    }
}

/// Whether the error says that nothing by this name can be there.
pub(super) fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidFilename
    )
}

/// Does what blocks away from the core.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// The root, as tower-http reads from it. It asks again about the file that was found, which is
/// known already.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    root: Arc<Root>,
    pub(super) found: Arc<Found>,
}

impl Disk {
    pub(super) fn new(root: &Arc<Root>, found: Found) -> Self {
        Self { root: Arc::clone(root), found: Arc::new(found) }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root.path
    }
}

type Doing<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

impl Backend for Disk {
    type File = OpenFile;
    type Metadata = Metadata;
    type OpenFuture = Doing<OpenFile>;
    type MetadataFuture = Doing<Metadata>;

    fn open(&self, path: PathBuf) -> Doing<OpenFile> {
        let root = Arc::clone(&self.root);
        Box::pin(blocking(move || root.open_file(&path)))
    }

    fn metadata(&self, path: PathBuf) -> Doing<Metadata> {
        if path == self.found.path {
            return Box::pin(ready(Ok(self.found.metadata.clone())));
        }
        let root = Arc::clone(&self.root);
        Box::pin(blocking(move || root.metadata(&path)))
    }
}

/// An open file, with what it was when it was opened.
pub(super) struct OpenFile {
    file: tokio::fs::File,
    metadata: Metadata,
}

impl File for OpenFile {
    type Metadata = Metadata;
    type MetadataFuture<'a> = Ready<io::Result<Metadata>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(self.metadata.clone()))
    }
}

impl AsyncRead for OpenFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.file).poll_read(cx, buffer)
    }
}

impl AsyncSeek for OpenFile {
    fn start_seek(mut self: Pin<&mut Self>, position: io::SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.file).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.file).poll_complete(cx)
    }
}
