//! The compiled form.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use portway_plugin::{
    Body, Consumer, Error, Exchange, Level, Next, PerCore, Plugin, Problem, Request, Response,
    ResponseExt, Result, Side, credential::Recent, value::FieldName,
};

use super::{
    ForwardAuthSpec,
    ask::{FORWARDED, digest, fields, question},
};
use crate::{
    identity::{disown, introduce, is_framing, is_preflight},
    shown::Shown,
};

/// The answers each core remembers.
const REMEMBERED: usize = 1024;

/// Asks a server who may ask.
#[derive(Debug)]
pub struct ForwardAuth {
    url: Uri,
    method: Method,
    timeout: Duration,
    request_headers: Box<[HeaderName]>,
    response_headers: Box<[HeaderName]>,
    client_headers: Box<[HeaderName]>,
    consumer_header: Option<HeaderName>,
    max_body: usize,
    fail_open: bool,
    cache: Option<Duration>,
    cache_key: Box<[HeaderName]>,
    run_on_preflight: bool,
    /// Whether the last question failed: that is said once.
    failing: AtomicBool,
    recent: OnceLock<PerCore<Mutex<Recent<Arc<Allowed>>>>>,
}

/// What an answer says that lets a request pass.
#[derive(Debug)]
struct Allowed {
    fields: HeaderMap,
    consumer: Option<Arc<Consumer>>,
}

/// What came of a question.
enum Answer {
    Pass(Arc<Allowed>),
    /// For the client.
    Turned(Response),
}

impl Plugin for ForwardAuth {
    const NAME: &'static str = "forward-auth";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = ForwardAuthSpec;

    fn create(spec: ForwardAuthSpec) -> Result<Self, Problem> {
        check(&spec)?;
        let sent = names(&spec.request_headers).into_iter().chain(FORWARDED).collect();
        let cache_key = spec.cache_key.as_deref().map(names);
        Ok(Self {
            url: spec.url.get().clone(),
            method: spec.method.get().clone(),
            timeout: spec.timeout.get(),
            request_headers: names(&spec.request_headers),
            response_headers: names(&spec.response_headers),
            client_headers: names(&spec.client_headers),
            consumer_header: spec.consumer_header.as_ref().map(|name| name.get().clone()),
            max_body: usize::try_from(spec.max_body.get()).unwrap_or(usize::MAX),
            fail_open: spec.fail_open,
            cache: spec.cache.limit(),
            cache_key: cache_key.unwrap_or(sent),
            run_on_preflight: spec.run_on_preflight,
            failing: AtomicBool::new(false),
            recent: OnceLock::new(),
        })
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        let exchange = next.exchange();
        if !self.run_on_preflight && is_preflight(&request) {
            self.strip(&mut request, exchange);
            return next.run(request).await;
        }
        let answer = match fields(&request, exchange, &self.request_headers) {
            Ok(fields) => self.ask(fields, next).await,
            Err(error) => Err(error),
        };
        self.strip(&mut request, exchange);
        match answer {
            Ok(Answer::Pass(allowed)) => {
                let headers = request.headers_mut();
                if let Some(consumer) = &allowed.consumer {
                    introduce(headers, exchange, consumer);
                }
                for (name, value) in &allowed.fields {
                    headers.append(name, value.clone());
                }
                next.run(request).await
            }
            Ok(Answer::Turned(response)) => Ok(response),
            Err(_) if self.fail_open => {
                // Without the note the request passes all the same.
                let _ = next.note("failed_open", "true");
                next.run(request).await
            }
            Err(error) => Err(unavailable().because(error)),
        }
    }
}

impl ForwardAuth {
    async fn ask(&self, fields: HeaderMap, next: Next<'_>) -> Result<Answer> {
        let (exchange, host) = (next.exchange(), next.host());
        let now = host.elapsed();
        let recent = self.cache.map(|keep| {
            let make = || host.per_core(|| Mutex::new(Recent::new(REMEMBERED)));
            let recent = self.recent.get_or_init(make).get(exchange);
            (recent, digest(&fields, &self.cache_key), now + keep)
        });
        if let Some((recent, key, _)) = &recent
            && let Some(allowed) =
                recent.lock().unwrap_or_else(PoisonError::into_inner).get(key, now)
        {
            return Ok(Answer::Pass(allowed));
        }
        let answer = host.fetch(question(&self.method, &self.url, fields), self.timeout).await;
        let answer = match answer {
            Ok(answer) if answer.status().is_server_error() => {
                let status = answer.status();
                Err(unavailable().because(format!("the server answers {status}")))
            }
            answer => answer,
        };
        self.say(&answer, next);
        let mut answer = answer?;
        if !answer.status().is_success() {
            return Ok(Answer::Turned(self.turned(&mut answer).await));
        }
        let allowed = Arc::new(self.allowed(answer.headers()));
        if let Some((recent, key, end)) = recent {
            let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
            recent.put(key, Arc::clone(&allowed), end);
        }
        Ok(Answer::Pass(allowed))
    }

