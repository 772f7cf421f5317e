//! Clients that leave.

use std::time::Duration;

use http::Request;
use tokio::{
    sync::{mpsc::unbounded_channel, oneshot},
    time::{sleep, timeout},
};

use super::{Client, Options, played::played, text};
use crate::server::{Body, Control, End};

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n";

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_millis(1), future).await.expect("at once")
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_ends_the_service() {
    // A body that was dropped is as good as none.
    for request in [GET, POST] {
        for half_close in [false, true] {
            let (serving, mut served) = unbounded_channel();
            let options = Options { half_close, ..Options::default() };
            let mut client = Client::open(options, 4096, |_| {
                move |request: Request<Body>| {
                    let serving = serving.clone();
                    async move {
                        drop(request);
                        let (kept, dropped) = oneshot::channel::<()>();
                        serving.send(dropped).unwrap();
                        std::future::pending::<()>().await;
                        drop(kept);
                        text("never")
                    }
                }
            });
            client.say(request).await;
            let dropped = served.recv().await.unwrap();
            if half_close {
                // Only an error tells that nobody is there, and a pipe gives none to a reader.
                client.hush().await;
                client.hears_nothing().await;
            } else {
                assert_eq!(soon(client.leave()).await, End::Left);
                soon(dropped).await.unwrap_err();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_in_its_body_is_noticed_by_who_reads_it() {
    let (reading, mut read) = unbounded_channel();
    let mut client = Client::open(Options::default(), 4096, |_| {
        move |request: Request<Body>| {
            let reading = reading.clone();
            async move {
                let answer = super::tell(request).await;
                reading.send(()).unwrap();
                answer
            }
        }
    });
    client.say(POST).await;
    client.say("bo").await;
    client.hush().await;
    soon(read.recv()).await.unwrap();
    let answer = client.hear().await;
    assert_eq!(answer.body, "/ the connection was closed in the middle of a body");
    assert!(!answer.keep_alive);
    assert_eq!(client.end().await.0, End::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_ends_an_answer_that_stalls() {
    let (playing, mut plays) = unbounded_channel();
    let mut client = Client::open(Options::default(), 4096, |_| {
        move |_| {
            let playing = playing.clone();
            async move {
                let (player, answer) = played(None);
                playing.send(player).unwrap();
                answer
            }
        }
    });
    client.say(GET).await;
    let player = plays.recv().await.unwrap();
    player.data("some");
    client.head(&http::Method::GET).await.unwrap();
    assert_eq!(soon(client.leave()).await, End::Left);
    soon(player.dropped()).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_one_side_gets_its_answer_where_that_is_allowed() {
    for half_close in [false, true] {
        let options = Options { half_close, ..Options::default() };
        let mut client = Client::open(options, 4096, |_| {
            |_| async {
                sleep(Duration::from_secs(5)).await;
                text("late")
            }
        });
        client.say(GET).await;
        client.hush().await;
        if half_close {
            assert_eq!(client.hear().await.body, "late");
        }
        let expected = if half_close { End::Closed } else { End::Left };
        assert_eq!(client.end().await.0, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn pipelined_requests_do_not_hide_a_departure_for_ever() {
    let mut client = Client::open(Options::default(), 1 << 16, |control: Control| {
        move |_| {
            let control = control.clone();
            async move {
                drop(control);
                sleep(Duration::from_secs(5)).await;
                text("one")
            }
        }
    });
    // More than is read ahead.
    client.say(GET.repeat(2000)).await;
    for _ in 0..3 {
        assert_eq!(client.hear().await.body, "one");
    }
    let ended = timeout(Duration::from_secs(3600 * 6), client.leave()).await.unwrap();
    assert_eq!(ended, End::Left);
}
