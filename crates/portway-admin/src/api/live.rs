//! Requests that came with a debug token, and what became of them.
//!
//! A token is good for this process alone, and what was seen is kept in its memory: the last few
//! requests, for whoever asks soon.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use aws_lc_rs::rand;
use http::{HeaderValue, StatusCode};
use portway_core::explain::{Admitted, Question, Seen, trace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{sync::Notify, time::timeout};

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
    explain::{told, visible},
    status::running,
};
use crate::access::{DebugGrant, DebugTokens, Expiry, Moment, Verb};

/// The field that carries a token.
const HEADER: &str = "X-Portway-Debug";
/// How long a token is good unless it is said.
const USUALLY: Duration = Duration::from_secs(600);
/// How many requests are remembered.
const KEPT: usize = 256;
/// How long is waited for what has been answered but not been told yet.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tokens, and what was seen with them.
pub(crate) struct Live {
    tokens: DebugTokens,
    /// When the last token ends, in milliseconds; 0 when there is none. Every request looks here.
    awake_until: AtomicU64,
    kept: Mutex<VecDeque<Kept>>,
    told: Notify,
}

/// A request: `None` until it is known what became of it.
struct Kept {
    id: HeaderValue,
    seen: Option<Arc<Value>>,
}

fn now() -> Moment {
    SystemTime::now().into()
}

impl Live {
    pub(crate) fn new(tokens: DebugTokens) -> Self {
        let (awake_until, kept, told) = Default::default();
        Self { tokens, awake_until, kept, told }
    }

    fn make(&self, grant: DebugGrant) -> (String, DebugGrant) {
        let (token, grant) = self.tokens.make(grant, now());
        self.awake_until.fetch_max(grant.expires_at.millis(), Relaxed);
        (token, grant)
    }

    pub(crate) fn is_awake(&self) -> bool {
        let until = self.awake_until.load(Relaxed);
        if until == 0 {
            return false;
        }
        let is_awake = now().millis() < until;
        if !is_awake {
            // Another one that was made meanwhile keeps its time.
            let _ = self.awake_until.compare_exchange(until, 0, Relaxed, Relaxed);
        }
        is_awake
    }

    pub(crate) fn admits(&self, token: &[u8]) -> Option<Admitted> {
        let grant = self.tokens.verify(token, now())?;
        let mut random = [0; 16];
        rand::fill(&mut random).ok()?;
        // Digits alone: people give it to the command line, where a dash would begin an option.
        let id = HeaderValue::try_from(format!("{:032x}", u128::from_ne_bytes(random))).ok()?;
        let route = grant.route.as_deref().and_then(|route| route.split_once('/'));
        let route = route.map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
        Some(Admitted { id, route })
    }

    /// What becomes of a request will be told: whoever asks for it may wait.
    pub(crate) fn expects(&self, id: &HeaderValue) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(Kept { id: id.clone(), seen: None });
    }

    pub(crate) fn saw(&self, seen: &Seen) {
        let told = Some(Arc::new(explained(seen)));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = kept.iter_mut().find(|one| one.id == seen.id) {
            one.seen = told;
        }
        drop(kept);
        self.told.notify_waiters();
    }

    /// What is known of a request; the outer `None` when nothing ever will be.
    #[expect(clippy::option_option, reason = "not yet is something else than never")]
    fn look(&self, id: &str) -> Option<Option<Arc<Value>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|one| one.id == id).map(|one| one.seen.clone())
    }

    /// What became of a request, as soon as it is known.
    async fn wait(&self, id: &str) -> Option<Arc<Value>> {
        let known = async {
            loop {
                let mut told = std::pin::pin!(self.told.notified());
                // What is told from here on is heard.
                told.as_mut().enable();
                match self.look(id)? {
                    Some(seen) => return Some(seen),
                    None => told.await,
                }
            }
        };
        timeout(PATIENCE, known).await.ok().flatten()
    }
}

/// For what a token is wanted.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DebugTokenRequest {
    /// When it ends: a time, or how long it is good (`10m`, which it is without this). A day at
    /// most.
    #[serde(default)]
    expires: Option<Expiry>,
    /// Only for requests that this route takes: `name`, or `namespace/name`.
    #[serde(default)]
    route: Option<String>,
}

