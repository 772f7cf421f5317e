//! How a request ends by an error: text for the client and text for the log apart, codes that
//! programs may rely on, and failures of the upstream that are softened.
//!
//! ```sh
//! # One renderer tells all errors in the program's own words. The status and the code say what kind of error it is, the message is for the client.
//! curl -s -i http://127.0.0.1:8080/teapot
//! #> 418
//! #> teapot: it is short and stout
//!
//! # The cause is logged, and nobody else's business.
//! curl -s -i http://127.0.0.1:8080/secret
//! #> 500 Internal Server Error
//! #> internal: the vault is closed
//!
//! # An answer as it stands, that nothing renders.
//! curl -s -i http://127.0.0.1:8080/as-it-stands
//! #> 400 Bad Request
//! #> content-type: application/json
//! #> ["one","two"]
//!
//! # The program's mistakes are its own, not the client's: 500.
//! curl -s -i http://127.0.0.1:8080/mistake
//! #> 500 Internal Server Error
//! #> invalid_header_name: the gateway failed
//!
//! # What nobody serves, and what nobody serves in this way.
//! curl -s -i http://127.0.0.1:8080/nowhere
//! #> 404 Not Found
//! #> no_route
//! curl -s -i -X DELETE http://127.0.0.1:8080/teapot
//! #> 405 Method Not Allowed
//! #> method_not_allowed
//!
//! # Nobody listens there; the response hook has something to say all the same.
//! curl -s -i http://127.0.0.1:8080/gone
//! #> 200 OK
//! #> closed for today
//! ```

use http::StatusCode;
use portway::{
    Gateway, Halt, Head, HookResult, Problems,
    plugin::{Error, Response},
};
use portway_examples::{listen, upstream};

#[portway::hook]
async fn teapot() -> HookResult {
    Err(Halt::coded(StatusCode::IM_A_TEAPOT, "teapot", "it is short and stout"))
}

#[portway::hook]
async fn closed() -> HookResult {
    Err(Halt::internal("the vault is closed").because("its key is under the mat"))
}

#[portway::hook]
async fn as_it_stands() -> HookResult {
    Err(Halt::bad_request_json(&["one", "two"]))
}

#[portway::hook]
async fn mistaken(head: &mut Head) -> HookResult {
    head.set_header("not a name", "x")
}

/// Takes failures as well as answers.
#[portway::after]
async fn soften(outcome: &mut Result<Response, Error>) {
    if outcome.as_ref().is_err_and(|error| error.status() == StatusCode::BAD_GATEWAY) {
        *outcome = Ok(Response::new("closed for today\n".into()));
    }
}

/// The answer for an error; its cause is none of the client's business.
fn tell(error: &Error, request_id: &str) -> Response {
    let text = format!("{}: {} ({request_id})\n", error.code(), error.message());
    let mut answer = Response::new(text.into());
    *answer.status_mut() = error.status();
    answer
}

#[portway::service]
mod shop {
    use super::{as_it_stands, closed, mistaken, teapot};

    #[portway::get("/teapot", before = [teapot])]
    async fn pot() {}

    #[portway::get("/secret", before = [closed])]
    async fn secret() {}

    #[portway::get("/as-it-stands", before = [as_it_stands])]
    async fn plain() {}

    #[portway::get("/mistake", before = [mistaken])]
    async fn mistake() {}
}

#[portway::service]
mod gone {
    #[portway::get("/gone", after = [super::soften])]
    async fn all() {}
}

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let gateway = Gateway::builder()
        .mount_service(shop::routes(), [upstream()])
        .mount_service(gone::routes(), ["http://127.0.0.1:1"])
        .error_renderer(tell)
        .build()?;
    gateway.run(&listen()).await?;
    Ok(())
}
