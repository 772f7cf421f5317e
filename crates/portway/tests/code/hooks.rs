//! Hooks: what they are given, what they may do, how they end a request.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use portway::{
    Gateway, Halt, Head, HookResult, RawBody, Scope,
    code::{Client, Cookies, FromCall, RequestId, TypedHeader},
    plugin::{Error, Response},
};
use serde::Deserialize;

use crate::{Declared, request};

struct Keys(&'static str);

#[derive(Clone)]
struct Greeting(String);

#[derive(Clone, Debug, PartialEq)]
struct User(String);

#[derive(Deserialize)]
struct Session {
    session: Option<String>,
}

struct Tenant(String);

impl FromCall for Tenant {
    fn from_call(call: &portway::code::Call<'_>) -> Result<Self, Halt> {
        let tenant = call.head().header("x-tenant").map(str::to_owned);
        tenant.map(Self).ok_or_else(|| Halt::bad_request("x-tenant is missing"))
    }
}

#[portway::hook]
async fn authenticate(head: &mut Head, scope: &mut Scope, keys: &Keys) -> HookResult {
    let Some(key) = head.header("authorization") else {
        return Err(Halt::unauthorized("who are you?"));
    };
    if key != keys.0 {
        return Err(Halt::forbidden_json(&serde_json::json!({ "denied": true })));
    }
    scope.insert(User("anna".to_owned()));
    head.remove_header("authorization");
    Ok(())
}

#[portway::hook]
async fn tell_user(head: &mut Head, user: &User, greeting: Greeting) -> HookResult {
    head.set_header("x-user", format!("{} {}", greeting.0, user.0))
}

/// Nobody leaves one.
struct Nothing;

#[portway::hook]
async fn perhaps(
    head: &mut Head,
    user: Option<User>,
    greeting: Option<Greeting>,
    nothing: Option<Nothing>,
) -> HookResult {
    let user = user.map_or_else(|| "nobody".to_owned(), |user| user.0);
    let greeting = greeting.map_or_else(String::new, |greeting| greeting.0);
    head.set_header("x-perhaps", format!("{greeting} {user} {}", nothing.is_some()))
}

#[portway::hook]
async fn rename(user: &mut User, keys: &Keys) {
    user.0 = format!("{}-{}", user.0, keys.0);
}

#[portway::hook]
async fn facts(
    head: &mut Head,
    Client(client): Client,
    id: RequestId,
    Cookies(session): Cookies<Session>,
    host: Option<TypedHeader<headers::Host>>,
    tenant: Tenant,
) -> HookResult {
    head.set_header("x-client", client)?;
    head.set_header("x-id-seen", id.0.len())?;
    head.set_header("x-session", session.session.unwrap_or_default())?;
    head.set_header("x-host", host.map(|host| host.0.hostname().to_owned()).unwrap_or_default())?;
    head.set_header("x-tenant-seen", tenant.0)
}

#[portway::hook]
async fn cached(head: &Head) -> Result<Option<Response>, Halt> {
    Ok((head.uri().query() == Some("cached"))
        .then(|| http::Response::new("kept".to_owned().into())))
}

#[portway::hook]
async fn signed(head: &mut Head, body: RawBody) -> HookResult {
    head.set_header("x-length", body.len())
}

#[portway::map]
async fn sum(input: Vec<u32>, body: RawBody) -> portway::MapResult<Vec<u32>> {
    Ok(vec![input.iter().sum(), u32::try_from(body.len()).unwrap_or(0)])
}

#[portway::hook]
async fn faulty(head: &mut Head) -> HookResult {
    head.set_header("bad name", "x")
}

#[portway::hook]
async fn needy(_missing: &std::path::PathBuf) {}

#[portway::hook]
async fn slow() {
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[portway::hook]
async fn panics() {
    panic!("a hook of somebody else's");
}

#[portway::after]
async fn stamp(response: &mut Response, user: &User, seen: &Arc<AtomicU32>) -> HookResult {
    seen.fetch_add(1, Ordering::Relaxed);
    let user = user.0.parse().map_err(|_| Halt::internal("a name"))?;
    response.headers_mut().insert("x-stamp", user);
    Ok(())
}

#[portway::after]
async fn soften(outcome: &mut Result<Response, Error>) {
    if let Err(error) = outcome
        && error.status() == StatusCode::BAD_GATEWAY
    {
        *outcome = Ok(http::Response::new("later".to_owned().into()));
    }
}

#[portway::service(prefix = "/shop")]
mod shop {
    //! What stands within the braces of a module, and of a function, stays there.
    #![deny(unused_must_use)]

    use super::{
        authenticate, cached, facts, faulty, needy, panics, perhaps, rename, signed, slow, soften,
        stamp, tell_user,
    };

    #[portway::get("/perhaps", before = [perhaps])]
    async fn perhaps_nobody() {}

    #[portway::get("/perhaps-user", before = [authenticate, perhaps])]
    async fn perhaps_user() {}

    #[portway::get("/later", handler, after = [soften])]
    async fn later() -> Result<String, portway::Halt> {
        #![allow(clippy::unused_async)]
        Err(portway::Halt::bad_gateway("not now"))
    }

    #[portway::get("/type")]
    async fn r#type() {}

    #[cfg(any())]
    #[portway::get("/never")]
    async fn never() {}

    #[cfg(any())]
    #[portway::get("/one-of-two", handler)]
    async fn one() -> &'static str {
        "not this one"
    }

    #[cfg(not(any()))]
    #[portway::get("/one-of-two", handler)]
    async fn one() -> &'static str {
        "this one"
    }

    #[portway::get("/mine", before = [authenticate, rename, tell_user], after = [stamp])]
    async fn mine() {}

    #[portway::get("/facts", before = [facts])]
    async fn known() {}

    #[portway::get("/cached", before = [cached])]
    async fn kept() {}

    #[portway::post("/signed", before = [signed], body_limit = "10B")]
    async fn with_signature() {}

    #[portway::post("/signed-json", before = [signed], json = Vec<u32>, map = super::sum)]
    async fn signed_json() {}

    #[portway::head("/only-head")]
    async fn only_head() {}

    #[portway::get("/both")]
    async fn both() {}

    #[portway::head("/both", handler)]
    async fn both_head() -> http::StatusCode {
        http::StatusCode::NO_CONTENT
    }

    #[portway::get("/faulty", before = [faulty])]
    async fn with_fault() {}

    #[portway::get("/needy", before = [needy])]
    async fn with_need() {}

    #[portway::get("/slow", before = [slow], timeout = "50ms")]
    async fn too_slow() {}

    #[portway::get("/panics", before = [panics])]
    async fn broken() {}
}

