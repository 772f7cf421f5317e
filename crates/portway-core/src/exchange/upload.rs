//! The request's body on its way in: counted, bounded, not waited for for ever.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use portway_plugin::{Body, Error};
use tokio::time::{Instant, Sleep, sleep_until};

/// The limits on a request's body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UploadLimits {
    pub(crate) bytes: Option<u64>,
    /// When the whole of it must have come.
    pub(crate) deadline: Option<Instant>,
    /// How long nothing may come.
    pub(crate) idle: Option<Duration>,
}

/// Counts and bounds `body`. The counter is `None` for a body that is empty.
pub(crate) fn limited(body: Body, limits: UploadLimits) -> (Body, Option<Arc<AtomicU64>>) {
    if body.is_end_stream() {
        return (body, None);
    }
    let count = Arc::<AtomicU64>::default();
    let upload = Upload { body, limits, count: Arc::clone(&count), alarm: None };
    (Body::stream(upload), Some(count))
}

/// What is answered for a body beyond the limit.
pub(crate) fn too_large(limit: u64) -> Error {
    Error::client(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        format!("the request body is larger than {limit} bytes"),
    )
    .closing()
}

struct Upload {
    body: Body,
    limits: UploadLimits,
    count: Arc<AtomicU64>,
    /// Made when the client first keeps us waiting.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Upload {
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let idle = self.limits.idle.map(|idle| Instant::now() + idle);
        let Some(deadline) = self.limits.deadline.into_iter().chain(idle).min() else {
            return Poll::Pending;
        };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        alarm.as_mut().poll(cx).map(|()| {
            Error::client(
                StatusCode::REQUEST_TIMEOUT,
                "request_body_timeout",
                "the request body did not arrive in time",
            )
            .closing()
        })
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            return this.poll_patience(cx).map(|error| Some(Err(error)));
        };
        this.alarm = None;
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            let count = this.count.fetch_add(data.len() as u64, Relaxed) + data.len() as u64;
            if let Some(limit) = this.limits.bytes.filter(|&limit| count > limit) {
                return Poll::Ready(Some(Err(too_large(limit))));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
