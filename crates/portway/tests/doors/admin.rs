//! Routes of one's own on the admin API: who is let in, what they answer, what they do wrong.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    task::{Context, Poll},
};

use axum::{Router, extract::Request as AxumRequest, routing};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use portway::{
    Gateway, Who,
    build::{Listener, Make, Plugin as Instance, Route, config},
    config::{Config, Role},
    plugin::{
        AdminRoutes, Body, BoxFuture, Error, Host, Next, Plugin, Problem, Registry,
        Request as PluginRequest, Response, Result as Answered,
    },
};
use portway_testkit::{Client, RawClient, client::Response as Seen};
use serde_json::{Value, json};
use tower_service::Service;

use crate::Served;

/// Of the password `U*U`, by another implementation (`crypt_blowfish`); of few rounds.
const HASH: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// A gateway with the admin API, whose people are `anna` (admin), `ed` (editor), `vera` (viewer) and
/// `nora`, who is an editor of the namespace `shop` alone.
fn administered(config: &mut Config) {
    let person = |name: &str, role: &str, namespaces: &[&str]| json!({ "username": name, "hash": HASH, "role": role, "namespaces": namespaces });
    let admin = json!({
        "bind": "127.0.0.1:0",
        "access": { "basic": [
            person("anna", "admin", &["*"]),
            person("ed", "editor", &["*"]),
            person("vera", "viewer", &["*"]),
            person("nora", "editor", &["shop"]),
        ]},
    });
    config.admin = serde_json::from_value(admin).expect("it is right");
    config.store.kind = portway::config::StorageKind::Memory;
    let shop = json!({ "name": "shop" });
    config
        .namespaces
        .push(serde_json::from_value::<portway::config::Namespace>(shop).expect("it is right"));
}

async fn ask(served: &Served, who: &str, method: Method, path: &str, body: &'static str) -> Seen {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = match who {
        "" => request,
        who => request.header("authorization", basic(who)),
    };
    let request = request.body(Full::new(Bytes::from_static(body.as_bytes()))).expect("a request");
    Client::h1(served.at("admin")).request(request).await.expect("an answer")
}

async fn get(served: &Served, who: &str, path: &str) -> Seen {
    ask(served, who, Method::GET, path, "").await
}

fn basic(who: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    format!("Basic {}", STANDARD.encode(format!("{who}:U*U")))
}

fn code(answer: &Seen) -> String {
    let body: Value = answer.json().unwrap_or_default();
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{body}");
    body["code"].as_str().unwrap_or_default().to_owned()
}

/// Says what it was asked.
async fn told(request: AxumRequest) -> String {
    let who = request.extensions().get::<Who>().map(|who| who.name.to_string());
    let credentials = request.headers().contains_key("authorization");
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.expect("a body");
    format!("{method} {uri} {who:?} {credentials} {}", String::from_utf8_lossy(&body))
}

fn jobs() -> Router {
    Router::new()
        .route("/", routing::any(told))
        .route("/{*rest}", routing::any(told))
        .route("/panic", routing::get(async || -> String { panic!("no jobs today") }))
        .route("/switch", routing::get(async || StatusCode::SWITCHING_PROTOCOLS))
        .route("/page", routing::get(async || axum::response::Html("<p>")))
}

async fn start(builder: portway::Builder) -> Served {
    let builder = builder
        .configure(administered)
        .with(Listener::new("web", "127.0.0.1:0"))
        .with(Route::new("all").reply(204, ""));
    Served::start(builder.build().expect("it is right")).await
}

