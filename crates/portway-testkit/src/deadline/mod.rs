//! Deadlines: how every wait in this crate ends.
//!
//! A test that hangs says nothing, so each wait here ends after [`DEADLINE`] with an error that
//! names what was waited for. [`eventually`] is for what can only be looked at, such as a
//! counter. Nothing here waits for a length of time in the hope that something has happened.
//!
//! ```
//! use portway_testkit::{Client, Echo, eventually};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let echo = Echo::start().await?;
//! Client::h1(echo.addr()).get("/").await?;
//! eventually("the client left", || echo.open_connections() == 0).await?;
//! # Ok(())
//! # }
//! ```

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::time::Instant;

/// How long a wait may take when nothing else was said.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// How often [`eventually`] looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Runs `future`, or fails with [`io::ErrorKind::TimedOut`] when it takes longer than `limit`.
///
/// `what` completes the sentence "no … within 10s".
pub async fn within<T>(
    limit: Duration,
    what: &str,
    future: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    match tokio::time::timeout(limit, future).await {
        Ok(result) => result,
        Err(_) => Err(too_late(what, limit)),
    }
}

/// Waits until `holds` returns true, for at most [`DEADLINE`].
///
/// `what` says in words what should come true; it is the text of the error.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) -> io::Result<()> {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        if Instant::now() >= end {
            let text = format!("still not true after {DEADLINE:?}: {what}");
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

pub(crate) fn too_late(what: &str, limit: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("no {what} within {limit:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_never_ends_names_what_was_waited_for() {
        let error = within(DEADLINE, "answer", std::future::pending::<io::Result<()>>()).await;
        assert_eq!(error.unwrap_err().to_string(), "no answer within 10s");

        let error = eventually("the pool is empty", || false).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "still not true after 10s: the pool is empty");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_as_soon_as_it_can() {
        let mut looks = 0;
        eventually("three looks", || {
            looks += 1;
            looks == 3
        })
        .await
        .unwrap();
        assert_eq!(looks, 3);
    }
}
