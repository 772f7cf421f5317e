//! Portway's program: what somebody writes who wants these four routes.

use std::time::Duration;

use bytes::Bytes;
use portway::{
    Gateway, Halt, Head, HookResult, MapResult, Problems,
    config::{Endpoint, Pool, Problem, Service, value::Weight},
    plugin::{Host, Request, ResponseExt},
};
use serde::{Deserialize, Serialize};

/// How long the auth service may take.
const BUDGET: Duration = Duration::from_secs(3);
/// Products that a lookup brings.
const LIMIT: u32 = 20;
/// Longer than any answer of the auth service.
const MAX_ANSWER: usize = 64 * 1024;

/// Where tokens are verified.
struct Auth {
    verify: http::Uri,
}

/// Who asks.
#[derive(Deserialize)]
struct User {
    user_id: String,
    email: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "that it can be read is all that is asked of it")]
struct Search {
    category: Option<String>,
    max_price: Option<i64>,
}

#[derive(Deserialize)]
struct Lookup {
    q: String,
}

#[derive(Serialize)]
struct Query<'a> {
    query: &'a str,
    limit: u32,
    source: &'static str,
}

#[portway::hook]
async fn authenticate(head: &mut Head, host: Host, auth: &Auth) -> HookResult {
    let Some(token) = head.headers_mut().remove(http::header::AUTHORIZATION) else {
        return Err(Halt::unauthorized("a token is needed"));
    };
    let user = verified(&host, auth, token).await;
    let user = user.ok_or_else(|| Halt::unauthorized("the token is not good"))?;
    head.set_header("x-user-id", user.user_id)?;
    head.set_header("x-user-email", user.email)
}

/// Who the auth service says it is.
async fn verified(host: &Host, auth: &Auth, token: http::HeaderValue) -> Option<User> {
    let mut asked = Request::new(Bytes::new().into());
    *asked.method_mut() = http::Method::POST;
    *asked.uri_mut() = auth.verify.clone();
    asked.headers_mut().insert(http::header::AUTHORIZATION, token);
    let mut answer = host.fetch(asked, BUDGET).await.ok()?;
    if answer.status() != http::StatusCode::OK {
        return None;
    }
    let body = answer.buffer(MAX_ANSWER).await.ok()?;
    serde_json::from_slice(&body).ok()
}

#[portway::map]
async fn remap(input: &Lookup) -> MapResult<Query<'_>> {
    Ok(Query { query: input.q.trim(), limit: LIMIT, source: "gateway" })
}

#[portway::service(name = "data")]
mod shop {
    use super::{Lookup, Search, authenticate, remap};

    #[portway::get("/items")]
    async fn items() {}

    #[portway::get("/my-items", before = [authenticate])]
    async fn my_items() {}

    #[portway::post("/items/search", json = Search)]
    async fn search() {}

    #[portway::post("/items/lookup", json = Lookup, map = remap)]
    async fn lookup() {}
}

/// The gateway in front of two services: `http://127.0.0.1:8001`, `http://127.0.0.1:8002`.
///
/// # Errors
/// An address is none.
pub fn gateway(auth: &str, data: &str) -> Result<Gateway, Problems> {
    let verify = format!("{auth}/verify").parse().map_err(|_| invalid(auth))?;
    let data = tuned(data).ok_or_else(|| invalid(data))?;
    let builder = Gateway::builder().configure(|config| config.services.push(data));
    builder.mount(shop::routes()).state(Auth { verify }).build()
}

/// The data service, with as many connections and as much time as the program it is compared with
/// gives it.
fn tuned(url: &str) -> Option<Service> {
    let endpoint =
        Endpoint { url: url.parse().ok()?, weight: Weight::default(), plugins: Vec::new() };
    let mut service = Service::new(shop::routes().name.parse().ok()?, vec![endpoint]);
    service.pool = Pool { max_idle: 2048, idle: "120s".parse().ok()? };
    Some(service)
}

fn invalid(url: &str) -> Problem {
    Problem::new("bad_value", format!("{url:?} is no address"))
}
