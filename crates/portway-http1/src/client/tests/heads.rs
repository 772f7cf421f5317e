//! Answers whose heads are refused.

use super::{Failure, Options, connect, get};
use crate::{client::Reason, error::HeadError};

type Is = fn(&Reason<std::convert::Infallible>) -> bool;

/// What an exchange fails with whose answer comes in two pieces that meet at `at`, and ends.
async fn fail(answer: &str, at: usize) -> Box<Failure<std::convert::Infallible>> {
    let (connection, mut upstream) = connect(1 << 20);
    let answering = async move {
        upstream.head().await.unwrap();
        upstream.say(&answer[..at]).await;
        tokio::task::yield_now().await;
        // The connection may be gone by now.
        let _ =
            tokio::io::AsyncWriteExt::write_all(&mut upstream.io, &answer.as_bytes()[at..]).await;
    };
    let mut request = get();
    let asking = connection.exchange(&mut request, Options::default());
    let (answer, ()) = tokio::join!(asking, answering);
    answer.expect_err("a failure")
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_none_are_refused() {
    fn malformed(reason: &Reason<std::convert::Infallible>) -> Option<HeadError> {
        if let Reason::Malformed(error) = reason { Some(*error) } else { None }
    }
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
    let is = |error: HeadError| -> Is {
        match error {
            HeadError::TwoFramings => |reason| malformed(reason) == Some(HeadError::TwoFramings),
            HeadError::ContentLength => {
                |reason| malformed(reason) == Some(HeadError::ContentLength)
            }
            HeadError::TransferEncoding => {
                |reason| malformed(reason) == Some(HeadError::TransferEncoding)
            }
            HeadError::UnknownCoding => {
                |reason| malformed(reason) == Some(HeadError::UnknownCoding)
            }
            HeadError::Field => |reason| malformed(reason) == Some(HeadError::Field),
            HeadError::LineEnding => |reason| malformed(reason) == Some(HeadError::LineEnding),
            HeadError::Version => |reason| malformed(reason) == Some(HeadError::Version),
            _ => |reason| malformed(reason) == Some(HeadError::StartLine),
        }
    };
    let cases = [
        (head("content-length: 1\r\ntransfer-encoding: chunked"), HeadError::TwoFramings),
        (head("transfer-encoding: chunked\r\ncontent-length: 1"), HeadError::TwoFramings),
        (head("content-length: 1\r\ncontent-length: 1"), HeadError::ContentLength),
        (head("content-length: 1, 1"), HeadError::ContentLength),
        (head("content-length: +1"), HeadError::ContentLength),
        (head("content-length:"), HeadError::ContentLength),
        (head("transfer-encoding: identity"), HeadError::TransferEncoding),
        (head("transfer-encoding: gzip, chunked"), HeadError::UnknownCoding),
        (head("x: 1\r\n 2"), HeadError::Field),
        (head("x: 1\r2"), HeadError::Field),
        (head("x: 1\x002"), HeadError::Field),
        (head("x : 1"), HeadError::Field),
        (head("nonsense"), HeadError::Field),
        (head("x: 1\n"), HeadError::LineEnding),
        (
            "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".into(),
            HeadError::TransferEncoding,
        ),
        ("HTTP/1.2 200 OK\r\n\r\n".into(), HeadError::Version),
        ("HTTP/1.1 99 OK\r\n\r\n".into(), HeadError::StartLine),
        ("HTTP/1.1 600 OK\r\n\r\n".into(), HeadError::StartLine),
        ("HTTP/1.1 2000 OK\r\n\r\n".into(), HeadError::StartLine),
        ("HTTP/1.1  200 OK\r\n\r\n".into(), HeadError::StartLine),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n".into(), HeadError::StartLine),
        ("SSH-2.0-x\r\n\r\n".into(), HeadError::Version),
    ];
    for (answer, error) in &cases {
        for at in 0..answer.len() {
            let failure = fail(answer, at).await;
            assert!(is(*error)(&failure.reason), "{answer:?} at {at}: {:?}", failure.reason);
            assert!(!failure.reason.is_hang_up(), "another connection would do no better");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_beyond_the_limits_are_refused() {
    let long = "a".repeat(70_000);
    let many = "x: 1\r\n".repeat(101);
    for (answer, error) in [
        (format!("HTTP/1.1 200 OK\r\nx: {long}"), HeadError::FieldsTooLarge),
        (format!("HTTP/1.1 200 {long}"), HeadError::FieldsTooLarge),
        (format!("HTTP/1.1 200 OK\r\n{many}\r\n"), HeadError::TooManyFields),
    ] {
        let failure = fail(&answer, 5).await;
        let Reason::Malformed(found) = failure.reason else { panic!("{:?}", failure.reason) };
        assert_eq!(found, error);
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_head_is_a_hang_up() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    for end in 0..answer.len() {
        let failure = fail(&answer[..end], 0).await;
        assert!(matches!(failure.reason, Reason::Closed), "{end}: {:?}", failure.reason);
        assert!(failure.reason.is_hang_up() && failure.written > 0 && !failure.touched);
    }
}
