//! Exchanges that are dropped wherever they wait: nothing panics, nothing hangs, and the other
//! side sees what is right as far as it goes, and that it does not go to its end.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use tokio::time::timeout;

use super::stack::{Got, Plan, Seen, Tasks, ask, origin, proxy};

/// Longer than any limit lets a connection go on: beyond it, a wake-up was lost.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

const fn plan(room: usize, up: (usize, bool), down: (usize, bool), early: bool) -> Plan {
    Plan { room, up, down, early }
}

const PLANS: [Plan; 10] = [
    plan(4096, (300, true), (300, true), false),
    plan(4096, (300, false), (300, false), false),
    plan(4096, (300, false), (300, true), true),
    plan(50, (300, true), (300, false), false),
    plan(50, (300, false), (300, true), false),
    plan(50, (300, true), (300, true), true),
    plan(50, (300, false), (300, false), true),
    plan(3, (100, false), (100, true), false),
    plan(3, (100, true), (100, false), true),
    plan(50, (0, true), (300, false), false),
];

/// Polls a future so many times, and drops it then.
async fn poll<F: Future>(future: F, mut times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if times == 0 {
            return Poll::Ready(None);
        }
        times -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if times == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Who is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Client,
    Server,
}

/// Runs the plan and drops one side when it was polled so many times. Returns whether it came to
/// its end before that.
async fn cancel(who: Who, proxied: bool, plan: Plan, times: usize) -> bool {
    let label = format!("{who:?} proxied: {proxied} {plan:?} {times}");
    let (seen, tasks) = (Seen::default(), Tasks::default());
    let (there, serving) =
        if proxied { proxy(plan, &seen, &tasks) } else { origin(plan, &seen, &tasks) };
    let got = match who {
        Who::Client => {
            tasks.spawn(async move {
                serving.await;
            });
            poll(ask(plan, there), times).await
        }
        Who::Server => {
            let serving = tokio::spawn(poll(serving, times));
            let got = timeout(FOR_EVER, ask(plan, there)).await;
            let got = got.unwrap_or_else(|_| panic!("the client hangs: {label}"));
            // An idle connection waits for its client, which is gone.
            serving.await.expect("no panic");
            Some(got)
        }
    };
    let ended = timeout(FOR_EVER, tasks.end()).await;
    ended.unwrap_or_else(|_| panic!("somebody hangs: {label}"));
    let seen = seen.all();
    assert!(seen.len() <= 1, "{label}: {seen:?}");
    if got == Some(Got::Whole) {
        let &[(came, whole)] = seen.as_slice() else { panic!("{label}: {seen:?}") };
        assert!(plan.early || (came == plan.up.0 && whole), "{label}: {came} {whole}");
    }
    assert!(got != Some(Got::BadGateway) || proxied, "{label}");
    got == Some(Got::Whole)
}

async fn cancel_everywhere(who: Who, proxied: bool) {
    for plan in PLANS {
        let mut times = 0;
        // Whole for a while: a server is polled on behind its answer.
        let mut whole = 0;
        while whole < 5 {
            whole = if cancel(who, proxied, plan, times).await { whole + 1 } else { 0 };
            times += 1;
            assert!(times < 5000, "it comes to no end: {plan:?}");
        }
        assert!(times > 6, "there is something to cancel");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_is_dropped_anywhere() {
    cancel_everywhere(Who::Client, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_is_dropped_anywhere() {
    cancel_everywhere(Who::Server, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_of_a_proxy_is_dropped_anywhere() {
    cancel_everywhere(Who::Client, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_proxy_is_dropped_anywhere() {
    cancel_everywhere(Who::Server, true).await;
}
