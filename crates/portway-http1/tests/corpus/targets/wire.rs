//! A connection's other end, made of bytes.

use std::{
    cell::RefCell,
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::{Builder, Runtime},
    time::timeout,
};

/// Longer than any limit of the crate lets a connection go on.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

thread_local! {
    static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
}

/// Runs a future to its end on a paused clock: time passes only when nothing else can happen.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    // Taken out meanwhile, so that a panic leaves none behind.
    let runtime = RUNTIME.take().unwrap_or_else(|| {
        let mut builder = Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().expect("a runtime without I/O")
    });
    let output = runtime.block_on(async {
        timeout(FOR_EVER, future).await.expect("the connection comes to an end")
    });
    RUNTIME.set(Some(runtime));
    output
}

/// Where bytes are split, and where a peer lets others wait. The same seed gives the same cuts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cuts {
    seed: u32,
    at: At,
}

#[derive(Clone, Copy, Debug, Default)]
enum At {
    #[default]
    Anywhere,
    /// Once, behind so many bytes.
    Once(usize),
    /// Behind each byte.
    Each,
}

impl Cuts {
    /// Zero never splits.
    pub(crate) fn new(seed: u8) -> Self {
        Self { seed: u32::from(seed).wrapping_mul(0x9e37_79b1), at: At::Anywhere }
    }

    /// Splits once.
    pub(crate) fn at(first: usize) -> Self {
        Self { seed: 0, at: At::Once(first) }
    }

    /// Splits behind each byte.
    pub(crate) fn bytes() -> Self {
        Self { seed: 1, at: At::Each }
    }

    fn next(&mut self) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        (self.seed >> 8) as usize
    }

    /// How many of `all` come next, at least one if there are any.
    pub(crate) fn piece(&mut self, all: usize) -> usize {
        match self.at {
            At::Each => all.min(1),
            At::Once(left) => {
                let here = all.min(left);
                self.at = if here == left { At::Anywhere } else { At::Once(left - here) };
                here
            }
            At::Anywhere if self.seed == 0 || all < 2 => all,
            At::Anywhere => {
                let most = [1, 3, 16, 200, all][self.next() % 5].min(all);
                1 + self.next() % most
            }
        }
    }

    /// Whether to wait now.
    pub(crate) fn pause(&mut self) -> bool {
        self.seed != 0 && self.next().is_multiple_of(4)
    }
}

/// What a wire does when all of its bytes were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is closed.
    Closed,
    /// It says nothing more.
    Silent,
}

/// In-memory I/O whose peer has said everything beforehand.
#[derive(Debug)]
pub(crate) struct Wire {
    input: Bytes,
    end: End,
    cuts: Cuts,
    /// Nothing is read before a head was written.
    answers: bool,
    waiting: Option<Waker>,
    output: Output,
}

/// What was written to a wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    /// Takes it.
    pub(crate) fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }

    fn put(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }

    fn has_head(&self) -> bool {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.windows(4).any(|here| here == b"\r\n\r\n")
    }
}

impl Wire {
    /// A peer that speaks first.
    pub(crate) fn client(input: &[u8], end: End, cuts: Cuts) -> (Self, Output) {
        let output = Output::default();
        let input = Bytes::copy_from_slice(input);
        let (answers, waiting) = (false, None);
        (Self { input, end, cuts, answers, waiting, output: output.clone() }, output)
    }

    /// A peer that speaks when it has heard a head.
    pub(crate) fn server(input: &[u8], end: End, cuts: Cuts) -> (Self, Output) {
        let (wire, output) = Self::client(input, end, cuts);
        (Self { answers: true, ..wire }, output)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.answers && !self.output.has_head() {
            self.waiting = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if self.input.is_empty() {
            return if self.end == End::Closed { Poll::Ready(Ok(())) } else { Poll::Pending };
        }
        if self.cuts.pause() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let all = self.input.len().min(buf.remaining());
        let here = self.cuts.piece(all);
        buf.put_slice(&self.input.split_to(here));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.cuts.pause() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let here = self.cuts.piece(bytes.len());
        self.output.put(&bytes[..here]);
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
        Poll::Ready(Ok(here))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
