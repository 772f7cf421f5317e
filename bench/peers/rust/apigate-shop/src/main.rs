//! `peer-apigate-shop LISTEN AUTH DATA`: the four routes of the public benchmark of `ApiGate` on
//! the crate `apigate`, with the settings that benchmark has, on one thread.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Connections kept to each server.
const POOL: usize = 2048;
const CONNECT: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(120);
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Where tokens are verified.
#[derive(Clone)]
struct Auth {
    client: reqwest::Client,
    verify: String,
}

/// Who asks.
#[derive(Deserialize)]
struct User {
    user_id: String,
    email: String,
}

#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "that it can be read is all that is asked of it")]
struct Search {
    category: Option<String>,
    max_price: Option<i64>,
}

#[derive(Clone, Deserialize)]
struct Lookup {
    q: String,
}

#[derive(Serialize)]
struct Query {
    query: String,
    limit: u32,
    source: &'static str,
}

#[apigate::hook]
async fn authenticate(ctx: &mut apigate::PartsCtx, auth: &Auth) -> apigate::HookResult {
    let Some(token) = ctx.header("authorization") else {
        return Err(apigate::ApigateError::unauthorized("a token is needed"));
    };
    let asked = auth.client.post(&auth.verify).header("authorization", token).send();
    let user = match asked.await {
        Ok(answer) if answer.status() == 200 => answer.json::<User>().await.ok(),
        _ => None,
    };
    let Some(user) = user else {
        return Err(apigate::ApigateError::unauthorized("the token is not good"));
    };
    ctx.set_header("x-user-id", &user.user_id)?;
    ctx.set_header("x-user-email", &user.email)?;
    ctx.remove_header("authorization");
    Ok(())
}

#[apigate::map]
async fn remap(input: Lookup) -> apigate::MapResult<Query> {
    Ok(Query { query: input.q.trim().to_owned(), limit: 20, source: "gateway" })
}

#[apigate::service(name = "data")]
mod shop {
    use super::{Lookup, Search, authenticate, remap};

    #[apigate::get("/items")]
    fn items() {}

    #[apigate::get("/my-items", before = [authenticate])]
    fn my_items() {}

    #[apigate::post("/items/search", json = Search)]
    fn search() {}

    #[apigate::post("/items/lookup", json = Lookup, map = remap)]
    fn lookup() {}
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [listen, auth, data] = args.as_slice() else {
        return Err("usage: peer-apigate-shop LISTEN AUTH DATA".into());
    };
    let listen: SocketAddr = listen.parse()?;
    let client = reqwest::Client::builder()
        .http1_only()
        .no_proxy()
        .tcp_nodelay(true)
        .tcp_keepalive(KEEPALIVE)
        .connect_timeout(CONNECT)
        .timeout(CONNECT)
        .pool_max_idle_per_host(POOL)
        .pool_idle_timeout(IDLE)
        .build()?;
    let upstream = apigate::UpstreamConfig::default()
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(POOL)
        .tcp_nodelay(true)
        .configure_connector(|connector| connector.set_keepalive(Some(KEEPALIVE)));
    let app = apigate::App::builder()
        .mount_service(shop::routes(), [data.as_str()])
        .state(Auth { client, verify: format!("{auth}/verify") })
        .request_timeout(Duration::from_secs(10))
        .upstream(upstream)
        .build()?;
    let serve = apigate::ServeConfig::new().backlog(4096).tcp_nodelay(true);
    apigate::run_with(listen, app, serve).await?;
    Ok(())
}