#[portway::service(prefix = "/gone")]
mod gone {
    #[portway::get("/soft", after = [super::soften])]
    async fn soft() {}
}

async fn shop() -> (Declared, Arc<AtomicU32>) {
    let seen = Arc::new(AtomicU32::new(0));
    let builder = Gateway::builder()
        .state(Keys("sesame"))
        .state(Greeting("hello".to_owned()))
        .state(Arc::clone(&seen));
    (Declared::with(builder, &[shop::routes()]).await, seen)
}

fn header(answer: &crate::Answer, name: &str) -> Option<String> {
    let headers = answer.json()["headers"].as_array()?.clone();
    let found = headers.iter().find(|pair| pair[0] == name)?;
    Some(found[1].as_str()?.to_owned())
}

#[tokio::test]
async fn hooks_run_in_their_order_and_leave_values_for_each_other() {
    let (gateway, seen) = shop().await;
    let mut asked = request(http::Method::GET, "/shop/mine", "");
    asked.headers_mut().insert("authorization", "sesame".parse().unwrap());
    let answer = gateway.ask(asked).await;
    assert_eq!(header(&answer, "x-user").as_deref(), Some("hello anna-sesame"));
    assert_eq!(header(&answer, "authorization"), None);
    assert_eq!(answer.headers["x-stamp"], "anna-sesame");
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_hook_ends_a_request_by_an_error_or_an_answer() {
    let (gateway, seen) = shop().await;
    let answer = gateway.get("/shop/mine").await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "unauthorized"));
    let mut asked = request(http::Method::GET, "/shop/mine", "");
    asked.headers_mut().insert("authorization", "other".parse().unwrap());
    let answer = gateway.ask(asked).await;
    assert_eq!((answer.status, answer.json()), (403, serde_json::json!({ "denied": true })));
    let answer = gateway.get("/shop/cached?cached").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "kept"));
    assert_eq!(gateway.get("/shop/cached").await.json()["path"], "/cached");
    assert_eq!(seen.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn arguments_are_made_of_the_request() {
    let (gateway, _) = shop().await;
    let mut asked = request(http::Method::GET, "/shop/facts", "");
    asked.headers_mut().insert("cookie", "a=1; session=\"s7\"".parse().unwrap());
    asked.headers_mut().insert("x-tenant", "t1".parse().unwrap());
    let answer = gateway.ask(asked).await;
    for (name, value) in [
        ("x-client", "192.0.2.7"),
        ("x-session", "s7"),
        ("x-host", "shop.example"),
        ("x-tenant-seen", "t1"),
    ] {
        assert_eq!(header(&answer, name).as_deref(), Some(value), "{}", answer.text());
    }
    let answer = gateway.get("/shop/facts").await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"));
}

#[tokio::test]
async fn what_may_be_missing_is_an_option() {
    let (gateway, _) = shop().await;
    let answer = gateway.get("/shop/perhaps").await;
    assert_eq!(header(&answer, "x-perhaps").as_deref(), Some("hello nobody false"));
    let mut asked = request(http::Method::GET, "/shop/perhaps-user", "");
    asked.headers_mut().insert("authorization", "sesame".parse().unwrap());
    let answer = gateway.ask(asked).await;
    assert_eq!(header(&answer, "x-perhaps").as_deref(), Some("hello anna false"));
}

#[tokio::test]
async fn what_is_not_built_is_not_served() {
    let (gateway, _) = shop().await;
    assert_eq!(gateway.get("/shop/never").await.status, 404);
    assert_eq!(gateway.get("/shop/one-of-two").await.text(), "this one");
    let names: Vec<_> = shop::routes().routes.iter().map(|route| route.name).collect();
    assert!(names.contains(&"type") && !names.contains(&"never"), "{names:?}");
}

#[tokio::test]
async fn a_body_that_a_hook_reads_reaches_the_upstream() {
    let (gateway, _) = shop().await;
    let answer = gateway.post("/shop/signed", "0123456789").await;
    assert_eq!(header(&answer, "x-length").as_deref(), Some("10"));
    assert_eq!(answer.json()["body"]["length"], 10);
    let answer = gateway.post("/shop/signed", "0123456789+").await;
    assert_eq!(answer.status, 413, "{}", answer.text());
}

#[tokio::test]
async fn a_body_may_be_read_by_a_hook_as_json_and_by_a_map() {
    let (gateway, _) = shop().await;
    let answer = gateway.post("/shop/signed-json", "[1, 2, 3]").await;
    assert_eq!(header(&answer, "x-length").as_deref(), Some("9"), "{}", answer.text());
    assert_eq!(answer.json()["body"]["text"], "[6,9]");
    let answer = gateway.post("/shop/signed-json", "[1, 2").await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_json_body"));
}

#[tokio::test]
async fn head_is_of_get_unless_it_has_a_route_of_its_own() {
    let (gateway, _) = shop().await;
    let ask = async |method: http::Method, path: &str| gateway.ask(request(method, path, "")).await;
    assert_eq!(ask(http::Method::HEAD, "/shop/cached").await.status, 200);
    assert_eq!(ask(http::Method::HEAD, "/shop/only-head").await.status, 200);
    assert_eq!(ask(http::Method::GET, "/shop/only-head").await.status, 405);
    assert_eq!(ask(http::Method::GET, "/shop/both").await.json()["path"], "/both");
    assert_eq!(ask(http::Method::HEAD, "/shop/both").await.status, 204);
}

#[tokio::test]
async fn what_code_does_wrong_is_the_gateways_fault() {
    let (gateway, _) = shop().await;
    for (path, code) in [
        ("/shop/faulty", "invalid_header_name"),
        ("/shop/needy", "missing_from_scope"),
        ("/shop/panics", "plugin_failed"),
    ] {
        let answer = gateway.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (500, code));
        assert!(!answer.text().contains("PathBuf"), "{}", answer.text());
    }
}

#[tokio::test]
async fn the_timeout_of_a_route_covers_its_hooks() {
    let (gateway, _) = shop().await;
    assert_eq!(gateway.get("/shop/slow").await.status, 504);
}

#[tokio::test]
async fn a_response_hook_sees_failures_if_it_wants_to() {
    let (shop, _) = shop().await;
    let answer = shop.get("/shop/later").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "later"), "a handler's");
    let closed = portway_testkit::refused_addr().unwrap();
    let builder = Gateway::builder().mount_service(gone::routes(), [closed.url()]);
    let mut gateway = builder.build().unwrap().into_service().await.unwrap();
    let asked = request(http::Method::GET, "/gone/soft", "");
    let answer = tower_service::Service::call(&mut gateway, asked).await.unwrap();
    assert_eq!(answer.status(), 200);
}
