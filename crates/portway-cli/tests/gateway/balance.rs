//! Who of several endpoints takes a request: shares, keys that stick, what moves when an endpoint
//! goes, and counts that come down whoever leaves.

use std::collections::HashMap;
use std::io;

use http::Request;
use portway_testkit::raw::refused_addr;
use portway_testkit::{Client, Echo, RunningEcho, WebSocket, eventually};

use crate::fixture::Gateway;

/// Endpoints that say who they are.
async fn echoes<const COUNT: usize>(names: [&str; COUNT]) -> io::Result<Vec<RunningEcho>> {
    let mut echoes = Vec::new();
    for name in names {
        echoes.push(Echo::anywhere().await?.named(name).spawn());
    }
    Ok(echoes)
}

/// A service over these URLs, with a route for everything.
fn over(balance: &str, urls: &[String]) -> String {
    let endpoints: Vec<_> = urls.iter().map(|url| format!("{{url: \"{url}\"}}")).collect();
    format!(
        "services: [{{name: up, balance: {balance}, endpoints: [{}], routes: [{{name: all}}]}}]",
        endpoints.join(", ")
    )
}

fn urls(echoes: &[RunningEcho]) -> Vec<String> {
    echoes.iter().map(RunningEcho::url).collect()
}

fn requests(echoes: &[RunningEcho]) -> Vec<usize> {
    let counts = echoes.iter().map(|echo| usize::try_from(echo.requests()));
    counts.map(|count| count.expect("a few")).collect()
}

/// Who answers a request with this header field.
async fn asked(client: &Client, name: &str, value: &str) -> io::Result<String> {
    let request = Request::get("/").header(name, value).body(String::new());
    let answer = client.request(request.map_err(io::Error::other)?).await?.answer()?;
    Ok(answer.name.unwrap_or_default())
}

/// Who answers each of many users, asked by connections of their own.
async fn by_user(gateway: &Gateway) -> io::Result<HashMap<String, String>> {
    let mut takers = HashMap::new();
    for _ in 0..4 {
        let client = gateway.client();
        for user in (0..60).map(|number| format!("user-{number}")) {
            let taker = asked(&client, "x-user", &user).await?;
            let before = takers.insert(user.clone(), taker.clone());
            assert!(before.is_none_or(|before| before == taker), "{user}");
        }
    }
    Ok(takers)
}

const BY_USER: &str = "{consistent_hash: {header: X-User}}";

#[tokio::test]
async fn a_key_stays_where_it_is_and_only_those_of_an_endpoint_that_goes_move() -> io::Result<()> {
    let echoes = echoes(["one", "two", "three"]).await?;
    let all = urls(&echoes);
    let gateway = Gateway::start_with(&over(BY_USER, &all), &["--cores", "2"]).await?;
    let first = by_user(&gateway).await?;
    for name in ["one", "two", "three"] {
        let share = first.values().filter(|taker| *taker == name).count();
        assert!(share >= 6, "{name} has {share} of 60");
    }
    // One goes, and those that stay change places.
    gateway.reload(&over(BY_USER, &[all[2].clone(), all[0].clone()])).await?;
    let without = by_user(&gateway).await?;
    for (user, taker) in &first {
        assert!(taker == "two" || without[user] == *taker, "{user} moved from {taker}");
        assert_ne!(without[user], "two");
    }
    gateway.reload(&over(BY_USER, &all)).await?;
    assert_eq!(by_user(&gateway).await?, first);
    // Another process knows nothing of this one, and does the same.
    let other = Gateway::start(&over(BY_USER, &all)).await?;
    assert_eq!(by_user(&other).await?, first);
    Ok(())
}

#[tokio::test]
async fn requests_without_the_key_take_turns() -> io::Result<()> {
    let echoes = echoes(["one", "two"]).await?;
    let gateway = Gateway::start(&over(BY_USER, &urls(&echoes))).await?;
    let client = gateway.client();
    for _ in 0..10 {
        assert_eq!(client.get("/").await?.status, 200);
    }
    assert_eq!(requests(&echoes), [5, 5]);
    Ok(())
}