#[tokio::test]
async fn routes_of_ones_own_are_behind_the_authentication_of_the_api() {
    let served = start(Gateway::builder().admin_routes("/jobs", jobs())).await;
    let path = "/api/v1/extensions/jobs/a/b?q=1";
    let answer = get(&served, "anna", path).await;
    assert_eq!(answer.text(), "GET /a/b?q=1 Some(\"anna\") false ");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let root = ask(&served, "anna", Method::POST, "/api/v1/extensions/jobs", "body").await;
    assert_eq!(root.text(), "POST / Some(\"anna\") false body");
    let head = ask(&served, "anna", Method::HEAD, path, "").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));

    let nobody = get(&served, "", path).await;
    assert_eq!((nobody.status.as_u16(), code(&nobody).as_str()), (401, "unauthenticated"));
    for who in ["ed", "vera", "nora"] {
        let kept_out = get(&served, who, path).await;
        assert_eq!(
            (kept_out.status.as_u16(), code(&kept_out).as_str()),
            (403, "forbidden"),
            "{who}"
        );
    }
    // A page from elsewhere that has made its name point here, and one that asks by itself.
    for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example")] {
        let host = if name == "host" { value } else { "localhost" };
        let request = Request::post(path).header("host", host);
        let request = request.header("authorization", basic("anna"));
        let request = if name == "host" { request } else { request.header(name, value) };
        let request = request.body(Full::<Bytes>::default()).expect("a request");
        let answer = Client::h1(served.at("admin")).request(request).await.expect("an answer");
        assert!(answer.status.is_client_error(), "{name}: {}", answer.text());
    }
    // Who wrote what is in the audit log.
    let audit: Value = get(&served, "anna", "/api/v1/audit").await.json().expect("JSON");
    let records = audit["data"].as_array().expect("a list").clone();
    let written = |record: &Value| {
        record["path"] == "/api/v1/extensions/jobs"
            && (&record["author"], &record["method"], &record["status"])
                == (&json!("anna"), &json!("POST"), &json!(200))
    };
    assert!(records.iter().any(written), "{records:#?}");
    assert!(records.iter().any(|record| record["status"] == 403), "{records:#?}");
    served.end().await;
}

#[tokio::test]
async fn a_mount_says_which_role_it_takes_and_nobody_may_do_more_than_theirs() {
    let builder = Gateway::builder()
        .admin_routes_for(Role::Viewer, "/open", jobs())
        .admin_routes_for(Role::Editor, "half", jobs());
    let served = start(builder).await;
    for (who, method, name, status) in [
        ("vera", Method::GET, "open", 200),
        ("vera", Method::POST, "open", 403),
        ("vera", Method::OPTIONS, "open", 403),
        ("vera", Method::GET, "half", 403),
        ("ed", Method::GET, "half", 200),
        ("ed", Method::DELETE, "half", 200),
        // What belongs to no namespace takes all of them.
        ("nora", Method::GET, "open", 403),
        ("nora", Method::POST, "half", 403),
    ] {
        let path = format!("/api/v1/extensions/{name}/x");
        let answer = ask(&served, who, method.clone(), &path, "").await;
        assert_eq!(answer.status.as_u16(), status, "{who} {method} {name}: {}", answer.text());
    }
    served.end().await;
}

#[tokio::test]
async fn routes_of_the_api_are_never_taken_and_unknown_ones_are_told() {
    let builder = Gateway::builder()
        .admin_routes("/routes", jobs())
        .admin_routes("/tokens", jobs())
        .admin_routes("/jobs", jobs());
    let served = start(builder).await;
    let routes: Value = get(&served, "anna", "/api/v1/routes").await.json().expect("JSON");
    assert_eq!(routes["data"][0]["name"], "all");
    let own = get(&served, "anna", "/api/v1/extensions/routes/../../tokens").await;
    assert!(own.text().starts_with("GET /../../tokens "), "{}", own.text());
    for path in ["nothing", "", "jobsy", "jobs%2fa", "JOBS"] {
        let unknown = get(&served, "anna", &format!("/api/v1/extensions/{path}")).await;
        assert_eq!(
            (unknown.status.as_u16(), code(&unknown).as_str()),
            (404, "not_found"),
            "{path}"
        );
    }
    let list: Value = get(&served, "vera", "/api/v1/extensions").await.json().expect("JSON");
    let paths: Vec<_> =
        list["data"].as_array().expect("a list").iter().map(|one| &one["path"]).collect();
    let expected = ["routes", "tokens", "jobs"].map(|name| format!("/api/v1/extensions/{name}"));
    assert_eq!(paths, expected.iter().collect::<Vec<_>>());
    let nothing: Value = get(&served, "nora", "/api/v1/extensions").await.json().expect("JSON");
    assert_eq!(nothing["data"], json!([]));
    let document = get(&served, "", "/openapi.json").await.text().into_owned();
    assert!(document.contains("/api/v1/extensions"));
    served.end().await;
}

/// Fails in every way a service can.
#[derive(Clone)]
struct Fails(&'static str);

impl Service<Request<Body>> for Fails {
    type Response = Response;
    type Error = &'static str;
    type Future = std::future::Ready<Result<Response, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        if self.0 == "ready" { Poll::Ready(Err("a secret cause")) } else { Poll::Ready(Ok(())) }
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(self.0 != "call", "it panics before there is a future");
        std::future::ready(Err("a secret cause"))
    }
}

