//! Heads that are refused, and raised limits.

use http::StatusCode;

use super::{Client, Options, tell};
use crate::{error::HeadError, limits::HeadLimits, server::End};

#[tokio::test(start_paused = true)]
async fn a_refused_head_is_answered_and_the_connection_closed() {
    for (head, error) in [
        ("GET / HTTP/1.1\r\n\r\n", HeadError::Host),
        ("GET / HTTP/1.9\r\n\r\n", HeadError::Version),
        ("GET /\r\n", HeadError::StartLine),
        ("GET / HTTP/1.1\r\nhost: a\r\nexpect: x\r\n\r\n", HeadError::Expectation),
        ("\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n", HeadError::StartLine),
    ] {
        let mut client = Client::open(Options::default(), 4096, |_| tell);
        client.say("GET /1 HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!(client.hear().await.body, "/1 ");
        client.say(head).await;
        client.say("GET /2 HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let answer = client.hear().await;
        assert_eq!(answer.body, error.to_string());
        assert_eq!((answer.status, answer.keep_alive), (error.status(), false));
        client.say("more that nobody reads").await;
        client.hush().await;
        assert_eq!(client.end().await.0, End::Refused(error));
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_beyond_the_limits_is_refused_before_it_is_whole() {
    let head = HeadLimits { target: 100, fields: 3, field_bytes: 200 };
    let options = Options { head, ..Options::default() };
    for (bytes, status) in [
        (format!("GET /{}", "a".repeat(200)), StatusCode::URI_TOO_LONG),
        (
            format!("GET / HTTP/1.1\r\nx: {}", "a".repeat(200)),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        ),
        (
            format!("GET / HTTP/1.1\r\n{}", "x: 1\r\n".repeat(4)),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        ),
    ] {
        for at in 0..bytes.len() {
            let mut client = Client::open(options, 4096, |_| tell);
            client.say(&bytes[..at]).await;
            tokio::task::yield_now().await;
            client.say(&bytes[at..]).await;
            let answer = client.hear().await;
            assert_eq!((answer.status, answer.keep_alive), (status, false), "split at {at}");
        }
    }
}
