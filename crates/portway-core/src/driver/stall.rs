//! The end of an HTTP/2 stream whose client gives no room for its answer.
//!
//! hyper asks for no body while there is no room, so no clock inside a body runs then: it runs in
//! the stream's task. Dropping the stream resets it; its connection and the others go on.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep};

tokio::task_local! {
    /// How long the stream of this task may be stuck; `None` until it has an answer.
    static LIMIT: Cell<Option<Duration>>;
}

/// From now on the stream whose task this is may be stuck for so long.
pub(super) fn limit(limit: Option<Duration>) {
    // Whoever serves an exchange in a task of its own has no stream to cut.
    let _ = LIMIT.try_with(|cell| cell.set(limit));
}

/// Runs the streams of a connection, each in a task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams;

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(LIMIT.scope(Cell::new(None), Watched { stream, alarm: None }));
    }
}

pin_project! {
    struct Watched<F> {
        #[pin]
        stream: F,
        // Made when an answer first has to wait: most never do.
        alarm: Option<Pin<Box<Sleep>>>,
    }
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        // First, so that what the stream has to say about its end is said.
        if this.stream.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some(limit) = LIMIT.with(Cell::get) else { return Poll::Pending };
        let alarm = match this.alarm {
            Some(alarm) if alarm.is_elapsed() => return Poll::Ready(()),
            // Whatever woke the stream, it is not stuck.
            Some(alarm) => {
                alarm.as_mut().reset(Instant::now() + limit);
                alarm
            }
            None => this.alarm.insert(Box::pin(sleep(limit))),
        };
        alarm.as_mut().poll(cx)
    }
}
