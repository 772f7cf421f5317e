//! Routes of one's own on the admin API: the program's, and those of an instance of a plugin.
//! They are behind the authentication of the API, which this example does without.
//!
//! ```sh
//! curl -s http://127.0.0.1:9080/api/v1/extensions/jobs/7
//! #> job 7, asked for by nobody
//!
//! curl -s http://127.0.0.1:8080/a
//! #> "path": "/a"
//!
//! curl -s http://127.0.0.1:9080/api/v1/plugins/hits/extension
//! #> 1 requests
//!
//! curl -s -X DELETE http://127.0.0.1:9080/api/v1/plugins/hits/extension
//! #> 0 requests
//!
//! curl -s http://127.0.0.1:9080/api/v1/extensions
//! #> /api/v1/extensions/jobs
//! #> /api/v1/plugins/hits/extension
//! ```

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use axum::{Extension, Router, extract::Path, routing::get};
use http::StatusCode;
use portway::{
    Gateway, Problems, Who,
    build::{Plugin as Instance, Route, Service},
    config::{Authentication, StorageKind},
    plugin::{
        AdminRoutes, BoxFuture, Error, Host, Next, Plugin, Problem, Request, Response, Result,
    },
};
use portway_examples::{admin, listen, upstream};

/// Counts requests, and tells of them.
#[derive(Default)]
struct Counted(AtomicU64);

impl Plugin for Counted {
    const NAME: &'static str = "counted";
    type Spec = serde_json::Map<String, serde_json::Value>;

    fn create(_: Self::Spec) -> Result<Self, Problem> {
        Ok(Self::default())
    }

    fn admin_routes(&self) -> Option<&dyn AdminRoutes> {
        Some(self)
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        self.0.fetch_add(1, Relaxed);
        next.run(request).await
    }
}

impl AdminRoutes for Counted {
    fn answer<'a>(&'a self, request: Request, _: &'a Host) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move {
            match request.method().as_str() {
                "GET" | "HEAD" => {}
                "DELETE" => self.0.store(0, Relaxed),
                _ => {
                    let status = StatusCode::METHOD_NOT_ALLOWED;
                    return Err(Error::client(status, "method_not_allowed", "GET or DELETE"));
                }
            }
            Ok(Response::new(format!("{} requests\n", self.0.load(Relaxed)).into()))
        })
    }
}

async fn job(Path(id): Path<u64>, Extension(who): Extension<Who>) -> String {
    format!("job {id}, asked for by {}\n", who.name)
}

#[tokio::main]
async fn main() -> std::result::Result<(), Problems> {
    let bind = admin().parse().expect("an address");
    let gateway = Gateway::builder()
        .plugins(portway::plugins::registry().with::<Counted>())
        .admin_routes("/jobs", Router::new().route("/{id}", get(job)))
        .with(Instance::new("hits", "counted", serde_json::json!({})))
        .with(Service::new("up").endpoint(upstream()))
        .with(Route::new("all").to("up").shared_plugin("hits"))
        .configure(|config| {
            (config.admin.enabled, config.admin.bind) = (true, bind);
            // On loopback alone. A real one names people, or gives tokens.
            config.admin.access.authentication = Authentication::None;
            config.store.kind = StorageKind::Memory;
        })
        .build()?;
    gateway.run(&listen()).await?;
    Ok(())
}