    fn allowed(&self, headers: &HeaderMap) -> Allowed {
        let name = self.consumer_header.as_ref().and_then(|name| headers.get(name));
        let name = name.and_then(|name| name.to_str().ok()).filter(|name| !name.is_empty());
        Allowed {
            fields: chosen(headers, &self.response_headers),
            consumer: name.map(|name| Arc::new(Consumer::named(name))),
        }
    }

    /// The answer as the client gets it.
    async fn turned(&self, answer: &mut Response) -> Response {
        let body = answer.buffer(self.max_body).await.unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = answer.status();
        *response.headers_mut() = chosen(answer.headers(), &self.client_headers);
        response
    }

    /// Takes off what only the server may say.
    fn strip(&self, request: &mut Request, exchange: &Exchange<'_>) {
        let headers = request.headers_mut();
        for name in &self.response_headers {
            headers.remove(name);
        }
        disown(headers, exchange);
    }

    /// Says that the server cannot be asked, or can be again.
    fn say(&self, answer: &Result<Response>, next: Next<'_>) {
        match answer {
            Ok(_) if self.failing.load(Relaxed) && self.failing.swap(false, Relaxed) => {
                next.host().log(Level::Info, format!("{} can be asked again", Shown(&self.url)));
            }
            Err(error) if !self.failing.swap(true, Relaxed) => {
                let so = if self.fail_open { "requests pass" } else { "requests are refused" };
                let cause = error.cause();
                let text = format!("{} cannot be asked: {error} ({cause}); {so}", Shown(&self.url));
                next.host().log(Level::Warn, text);
            }
            _ => {}
        }
    }
}

fn names(names: &[FieldName]) -> Box<[HeaderName]> {
    names.iter().map(|name| name.get().clone()).collect()
}

fn chosen(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let mut chosen = HeaderMap::new();
    for name in names {
        for value in headers.get_all(name) {
            chosen.append(name, value.clone());
        }
    }
    chosen
}

fn unavailable() -> Error {
    let message = "who may ask cannot be found out";
    Error::new(Side::Gateway, StatusCode::SERVICE_UNAVAILABLE, "auth_unavailable", message)
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
}

/// What no field of its own can tell.
fn check(spec: &ForwardAuthSpec) -> Result<(), Problem> {
    if spec.timeout.is_zero() {
        return Err(Problem::new("bad_value", "it has to be more than nothing").at("timeout"));
    }
    // Credentials may be passed on to servers, never to clients.
    let to_server = |name: &HeaderName| {
        is_framing(name) && !matches!(*name, header::AUTHORIZATION | header::COOKIE)
    };
    type List<'s> = (&'s str, &'s [FieldName], &'s dyn Fn(&HeaderName) -> bool);
    let checks: [List<'_>; 3] = [
        ("request_headers", &spec.request_headers, &|name| {
            to_server(name) || FORWARDED.contains(name)
        }),
        ("response_headers", &spec.response_headers, &to_server),
        ("client_headers", &spec.client_headers, &is_framing),
    ];
    for (list, names, is_bad) in checks {
        if let Some(number) = names.iter().position(|name| is_bad(name.get())) {
            let what = format!("{} is not a field to pass on", names[number]);
            return Err(Problem::new("bad_value", what).at(format!("{list}[{number}]")));
        }
    }
    let is_sent =
        |name: &FieldName| spec.request_headers.contains(name) || FORWARDED.contains(name.get());
    let key = spec.cache_key.as_deref().unwrap_or_default();
    if let Some(number) = key.iter().position(|name| !is_sent(name)) {
        let what = format!("{} is not sent to the server", key[number]);
        let problem = Problem::new("bad_value", what).at(format!("cache_key[{number}]"));
        return Err(problem.hint("name it under request_headers too"));
    }
    Ok(())
}
