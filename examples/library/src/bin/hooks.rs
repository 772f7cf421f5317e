//! Hooks: code before a request is forwarded, and behind its answer. They ask for what they need by
//! its type, and leave values for each other in the scope of the request.
//!
//! ```sh
//! # Whoever does not say who they are gets no further.
//! curl -s -i http://127.0.0.1:8080/orders/mine
//! #> 401 Unauthorized
//! #> "code":"unauthorized"
//!
//! # An answer in the program's own words.
//! curl -s -i -H 'authorization: Bearer nobody' http://127.0.0.1:8080/orders/mine
//! #> 403 Forbidden
//! #> {"denied":"nobody"}
//!
//! # The first hook finds out who asks, the second one tells the upstream, and the token stays here.
//! curl -s -i -H 'authorization: Bearer anna' http://127.0.0.1:8080/orders/mine
//! #> 200 OK
//! #> x-served-for: anna
//! #> "x-user",
//! #> "anna"
//!
//! # A hook may answer by itself: nothing is asked then.
//! curl -s -H 'authorization: Bearer anna' 'http://127.0.0.1:8080/orders/mine?cached'
//! #> kept for anna
//! ```

use std::collections::HashMap;

use http::HeaderValue;
use portway::{Gateway, Halt, Head, HookResult, Problems, Scope, plugin::Response};
use portway_examples::{listen, upstream};
use serde_json::json;

/// Who has which token: shared by all requests.
struct Tokens(HashMap<&'static str, &'static str>);

/// Who asks: of one request.
struct User(&'static str);

/// Finds out who asks. `&Tokens` is what the builder was given.
#[portway::hook]
async fn authenticate(head: &mut Head, scope: &mut Scope, tokens: &Tokens) -> HookResult {
    let token = head.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let Some(token) = token else {
        return Err(Halt::unauthorized("say who you are"));
    };
    let Some(user) = tokens.0.get(token) else {
        return Err(Halt::forbidden_json(&json!({ "denied": token })));
    };
    scope.insert(User(user));
    head.remove_header("authorization");
    Ok(())
}

/// Tells the upstream. `&User` is what the hook before has left.
#[portway::hook]
async fn introduce(head: &mut Head, user: &User) -> HookResult {
    head.set_header("x-user", user.0)?;
    head.set_header("x-client", head.client())
}

/// Answers by itself, now and then.
#[portway::hook]
async fn keep(head: &Head, user: &User) -> Option<Response> {
    let is_kept = head.uri().query() == Some("cached");
    is_kept.then(|| Response::new(format!("kept for {}\n", user.0).into()))
}

/// Sees the answer of the upstream.
#[portway::after]
async fn stamp(answer: &mut Response, user: &User) {
    answer.headers_mut().insert("x-served-for", HeaderValue::from_static(user.0));
}

#[portway::service(prefix = "/orders")]
mod orders {
    use super::{authenticate, introduce, keep, stamp};

    #[portway::get("/mine", before = [authenticate, introduce, keep], after = [stamp])]
    async fn mine() {}
}

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let gateway = Gateway::builder()
        .mount_service(orders::routes(), [upstream()])
        .state(Tokens(HashMap::from([("anna", "anna"), ("b0b", "bob")])))
        .build()?;
    gateway.run(&listen()).await?;
    Ok(())
}
