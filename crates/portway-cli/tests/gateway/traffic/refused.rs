//! The tables of `docs/http1.md`, row by row, on raw sockets through the executable: what is
//! refused, what is passed on although it looks odd, and what becomes of an upstream's answer.

use std::io;

use portway_testkit::raw::script::always;
use portway_testkit::{RawClient, RawConnection, RawUpstream};

use crate::fixture::{Gateway, service};

#[path = "../../../../portway-http1/tests/corpus/table.rs"]
mod table;

const PAGE: &str = include_str!("../../../../../docs/http1.md");
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Longer messages are sent in one piece only.
const SPLIT: usize = 400;

#[tokio::test]
async fn requests_that_are_refused() -> io::Result<()> {
    let upstream = RawUpstream::start(always(OK)).await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let rows = table::rows(PAGE, "Requests that are refused");
    let mut wrong = Vec::new();
    for row in &rows {
        let (bytes, status) = (table::bytes(row[2]), row[4].parse().expect("a status"));
        for every in [bytes.len(), 1].into_iter().filter(|&n| n > 1 || bytes.len() < SPLIT) {
            let client = gateway.raw().await?;
            if let Err(what) = refused(client, &bytes, every, status, &upstream).await {
                wrong.push(format!("{} {}, {every} bytes at a time: {what}", row[0], row[1]));
            }
        }
    }
    assert!(rows.len() > 100 && wrong.is_empty(), "{}", wrong.join("\n"));
    let framed_twice = |bytes: &bytes::Bytes| {
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        let mut heads = text.split("\r\n\r\n");
        heads.any(|head| head.contains("content-length:") && head.contains("transfer-encoding:"))
    };
    assert!(!upstream.received().iter().any(framed_twice), "one framing is forwarded");
    let after = gateway.client().get("/after").await?;
    assert_eq!(after.status, 200, "the gateway has survived");
    Ok(())
}

/// This status, `Connection: close`, a closed connection, and nothing whole at the upstream.
async fn refused(
    mut client: RawClient,
    request: &[u8],
    every: usize,
    status: u16,
    upstream: &RawUpstream,
) -> Result<(), String> {
    let before = whole_requests(upstream);
    // The gateway may have refused, and closed, before the last byte is sent.
    let _ = client.send_split(request, every).await;
    let answer = client.read_response().await.map_err(|error| error.to_string())?;
    if answer.status != status {
        return Err(format!("status {} {:?}", answer.status, answer.text()));
    }
    let close = answer.headers.get("connection").is_some_and(|value| value == "close");
    if !close {
        return Err(format!("no Connection: close in {:?}", answer.headers));
    }
    client.expect_closed().await.map_err(|error| format!("not closed: {error}"))?;
    let forwarded = whole_requests(upstream) - before;
    if forwarded > 0 {
        return Err(format!("{forwarded} requests forwarded: {:?}", upstream.received().last()));
    }
    Ok(())
}

/// How many requests have come to the upstream, body and all.
fn whole_requests(upstream: &RawUpstream) -> usize {
    let whole = |bytes: &bytes::Bytes| {
        let text = String::from_utf8_lossy(bytes);
        let heads = text.matches(" HTTP/1.1\r\n").count();
        let unfinished = text.contains("transfer-encoding") && !text.ends_with("0\r\n\r\n");
        heads - usize::from(unfinished)
    };
    upstream.received().iter().map(whole).sum()
}

#[tokio::test]
async fn requests_that_are_passed_on() -> io::Result<()> {
    let rows = table::rows(PAGE, "Requests that are passed on");
    assert!(rows.len() > 8);
    for row in &rows {
        let upstream = RawUpstream::start(always(OK)).await?;
        let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
        let answer = gateway.raw().await?.exchange(table::bytes(row[2])).await?;
        assert_eq!(answer.status.to_string(), row[3], "{row:?}");
        let expected = String::from_utf8_lossy(&table::bytes(row[4])).into_owned();
        assert_eq!(upstream.count_of(&expected), 1, "{row:?}: {:?}", upstream.received());
    }
    Ok(())
}

#[tokio::test]
async fn answers_of_upstreams() -> io::Result<()> {
    let rows = table::rows(PAGE, "Answers of upstreams");
    let (mut upstreams, mut services) = (Vec::new(), String::new());
    for (number, row) in rows.iter().enumerate() {
        let closes = row[2].contains("{close}");
        let upstream = answering(table::bytes(&row[2].replace("{close}", "")), closes).await?;
        let url = upstream.url();
        services += &format!(
            "  - {{name: s{number}, url: {url}, routes: [{{name: r{number}, match: {{path: /{number}}}}}]}}\n"
        );
        upstreams.push(upstream);
    }
    // On one core, since each has connections of its own.
    let config = format!("services:\n{services}");
    let gateway = Gateway::start_with(&config, &["--cores", "1"]).await?;
    let mut wrong = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let said = ask(&gateway, number).await?;
        let expected = row[3].trim_end_matches(", kept");
        if said != expected {
            wrong.push(format!("{} {}: {said}, not {expected}", row[0], row[1]));
        }
        // Asked again, a connection that was kept serves again, and any other is not used.
        ask(&gateway, number).await?;
        let connections = if row[3].ends_with(", kept") { 1 } else { 2 };
        if upstreams[number].connections() != connections {
            let came = upstreams[number].connections();
            wrong.push(format!("{} {}: {came} connections, not {connections}", row[0], row[1]));
        }
    }
    assert!(rows.len() > 20 && wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// An upstream that answers each request with these bytes, and may close behind them.
async fn answering(answer: Vec<u8>, closes: bool) -> io::Result<RawUpstream> {
    let answer = bytes::Bytes::from(answer);
    RawUpstream::start(move |mut connection: RawConnection| {
        let answer = answer.clone();
        async move {
            loop {
                connection.read_request().await?;
                connection.write(&answer).await?;
                if closes {
                    return connection.close();
                }
            }
        }
    })
    .await
}

/// What a client gets, in the words of the table.
async fn ask(gateway: &Gateway, number: usize) -> io::Result<String> {
    let mut raw = gateway.raw().await?;
    let request = format!("GET /{number} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    raw.send(request).await?;
    let all = raw.read_to_end().await?;
    let mut text = String::from_utf8_lossy(&all).into_owned();
    while text.starts_with("HTTP/1.1 1") {
        text = text.split_once("\r\n\r\n").map_or("", |(_, rest)| rest).to_owned();
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    let told = head.contains("\r\ncontent-length: 2");
    Ok(match body {
        _ if status != "200" => status.to_owned(),
        "ok" if told => format!("{status}, `ok`"),
        "2\r\nok\r\n0\r\n\r\n" if !told => format!("{status}, `ok`"),
        _ => format!("{status}, cut"),
    })
}

#[tokio::test]
async fn versions_that_are_new() -> io::Result<()> {
    let upstream = RawUpstream::start(always(OK)).await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let answer = gateway.raw().await?.exchange("GET / HTTP/1.2\r\nHost: a\r\n\r\n").await?;
    assert_eq!(answer.status, 505);
    assert_eq!(upstream.count_of("HTTP/1.2"), 0, "the gateway speaks for itself");
    Ok(())
}
