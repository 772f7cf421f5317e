//! Upstreams of HTTP/2 that go away, or refuse, while many requests are under way (fault C10).

use std::{collections::HashMap, io, sync::Arc};

use http::Request;
use portway_testkit::{
    Client, RawConnection, RawUpstream,
    frames::{Frame, FrameConnection, code, response},
    raw::script::always,
};
use tokio::task::JoinSet;

use crate::fixture::Gateway;

/// Requests that one upstream gets before it says anything.
const BURST: usize = 8;
const ELSEWHERE: &str = "elsewhere";

/// What becomes of a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parting {
    /// The first half is answered, the other half was not looked at.
    Goes,
    /// The same, after word that no more are to come.
    GoesSlowly,
    /// Every second stream is refused, the others are answered.
    Refuses,
    /// Half of it was looked at, and none is answered.
    GoesAndCloses,
}

/// Collects a burst, and then does what its parting says. Whoever comes again finds it gone.
async fn parts(connection: RawConnection, parting: Parting) -> io::Result<()> {
    let is_first = connection.index() == 0;
    let mut connection = FrameConnection::accept(connection).await?;
    connection.send(&Frame::settings(&[])).await?;
    if !is_first {
        connection.send(&Frame::goaway(0, code::NO_ERROR)).await?;
        while connection.next().await?.is_some() {}
        return Ok(());
    }
    let mut streams = Vec::new();
    while streams.len() < BURST {
        let Some(stream) = connection.request().await? else { return Ok(()) };
        streams.push(stream);
    }
    streams.sort_unstable();
    let (first, second) = streams.split_at(BURST / 2);
    let last = first[first.len() - 1];
    let answered: Vec<u32> = match parting {
        Parting::Goes => {
            connection.send(&Frame::goaway(last, code::NO_ERROR)).await?;
            first.to_vec()
        }
        Parting::GoesSlowly => {
            connection.send(&Frame::goaway(0x7fff_ffff, code::NO_ERROR)).await?;
            connection.round_trip().await?;
            connection.send(&Frame::goaway(last, code::NO_ERROR)).await?;
            first.to_vec()
        }
        Parting::Refuses => {
            for &stream in second {
                connection.send(&Frame::rst_stream(stream, code::REFUSED_STREAM)).await?;
            }
            first.to_vec()
        }
        Parting::GoesAndCloses => {
            connection.send(&Frame::goaway(last, code::NO_ERROR)).await?;
            return connection.round_trip().await;
        }
    };
    connection.round_trip().await?;
    for stream in answered {
        let head = Frame::headers(stream, response(200, &[("content-length", "4")]));
        connection.send_all(&[head, Frame::data(stream, "here").end()]).await?;
    }
    while let Some(again) = connection.request().await? {
        connection.send(&Frame::rst_stream(again, code::REFUSED_STREAM)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_was_not_looked_at_goes_elsewhere_and_nothing_twice() -> io::Result<()> {
    for parting in [Parting::Goes, Parting::GoesSlowly, Parting::Refuses] {
        for method in ["GET", "POST"] {
            let burst = Burst::send(parting, method).await?;
            let here = burst.answers.values().filter(|(_, body)| body == "here").count();
            assert_eq!(here, BURST / 2, "{parting:?} {method}: {:?}", burst.answers);
            for (path, (status, body)) in &burst.answers {
                assert_eq!(*status, 200, "{parting:?} {method} {path}: {body}");
                let elsewhere = burst.elsewhere.count_of(&format!("{method} {path} HTTP/1.1"));
                let expected = usize::from(body == ELSEWHERE);
                assert_eq!(elsewhere, expected, "{parting:?} {method} {path}");
            }
        }
    }
    Ok(())
}

/// What may have been acted upon is not sent again, unless that does no harm.
#[tokio::test]
async fn what_was_looked_at_is_not_repeated() -> io::Result<()> {
    let burst = Burst::send(Parting::GoesAndCloses, "POST").await?;
    let failed: Vec<_> = burst.answers.iter().filter(|(_, (status, _))| *status != 200).collect();
    assert_eq!(failed.len(), BURST / 2, "{:?}", burst.answers);
    for (path, (status, _)) in failed {
        assert_eq!(*status, 502, "{path}");
        assert_eq!(burst.elsewhere.count_of(&format!("POST {path} HTTP/1.1")), 0, "{path}");
    }
    Ok(())
}

/// A burst over two endpoints, and what came of it.
struct Burst {
    /// Status and body by path.
    answers: HashMap<String, (u16, String)>,
    _parting: RawUpstream,
    elsewhere: RawUpstream,
}

impl Burst {
    /// Sends twice as many requests as the first endpoint waits for, each with a path of its own:
    /// the turns of the endpoints are exact, so each has half of them.
    async fn send(parting: Parting, method: &'static str) -> io::Result<Self> {
        let here = RawUpstream::start(move |connection| parts(connection, parting)).await?;
        let answer =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{ELSEWHERE}", ELSEWHERE.len());
        let elsewhere = RawUpstream::start(always(answer)).await?;
        let gateway = Gateway::start_with(
            &format!(
                "services: [{{name: up, endpoints: [{{url: 'h2c://{}'}}, {{url: 'http://{}'}}], \
                 routes: [{{name: all}}]}}]",
                here.addr(),
                elsewhere.addr()
            ),
            &["--cores", "1"],
        )
        .await?;
        let client = Arc::new(Client::h2c(gateway.addr()));
        let mut asking = JoinSet::new();
        for number in 0..2 * BURST {
            let client = Arc::clone(&client);
            asking.spawn(async move {
                let path = format!("/{number}");
                let body =
                    if method == "POST" { format!("body of {number}") } else { String::new() };
                let request = Request::builder().method(method).uri(&path).body(body);
                let request = request.map_err(io::Error::other)?;
                let answer = Box::pin(client.request(request)).await?;
                io::Result::Ok((path, (answer.status.as_u16(), answer.text().into_owned())))
            });
        }
        let mut answers = HashMap::new();
        while let Some(answer) = asking.join_next().await {
            let (path, answer) = answer.map_err(io::Error::other)??;
            answers.insert(path, answer);
        }
        Ok(Self { answers, _parting: here, elsewhere })
    }
}
