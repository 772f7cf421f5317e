//! Connections that are told to go.

use std::time::Duration;

use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

use super::{Client, Options, played::played, tell, text};
use crate::server::{Control, End};

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

fn bell() -> (oneshot::Sender<()>, impl Future<Output = ()> + Send + 'static) {
    let (ring, rung) = oneshot::channel();
    (ring, async move { rung.await.unwrap_or(()) })
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_at_once() {
    let (ring, rung) = bell();
    let mut client = Client::open_until(Options::default(), 4096, rung, |_| tell);
    client.say(GET).await;
    assert!(client.hear().await.keep_alive);
    ring.send(()).unwrap();
    assert_eq!(client.end().await, (End::Closed, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_busy_connection_says_close_in_its_answer() {
    let (ring, rung) = bell();
    let mut client = Client::open_until(Options::default(), 4096, rung, |_| {
        |_| async {
            sleep(Duration::from_secs(5)).await;
            text("done")
        }
    });
    client.say([GET, GET].concat()).await;
    sleep(Duration::from_secs(1)).await;
    ring.send(()).unwrap();
    let answer = client.hear().await;
    assert_eq!((answer.body.as_str(), answer.keep_alive), ("done", false));
    client.hush().await;
    assert_eq!(client.end().await.0, End::Closed, "the request behind it is not served");
}

#[tokio::test(start_paused = true)]
async fn an_answer_on_its_way_comes_to_its_end() {
    let (ring, rung) = bell();
    let mut client = Client::open_until(Options::default(), 4096, rung, |_| {
        |_| async {
            let (player, answer) = played(None);
            tokio::spawn(async move {
                player.data("one ");
                sleep(Duration::from_secs(5)).await;
                player.data("two");
            });
            answer
        }
    });
    client.say(GET).await;
    sleep(Duration::from_secs(1)).await;
    ring.send(()).unwrap();
    let answer = client.hear().await;
    // Its head was under way already.
    assert_eq!((answer.body.as_str(), answer.whole, answer.keep_alive), ("one two", true, true));
    assert_eq!(client.end().await, (End::Closed, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_fresh_connection_may_say_a_word() {
    let options = Options::default();
    let (ring, rung) = bell();
    let mut client = Client::open_until(options, 4096, rung, |_| tell);
    ring.send(()).unwrap();
    sleep(options.drain.time / 2).await;
    client.say(GET).await;
    let answer = client.hear().await;
    assert_eq!((answer.body.as_str(), answer.keep_alive), ("/ ", false));
    assert_eq!(client.end().await.0, End::Closed);

    let (ring, rung) = bell();
    let mut client = Client::open_until(options, 4096, rung, |_| tell);
    ring.send(()).unwrap();
    assert_eq!(client.end().await, (End::Closed, options.drain.time));
}

#[tokio::test(start_paused = true)]
async fn a_head_on_its_way_is_served() {
    let (ring, rung) = bell();
    let mut client = Client::open_until(Options::default(), 4096, rung, |_| tell);
    client.say(GET).await;
    client.hear().await;
    client.say(&GET[..5]).await;
    sleep(Duration::from_secs(1)).await;
    ring.send(()).unwrap();
    sleep(Duration::from_secs(1)).await;
    client.say(&GET[5..]).await;
    let answer = client.hear().await;
    assert_eq!((answer.body.as_str(), answer.keep_alive), ("/ ", false));
    assert_eq!(client.end().await.0, End::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_service_may_say_that_a_request_is_the_last() {
    let mut client = Client::open(Options::default(), 4096, |control: Control| {
        move |_| {
            control.last();
            async { text("last") }
        }
    });
    client.say([GET, GET].concat()).await;
    let answer = client.hear().await;
    assert_eq!((answer.body.as_str(), answer.keep_alive), ("last", false));
    let begun = Instant::now();
    assert_eq!(client.end().await.0, End::Closed);
    assert!(begun.elapsed() <= Options::default().drain.time);
}
