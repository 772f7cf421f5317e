//! A server's connection: whatever comes, in whatever pieces, it comes to an end; answers come in
//! order and whole; and how the bytes were split changes nothing that a service sees.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use portway_http1::{
    body::{Decoded, Decoder},
    error::{BodyError, HeadError},
    head::{Scan, parse_response},
    limits::HeadLimits,
    server::{Body, Connection, Control, End, Options, Service},
};
use tokio::{io::AsyncReadExt as _, time::Instant};

use super::{
    pieces::Pieces,
    record::{Record, Seen},
    wire::{self, Cuts, Wire, run},
};

/// Bits 0 to 2: what the service does with a request, zero for a mixture. Bit 3: the client never
/// closes. Bit 4: a client that closes its sending side has left. Bit 5: it is told to go.
pub(crate) fn check(input: &[u8]) {
    let &[mode, seed, ref bytes @ ..] = input else { return };
    let split = serve(mode, Cuts::new(seed), bytes);
    let whole = serve(mode, Cuts::new(0), bytes);
    // A service that reads everything sees the same, unless it is cut off in between.
    if mode & 0b11_0111 == 1 {
        assert_eq!(split.end, whole.end);
        assert_eq!(split.seen.len(), whole.seen.len());
        for (split, mut whole) in split.seen.into_iter().zip(whole.seen) {
            // What came together with a malformed end is lost with it.
            if !whole.whole && split.body.starts_with(&whole.body) {
                whole.body.clone_from(&split.body);
            }
            assert_eq!(split, whole);
        }
    }
}

struct Served {
    seen: Vec<Seen>,
    end: End,
}

fn serve(mode: u8, cuts: Cuts, bytes: &[u8]) -> Served {
    let silent = mode & 8 != 0;
    let end = if silent { wire::End::Silent } else { wire::End::Closed };
    let (wire, output) = Wire::client(bytes, end, cuts);
    let options = Options {
        head: HeadLimits { target: 300, fields: 20, field_bytes: 2000 },
        half_close: mode & 16 == 0,
        ..Options::default()
    };
    let record = Record::default();
    let connection = Connection::new(wire, BytesMut::new(), options);
    let service = Script { mode, cuts, record: record.clone(), control: connection.control() };
    let (ended, took) = run(async move {
        let begun = Instant::now();
        let told = mode & 32 != 0;
        let leave = async move {
            if !told {
                std::future::pending::<()>().await;
            }
        };
        (connection.serve(service, leave).await, begun.elapsed())
    });
    if !silent {
        assert_eq!(took, Duration::ZERO, "nobody waits for a clock: a wake-up was lost");
    }
    let seen = record.all();
    let answers = read(&output.take(), &seen);
    if ended == End::Closed {
        assert!(answers.whole, "a connection that is closed properly has ended its answer");
        assert_eq!(answers.count, seen.len(), "each request has its answer");
    }
    if let End::Refused(error) = ended {
        let gone = mode & 16 != 0 || silent;
        assert!(answers.refused == Some(error.status()) && answers.whole || gone, "{error}");
        assert_eq!(answers.count, seen.len());
    }
    Served { seen, end: ended }
}

/// Answers as a client reads them.
struct Answers {
    /// The final ones that belong to requests.
    count: usize,
    /// The last one is whole.
    whole: bool,
    refused: Option<StatusCode>,
}

