//! A connection at the other end of a pipe, on a paused clock.

mod broken;
mod departure;
mod early;
mod expect;
mod idle;
mod interim;
mod leave;
mod order;
mod patience;
mod peer;
mod played;
mod refused;
mod upgrade;

use std::future::Future;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};

use super::{Body, Options, Service};
use crate::error::{BodyError, HeadError};

use peer::{Client, Heard};

type Answer = Response<UnsyncBoxBody<Bytes, BodyError>>;

/// Answers by calling a function.
struct Calls<F>(F);

impl<F, Fut> Service for Calls<F>
where
    F: Fn(Request<Body>) -> Fut,
    Fut: Future<Output = Answer>,
{
    type Body = UnsyncBoxBody<Bytes, BodyError>;
    type Future = Fut;

    fn call(&self, request: Request<Body>) -> Fut {
        (self.0)(request)
    }

    fn refuse(&self, error: HeadError) -> Answer {
        let mut refusal = text(error.to_string());
        *refusal.status_mut() = error.status();
        refusal
    }
}

fn text(text: impl Into<Bytes>) -> Answer {
    Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed_unsync())
}

fn status(status: StatusCode) -> Answer {
    let mut answer = text("");
    *answer.status_mut() = status;
    answer
}

/// Says what a request was: its target, and its body.
async fn tell(request: Request<Body>) -> Answer {
    let target = request.uri().to_string();
    match request.into_body().collect().await {
        Ok(body) => text(format!("{target} {}", String::from_utf8_lossy(&body.to_bytes()))),
        Err(error) => text(format!("{target} {error}")),
    }
}
