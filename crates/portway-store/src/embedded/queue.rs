//! A bounded queue from futures to a thread: who finds it full waits without blocking a thread.

use std::{
    collections::VecDeque,
    future::poll_fn,
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

#[derive(Debug)]
pub(super) struct Queue<T> {
    capacity: usize,
    state: Mutex<State<T>>,
    filled: Condvar,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    waiting: Vec<Waker>,
    closed: bool,
}

/// What a thread found in the queue.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<T> {
    Items(Vec<T>),
    Nothing,
    /// And nothing will come any more.
    Closed,
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let state = State { items: VecDeque::new(), waiting: Vec::new(), closed: false };
        Self { capacity, state: Mutex::new(state), filled: Condvar::new() }
    }

    /// Puts `item` into the queue as soon as there is room; gives it back when it is closed.
    pub(super) async fn push(&self, item: T) -> Result<(), T> {
        let mut item = Some(item);
        poll_fn(|context| {
            let mut state = self.state();
            if !state.closed && state.items.len() >= self.capacity {
                state.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            drop(state);
            Poll::Ready(item.take().map_or(Ok(()), |item| self.push_now(item)))
        })
        .await
    }

    /// Puts `item` into the queue whether there is room or not.
    pub(super) fn push_now(&self, item: T) -> Result<(), T> {
        let mut state = self.state();
        if state.closed {
            return Err(item);
        }
        state.items.push_back(item);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for items and takes as many as `enough` lets pass, at least one. It is asked before
    /// each further one and told of each that is taken.
    pub(super) fn take(
        &self,
        patience: Option<Duration>,
        mut enough: impl FnMut(&T) -> bool,
    ) -> Taken<T> {
        let mut state = self.state();
        while state.items.is_empty() {
            if state.closed {
                return Taken::Closed;
            }
            let Some(patience) = patience else {
                state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let waited = self.filled.wait_timeout(state, patience);
            let (waited, time) = waited.unwrap_or_else(PoisonError::into_inner);
            if time.timed_out() && waited.items.is_empty() && !waited.closed {
                return Taken::Nothing;
            }
            state = waited;
        }
        let mut taken = Vec::new();
        while let Some(item) = state.items.front() {
            if enough(item) && !taken.is_empty() {
                break;
            }
            taken.extend(state.items.pop_front());
        }
        let waiting = mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
        Taken::Items(taken)
    }

    /// Takes nothing more in; what is inside is still taken out.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let waiting = mem::take(&mut state.waiting);
        drop(state);
        self.filled.notify_all();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Drops what is inside.
    pub(super) fn clear(&self) {
        let items = mem::take(&mut self.state().items);
        drop(items);
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing in here panics half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn who_finds_it_full_waits() {
        let queue = Arc::new(Queue::new(2));
        queue.push(1).await.unwrap();
        queue.push(2).await.unwrap();
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.push(3).await }
        });
        while queue.state().waiting.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(queue.take(None, |_| false), Taken::Items(vec![1, 2]));
        waiting.await.unwrap().unwrap();
        assert_eq!(queue.take(None, |_| false), Taken::Items(vec![3]));
        assert_eq!(queue.take(Some(Duration::ZERO), |_| false), Taken::Nothing);
    }

    #[tokio::test]
    async fn a_closed_one_is_emptied() {
        let queue = Queue::new(1);
        queue.push(1).await.unwrap();
        queue.close();
        assert_eq!(queue.push(2).await, Err(2));
        assert_eq!(queue.take(None, |_| false), Taken::Items(vec![1]));
        assert_eq!(queue.take(None, |_| false), Taken::Closed);
    }

    #[tokio::test]
    async fn no_more_is_taken_than_is_enough() {
        let queue = Queue::new(9);
        for item in [5, 5, 5] {
            queue.push(item).await.unwrap();
        }
        let mut sum = 0;
        let mut up_to_ten = |item: &i32| {
            sum += item;
            sum > 10
        };
        assert_eq!(queue.take(None, &mut up_to_ten), Taken::Items(vec![5, 5]));
        assert_eq!(queue.take(None, |_| true), Taken::Items(vec![5]));
    }
}
