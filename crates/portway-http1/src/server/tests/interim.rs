//! Interim answers.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::sync::mpsc::unbounded_channel;

use super::{Client, Options, text};
use crate::server::Control;

fn hints() -> HeaderMap {
    HeaderMap::from_iter([(header::LINK, HeaderValue::from_static("</a>"))])
}

#[tokio::test(start_paused = true)]
async fn interim_answers_go_ahead_of_the_final_one_in_order() {
    for room in [1, 40, 4096] {
        let mut client = Client::open(Options::default(), room, |control: Control| {
            move |_| {
                let control = control.clone();
                async move {
                    assert!(control.interim(StatusCode::PROCESSING, &HeaderMap::new()));
                    assert!(control.interim(StatusCode::EARLY_HINTS, &hints()));
                    text("final")
                }
            }
        });
        for _ in 0..2 {
            client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
            let answer = client.hear().await;
            assert_eq!(answer.interim, [StatusCode::PROCESSING, StatusCode::EARLY_HINTS]);
            assert_eq!(answer.body, "final");
            assert!(!answer.headers.contains_key(header::LINK));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn interim_answers_do_not_wait_for_the_final_one() {
    let mut client = Client::open(Options::default(), 4096, |control: Control| {
        move |_| {
            let control = control.clone();
            async move {
                // From another task, while this one rests.
                tokio::spawn(async move {
                    tokio::task::yield_now().await;
                    control.interim(StatusCode::EARLY_HINTS, &hints())
                });
                std::future::pending().await
            }
        }
    });
    client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let head = client.head(&http::Method::GET).await.unwrap();
    assert_eq!(head.status, StatusCode::EARLY_HINTS);
    assert_eq!(head.headers[header::LINK], "</a>");
    client.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn http_10_gets_none() {
    let mut client = Client::open(Options::default(), 4096, |control: Control| {
        move |_| {
            let control = control.clone();
            async move { text(control.interim(StatusCode::EARLY_HINTS, &hints()).to_string()) }
        }
    });
    client.say("GET / HTTP/1.0\r\n\r\n").await;
    let answer = client.hear().await;
    assert_eq!((answer.body.as_str(), answer.interim.len()), ("false", 0));
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_cut_off() {
    let mut client = Client::open(Options::default(), 4096, |control: Control| {
        move |_| {
            let control = control.clone();
            let hint = move |_: &i32| control.interim(StatusCode::EARLY_HINTS, &hints());
            async move { text((0..1000).filter(hint).count().to_string()) }
        }
    });
    for _ in 0..2 {
        client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let answer = client.hear().await;
        assert_eq!((answer.body.as_str(), answer.interim.len()), ("200", 200));
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_one_behind_the_final_head() {
    let (said, mut saying) = unbounded_channel();
    let mut client = Client::open(Options::default(), 4096, |control: Control| {
        move |_| {
            let (said, control) = (said.clone(), control.clone());
            async move {
                let (player, answer) = super::played::played(None);
                said.send((player, control)).unwrap();
                answer
            }
        }
    });
    client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let (player, control) = saying.recv().await.unwrap();
    player.data("first");
    assert_eq!(client.head(&http::Method::GET).await.unwrap().status, StatusCode::OK);
    assert!(!control.interim(StatusCode::EARLY_HINTS, &hints()));
    player.data("second");
    drop(player);
    client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let (player, _) = saying.recv().await.unwrap();
    drop(player);
    client.hush().await;
    let rest = String::from_utf8(client.rest().await.to_vec()).unwrap();
    assert!(!rest.contains("103") && rest.contains("second"), "{rest}");
}
