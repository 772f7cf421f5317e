//! `basic-auth`: passwords are hashed, which takes long, beside everything else.

use std::io;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Request;
use portway_testkit::{Client, Echo};
use tokio::task::JoinSet;

use crate::fixture::Gateway;

async fn ask(client: &Client, pair: &str) -> io::Result<(u16, Option<String>, String)> {
    let field = format!("Basic {}", STANDARD.encode(pair));
    let request = Request::get("/guarded").header("authorization", field);
    let request = request.body(String::new()).map_err(io::Error::other)?;
    let response = Box::pin(client.request(request)).await?;
    let retry = response.header("retry-after").map(str::to_owned);
    Ok((response.status.as_u16(), retry, response.text().into_owned()))
}

/// Of `U*U`: dear enough for a queue to form, and no dearer, because who hashes
/// comes after everybody else on a busy machine.
const HASH: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// A crowd that guesses is told to come back later; everybody else is served as ever.
#[tokio::test]
async fn a_crowd_that_guesses_is_turned_away_and_others_are_served() -> io::Result<()> {
    const CROWD: usize = 128;
    let echo = Echo::start().await?;
    let config = format!(
        "consumers: [{{name: alice, passwords: [{{hash: '{HASH}'}}]}}]\n\
         services: [{{name: up, url: '{}', routes: [\
         {{name: open, match: {{path: /open}}}}, \
         {{name: guarded, match: {{path: /guarded}}, plugins: [{{basic-auth: {{}}}}]}}]}}]",
        echo.url()
    );
    // One core has one thread for passwords, and a short queue before it.
    let gateway = Gateway::start_with(&config, &["--cores", "1"]).await?;
    let alice = gateway.client();
    assert_eq!(ask(&alice, "alice:U*U").await?.0, 200);

    let mut crowd = JoinSet::new();
    for number in 0..CROWD {
        let client = gateway.client();
        // Half of them are nobody.
        let user = if number % 2 == 0 { "alice" } else { "nobody" };
        crowd.spawn(async move { ask(&client, &format!("{user}:guess {number}")).await });
    }
    let (mut wrong, mut busy, mut served) = (0, 0, 0);
    while let Some(answer) = crowd.join_next().await {
        match answer.map_err(io::Error::other)?? {
            (401, _, text) if text.contains("invalid_credentials") => wrong += 1,
            (429, Some(_), text) if text.contains("auth_busy") => busy += 1,
            other => panic!("{other:?}"),
        }
        // Whoever is known, and whoever needs no password, does not wait behind them.
        assert_eq!(ask(&alice, "alice:U*U").await?.0, 200);
        assert_eq!(alice.get("/open").await?.status, 200);
        served += 2;
    }
    assert!(wrong > 0 && busy > 0, "{wrong} wrong, {busy} busy");
    assert_eq!(echo.requests(), served + 1);
    Ok(())
}
