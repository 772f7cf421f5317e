//! A plugin that only reports what it would have done.
//!
//! It works on a copy of the request's head; the original goes on as if the plugin were not there,
//! and the client gets the original's answer. Bodies that are not in memory are not shown to it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portway_plugin::{
    Body, BoxFuture, Chain as Steps, Error, Exchange, Host, Next, Request, RequestExt, Response,
    Result, Side,
};

use super::run::{End, Walk};
use crate::telemetry::metrics::PluginOutcome;

/// Runs the step `at` for show.
pub(super) fn run<'a, E: End>(
    walk: &'a Walk<'a, E>,
    at: usize,
    request: Request,
    exchange: &'a Exchange<'a>,
) -> BoxFuture<'a, Result<Response>> {
    Box::pin(async move {
        let copy = request.try_clone().unwrap_or_else(|| head_of(&request));
        let stage = Stage {
            walk,
            at,
            exchange,
            original: Mutex::new(Some(request)),
            answer: Mutex::new(None),
        };
        // Who it finds out the client to be counts for itself alone.
        let facts = walk.facts();
        let own = Exchange::new(facts);
        if let Some(consumer) = exchange.consumer() {
            own.identify(Arc::clone(consumer));
        }
        let instance = &walk.link(at).running.instance;
        let said = instance.call(copy, Next::new(&stage, &own, at + 1)).await;
        let original = take(&stage.original);
        let (outcome, told) = match (&said, original.is_some()) {
            (Ok(_), false) => (PluginOutcome::Passed, None),
            (Ok(response), true) => {
                (PluginOutcome::WouldAnswer, Some(response.status().as_u16().to_string()))
            }
            (Err(error), true) if error.side() == Side::Client => {
                (PluginOutcome::WouldRefuse, Some(describe(error)))
            }
            (Err(error), true) => (PluginOutcome::WouldFail, Some(describe(error))),
            (Err(_), false) => (PluginOutcome::Passed, None),
        };
        walk.tell(at, outcome, Duration::ZERO);
        walk.cells(at).called(outcome, 0);
        if let Some(told) = told {
            let next = Next::new(walk, exchange, at + 1);
            // A request with too many notes has said enough.
            let _ = next.note("dry_run", told);
        }
        match (take(&stage.answer), original) {
            (Some(answer), _) => answer,
            (None, Some(original)) => walk.run(at + 1, original, exchange).await,
            // It was taken to be sent on, and that was given up: the request is lost with it.
            (None, None) => said,
        }
    })
}

/// What a plugin that only reports sees of the rest of its chain.
struct Stage<'a, E> {
    walk: &'a Walk<'a, E>,
    at: usize,
    exchange: &'a Exchange<'a>,
    original: Mutex<Option<Request>>,
    answer: Mutex<Option<Result<Response>>>,
}

impl<E: End> Steps for Stage<'_, E> {
    fn run<'s>(
        &'s self,
        at: usize,
        _: Request,
        _: &'s Exchange<'s>,
    ) -> BoxFuture<'s, Result<Response>> {
        Box::pin(async move {
            let Some(original) = take(&self.original) else {
                return Err(Error::gateway("dry_run", "a rehearsal is run once"));
            };
            let answer = self.walk.run(at, original, self.exchange).await;
            let shown = match &answer {
                Ok(response) => Ok(head_of_answer(response)),
                Err(error) => {
                    let message = error.message().to_owned();
                    Err(Error::new(error.side(), error.status(), error.code(), message))
                }
            };
            *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            shown
        })
    }

    fn host(&self, _: usize) -> &Host {
        self.walk.host(self.at)
    }

    fn ended(&self, _: usize, _: &Result<Response>, _: bool) {}
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn describe(error: &Error) -> String {
    format!("{} {}", error.status().as_u16(), error.code())
}

fn head_of(request: &Request) -> Request {
    let mut copy = Request::new(Body::empty());
    request.method().clone_into(copy.method_mut());
    request.uri().clone_into(copy.uri_mut());
    *copy.version_mut() = request.version();
    request.headers().clone_into(copy.headers_mut());
    copy
}

fn head_of_answer(response: &Response) -> Response {
    let mut copy = Response::new(Body::empty());
    *copy.status_mut() = response.status();
    *copy.version_mut() = response.version();
    response.headers().clone_into(copy.headers_mut());
    copy
}
