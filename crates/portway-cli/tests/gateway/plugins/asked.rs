//! Plugins that ask another server for each request: what its answers are good for, and how long
//! one is waited for.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use http::Request;
use portway_testkit::{Client, Echo, RawUpstream, client::Response};

use crate::fixture::Gateway;

/// A server that lets `good` and `fine` in, and how often it was asked.
async fn judge() -> io::Result<(RawUpstream, Arc<AtomicUsize>)> {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let upstream = RawUpstream::start(move |mut connection| {
        let count = Arc::clone(&count);
        async move {
            loop {
                let head = connection.read_head().await?.to_ascii_lowercase();
                count.fetch_add(1, SeqCst);
                let who = ["good", "fine"].into_iter().find(|who| head.contains(who));
                let answer = match who {
                    Some(who) => format!("200 OK\r\nX-User: {who}"),
                    None => "403 Forbidden\r\nWWW-Authenticate: Bearer".to_owned(),
                };
                connection.write(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n")).await?;
            }
        }
    })
    .await?;
    Ok((upstream, asked))
}

fn config(echo: &str, plugin: &str) -> String {
    format!(
        "services: [{{name: up, url: '{echo}', routes: [{{name: all, plugins: [{{{plugin}}}]}}]}}]"
    )
}

async fn ask(client: &Client, path: &str, token: &str) -> io::Result<Response> {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    let request = request.header("x-user", "root");
    Box::pin(client.request(request.body(String::new()).map_err(io::Error::other)?)).await
}

#[tokio::test]
async fn an_answer_counts_again_for_requests_like_it() -> io::Result<()> {
    for (cache, asks) in [("cache: 1h, cache_key: [authorization]", [1, 2]), ("cache: 1h", [3, 6])]
    {
        let echo = Echo::start().await?;
        let (judge, asked) = judge().await?;
        let url = format!("url: '{}/verify'", judge.url());
        let plugin = format!("forward-auth: {{{url}, response_headers: [x-user], {cache}}}");
        // One core: its connections and what it remembers are everybody's.
        let gateway = Gateway::start_with(&config(&echo.url(), &plugin), &["--cores", "1"]).await?;
        let client = gateway.client();
        for (token, asks) in ["good", "fine"].into_iter().zip(asks) {
            for _ in 0..2 {
                for path in ["/a", "/b", "/a?c"] {
                    let answer = ask(&client, path, token).await?.answer()?;
                    assert_eq!(answer.header("x-user"), Some(token), "{cache}");
                }
            }
            assert_eq!(asked.load(SeqCst), asks, "{cache}");
        }
        // A refusal is asked for every time.
        let before = asked.load(SeqCst);
        for _ in 0..3 {
            let refused = ask(&client, "/a", "bad").await?;
            assert_eq!((refused.status.as_u16(), refused.header("x-user")), (403, None));
        }
        assert_eq!(asked.load(SeqCst), before + 3);
        // Without the server, those it has let in stay, and nobody else comes.
        drop(judge);
        assert_eq!(ask(&client, "/a", "good").await?.status, 200);
        assert_eq!(ask(&client, "/a", "good too").await?.status, 503);
        assert_eq!(echo.requests(), 13);
    }
    Ok(())
}

#[tokio::test]
async fn without_a_cache_every_request_is_asked_about() -> io::Result<()> {
    let echo = Echo::start().await?;
    let (judge, asked) = judge().await?;
    let plugin = format!("forward-auth: {{url: '{}/verify'}}", judge.url());
    let gateway = Gateway::start(&config(&echo.url(), &plugin)).await?;
    let client = gateway.client();
    for turn in 1..=5 {
        assert_eq!(ask(&client, "/", "good").await?.status, 200);
        assert_eq!(asked.load(SeqCst), turn);
    }
    Ok(())
}

/// Webhooks that take a connection and say nothing, and such as begin an answer and stop.
#[tokio::test]
async fn a_webhook_is_not_waited_for_longer_than_said() -> io::Result<()> {
    for begins in [false, true] {
        let hook = RawUpstream::start(move |mut connection| async move {
            loop {
                connection.read_request().await?;
                if begins {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await?;
                }
            }
        })
        .await?;
        for (side, reaches) in [("request", 0), ("response", 1)] {
            for (fail_open, status) in [(false, 503), (true, 200)] {
                let what = format!("{side}, begins: {begins}, fail_open: {fail_open}");
                let echo = Echo::start().await?;
                let url = hook.url();
                let hook = format!("{{url: '{url}', timeout: 50ms, fail_open: {fail_open}}}");
                let plugin = format!("inject: {{{side}: {hook}}}");
                let gateway = Gateway::start(&config(&echo.url(), &plugin)).await?;
                let begin = Instant::now();
                let answer = ask(&gateway.client(), "/x", "any").await?;
                let took = begin.elapsed();
                assert_eq!(answer.status, status, "{what}: {}", answer.text());
                assert!(took >= Duration::from_millis(50), "{what}: {took:?}");
                // Far less than the two seconds it has where nothing is said.
                assert!(took < Duration::from_millis(1500), "{what}: {took:?}");
                assert_eq!(echo.requests(), if fail_open { 1 } else { reaches }, "{what}");
            }
        }
    }
    Ok(())
}
