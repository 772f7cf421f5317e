//! The thread that carries lines to their output.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, Thread},
    time::Duration,
};

use super::{
    output::Output,
    pen::{Page, Pen},
};

/// How old a line may get before it is written.
const TICK: Duration = Duration::from_millis(100);
/// How long the end of the process waits for an output that takes nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pens of one log, and the writer they write for.
#[derive(Debug)]
pub(in crate::telemetry) struct Lines<S> {
    pens: Arc<Pens<S>>,
    dropped: Arc<AtomicU64>,
    current: Mutex<Current<S>>,
}

type Pens<S> = Mutex<Vec<Arc<Pen<S>>>>;

#[derive(Debug)]
struct Current<S> {
    writer: Option<Writer<S>>,
    style: S,
}

/// A thread with an output. Dropped, it ends without waiting.
#[derive(Debug)]
pub(in crate::telemetry) struct Writer<S> {
    shared: Arc<Shared<S>>,
}

#[derive(Debug)]
struct Shared<S> {
    bell: Arc<Bell>,
    phase: Mutex<Phase<S>>,
    changed: Condvar,
    reopen: AtomicBool,
}

/// The life of a writer.
#[derive(Debug)]
enum Phase<S> {
    Idle,
    Writing(Arc<Pens<S>>),
    Ending(Vec<(Arc<Pen<S>>, VecDeque<Page>)>),
    Ended,
}

/// Wakes a writer.
#[derive(Debug)]
pub(super) struct Bell {
    /// The writer sleeps until somebody rings; otherwise it comes by itself at its next tick.
    asleep: AtomicBool,
    /// Every first line rings: lines are rare and wanted at once.
    eager: bool,
    thread: OnceLock<Thread>,
}

impl<S: Clone + Send + 'static> Lines<S> {
    /// Lines that go nowhere until [`switch`](Self::switch).
    pub(in crate::telemetry) fn new(style: S, dropped: Arc<AtomicU64>) -> Self {
        let current = Mutex::new(Current { writer: None, style });
        Self { pens: Arc::default(), dropped, current }
    }

    /// One more pen.
    pub(in crate::telemetry) fn pen(&self) -> Arc<Pen<S>> {
        let current = self.current();
        let pen = Arc::new(Pen::new(current.style.clone(), Arc::clone(&self.dropped)));
        let bell = current.writer.as_ref().map(|writer| Arc::clone(&writer.shared.bell));
        pen.assign(bell, current.style.clone());
        let mut pens = lock(&self.pens);
        // A pen that nobody holds any more goes once the writer has taken its last line.
        pens.retain(|pen| Arc::strong_count(pen) > 1 || !pen.is_blank());
        pens.push(Arc::clone(&pen));
        pen
    }

    /// Lets all pens write for another writer, or for none. What they wrote until now still
    /// reaches the old one's output.
    pub(in crate::telemetry) fn switch(&self, writer: Option<Writer<S>>, style: &S) {
        let mut current = self.current();
        let bell = writer.as_ref().map(|writer| Arc::clone(&writer.shared.bell));
        let last = self.each_pen(|pen| pen.assign(bell.clone(), style.clone()));
        if let Some(writer) = &writer {
            writer.begin(Arc::clone(&self.pens));
        }
        if let Some(old) = current.writer.take() {
            old.end(last);
        }
        *current = Current { writer, style: style.clone() };
    }

    /// Opens a file again under its name.
    pub(in crate::telemetry) fn reopen(&self) {
        if let Some(writer) = &self.current().writer {
            writer.shared.reopen.store(true, Relaxed);
            writer.shared.bell.ring();
        }
    }

    fn each_pen(
        &self,
        mut take: impl FnMut(&Pen<S>) -> VecDeque<Page>,
    ) -> Vec<(Arc<Pen<S>>, VecDeque<Page>)> {
        lock(&self.pens).iter().map(|pen| (Arc::clone(pen), take(pen))).collect()
    }
}

impl<S> Lines<S> {
    fn current(&self) -> MutexGuard<'_, Current<S>> {
        lock(&self.current)
    }
}

