//! `jwt` with keys that an identity provider publishes: the gateway fetches them itself.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use http::Request;
use portway_testkit::{Client, Echo, RawConnection, RawUpstream, eventually, refused_addr};
use tokio::{sync::watch, task::JoinSet};

use super::signer::{Signer, document};
use crate::fixture::Gateway;

/// An identity provider, and how often it was asked.
struct Provider {
    upstream: RawUpstream,
    says: Arc<Says>,
}

struct Says {
    answer: Mutex<String>,
    asked: AtomicUsize,
    open: watch::Sender<bool>,
}

impl Provider {
    /// Publishes the keys of these.
    async fn of(signers: &[&Signer]) -> io::Result<Self> {
        let answer = Mutex::new(found(signers));
        let says = Says { answer, asked: AtomicUsize::new(0), open: watch::Sender::new(true) };
        let says = Arc::new(says);
        let told = Arc::clone(&says);
        let upstream =
            RawUpstream::start(move |connection| Arc::clone(&told).tell(connection)).await?;
        Ok(Self { upstream, says })
    }

    fn publish(&self, signers: &[&Signer]) {
        self.answer(found(signers));
    }

    fn answer(&self, answer: String) {
        *self.says.answer.lock().expect("nobody panics with it") = answer;
    }

    /// Whether it answers, or leaves those waiting that ask.
    fn open(&self, open: bool) {
        self.says.open.send_replace(open);
    }

    fn asked(&self) -> usize {
        self.says.asked.load(SeqCst)
    }

    /// A gateway that lets in whom it knows.
    async fn gateway(&self, echo: &str, more: &str) -> io::Result<Gateway> {
        Gateway::start(&config(echo, &format!("{}/keys", self.upstream.url()), more)).await
    }
}

impl Says {
    async fn tell(self: Arc<Self>, mut connection: RawConnection) -> io::Result<()> {
        let mut open = self.open.subscribe();
        loop {
            connection.read_request().await?;
            self.asked.fetch_add(1, SeqCst);
            open.wait_for(|open| *open).await.map_err(io::Error::other)?;
            let answer = self.answer.lock().expect("nobody panics with it").clone();
            connection.write(answer).await?;
        }
    }
}

