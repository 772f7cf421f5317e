//! The header fields that tell a client where it stands.

use std::{fmt::Write, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{
    Headers,
    error::seconds,
    limit::{Limit, Standing},
};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Limits, and what answers say about them.
#[derive(Debug)]
pub(super) struct Announced {
    limits: Box<[Limit]>,
    /// What the limits are called, one after the other.
    names: Box<[Box<str>]>,
    policy: HeaderValue,
}

impl Announced {
    /// One limit is called `default`, several are called by their windows.
    pub(super) fn new(limits: Box<[Limit]>) -> Self {
        let names: Box<[Box<str>]> = match &*limits {
            [_] => [Box::from("default")].into(),
            limits => limits.iter().map(|limit| limit.rate.window.to_string().into()).collect(),
        };
        let mut policy = String::new();
        for (limit, name) in limits.iter().zip(&names) {
            comma(&mut policy);
            // Writing to a string does not fail.
            let _ = write!(policy, "\"{name}\";q={}", limit.count);
            let window = limit.rate.window.get();
            // The draft knows whole seconds only, and that they may be left out.
            if window.subsec_nanos() == 0 {
                let _ = write!(policy, ";w={}", window.as_secs());
            }
        }
        Self { limits, names, policy: value(policy) }
    }

    pub(super) fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// Says how the limits stand.
    pub(super) fn tell(&self, standings: &[Standing], how: Headers, headers: &mut HeaderMap) {
        if matches!(how, Headers::Draft | Headers::Both) {
            // Both are lists: what another limit further in has said stays.
            headers.append(POLICY, self.policy.clone());
            headers.append(STATE, self.state(standings));
        }
        if matches!(how, Headers::Legacy | Headers::Both) {
            self.legacy(standings, headers);
        }
    }

    fn state(&self, standings: &[Standing]) -> HeaderValue {
        let mut state = String::with_capacity(32 * standings.len());
        for (standing, name) in standings.iter().zip(&self.names) {
            comma(&mut state);
            let reset = seconds(Duration::from_nanos(standing.reset));
            let _ = write!(state, "\"{name}\";r={};t={reset}", standing.remaining);
        }
        value(state)
    }

    fn legacy(&self, standings: &[Standing], headers: &mut HeaderMap) {
        let pairs = standings.iter().zip(&self.limits);
        let Some((standing, limit)) = pairs.min_by_key(|(standing, _)| standing.slack()) else {
            return;
        };
        let said = headers.get(REMAINING).and_then(|said| said.to_str().ok()?.parse::<u64>().ok());
        if said.is_some_and(|said| said < standing.remaining) {
            // Another limit further in is nearer to refusing.
            return;
        }
        headers.insert(LIMIT, limit.count.into());
        headers.insert(REMAINING, standing.remaining.into());
        headers.insert(RESET, seconds(Duration::from_nanos(standing.reset)).into());
    }
}

fn comma(list: &mut String) {
    if !list.is_empty() {
        list.push_str(", ");
    }
}

/// Names of windows and numbers: nothing in them is not a field value.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}
