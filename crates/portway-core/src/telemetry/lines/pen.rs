//! The buffers of one who writes lines.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use super::writer::Bell;

/// A buffer of this size is handed over.
pub(super) const FULL: usize = 16 * 1024;
/// Room for the line that makes a buffer full.
const ROOM: usize = FULL + 4 * 1024;
/// Buffers that may wait for the writer: one MiB a core, the bound of the queue.
pub(super) const WAITING: usize = 64;
/// The writer is called before its time when this many wait.
const HURRY: usize = WAITING / 8;
/// Empty buffers that are kept for the next burst.
const SPARE: usize = 4;

/// Where one core writes its lines. `S` is what is needed to write one, such as the format.
#[derive(Debug)]
#[repr(align(128))]
pub(in crate::telemetry) struct Pen<S> {
    desk: Mutex<Desk<S>>,
    on: AtomicBool,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Desk<S> {
    style: S,
    page: Page,
    full: VecDeque<Page>,
    spare: Vec<Vec<u8>>,
    bell: Option<Arc<Bell>>,
    /// Nobody reads any more: lines that come late are counted as dropped.
    closed: bool,
}

/// A buffer of whole lines.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) bytes: Vec<u8>,
    pub(super) lines: u64,
}

impl<S> Pen<S> {
    /// A pen that writes nothing until it is assigned to a writer.
    pub(super) fn new(style: S, dropped: Arc<AtomicU64>) -> Self {
        let desk = Desk {
            style,
            page: Page::default(),
            full: VecDeque::new(),
            spare: Vec::new(),
            bell: None,
            closed: false,
        };
        Self { desk: Mutex::new(desk), on: AtomicBool::new(false), dropped }
    }

    /// Whether lines are wanted.
    #[inline]
    pub(in crate::telemetry) fn is_on(&self) -> bool {
        self.on.load(Relaxed)
    }

    /// Writes one line: `write` appends it, with its line feed.
    #[inline]
    pub(in crate::telemetry) fn line(&self, write: impl FnOnce(&mut S, &mut Vec<u8>)) {
        if !self.is_on() {
            return;
        }
        let mut desk = self.lock();
        let desk = &mut *desk;
        let Some(bell) = &desk.bell else {
            if desk.closed {
                self.dropped.fetch_add(1, Relaxed);
            }
            return;
        };
        let is_first = desk.page.lines == 0;
        if is_first && desk.page.bytes.capacity() == 0 {
            desk.page.bytes = desk.spare.pop().unwrap_or_else(|| Vec::with_capacity(ROOM));
        }
        write(&mut desk.style, &mut desk.page.bytes);
        desk.page.lines += 1;
        if is_first {
            bell.first_line();
        }
        if desk.page.bytes.len() >= FULL {
            if desk.full.len() < WAITING {
                desk.full.push_back(std::mem::take(&mut desk.page));
                if desk.full.len().is_multiple_of(HURRY) {
                    bell.ring();
                }
            } else {
                self.dropped.fetch_add(desk.page.lines, Relaxed);
                desk.page.bytes.clear();
                desk.page.lines = 0;
            }
        }
    }

    /// Counts lines that did not reach the output.
    pub(super) fn lost(&self, lines: u64) {
        if lines > 0 {
            self.dropped.fetch_add(lines, Relaxed);
        }
    }

    /// Hands over what was written, if the pen still writes for the one with this bell.
    pub(super) fn take(&self, bell: &Arc<Bell>) -> VecDeque<Page> {
        let mut desk = self.lock();
        let is_ours = desk.bell.as_ref().is_some_and(|ours| Arc::ptr_eq(ours, bell));
        if is_ours { desk.take() } else { VecDeque::new() }
    }

    /// Whether [`take`](Self::take) would hand over nothing.
    pub(super) fn is_empty(&self, bell: &Arc<Bell>) -> bool {
        let desk = self.lock();
        let is_ours = desk.bell.as_ref().is_some_and(|ours| Arc::ptr_eq(ours, bell));
        !is_ours || desk.is_blank()
    }

    /// Whether no line waits here.
    pub(super) fn is_blank(&self) -> bool {
        self.lock().is_blank()
    }

    /// Gives back a buffer that was written out.
    pub(super) fn give_back(&self, mut bytes: Vec<u8>) {
        // One that a giant line has grown is not kept.
        if bytes.capacity() <= 2 * ROOM {
            bytes.clear();
            let mut desk = self.lock();
            if desk.spare.len() < SPARE {
                desk.spare.push(bytes);
            }
        }
    }

    /// Lets the pen write for another writer, or for none, in another style. Hands over what it
    /// wrote so far: no line meant for one output reaches the other.
    pub(super) fn assign(&self, bell: Option<Arc<Bell>>, style: S) -> VecDeque<Page> {
        let mut desk = self.lock();
        self.on.store(bell.is_some(), Relaxed);
        desk.bell = bell;
        desk.style = style;
        desk.take()
    }

    /// Lets the pen write for nobody ever again.
    pub(super) fn close(&self) -> VecDeque<Page> {
        let mut desk = self.lock();
        desk.closed = desk.bell.take().is_some();
        desk.take()
    }

    /// A panic while a line is written leaves at worst a line that is cut short.
    fn lock(&self) -> MutexGuard<'_, Desk<S>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Desk<S> {
    fn is_blank(&self) -> bool {
        self.page.lines == 0 && self.full.is_empty()
    }

    fn take(&mut self) -> VecDeque<Page> {
        let mut pages = std::mem::take(&mut self.full);
        if self.page.lines > 0 {
            pages.push_back(std::mem::take(&mut self.page));
        }
        pages
    }
}
