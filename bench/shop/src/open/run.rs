//! Who sends requests off.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    Pace, Seen,
    exchange::{Answer, Idle},
    seen::Tally,
};

/// How often it is looked whose time has come: what tokio's clock can do.
const TICK: Duration = Duration::from_millis(1);

/// What is asked, and how.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whom.
    pub to: SocketAddr,
    /// A request, head and body.
    pub request: Bytes,
    /// Bytes in the body of its answer.
    pub answer: usize,
    /// When.
    pub pace: Pace,
    /// Requests that may be under way at the same time, each on a connection of its own.
    pub most: usize,
    /// How long answers are waited for when the last request has begun.
    pub patience: Duration,
}

struct Load {
    order: Order,
    start: Instant,
    idle: Mutex<Vec<Idle>>,
    tally: Mutex<Tally>,
}

/// Loads somebody. Needs a runtime of one thread.
///
/// # Errors
/// Nothing was answered.
pub async fn run(order: Order) -> io::Result<Seen> {
    let pace = order.pace;
    let load = Arc::new(Load {
        start: Instant::now(),
        idle: Mutex::default(),
        tally: Mutex::default(),
        order,
    });
    match pace {
        Pace::Peak { connections, .. } => {
            for _ in 0..connections {
                tokio::spawn(Arc::clone(&load).one_after_another());
            }
            tokio::time::sleep(pace.length()).await;
        }
        Pace::Steady { .. } | Pace::Ramp { .. } => load.at_their_time(pace).await,
    }
    let spent = load.start.elapsed();
    load.tally().close(spent);
    let end = Instant::now() + load.order.patience;
    while load.tally().under_way() > 0 && Instant::now() < end {
        tokio::time::sleep(TICK).await;
    }
    load.tally().report()
}

impl Load {
    async fn one_after_another(self: Arc<Self>) {
        while self.start.elapsed() < self.order.pace.length() {
            self.tally().begun(Duration::ZERO);
            self.one().await;
        }
    }

    async fn at_their_time(self: &Arc<Self>, pace: Pace) {
        let (mut number, mut second) = (0, 1);
        loop {
            let now = self.start.elapsed();
            if now.as_secs() >= second {
                second = now.as_secs() + 1;
                let bad = self.tally().second();
                if bad && matches!(pace, Pace::Ramp { .. }) {
                    self.tally().given_up();
                    return;
                }
            }
            let until = now.min(pace.length());
            while let Some(due) = pace.due(number).filter(|due| *due < until) {
                number += 1;
                let mut tally = self.tally();
                if tally.under_way() >= self.order.most {
                    tally.dropped();
                    continue;
                }
                tally.begun(now.saturating_sub(due));
                drop(tally);
                let load = Arc::clone(self);
                tokio::spawn(async move { load.one().await });
            }
            if now >= pace.length() {
                return;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// One request. A connection that was closed while nobody used it is no failure.
    async fn one(&self) {
        let begin = Instant::now();
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut outcome = Err(io::ErrorKind::NotConnected.into());
        if let Some(kept) = kept {
            outcome = kept.ask(&self.order.request).await;
        }
        if outcome.is_err() {
            outcome = self.on_a_new_connection().await;
        }
        let took = begin.elapsed();
        match outcome {
            Ok(Answer { status, body, idle }) => {
                let good = status == 200 && body == self.order.answer;
                self.tally().answered(took, good, || {
                    format!("an answer with status {status} and {body} bytes")
                });
                let mut all = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                all.extend(idle);
            }
            Err(error) => self.tally().answered(took, false, || error.to_string()),
        }
    }

    async fn on_a_new_connection(&self) -> io::Result<Answer> {
        Idle::open(self.order.to).await?.ask(&self.order.request).await
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
