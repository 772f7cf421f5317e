//! Work that takes long, off the threads that serve.

use std::{
    collections::VecDeque,
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

/// Work for a thread that may block.
type Work = Box<dyn FnOnce() + Send>;

/// Runs work on threads that may block.
pub trait Blocking: Send + Sync {
    /// Runs `work` soon. `false` when as much is at work as may be and as much waits; then the work
    /// is dropped.
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> bool;
}

/// A few threads of its own, which end when there is nothing to do.
#[derive(Clone, Debug)]
pub struct Threads {
    most: usize,
    waiting: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    threads: usize,
    queue: VecDeque<Work>,
}

impl Threads {
    /// At most so many at work, and so many waiting.
    #[must_use]
    pub fn new(most: usize, waiting: usize) -> Self {
        Self { most, waiting, state: Arc::default() }
    }
}

impl Blocking for Threads {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> bool {
        let mut state = lock(&self.state);
        if state.threads >= self.most {
            let has_room = state.queue.len() < self.waiting;
            if has_room {
                state.queue.push_back(work);
            }
            return has_room;
        }
        state.threads += 1;
        drop(state);
        let ends = Ends { state: Arc::clone(&self.state), over: false };
        let name = "portway-logins".to_owned();
        // Without a thread the work is dropped, and so is the claim to one.
        thread::Builder::new().name(name).spawn(move || ends.work(work)).is_ok()
    }
}

/// The claim to one of the threads.
struct Ends {
    state: Arc<Mutex<State>>,
    over: bool,
}

impl Ends {
    fn work(mut self, first: Work) {
        let mut next = Some(first);
        while let Some(work) = next {
            // What waits is not to wait for ever because of what panics.
            let _ = panic::catch_unwind(AssertUnwindSafe(work));
            next = self.next();
        }
    }

    /// The claim goes under the same lock by which the queue was seen to be empty: nothing is left
    /// in it that nobody comes for.
    fn next(&mut self) -> Option<Work> {
        let mut state = lock(&self.state);
        let next = state.queue.pop_front();
        if next.is_none() {
            state.threads -= 1;
            self.over = true;
        }
        next
    }
}

/// Of a thread that could not be had.
impl Drop for Ends {
    fn drop(&mut self) {
        if !self.over {
            lock(&self.state).threads -= 1;
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("threads", &self.threads)
            .field("queue", &self.queue.len())
            .finish()
    }
}
