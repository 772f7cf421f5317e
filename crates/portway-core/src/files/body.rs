//! The bytes of a file on their way out: exactly as many as were announced.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use portway_plugin::Error;
use tower_http::services::fs::ServeFileSystemResponseBody;

use super::unreadable;

/// A file, or a range of it, that is read as it is sent. One that has become shorter is an error,
/// so that nobody takes what came for all of it; of one that has become longer, the rest is left.
pub(super) struct FileBody {
    file: ServeFileSystemResponseBody,
    left: u64,
}

impl FileBody {
    pub(super) fn new(file: ServeFileSystemResponseBody, bytes: u64) -> Self {
        Self { file, left: bytes }
    }
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut this.file).poll_frame(cx));
        Poll::Ready(Some(match frame.map(|read| read.map(Frame::into_data)) {
            Some(Ok(Ok(mut data))) => {
                data.truncate(usize::try_from(this.left).unwrap_or(usize::MAX));
                this.left -= data.len() as u64;
                Ok(Frame::data(data))
            }
            Some(Err(error)) => Err(unreadable(&error)),
            None | Some(Ok(Err(_))) => {
                Err(Error::gateway("file_changed", "the file has become shorter while it was sent"))
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