#[tokio::test]
async fn any_part_of_a_request_can_be_the_key() -> io::Result<()> {
    let echoes = echoes(["one", "two"]).await?;
    let [one, two] = [echoes[0].url(), echoes[1].url()];
    let keys = ["{cookie: session}", "{query: user}", "{path_parameter: id}", "client_address"];
    let services: Vec<_> = keys
        .iter()
        .zip(["cookie", "query", "path", "address"])
        .map(|(key, name)| {
            format!(
                "  - {{name: {name}, balance: {{consistent_hash: {key}}}, \
                 endpoints: [{{url: \"{one}\"}}, {{url: \"{two}\"}}], \
                 routes: [{{name: {name}, match: {{path: \"/{name}/{{id}}/{{*rest}}\"}}}}]}}\n"
            )
        })
        .collect();
    let gateway = Gateway::start(&format!("services:\n{}", services.concat())).await?;
    let taker = async |path: String, cookie: String| {
        let request = Request::get(path).header("cookie", format!("a=b; session={cookie}"));
        let request = request.body(String::new()).map_err(io::Error::other)?;
        io::Result::Ok(gateway.client().request(request).await?.answer()?.name.unwrap_or_default())
    };
    let mut seen: HashMap<&str, Vec<String>> = HashMap::new();
    for key in 0..12 {
        for other in 0..3 {
            for (name, path, cookie) in [
                ("cookie", format!("/cookie/{other}/x?user={other}"), key),
                ("query", format!("/query/{other}/x?a={other}&user={key}"), other),
                ("path", format!("/path/{key}/{other}?user={other}"), other),
                ("address", format!("/address/{key}/{other}"), other),
            ] {
                let taker = taker(path, cookie.to_string()).await?;
                let takers = seen.entry(name).or_default();
                if other > 0 {
                    assert_eq!(takers.last(), Some(&taker), "{name} {key} {other}");
                }
                takers.push(taker);
            }
        }
    }
    for (name, takers) in &mut seen {
        takers.sort_unstable();
        takers.dedup();
        assert_eq!(takers.len(), if *name == "address" { 1 } else { 2 }, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_refuses_leaves_its_keys_to_the_others() -> io::Result<()> {
    let (refused, echoes) = (refused_addr()?, echoes(["one", "two"]).await?);
    let mut all = urls(&echoes);
    let gateway = Gateway::start(&over(BY_USER, &all)).await?;
    let before = by_user(&gateway).await?;
    all.push(refused.url());
    gateway.reload(&over(BY_USER, &all)).await?;
    assert_eq!(by_user(&gateway).await?, before);
    Ok(())
}

#[tokio::test]
async fn by_chance_each_has_its_share() -> io::Result<()> {
    let echoes = echoes(["light", "heavy"]).await?;
    let config = format!(
        "services: [{{name: up, balance: random, endpoints: [{{url: \"{}\", weight: 1}}, \
         {{url: \"{}\", weight: 3}}], routes: [{{name: all}}]}}]",
        echoes[0].url(),
        echoes[1].url()
    );
    let gateway = Gateway::start(&config).await?;
    let client = gateway.client();
    for _ in 0..400 {
        client.get("/").await?;
    }
    let counts = requests(&echoes);
    // Six standard deviations on either side.
    assert!((48..=152).contains(&counts[0]) && counts[0] + counts[1] == 400, "{counts:?}");
    Ok(())
}

#[tokio::test]
async fn the_fast_endpoint_is_preferred_and_one_that_fails_at_once_is_not_fast() -> io::Result<()> {
    let (refused, echoes) = (refused_addr()?, echoes(["fast", "slow", "failing"]).await?);
    let mut all = urls(&echoes);
    // What stands in the query of an endpoint is asked of it each time.
    all[1].push_str("/?wait=100ms");
    all[2].push_str("/?status=503");
    all.push(refused.url());
    let gateway = Gateway::start(&over("least_time", &all)).await?;
    let client = gateway.client();
    for _ in 0..200 {
        client.get("/").await?;
    }
    let counts = requests(&echoes);
    assert!(counts[0] >= 170, "{counts:?}");
    assert!(counts[1] >= 1 && counts[2] >= 1, "each is tried: {counts:?}");
    Ok(())
}

/// Gets for as long as one endpoint is busy, and when it is idle again.
async fn goes_elsewhere(
    gateway: &Gateway,
    echoes: &[RunningEcho],
    busy: impl AsyncFnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let before = requests(echoes);
    let client = gateway.client();
    for _ in 0..8 {
        client.get("/").await?;
    }
    let more: Vec<_> = requests(echoes).iter().zip(before).map(|(now, then)| now - then).collect();
    assert!(more == [0, 8] || more == [8, 0], "while one is busy: {more:?}");
    busy().await?;
    // The end of it is known when both take turns.
    let both = async {
        loop {
            let before = requests(echoes);
            client.get("/").await?;
            client.get("/").await?;
            let after = requests(echoes);
            if after.iter().zip(before).all(|(now, then)| *now == then + 1) {
                return Ok(());
            }
        }
    };
    portway_testkit::within(portway_testkit::DEADLINE, "both are idle", both).await
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_an_answer_is_not_counted_any_more() -> io::Result<()>
{
    let echoes = echoes(["one", "two"]).await?;
    let gateway = Gateway::start(&over("least_request", &urls(&echoes))).await?;
    for reset in [false, true] {
        let mut raw = gateway.raw().await?;
        raw.send("GET /?bytes=500000000 HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        raw.read_head().await?;
        raw.read_exact(1000).await?;
        goes_elsewhere(&gateway, &echoes, async || {
            if reset {
                return raw.reset();
            }
            raw.close();
            Ok(())
        })
        .await?;
    }
    // Before there is an answer, too.
    let mut raw = gateway.raw().await?;
    let seen: usize = requests(&echoes).iter().sum();
    raw.send("GET /?wait=1m HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    eventually("it has arrived", || requests(&echoes).iter().sum::<usize>() > seen).await?;
    goes_elsewhere(&gateway, &echoes, async || raw.reset()).await
}

#[tokio::test]
async fn an_upgraded_connection_counts_to_its_end() -> io::Result<()> {
    let echoes = echoes(["one", "two"]).await?;
    let gateway = Gateway::start(&over("least_request", &urls(&echoes))).await?;
    let mut socket = WebSocket::connect(gateway.addr(), "/").await?;
    assert_eq!(socket.exchange("here").await?, "here");
    Box::pin(goes_elsewhere(&gateway, &echoes, async || socket.close().await)).await
}

#[tokio::test]
async fn a_reload_of_something_else_keeps_the_counts() -> io::Result<()> {
    let echoes = echoes(["one", "two"]).await?;
    let config = over("least_request", &urls(&echoes));
    let gateway = Gateway::start(&config).await?;
    let mut socket = WebSocket::connect(gateway.addr(), "/").await?;
    assert_eq!(socket.exchange("here").await?, "here");
    let other = config.replace("name: up,", "name: up, timeouts: {connect: 4s},");
    gateway.reload(&other).await?;
    Box::pin(goes_elsewhere(&gateway, &echoes, async || socket.close().await)).await
}

#[tokio::test]
async fn connections_stick_to_an_endpoint_by_their_address() -> io::Result<()> {
    let echoes = echoes(["one", "two", "three"]).await?;
    let endpoints: Vec<_> =
        echoes.iter().map(|echo| format!("{{url: \"tcp://{}\"}}", echo.addr())).collect();
    let gateway = Gateway::start(&format!(
        "listeners: [{{name: web, protocol: tcp, bind: \"127.0.0.1:0\"}}]\n\
         services: [{{name: up, balance: {{consistent_hash: client_address}}, endpoints: [{}], \
         routes: [{{name: all, protocol: tcp}}]}}]",
        endpoints.join(", ")
    ))
    .await?;
    for _ in 0..9 {
        assert_eq!(gateway.client().get("/").await?.status, 200);
    }
    let mut counts = requests(&echoes);
    counts.sort_unstable();
    assert_eq!(counts, [0, 0, 9]);
    Ok(())
}