fn found(signers: &[&Signer]) -> String {
    let body = document(signers);
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Tokens are verified one by one: none is remembered.
fn config(echo: &str, url: &str, more: &str) -> String {
    format!(
        "services: [{{name: up, url: '{echo}', routes: [{{name: all, plugins: \
         [{{jwt: {{cache: 0, jwks: {{url: '{url}', {more}}}}}}}]}}]}}]"
    )
}

/// The status of a request with this token, and whom the upstream takes it to be from.
async fn bear(client: &Client, token: &str) -> io::Result<(u16, Option<String>)> {
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let request = request.body(String::new()).map_err(io::Error::other)?;
    let response = Box::pin(client.request(request)).await?;
    let answer = response.answer().ok();
    let consumer = answer.and_then(|it| it.header("x-consumer-username").map(str::to_owned));
    Ok((response.status.as_u16(), consumer))
}

fn from(name: &str) -> (u16, Option<String>) {
    (200, Some(name.to_owned()))
}

#[tokio::test]
async fn tokens_of_published_keys_are_good() -> io::Result<()> {
    let (rsa, ec) = (Signer::rs256("r"), Signer::es256("e"));
    let (other, forger) = (Signer::es256("other"), Signer::rs256("r"));
    let echo = Echo::start().await?;
    let provider = Provider::of(&[&rsa, &ec]).await?;
    let gateway = provider.gateway(&echo.url(), "").await?;
    let client = gateway.client();
    for number in 0..3 {
        assert_eq!(bear(&client, &rsa.token("alice", number)).await?, from("alice"));
        assert_eq!(bear(&client, &ec.token("bob", number)).await?, from("bob"));
        assert_eq!(bear(&client, &other.token("eve", number)).await?.0, 401, "unknown");
        assert_eq!(bear(&client, &forger.token("eve", number)).await?.0, 401, "forged");
    }
    assert_eq!(provider.asked(), 1, "once, at the start: the rest is within the cool-down");
    assert_eq!(echo.requests(), 6);
    Ok(())
}

#[tokio::test]
async fn a_new_key_is_fetched_once_however_many_ask() -> io::Result<()> {
    const MANY: usize = 50;
    for (old, new) in
        [(Signer::rs256("old"), Signer::es256("new")), (Signer::es256("old"), Signer::rs256("new"))]
    {
        let echo = Echo::start().await?;
        let provider = Provider::of(&[&old]).await?;
        let gateway = provider.gateway(&echo.url(), "cooldown: 1ms").await?;
        assert_eq!(bear(&gateway.client(), &old.token("alice", 0)).await?, from("alice"));
        provider.publish(&[&new]);
        provider.open(false);
        let mut asking = JoinSet::new();
        for number in 0..MANY {
            let (client, token) = (gateway.client(), new.token("bob", number));
            asking.spawn(async move { bear(&client, &token).await });
        }
        loop {
            let waiting = gateway.metric("portway_requests_in_flight", &[]).await?;
            if waiting >= MANY as f64 {
                break;
            }
            tokio::task::yield_now().await;
        }
        eventually("the new key is asked for", || provider.asked() == 2).await?;
        provider.open(true);
        while let Some(answer) = asking.join_next().await {
            assert_eq!(answer.map_err(io::Error::other)??, from("bob"));
        }
        assert_eq!(provider.asked(), 2);
        // What is not published any more is not good any more.
        assert_eq!(bear(&gateway.client(), &old.token("alice", 1)).await?.0, 401);
    }
    Ok(())
}

#[tokio::test]
async fn the_last_keys_count_while_the_provider_is_gone() -> io::Result<()> {
    let (known, unknown) = (Signer::es256("known"), Signer::es256("unknown"));
    let echo = Echo::start().await?;
    let provider = Provider::of(&[&known]).await?;
    let gateway = provider.gateway(&echo.url(), "refresh: 20ms, cooldown: 10ms").await?;
    let client = gateway.client();
    assert_eq!(bear(&client, &known.token("alice", 0)).await?, from("alice"));
    drop(provider);
    let line = gateway.process.wait_for_line(|line| line.contains("cannot be read")).await?;
    assert!(line.contains("the last ones count") && line.contains("WARN"), "{line}");
    for number in 1..20 {
        assert_eq!(bear(&client, &known.token("alice", number)).await?, from("alice"));
        assert_eq!(bear(&client, &unknown.token("eve", number)).await?.0, 401);
    }
    let told = gateway.process.stderr();
    assert_eq!(told.iter().filter(|line| line.contains("cannot be read")).count(), 1, "{told:?}");
    Ok(())
}

#[tokio::test]
async fn keys_that_are_too_old_are_not_used() -> io::Result<()> {
    let known = Signer::es256("known");
    let echo = Echo::start().await?;
    let provider = Provider::of(&[&known]).await?;
    let more = "refresh: 20ms, cooldown: 10ms, max_stale: 30ms";
    let gateway = provider.gateway(&echo.url(), more).await?;
    let client = gateway.client();
    drop(provider);
    let mut number = 0;
    let status = loop {
        number += 1;
        match bear(&client, &known.token("alice", number)).await?.0 {
            200 => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert_eq!(status, 503);
    Ok(())
}

#[tokio::test]
async fn without_keys_at_the_start_nobody_is_let_in_and_the_log_says_so() -> io::Result<()> {
    let signer = Signer::rs256("r");
    let echo = Echo::start().await?;
    let nobody = refused_addr()?;
    let url = format!("{}/keys", nobody.url());
    let gateway = Gateway::start(&config(&echo.url(), &url, "")).await?;
    let line = gateway.process.wait_for_line(|line| line.contains("cannot be read")).await?;
    assert!(line.contains(&url) && line.contains("refused until they can be"), "{line}");
    let client = gateway.client();
    for number in 0..3 {
        let (status, _) = bear(&client, &signer.token("alice", number)).await?;
        assert_eq!(status, 503);
    }
    assert_eq!(client.get("/").await?.status, 401, "without a token");
    assert_eq!(echo.requests(), 0);
    Ok(())
}

#[tokio::test]
async fn a_provider_that_comes_back_is_asked_again() -> io::Result<()> {
    let signer = Signer::rs256("r");
    let echo = Echo::start().await?;
    let provider = Provider::of(&[]).await?;
    provider.answer("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n".to_owned());
    let gateway = provider.gateway(&echo.url(), "cooldown: 20ms").await?;
    let client = gateway.client();
    assert_eq!(bear(&client, &signer.token("alice", 0)).await?.0, 503);
    provider.publish(&[&signer]);
    gateway.process.wait_for_line(|line| line.contains("can be read again")).await?;
    assert_eq!(bear(&client, &signer.token("alice", 1)).await?, from("alice"));
    Ok(())
}
