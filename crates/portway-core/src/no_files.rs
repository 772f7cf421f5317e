//! What stands in the place of static files in a build without them.
#![allow(dead_code, reason = "its face is that of the room `files`, whoever looks at it")]

use http::{HeaderMap, Method, StatusCode};
use portway_config::Config;
use portway_plugin::{Error, Response, Result};

/// They are no part of this build.
pub(crate) const ARE_SENT: bool = false;

/// What nobody serves: whoever asks for files is refused when the configuration is.
#[derive(Debug)]
pub(crate) struct Files;

pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) path: &'a str,
    pub(crate) shown_path: &'a str,
}

pub(crate) enum Answer {
    Response(Response),
    AddSlash,
}

impl Files {
    pub(crate) fn new(_: portway_config::Files) -> Self {
        Self
    }

    #[allow(clippy::unused_async, reason = "the room `files` waits for the disk")]
    pub(crate) async fn answer(&self, _: Asked<'_>) -> Result<Answer> {
        let message = "this build sends no files";
        Err(Error::client(StatusCode::NOT_IMPLEMENTED, "not_in_this_build", message))
    }
}

/// There are none.
#[allow(clippy::unused_async, reason = "the room `files` looks at the disk")]
pub(crate) async fn warn_of_missing_roots(_: &Config) {}