#[tokio::test]
async fn what_a_service_does_wrong_is_a_problem_of_one_request() {
    let builder = Gateway::builder()
        .admin_routes("/jobs", jobs())
        .admin_routes("/error", Fails("error"))
        .admin_routes("/ready", Fails("ready"))
        .admin_routes("/call", Fails("call"));
    let served = start(builder).await;
    for path in ["jobs/panic", "jobs/switch", "error", "ready", "call", "jobs/panic"] {
        let failed = get(&served, "anna", &format!("/api/v1/extensions/{path}")).await;
        assert_eq!(failed.status.as_u16(), 500, "{path}");
        assert_eq!(code(&failed), "extension_failed", "{path}");
        assert!(!failed.text().contains("secret") && !failed.text().contains("jobs today"));
    }
    let page = get(&served, "anna", "/api/v1/extensions/jobs/page").await;
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(served.status("/").await, 204);

    // More than the API takes in any body.
    let mut raw = RawClient::connect(served.at("admin")).await.expect("a connection");
    let head = format!(
        "PUT /api/v1/extensions/jobs HTTP/1.1\r\nhost: localhost\r\nauthorization: {}\r\n\
         content-length: 100000000\r\n\r\n",
        basic("anna")
    );
    raw.send(head).await.expect("it is sent");
    let answer = raw.read_response().await.expect("an answer");
    assert_eq!(answer.status, 413);
    served.end().await;
}

#[test]
fn a_mount_has_a_name_of_its_own_in_one_segment() {
    let built = Gateway::builder()
        .admin_routes("/jobs", jobs())
        .admin_routes("jobs", jobs())
        .admin_routes("/a/b", jobs())
        .admin_routes("/", jobs())
        .build();
    let problems = built.expect_err("it is wrong");
    let codes: Vec<_> = problems.iter().map(|one| one.code).collect();
    assert_eq!(codes.len(), 3, "{problems}");
    assert_eq!(codes[0], "duplicate_extension");
}

/// Counts requests, and tells of them.
#[derive(Default)]
struct Counted(AtomicU64);

impl Plugin for Counted {
    const NAME: &'static str = "counted";
    type Spec = serde_json::Map<String, Value>;

    fn create(_: Self::Spec) -> Result<Self, Problem> {
        Ok(Self::default())
    }

    fn admin_routes(&self) -> Option<&dyn AdminRoutes> {
        Some(self)
    }

    async fn call(&self, request: PluginRequest, next: Next<'_>) -> Answered<Response> {
        self.0.fetch_add(1, Relaxed);
        next.run(request).await
    }
}

impl AdminRoutes for Counted {
    fn answer<'a>(
        &'a self,
        request: PluginRequest,
        host: &'a Host,
    ) -> BoxFuture<'a, Answered<Response>> {
        Box::pin(async move {
            match (request.method().as_str(), request.uri().path()) {
                ("GET" | "HEAD", "/") => {
                    let text = format!("{} {}", host.instance(), self.0.load(Relaxed));
                    Ok(Response::new(text.into()))
                }
                ("DELETE", "/") => {
                    self.0.store(0, Relaxed);
                    Ok(Response::new("none".into()))
                }
                ("GET", "/panic") => panic!("it cannot count"),
                ("GET", "/router") => {
                    let router = Router::new().route("/router", routing::get(async || "axum"));
                    let answer: Result<_, Infallible> = router.clone().call(request).await;
                    let (head, body) = answer.expect("it never fails").into_parts();
                    let body = axum::body::to_bytes(body, 1 << 20).await;
                    let body = body.map_err(|error| {
                        Error::gateway("plugin_failed", "no body").because(error)
                    })?;
                    Ok(Response::from_parts(head, body.into()))
                }
                _ => Err(Error::client(StatusCode::NOT_FOUND, "not_counted", "there is / alone")),
            }
        })
    }
}

/// Says nothing to anybody.
struct Silent;

impl Plugin for Silent {
    const NAME: &'static str = "silent";
    type Spec = serde_json::Map<String, Value>;

    fn create(_: Self::Spec) -> Result<Self, Problem> {
        Ok(Self)
    }

