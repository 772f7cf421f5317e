//! The cases, by the names of their public description.
//!
//! Each is one function from a client to what was wrong. A case says what it sends and what it
//! expects, and leaves the connection fit for the next one.

mod ending;
mod streaming;
mod unary;

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::pin::Pin;

use tonic::{Code, Status};

use super::client::InteropClient;
use crate::deadline::within;

/// One case: what it does with a client.
pub type Case = for<'a> fn(&'a InteropClient) -> Outcome<'a>;

/// A case at work. Its error names the case and says what was expected.
pub type Outcome<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

/// All cases, in no order that matters. They may run side by side on one client.
#[must_use]
pub fn cases() -> [(&'static str, Case); 14] {
    [
        ("empty_unary", |c| named("empty_unary", c, unary::empty_unary(c))),
        ("large_unary", |c| named("large_unary", c, unary::large_unary(c))),
        ("client_streaming", |c| named("client_streaming", c, streaming::client_streaming(c))),
        ("server_streaming", |c| named("server_streaming", c, streaming::server_streaming(c))),
        ("ping_pong", |c| named("ping_pong", c, streaming::ping_pong(c))),
        ("empty_stream", |c| named("empty_stream", c, streaming::empty_stream(c))),
        ("custom_metadata", |c| named("custom_metadata", c, unary::custom_metadata(c))),
        ("status_code_and_message", |c| {
            named("status_code_and_message", c, ending::status_code_and_message(c))
        }),
        ("special_status_message", |c| {
            named("special_status_message", c, ending::special_status_message(c))
        }),
        ("unimplemented_method", |c| {
            named("unimplemented_method", c, ending::unimplemented_method(c))
        }),
        ("unimplemented_service", |c| {
            named("unimplemented_service", c, ending::unimplemented_service(c))
        }),
        ("cancel_after_begin", |c| named("cancel_after_begin", c, ending::cancel_after_begin(c))),
        ("cancel_after_first_response", |c| {
            named("cancel_after_first_response", c, ending::cancel_after_first_response(c))
        }),
        ("timeout_on_sleeping_server", |c| {
            named("timeout_on_sleeping_server", c, ending::timeout_on_sleeping_server(c))
        }),
    ]
}

/// Runs each case, one after the other. The error tells of every one that failed.
pub async fn run_all(client: &InteropClient) -> io::Result<()> {
    let mut failed = Vec::new();
    for (_, case) in cases() {
        if let Err(error) = case(client).await {
            failed.push(error.to_string());
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(io::Error::other(failed.join("\n"))) }
}

/// Gives a case its time, and its error the case's name.
fn named<'a>(
    name: &'static str,
    client: &InteropClient,
    case: impl Future<Output = io::Result<()>> + Send + 'a,
) -> Outcome<'a> {
    let deadline = client.deadline();
    Box::pin(async move {
        within(deadline, "end of the case", case)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))
    })
}

/// What a call that should succeed gave.
fn ok<T>(what: &str, result: Result<T, Status>) -> io::Result<T> {
    result.map_err(|status| {
        let (code, message) = (status.code(), status.message());
        io::Error::other(format!("{what} failed with {code:?}, {message:?}"))
    })
}

/// The status of a call that should fail with this code.
fn failed<T>(what: &str, result: Result<T, Status>, code: Code) -> io::Result<Status> {
    let Err(status) = result else {
        return Err(io::Error::other(format!("{what} succeeded in the place of {code:?}")));
    };
    let found = format!("{what} failed with, and the message {:?},", status.message());
    same(&found, &status.code(), &code)?;
    Ok(status)
}

/// Fails if what was found is not what was expected.
fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> io::Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(io::Error::other(format!("what {what} is {found:?}, not {expected:?}")))
}
