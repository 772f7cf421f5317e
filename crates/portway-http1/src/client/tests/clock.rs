//! How long an answer is waited for.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::{
    io::AsyncReadExt as _,
    time::{Instant, sleep},
};

use super::{Options, connect, get, parts::played, request};
use crate::client::Reason;

const WAIT: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_secs(7);

fn waiting() -> Options<'static> {
    Options { wait: Some(WAIT), ..Options::default() }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_does_not_answer_is_given_up() {
    let (connection, upstream) = connect(4096);
    let begun = Instant::now();
    let failure = connection.exchange(&mut get(), waiting()).await.unwrap_err();
    assert!(matches!(failure.reason, Reason::TimedOut), "{:?}", failure.reason);
    assert!(!failure.reason.is_hang_up() && failure.written > 0);
    assert_eq!(begun.elapsed(), WAIT);
    drop(upstream);
}

#[tokio::test(start_paused = true)]
async fn interim_answers_do_not_lengthen_the_wait() {
    let (connection, mut upstream) = connect(4096);
    let begun = Instant::now();
    let hints = async {
        loop {
            upstream.say("HTTP/1.1 103 Early Hints\r\n\r\n").await;
            sleep(Duration::from_secs(3)).await;
        }
    };
    let mut request = get();
    let failure = tokio::select! {
        answer = connection.exchange(&mut request, waiting()) => answer.unwrap_err(),
        () = hints => unreachable!(),
    };
    assert!(matches!(failure.reason, Reason::TimedOut), "{:?}", failure.reason);
    assert_eq!(begun.elapsed(), WAIT);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_slowly_is_not_the_upstreams_fault() {
    let (connection, mut upstream) = connect(4096);
    let (player, body) = played(None);
    let mut request = request(Method::POST, body);
    let begun = Instant::now();
    let sending = async move {
        for _ in 0..5 {
            sleep(3 * WAIT).await;
            player.send(Ok(Bytes::from_static(b"x"))).unwrap();
        }
    };
    let taking = async move {
        let heard = upstream.request().await.unwrap();
        assert!(heard.whole);
        upstream
    };
    let asking = connection.exchange(&mut request, waiting());
    let (answer, (), upstream) = tokio::join!(asking, sending, taking);
    let failure = answer.unwrap_err();
    assert!(matches!(failure.reason, Reason::TimedOut), "{:?}", failure.reason);
    assert_eq!(begun.elapsed(), 15 * WAIT + WAIT, "from the request's last byte");
    drop(upstream);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_takes_slowly_has_until_its_last_byte() {
    // Each is one part, all of which is on its way at once.
    for size in [2000, 100_000] {
        let (connection, mut upstream) = connect(size / 4);
        let mut request = request(Method::POST, super::Text::from(vec![b'x'; size]));
        let taking = async move {
            let mut left = 0;
            let mut begun = Instant::now();
            for _ in 0..3 {
                sleep(STEP).await;
                let mut space = vec![0; size / 4];
                left = upstream.io.read(&mut space).await.unwrap();
                begun = Instant::now();
            }
            assert!(left > 0);
            (begun, upstream)
        };
        let asking = async {
            let failure = connection.exchange(&mut request, waiting()).await.unwrap_err();
            (failure, Instant::now())
        };
        let ((failure, ended), (last, upstream)) = tokio::join!(asking, taking);
        assert!(matches!(failure.reason, Reason::TimedOut), "{:?}", failure.reason);
        assert_eq!(ended - last, WAIT, "{size}");
        drop(upstream);
    }
}