    async fn call(&self, request: PluginRequest, next: Next<'_>) -> Answered<Response> {
        next.run(request).await
    }
}

/// A configuration with these shared instances around its route.
fn with_instances(instances: &[(&str, &str, &str)]) -> Config {
    let made = instances.iter().map(|(namespace, name, plugin)| {
        let namespace = namespace.parse().expect("a name");
        let instance = Instance::new(name, plugin, json!({}));
        instance.edit(|one| one.meta.namespace = namespace).make()
    });
    let attached = instances.iter().filter(|(namespace, ..)| *namespace == "default");
    let route = attached
        .fold(Route::new("all").reply(204, ""), |route, (_, name, _)| route.shared_plugin(name));
    let own = Route::new("own").path("/own").plugin("counted", json!({})).reply(204, "");
    let rest = [route.make(), own.make(), Listener::new("web", "127.0.0.1:0").make()];
    let mut config = config(made.chain(rest)).expect("it is right");
    administered(&mut config);
    config
}

#[tokio::test]
async fn instances_of_plugins_answer_as_long_as_they_are_there() {
    let registry = Registry::new().with::<Counted>().with::<Silent>();
    let first = with_instances(&[("default", "hits", "counted"), ("default", "quiet", "silent")]);
    let builder = Gateway::builder().plugins(registry).configure(|config| *config = first);
    let served = Served::start(builder.build().expect("it is right")).await;
    let at = |name: &str| format!("/api/v1/plugins/{name}/extension");
    for _ in 0..3 {
        assert_eq!(served.status("/").await, 204);
    }
    assert_eq!(get(&served, "vera", &at("hits")).await.text(), "hits 3");
    assert_eq!(get(&served, "vera", "/api/v1/pl/hits/extension/").await.text(), "hits 3");
    assert_eq!(get(&served, "vera", &format!("{}/router", at("hits"))).await.text(), "axum");
    // Whoever may change an instance may change what it tells.
    for (who, status) in [("", 401), ("vera", 403), ("nora", 403), ("ed", 200)] {
        let answer = ask(&served, who, Method::DELETE, &at("hits"), "").await;
        assert_eq!(answer.status.as_u16(), status, "{who}");
    }
    assert_eq!(get(&served, "vera", &at("hits")).await.text(), "hits 0");
    for (path, status, expected) in [
        (format!("{}/more", at("hits")), 404, "not_counted"),
        (format!("{}/panic", at("hits")), 500, "extension_failed"),
        (at("quiet"), 404, "not_found"),
        (at("nobody"), 404, "not_found"),
        (at("a%20b"), 404, "not_found"),
        // Without a name of its own, an instance cannot be asked.
        (at("counted"), 404, "not_found"),
        (format!("{}?namespace=shop", at("hits")), 404, "not_found"),
        (format!("{}?namespace=a%20b", at("hits")), 400, "bad_parameter"),
    ] {
        let answer = get(&served, "anna", &path).await;
        assert_eq!((answer.status.as_u16(), code(&answer).as_str()), (status, expected), "{path}");
    }

    // Another one comes, the first one goes; nothing is started again.
    let second = with_instances(&[("shop", "visits", "counted"), ("default", "quiet", "silent")]);
    served.handle.update(second).await.expect("it is right");
    assert_eq!(get(&served, "anna", &at("hits")).await.status.as_u16(), 404);
    let visits = format!("{}?namespace=shop", at("visits"));
    assert_eq!(get(&served, "nora", &visits).await.text(), "visits 0");
    assert_eq!(get(&served, "anna", &at("visits")).await.status.as_u16(), 404);
    let list: Value = get(&served, "nora", "/api/v1/extensions").await.json().expect("JSON");
    let one = json!([{
        "path": "/api/v1/plugins/visits/extension",
        "role": "viewer",
        "plugin": "counted",
        "namespace": "shop",
    }]);
    assert_eq!(list["data"], one);
    served.end().await;
}

/// Files do not silence what the program says about the process.
#[tokio::test]
async fn the_admin_api_of_the_program_is_there_beside_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("more.yaml");
    let text = "probes: {enabled: false}\naccess_log: {enabled: false}";
    std::fs::write(&file, text).expect("it can be written");
    let served = start(Gateway::builder().admin_routes("/jobs", jobs()).file(&file)).await;
    let answer = get(&served, "anna", "/api/v1/extensions/jobs/x").await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    served.end().await;
}
