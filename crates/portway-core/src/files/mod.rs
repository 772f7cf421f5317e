//! Sends files of the gateway's own.
//!
//! A path leads to a file, to a folder or to nothing ([`find`]); [`send`] answers with the file,
//! whole or in ranges, as the request's conditions demand. Reading, negotiation and conditions
//! are tower-http's `ServeDir`; this room decides what it may open ([`disk`]) and adds what it
//! does not know. All work with files runs on tokio's pool for blocking work, never on a core.
//!
//! It never leaves its root unless it is told to follow links, never sends anything but regular
//! files, never writes, and keeps no file in memory: bodies are read as they are sent.

mod below;
mod body;
mod disk;
mod find;
mod listing;
mod multipart;
mod ranges;
mod send;

use std::{io, sync::Arc};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use portway_config::Config;
use portway_plugin::{Error, Response, Result};

use disk::blocking;
use find::Place;
use send::Sender;

/// They are a part of this build.
pub(crate) const ARE_SENT: bool = true;

/// The files of one route.
#[derive(Debug)]
pub(crate) struct Files {
    spec: Arc<portway_config::Files>,
}

/// What is asked for.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    /// The path that names the file: in its normal form, rewritten.
    pub(crate) path: &'a str,
    /// The path the client asked for, in its normal form.
    pub(crate) shown_path: &'a str,
}

/// What is answered.
pub(crate) enum Answer {
    Response(Response),
    /// The client is to ask again with a slash behind its path, which is a folder's.
    AddSlash,
}

impl Files {
    pub(crate) fn new(spec: portway_config::Files) -> Self {
        Self { spec: Arc::new(spec) }
    }

    /// Answers a request for a file.
    ///
    /// # Errors
    /// There is no such file, it must not or cannot be read, or it is not asked for as files are.
    pub(crate) async fn answer(&self, asked: Asked<'_>) -> Result<Answer> {
        if *asked.method != Method::GET && *asked.method != Method::HEAD {
            return Err(method_not_allowed());
        }
        let (spec, path) = (Arc::clone(&self.spec), asked.path.to_owned());
        let place = blocking(move || find::find(&spec, &path)).await.map_err(|e| unreadable(&e))?;
        match place {
            Place::Nothing => Err(not_found()),
            Place::Folder => Ok(Answer::AddSlash),
            Place::Listing(folder) => {
                let path = asked.shown_path.to_owned();
                let page = blocking(move || Ok(folder.page(&path))).await;
                page.map(Answer::Response).map_err(|error| unreadable(&error))
            }
            Place::File(disk) => {
                let sender = Sender::new(Arc::clone(&self.spec), disk, asked.headers)?;
                sender.answer(asked.method, asked.headers).await.map(Answer::Response)
            }
        }
    }
}

/// Tells of roots that are no folders. They may become some: it is not an error.
pub(crate) async fn warn_of_missing_roots(config: &Config) {
    let roots: Vec<_> = config
        .routes
        .iter()
        .filter_map(|route| match &route.target {
            Some(portway_config::Target::Files(files)) => {
                Some((route.meta.label().to_owned(), files.root.clone()))
            }
            _ => None,
        })
        .collect();
    if roots.is_empty() {
        return;
    }
    let told = blocking(move || {
        for (route, root) in roots {
            let why = match std::fs::metadata(&root) {
                Ok(found) if found.is_dir() => continue,
                Ok(_) => "it is not a folder".to_owned(),
                Err(error) => error.to_string(),
            };
            let root = root.display();
            tracing::warn!(route, %root, why, "the root of files cannot be served");
        }
        Ok(())
    });
    if let Err(error) = told.await {
        tracing::warn!(%error, "the roots of files could not be looked at");
    }
}

fn method_not_allowed() -> Error {
    Error::client(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "files can be read, nothing else",
    )
    .with_header(header::ALLOW, HeaderValue::from_static("GET, HEAD"))
}

fn not_found() -> Error {
    Error::client(StatusCode::NOT_FOUND, "file_not_found", "there is no such file")
}

/// What is answered for a file that cannot be opened or read.
fn unreadable(error: &io::Error) -> Error {
    let cause = error.to_string();
    match error.kind() {
        _ if disk::is_missing(error) => not_found().because(cause),
        io::ErrorKind::PermissionDenied => {
            let message = "the file must not be read";
            Error::client(StatusCode::FORBIDDEN, "file_forbidden", message).because(cause)
        }
        _ => Error::gateway("file_unreadable", "the file could not be read").because(cause),
    }
}
