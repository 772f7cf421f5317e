//! How long a client is waited for.

use std::time::Duration;

use http::StatusCode;
use tokio::time::{Instant, sleep};

use super::{Client, Options, played::played, tell};
use crate::{
    error::HeadError,
    limits::Pace,
    server::{Control, End},
};

const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n";
const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_slow_head_has_its_time_from_its_first_byte() {
    let options = Options { head_time: Some(10 * SECOND), ..Options::default() };
    for served in [false, true] {
        let mut client = Client::open(options, 4096, |_| tell);
        if served {
            client.say(GET).await;
            client.hear().await;
        }
        sleep(9 * SECOND).await;
        let begun = Instant::now();
        for byte in GET.as_bytes().chunks(1).take(10) {
            client.say(byte).await;
            sleep(SECOND - Duration::from_millis(1)).await;
        }
        let answer = client.hear().await;
        assert_eq!((answer.status, answer.keep_alive), (StatusCode::REQUEST_TIMEOUT, false));
        assert_eq!(begun.elapsed(), 10 * SECOND);
        client.hush().await;
        assert_eq!(client.end().await.0, End::Refused(HeadError::TimedOut));
    }
}

/// Sends a body in such pieces, one a second. Returns for how long that went well.
async fn drip(upload: Pace, piece: usize, seconds: u32) -> (Duration, String) {
    let options = Options { upload, ..Options::default() };
    let mut client = Client::open(options, 1 << 20, |_| tell);
    client.say(POST).await;
    let begun = Instant::now();
    let answer = {
        let (mut from, mut to) = tokio::io::split(client.io);
        let dripping = async {
            for _ in 0..seconds {
                tokio::io::AsyncWriteExt::write_all(&mut to, &vec![b'x'; piece]).await.unwrap();
                sleep(SECOND).await;
            }
            std::future::pending::<()>().await;
        };
        let mut heard = vec![0; 1000];
        let read = tokio::select! {
            read = tokio::io::AsyncReadExt::read(&mut from, &mut heard) => read.unwrap(),
            () = dripping => unreachable!(),
        };
        String::from_utf8(heard[..read].to_vec()).unwrap()
    };
    (begun.elapsed(), answer)
}

#[tokio::test(start_paused = true)]
async fn an_upload_must_not_pause_for_long() {
    let upload = Pace { idle: Some(10 * SECOND), rate: None };
    let (took, answer) = drip(upload, 1, 30).await;
    assert_eq!(took, 29 * SECOND + 10 * SECOND);
    assert!(answer.contains(": close\r\n") && answer.ends_with("/ the body did not come in time"));
}

#[tokio::test(start_paused = true)]
async fn an_upload_must_come_at_a_rate() {
    let upload = Pace { idle: None, rate: Some(100) };
    let (took, answer) = drip(upload, 99, 100).await;
    assert!(took >= Pace::WINDOW && took <= 2 * Pace::WINDOW, "{took:?}");
    assert!(answer.ends_with("/ the body did not come in time"), "{answer}");
    let (took, answer) = drip(upload, 110, 100).await;
    assert!(took >= 100 * SECOND && took <= 100 * SECOND + 2 * Pace::WINDOW, "{took:?}");
    assert!(answer.ends_with("/ the body did not come in time"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_nobody_reads_is_not_slow() {
    let upload = Pace { idle: Some(SECOND), rate: Some(1000) };
    let options = Options { upload, ..Options::default() };
    let mut client = Client::open(options, 4096, |_| {
        |request| async {
            sleep(100 * SECOND).await;
            tell(request).await
        }
    });
    client.say("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody").await;
    assert_eq!(client.hear().await.body, "/ body");
}

/// Answers with more than a pipe holds, and tells how long it took until the connection ended.
async fn stall(
    options: Options,
    limit: Option<(Option<Duration>, Option<Duration>)>,
    read_every: Option<Duration>,
) -> (End, Duration) {
    let mut client = Client::open(options, 1000, |control: Control| {
        move |_| {
            if let Some((stall, cut)) = limit {
                control.limit_answer(stall, cut.map(|cut| Instant::now() + cut));
            }
            async {
                let (player, answer) = played(None);
                player.data(vec![b'x'; 1_000_000]);
                answer
            }
        }
    });
    client.say(GET).await;
    let begun = Instant::now();
    if let Some(every) = read_every {
        let mut space = [0; 1000];
        loop {
            sleep(every).await;
            let read = tokio::io::AsyncReadExt::read(&mut client.io, &mut space).await;
            if read.unwrap() == 0 {
                break;
            }
        }
        return (client.end_of_serving().await, begun.elapsed());
    }
    (client.end_of_serving().await, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_given_up() {
    let download = Pace { idle: Some(10 * SECOND), rate: None };
    let options = Options { download, ..Options::default() };
    assert_eq!(stall(options, None, None).await, (End::Left, 10 * SECOND));
    let (end, _) = stall(options, None, Some(9 * SECOND)).await;
    assert_ne!(end, End::Left, "one that takes some has time");
}

#[tokio::test(start_paused = true)]
async fn a_client_must_take_an_answer_at_a_rate() {
    let download = Pace { idle: None, rate: Some(1000) };
    let options = Options { download, ..Options::default() };
    let (end, took) = stall(options, None, Some(2 * SECOND)).await;
    assert_eq!(end, End::Left);
    assert!(took <= 3 * Pace::WINDOW, "{took:?}");
    let (end, took) = stall(options, None, Some(SECOND / 2)).await;
    assert_eq!(end, End::Closed, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_may_bound_its_answer() {
    let any = Options { download: Pace::ANY, ..Options::default() };
    let stalls = Some((Some(3 * SECOND), None));
    assert_eq!(stall(any, stalls, None).await, (End::Left, 3 * SECOND));
    let cut = Some((None, Some(20 * SECOND)));
    assert_eq!(stall(any, cut, None).await, (End::Left, 20 * SECOND));
    let (end, took) = stall(any, cut, Some(SECOND)).await;
    assert_eq!(end, End::Left);
    assert!(took >= 20 * SECOND && took <= 23 * SECOND, "{took:?}");
    // None is a bound too: it takes the connection's own away.
    let (end, took) = stall(Options::default(), Some((None, Some(500 * SECOND))), None).await;
    assert_eq!((end, took), (End::Left, 500 * SECOND));
}
