//! `rate-limit` at work.

use std::{sync::OnceLock, time::Duration};

use portway_plugin::{
    Counter, Exchange, Next, Plugin, Problem, Request, Response, Result,
    value::{ErrorStatus, Rate},
};

use super::{
    Headers, RateLimitSpec,
    error::LimitReached,
    headers::Announced,
    limit::{Limit, nanos},
    store::{Store, Verdict},
};
use crate::keys::Keys;

/// Lets requests pass as often as the limits allow.
#[derive(Debug)]
pub struct RateLimit {
    keys: Keys,
    limits: Announced,
    store: Store,
    headers: Headers,
    status: ErrorStatus,
    /// Keys that were forgotten before their quota was whole.
    forgotten: OnceLock<Counter>,
}

impl Plugin for RateLimit {
    const NAME: &'static str = "rate-limit";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = RateLimitSpec;

    fn create(spec: RateLimitSpec) -> Result<Self, Problem> {
        let max_keys = max_keys(spec.max_keys.get())?;
        Ok(Self {
            keys: Keys::new(spec.key),
            limits: announced(&distinct(spec.limits)?),
            store: Store::new(spec.algorithm, max_keys),
            headers: spec.headers,
            status: spec.status,
            forgotten: OnceLock::new(),
        })
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let exchange = next.exchange();
        let Some(key) = self.keys.of(&request, exchange)? else { return next.run(request).await };
        let own = self.limits_of_consumer(exchange);
        let limits = own.as_ref().unwrap_or(&self.limits);
        let verdict = self.store.ask(key, limits.limits(), nanos(next.host().elapsed()));
        if verdict.forgot {
            self.forgotten.get_or_init(|| next.host().counter("keys_forgotten")).add_one();
        }
        note(next, limits, &verdict);
        let mut result = match wait(&verdict) {
            None => next.run(request).await,
            Some(wait) => Err(LimitReached { status: self.status, wait }.into()),
        };
        let headers = match &mut result {
            Ok(response) => response.headers_mut(),
            Err(error) => error.headers_mut(),
        };
        limits.tell(&verdict.standings, self.headers, headers);
        result
    }
}

impl RateLimit {
    /// The most limits of one instance.
    const MAX_LIMITS: usize = 8;

    fn limits_of_consumer(&self, exchange: &Exchange<'_>) -> Option<Announced> {
        let consumer = exchange.consumer().filter(|_| self.keys.by_consumer())?;
        (!consumer.rate_limits.is_empty()).then(|| announced(&consumer.rate_limits))
    }
}

/// The longest that any limit asks to wait. `None` when all let the request pass.
fn wait(verdict: &Verdict) -> Option<Duration> {
    let waits = verdict.standings.iter().map(|standing| standing.wait);
    (!verdict.passed).then(|| Duration::from_nanos(waits.max().unwrap_or(0)))
}

fn note(next: Next<'_>, limits: &Announced, verdict: &Verdict) {
    let pairs = verdict.standings.iter().zip(limits.limits());
    let Some((standing, limit)) = pairs.min_by_key(|(standing, _)| standing.slack()) else {
        return;
    };
    // A request with too many notes has said enough.
    let _ = next.note("remaining", standing.remaining.to_string());
    if !verdict.passed {
        let _ = next.note("limit", limit.rate.to_string());
    }
}

fn announced(rates: &[Rate]) -> Announced {
    Announced::new(rates.iter().copied().map(Limit::new).collect())
}

fn distinct(limits: Vec<Rate>) -> Result<Vec<Rate>, Problem> {
    if limits.is_empty() || limits.len() > RateLimit::MAX_LIMITS {
        let message =
            format!("expected 1 to {} limits, found {}", RateLimit::MAX_LIMITS, limits.len());
        return Err(Problem::new("bad_value", message).at("limits").hint("write limits: [100/1m]"));
    }
    for (at, limit) in limits.iter().enumerate() {
        if let Some(same) = limits[..at].iter().find(|other| other.window == limit.window) {
            let message = format!("{limit} and {same} have the same window");
            let problem = Problem::new("bad_value", message).hint("the stricter one is enough");
            return Err(problem.at(format!("limits[{at}]")));
        }
    }
    Ok(limits)
}

fn max_keys(keys: u32) -> Result<usize, Problem> {
    const MOST: u32 = 10_000_000;
    let most = usize::try_from(keys).ok().filter(|_| keys <= MOST);
    most.ok_or_else(|| {
        let message = format!("{keys} keys are too many");
        Problem::new("bad_value", message).at("max_keys").hint(format!("use at most {MOST}"))
    })
}
