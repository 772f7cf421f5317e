//! What each path answers.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};
use portway_plugin::Body;
use serde_json::{Value, json};
use tokio::{sync::Mutex, task};

use super::Readiness;
use crate::telemetry::metrics::{Form, Metrics};

/// What the probe looks at.
pub(super) struct Subject {
    metrics: Arc<Metrics>,
    readiness: Arc<Readiness>,
    /// Held by the scrape at work: a scrape of many routes is large, so there is one at a time.
    scraping: Mutex<()>,
}

impl Subject {
    pub(super) fn new(metrics: Arc<Metrics>, readiness: Arc<Readiness>) -> Self {
        Self { metrics, readiness, scraping: Mutex::new(()) }
    }

    /// Answers a request. To `HEAD`, hyper sends the head alone.
    pub(super) async fn answer<B>(&self, request: Request<B>) -> Response<Body> {
        let (head, body) = request.into_parts();
        // No probe takes one.
        drop(body);
        let path = head.uri.path();
        if !matches!(path, "/healthz" | "/livez" | "/readyz" | "/metrics" | "/version") {
            let message = "there are /healthz, /livez, /readyz, /metrics and /version";
            return failure(StatusCode::NOT_FOUND, "not_found", message);
        }
        if !matches!(head.method, Method::GET | Method::HEAD) {
            let message = "a probe is asked by GET or HEAD";
            let mut answer = failure(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match path {
            "/readyz" => {
                let (is_ready, report) = self.readiness.report();
                let status =
                    if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
                json_answer(status, &report)
            }
            "/metrics" => self.scrape(&head.headers).await,
            "/version" => {
                let build = self.metrics.build();
                let version = json!({
                    "version": build.version,
                    "commit": build.commit,
                    "build_time": build.build_time,
                    "rust": build.rust,
                });
                json_answer(StatusCode::OK, &version)
            }
            _ => answer(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned()),
        }
    }

    async fn scrape(&self, headers: &HeaderMap) -> Response<Body> {
        let accept: Vec<_> =
            headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        let form = Form::accepted(&accept.join(","));
        let metrics = Arc::clone(&self.metrics);
        let _one_at_a_time = self.scraping.lock().await;
        // On a thread of its own: the other probes answer meanwhile.
        match task::spawn_blocking(move || metrics.scrape(form)).await {
            Ok(text) => answer(StatusCode::OK, form.content_type(), text),
            Err(_) => failure(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "the metrics could not be added up",
            ),
        }
    }
}

fn answer(status: StatusCode, content_type: &'static str, text: String) -> Response<Body> {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

fn json_answer(status: StatusCode, value: &Value) -> Response<Body> {
    answer(status, "application/json", format!("{value}\n"))
}

fn failure(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    json_answer(status, &json!({ "code": code, "message": message }))
}