/// Writes what is left, and waits for it as long as the output takes something, a second at most.
impl<S> Drop for Lines<S> {
    fn drop(&mut self) {
        let last = lock(&self.pens).drain(..).map(|pen| (Arc::clone(&pen), pen.close())).collect();
        if let Some(writer) = self.current().writer.take() {
            writer.end(last);
            writer.wait();
        }
    }
}

impl<S: Send + 'static> Writer<S> {
    /// Starts a thread that waits for pens.
    pub(in crate::telemetry) fn start(output: Output, eager: bool) -> io::Result<Self> {
        let bell = Bell { asleep: AtomicBool::new(false), eager, thread: OnceLock::new() };
        let shared = Arc::new(Shared {
            bell: Arc::new(bell),
            phase: Mutex::new(Phase::Idle),
            changed: Condvar::new(),
            reopen: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("portway-log".to_owned())
            .spawn(move || theirs.run(output))?;
        shared.bell.thread.get_or_init(|| thread.thread().clone());
        Ok(Self { shared })
    }
}

impl<S> Writer<S> {
    fn begin(&self, pens: Arc<Pens<S>>) {
        self.shared.set(Phase::Writing(pens));
    }

    fn end(&self, last: Vec<(Arc<Pen<S>>, VecDeque<Page>)>) {
        self.shared.set(Phase::Ending(last));
    }

    fn wait(&self) {
        let phase = lock(&self.shared.phase);
        let is_open = |phase: &mut Phase<S>| !matches!(phase, Phase::Ended);
        // Past the deadline the lines are lost with the process; there is nobody left to tell.
        drop(self.shared.changed.wait_timeout_while(phase, PATIENCE, is_open));
    }
}

impl<S> Drop for Writer<S> {
    fn drop(&mut self) {
        let mut phase = lock(&self.shared.phase);
        if matches!(*phase, Phase::Idle | Phase::Writing(_)) {
            *phase = Phase::Ending(Vec::new());
            drop(phase);
            self.shared.bell.ring();
        }
    }
}

impl<S> Shared<S> {
    fn set(&self, phase: Phase<S>) {
        *lock(&self.phase) = phase;
        self.bell.ring();
    }

    /// The thread.
    fn run(&self, mut output: Output) {
        loop {
            let phase = std::mem::replace(&mut *lock(&self.phase), Phase::Idle);
            match phase {
                Phase::Idle => thread::park(),
                Phase::Writing(pens) => {
                    self.write(&pens, &mut output);
                    let mut phase = lock(&self.phase);
                    if matches!(*phase, Phase::Idle) {
                        *phase = Phase::Writing(pens);
                    }
                }
                Phase::Ending(last) => {
                    for (pen, pages) in last {
                        write_pages(&pen, pages, &mut output);
                    }
                    *lock(&self.phase) = Phase::Ended;
                    self.changed.notify_all();
                    return;
                }
                Phase::Ended => return,
            }
        }
    }

    /// Writes what there is, then rests: until its next tick, or, when there was nothing, until
    /// somebody rings.
    fn write(&self, pens: &Pens<S>, output: &mut Output) {
        if self.reopen.swap(false, Relaxed) {
            // A failure shows at the next write.
            output.follow_name(true);
        }
        let pens = lock(pens).clone();
        let mut is_quiet = true;
        for pen in &pens {
            let pages = pen.take(&self.bell);
            is_quiet &= pages.is_empty();
            write_pages(pen, pages, output);
        }
        if is_quiet {
            // Whoever writes after the look at its pen sees the flag: its lock orders the two.
            self.bell.asleep.store(true, Relaxed);
            if pens.iter().all(|pen| pen.is_empty(&self.bell)) {
                thread::park();
            }
            self.bell.asleep.store(false, Relaxed);
        } else {
            thread::park_timeout(TICK);
        }
    }
}

impl Bell {
    /// A line was written where there was none.
    #[inline]
    pub(super) fn first_line(&self) {
        if self.eager || self.asleep.load(Relaxed) {
            self.ring();
        }
    }

    #[cold]
    pub(super) fn ring(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

fn write_pages<S>(pen: &Pen<S>, pages: VecDeque<Page>, output: &mut Output) {
    for page in pages {
        pen.lost(output.write(&page.bytes));
        pen.give_back(page.bytes);
    }
}

/// A panic of another holder leaves the values whole: each change is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