fn read(output: &Bytes, seen: &[Seen]) -> Answers {
    let mut rest = BytesMut::from(&output[..]);
    let mut answers = Answers { count: 0, whole: true, refused: None };
    let (mut interim, mut last) = (0, false);
    while !rest.is_empty() {
        assert!(!last && answers.whole && answers.refused.is_none(), "behind the end: {rest:?}");
        let mut scan = Scan::default();
        let found = scan.advance(&rest, &HeadLimits::default());
        let end = match found {
            Ok(Some(end)) => end,
            Ok(None) => {
                answers.whole = false;
                return answers;
            }
            Err(error) => panic!("{error} {rest:?}"),
        };
        let head = rest.split_to(end).freeze();
        let method = seen.get(answers.count).map_or(Method::GET, |seen| seen.method.clone());
        let answer = parse_response(&head, &scan, &method)
            .unwrap_or_else(|error| panic!("{error} {head:?}"));
        if answer.status == StatusCode::SWITCHING_PROTOCOLS {
            answers.count += 1;
            return answers;
        }
        if answer.status.is_informational() {
            interim += 1;
            assert!(interim < 4, "{output:?}");
            continue;
        }
        interim = 0;
        last = !answer.keep_alive;
        match answer.headers.get("x-number") {
            Some(number) => {
                assert_eq!(number, answers.count.to_string().as_str());
                answers.count += 1;
            }
            None => answers.refused = Some(answer.status),
        }
        let mut decoder = Decoder::new(answer.framing);
        answers.whole = loop {
            match decoder.decode(&mut rest, true) {
                Ok(Decoded::End) => break true,
                Ok(_) => {}
                Err(BodyError::Incomplete) => {
                    rest.clear();
                    break false;
                }
                Err(error) => panic!("{error}"),
            }
        };
    }
    answers
}

type Answer = Response<UnsyncBoxBody<Bytes, BodyError>>;

/// Does what the input says.
struct Script {
    mode: u8,
    cuts: Cuts,
    record: Record,
    control: Control,
}

impl Service for Script {
    type Body = UnsyncBoxBody<Bytes, BodyError>;
    type Future = Pin<Box<dyn Future<Output = Answer>>>;

    fn call(&self, request: Request<Body>) -> Self::Future {
        let number = self.record.head(&request);
        let act = match self.mode & 7 {
            0 => (number + request.uri().path().len()) % 8,
            act => usize::from(act),
        };
        let (record, control, cuts) = (self.record.clone(), self.control.clone(), self.cuts);
        Box::pin(async move {
            let mut answer = act_on(act, request, number, &record, &control, cuts).await;
            answer.headers_mut().insert("x-number", HeaderValue::from(number));
            answer
        })
    }

    fn refuse(&self, error: HeadError) -> Answer {
        let mut refusal = Response::new(text(&error.to_string()));
        *refusal.status_mut() = error.status();
        refusal
    }
}

async fn act_on(
    act: usize,
    request: Request<Body>,
    number: usize,
    record: &Record,
    control: &Control,
    cuts: Cuts,
) -> Answer {
    match act {
        // Echoes as it comes.
        2 => Response::new(request.into_body().boxed_unsync()),
        // Wants none of it.
        3 => Response::new(text("no")),
        // Has another task read it.
        4 => {
            let (record, body) = (record.clone(), request.into_body());
            tokio::spawn(async move { record.body(number, body).await });
            Response::new(text("later"))
        }
        // Has hints first and trailers last.
        5 => {
            control.interim(StatusCode::EARLY_HINTS, &HeaderMap::new());
            record.body(number, request.into_body()).await;
            let trailers = HeaderMap::from_iter([(
                header::HeaderName::from_static("x-sum"),
                HeaderValue::from_static("1"),
            )]);
            let body = Pieces::unsized_with(b"in pieces", Some(trailers), cuts);
            Response::new(body.map_err(|never| match never {}).boxed_unsync())
        }
        // Fails half way.
        6 => Response::new(Half { sent: false }.boxed_unsync()),
        // Speaks another protocol if it is asked to, else sees to its end.
        7 if request.headers().contains_key(header::UPGRADE) => {
            let upgrading = control.upgrading();
            tokio::spawn(async move {
                if let Some(mut upgraded) = upgrading.await {
                    let mut bytes = Vec::new();
                    let _ = upgraded.read_to_end(&mut bytes).await;
                }
            });
            let mut answer = Response::new(text(""));
            *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            answer
        }
        7 => {
            control.last();
            Response::new(text("the last"))
        }
        _ => {
            record.body(number, request.into_body()).await;
            Response::new(text("ok"))
        }
    }
}

fn text(text: &str) -> UnsyncBoxBody<Bytes, BodyError> {
    Full::new(Bytes::copy_from_slice(text.as_bytes()))
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A body that fails half way.
struct Half {
    sent: bool,
}

impl http_body::Body for Half {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let data = Frame::data(Bytes::from_static(b"half"));
        let sent = std::mem::replace(&mut self.sent, true);
        Poll::Ready(Some(if sent { Err(BodyError::Over) } else { Ok(data) }))
    }
}
