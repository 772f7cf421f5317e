//! Answers whose bodies are not what they say.

use super::{
    Client, Options,
    played::{Player, played},
};
use crate::server::End;

/// What a client of a pipe this narrow hears of a body that is played like this.
async fn hear(room: usize, size: Option<u64>, play: fn(&Player)) -> (super::Heard, End) {
    let mut client = Client::open(Options::default(), room, |_| {
        move |_| async move {
            let (player, answer) = played(size);
            play(&player);
            answer
        }
    });
    client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let answer = client.hear().await;
    (answer, client.end().await.0)
}

#[tokio::test(start_paused = true)]
async fn an_error_in_a_body_is_seen_as_its_truncation() {
    for room in [1, 30, 200, 4096] {
        let (answer, end) = hear(room, None, |player| {
            player.data("half").fail();
        })
        .await;
        assert_eq!((answer.body.as_str(), answer.whole), ("half", false), "{room}");
        assert_eq!(end, End::Broken);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_of_what_a_body_says_behind_its_error() {
    for room in [1, 30, 200, 4096] {
        let (answer, end) = hear(room, None, |player| {
            player.data("half").fail().data("more").trailer("x-sum", "1");
        })
        .await;
        assert_eq!((answer.body.as_str(), answer.whole), ("half", false), "{room}");
        assert_eq!(end, End::Broken);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_longer_than_it_says_is_cut_off() {
    for room in [1, 30, 200, 4096] {
        let (answer, end) = hear(room, Some(6), |player| {
            player.data("half").data("more").data("of");
        })
        .await;
        assert_eq!((answer.body.as_str(), answer.whole), ("half", false), "{room}");
        assert_eq!(end, End::Broken);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_shorter_than_it_says_is_seen_as_its_truncation() {
    for room in [1, 30, 200, 4096] {
        let (answer, end) = hear(room, Some(6), |player| {
            player.data("half");
        })
        .await;
        assert_eq!((answer.body.as_str(), answer.whole), ("half", false), "{room}");
        assert_eq!(end, End::Broken);
    }
}