/// `POST /api/v1/debug-tokens`
pub(crate) fn make(context: &Context) -> Result<Made, Failure> {
    context.who.allows(Verb::Put, "debug-token", None)?;
    let DebugTokenRequest { expires, route } = context.object()?;
    let route = route.map(|route| match route.contains('/') {
        true => route,
        false => format!("default/{route}"),
    });
    if let Some(wanted) = &route {
        let running = running(context)?;
        let mut routes = running.config().routes.iter().map(|route| &route.meta);
        if !routes.any(|meta| format!("{}/{}", meta.namespace, meta.name) == *wanted) {
            let detail = format!("there is no route {wanted:?}");
            return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_route", detail));
        }
    }
    let expires_at = expires.map_or_else(|| now().after(USUALLY), |expires| expires.from(now()));
    let (token, grant) = context.api.live.make(DebugGrant { expires_at, route });
    Ok(Answer::of(json!({
        "token": token,
        "header": HEADER,
        "expires_at": grant.expires_at,
        "route": grant.route,
    }))
    .status(StatusCode::CREATED)
    .into())
}

/// `GET /api/v1/explain/{id}`
pub(crate) async fn get(context: Context) -> Result<Made, Failure> {
    context.who.allows_somewhere(Verb::Explain, "route")?;
    let id = context.param("id");
    let unknown = || Failure::not_found(format!("no request {id:?} is remembered"));
    let seen = context.api.live.wait(id).await.ok_or_else(unknown)?;
    let namespace = seen["namespace"].as_str();
    context.who.allows(Verb::Explain, "route", namespace).map_err(|_| unknown())?;
    Ok(Answer::of(visible(&context.who, Value::clone(&seen))).into())
}

/// All that is told of a request: why it went where it went, and what happened on the way. Of its
/// header fields and its query, nothing.
fn explained(seen: &Seen) -> Value {
    let host = seen.host.as_ref().and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    let question = Question {
        method: &seen.method,
        host: &host,
        path: seen.uri.path(),
        query: seen.uri.query(),
        headers: &seen.headers,
        listener: seen.listener.as_deref(),
    };
    let config = seen.config();
    let mut all = match trace(config, &question) {
        Ok(traced) => told(config, &traced, &host),
        // It was refused before any route was tried.
        Err(why) => json!({ "host": host, "path": seen.uri.path(), "detail": why }),
    };
    let millis = |took: Duration| took.as_secs_f64() * 1000.0;
    let steps = seen.steps.iter().map(|step| {
        json!({
            "plugin": step.plugin,
            "name": step.called,
            "decision": step.decision,
            "began_ms": millis(step.began),
            "took_ms": millis(step.took),
        })
    });
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    // What happened counts, whatever should have.
    if let Some(route) = seen.route() {
        all["route"] = route.meta.name.as_str().into();
        all["namespace"] = route.meta.namespace.as_str().into();
    }
    all["id"] = text(&seen.id).into();
    all["time"] = json!(Moment::from(seen.time));
    all["revision"] = seen.revision().into();
    all["method"] = seen.method.as_str().into();
    all["client"] = seen.client.to_string().into();
    all["request_id"] = text(&seen.request_id).into();
    all["steps"] = steps.collect();
    all["upstream"] = seen.service.as_ref().map_or(Value::Null, |service| {
        json!({
            "service": service,
            "endpoint": seen.endpoint,
            "tries": seen.tries,
            "took_ms": seen.upstream_took.map(millis),
        })
    });
    all["status"] = seen.status.into();
    all["error"] = json!(seen.error);
    all["took_ms"] = millis(seen.took).into();
    all
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_looks_for_tokens_when_the_last_one_has_ended() {
        let live = Live::new(DebugTokens::new(&[7; 32]));
        assert!(!live.is_awake());
        let make = |expires_at| live.make(DebugGrant { expires_at, route: None });
        make(now());
        assert!(!live.is_awake());
        assert_eq!(live.awake_until.load(Relaxed), 0);
        make(now().after(USUALLY));
        make(now());
        assert!(live.is_awake());
    }
}
