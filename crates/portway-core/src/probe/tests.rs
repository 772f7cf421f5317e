//! The probe over real sockets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use portway_plugin::{Problem, value::BindAddr};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{listener::Limits, *};
use crate::{
    listen::bind,
    telemetry::{BuildInfo, metrics::Metrics},
};

const DEADLINE: Duration = Duration::from_secs(10);

struct Running {
    addr: SocketAddr,
    readiness: Arc<Readiness>,
    metrics: Arc<Metrics>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Running {
    fn start() -> Self {
        Self::with_limits(Limits::DEFAULT)
    }

    fn with_limits(limits: Limits) -> Self {
        let mut bound = bind(BindAddr::localhost(0), 1, false).unwrap();
        let addr = bound.address;
        let probe = Probe::on(bound.sockets.remove(0)).unwrap().with_limits(limits);
        let readiness = Arc::new(Readiness::new());
        let build = BuildInfo { version: "1.2.3", commit: "c0ffee", ..BuildInfo::default() };
        let metrics = Arc::new(Metrics::new(build));
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let served =
            tokio::spawn(probe.serve(Arc::clone(&metrics), Arc::clone(&readiness), shutdown));
        Self { addr, readiness, metrics, stop, served }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    /// Sends a request and reads to the end of the connection.
    async fn ask(&self, method: &str, path: &str, fields: &str) -> Answer {
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n{fields}\r\n");
        self.raw(request.as_bytes()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    async fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(request).await.unwrap();
        Answer::parse(&read_to_end(&mut stream).await)
    }
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn json(&self) -> Value {
        assert!(self.head.contains("\r\ncontent-type: application/json"), "{}", self.head);
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn the_process_is_alive_whether_or_not_it_is_ready() {
    let probe = Running::start();
    for path in ["/healthz", "/livez", "/healthz?verbose"] {
        let answer = probe.get(path).await;
        assert_eq!((answer.status, &*answer.body), (200, "ok\n"), "{path}");
    }
    assert_eq!(probe.get("/readyz").await.status, 503);
}

#[tokio::test]
async fn readiness_follows_the_gateway() {
    let probe = Running::start();
    probe.readiness.set_bound(0, 1);
    let answer = probe.get("/readyz").await;
    let expected = json!({
        "ready": false,
        "reasons": ["no configuration is live", "0 of 1 listeners are bound"],
        "revision": null,
        "last_reload": null,
    });
    assert_eq!((answer.status, answer.json()), (503, expected));

    probe.readiness.configured(1);
    probe.readiness.set_bound(1, 1);
    let answer = probe.get("/readyz").await;
    assert_eq!((answer.status, &answer.json()["revision"]), (200, &json!(1)));

    probe
        .readiness
        .rejected(&[Problem::new("unknown_key", "unknown key \"ur\"").at("services[0].ur")]);
    let answer = probe.get("/readyz").await;
    assert_eq!(answer.status, 200);
    let reload = &answer.json()["last_reload"];
    assert_eq!(reload["outcome"], "rejected");
    let problem = json!({ "code": "unknown_key", "path": "services[0].ur" });
    assert_eq!(reload["problems"], json!([problem]));

    probe.readiness.draining();
    let answer = probe.get("/readyz").await;
    assert_eq!((answer.status, &answer.json()["reasons"]), (503, &json!(["draining"])));
    assert_eq!(probe.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn the_scraper_chooses_the_format() {
    let probe = Running::start();
    probe.metrics.core().in_flight_add();
    let answer = probe.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"));
    assert!(answer.body.contains("\nportway_requests_in_flight 1\n"), "{}", answer.body);
    assert!(!answer.body.contains("# EOF"));

    let accept =
        "Accept: application/openmetrics-text;version=1.0.0\r\nAccept: text/plain;q=0.5\r\n";
    let answer = probe.ask("GET", "/metrics", accept).await;
    assert!(answer.head.contains("content-type: application/openmetrics-text; version=1.0.0"));
    assert!(answer.body.ends_with("# EOF\n"));
}

#[tokio::test]
async fn the_version_tells_the_build() {
    let answer = Running::start().get("/version").await;
    let expected = json!({
        "version": "1.2.3",
        "commit": "c0ffee",
        "build_time": "unknown",
        "rust": "unknown",
    });
    assert_eq!((answer.status, answer.json()), (200, expected));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let probe = Running::start();
    for path in ["/healthz", "/readyz", "/version"] {
        let (get, head) = (probe.get(path).await, probe.ask("HEAD", path, "").await);
        assert_eq!((head.status, &*head.body), (get.status, ""), "{path}");
        let length = format!("content-length: {}", get.body.len());
        assert!(head.head.contains(&length) && get.head.contains(&length), "{path}: {}", head.head);
    }
    let head = probe.ask("HEAD", "/metrics", "").await;
    assert_eq!((head.status, &*head.body), (200, ""));
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let probe = Running::start();
    for path in ["/", "/metrics/", "/healthz/x", "/Healthz", "//healthz", "/admin"] {
        let answer = probe.get(path).await;
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("not_found")), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        let answer = probe.ask(method, "/metrics", "Content-Length: 0\r\n").await;
        assert_eq!((answer.status, &answer.json()["code"]), (405, &json!("method_not_allowed")));
        assert!(answer.head.contains("\r\nallow: get, head"), "{method}: {}", answer.head);
    }
    let answer = probe.ask("POST", "/readyz", "Content-Length: 5\r\n\r\nhello").await;
    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let probe = Running::start();
    let many = "x: y\r\n".repeat(100);
    let long = "x".repeat(40_000);
    for (request, status) in [
        (format!("GET /healthz HTTP/1.1\r\n{many}\r\n"), 431),
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), 431),
        ("NONSENSE\r\n\r\n".to_owned(), 400),
    ] {
        let mut stream = probe.connect().await;
        // It may be refused before all of it is sent.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = [0; 12];
        timeout(DEADLINE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(answer, format!("HTTP/1.1 {status}").as_bytes());
    }
    assert_eq!(probe.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let probe = Running::start();
    let mut stream = probe.connect().await;
    for _ in 0..3 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: probe\r\n\r\n").await.unwrap();
        let mut text = String::new();
        while !text.ends_with("ok\n") {
            let mut part = [0; 1024];
            let count = timeout(DEADLINE, stream.read(&mut part)).await.unwrap().unwrap();
            assert_ne!(count, 0, "{text}");
            text.push_str(std::str::from_utf8(&part[..count]).unwrap());
        }
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    }
}

#[tokio::test]
async fn the_silent_and_the_slow_make_room() {
    let head = Duration::from_millis(50);
    let probe = Running::with_limits(Limits { connections: 2, head, ..Limits::DEFAULT });
    let (mut silent, mut slow) = (probe.connect().await, probe.connect().await);
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHo").await.unwrap();
    // Both places are taken: this one waits until they are given up.
    assert_eq!(probe.get("/healthz").await.status, 200);
    for stream in [&mut silent, &mut slow] {
        assert!(!read_to_end(stream).await.contains("200"));
    }
}

#[tokio::test]
async fn one_who_does_not_read_is_cut() {
    let limits = Limits {
        lifetime: Duration::from_millis(100),
        grace: Duration::from_millis(50),
        connections: 1,
        ..Limits::DEFAULT
    };
    let probe = Running::with_limits(limits);
    let core = probe.metrics.core();
    // A scrape of some megabytes does not fit into the buffers of the sockets.
    for number in 0..4000 {
        core.route(&format!("route-{number}"), "service");
    }
    let mut deaf = probe.connect().await;
    deaf.write_all(b"GET /metrics HTTP/1.1\r\nHost: probe\r\n\r\n").await.unwrap();
    assert_eq!(probe.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn the_end_lets_the_answer_at_hand_be_sent() {
    let probe = Running::start();
    let mut idle = probe.connect().await;
    let mut busy = probe.connect().await;
    busy.write_all(b"GET /healthz HTTP/1.1\r\nHost: probe\r\n\r\n").await.unwrap();
    let mut first = [0; 1];
    busy.read_exact(&mut first).await.unwrap();
    probe.stop.send(()).unwrap();
    assert!(read_to_end(&mut busy).await.ends_with("ok\n"));
    assert_eq!(read_to_end(&mut idle).await, "");
    let began = Instant::now();
    timeout(DEADLINE, probe.served).await.unwrap().unwrap();
    assert!(began.elapsed() < DEADLINE);
    assert!(TcpStream::connect(probe.addr).await.is_err(), "the port is free");
    // Its address can be bound again at once, as after a restart.
    bind(BindAddr::new(probe.addr.ip(), probe.addr.port()), 1, false).unwrap();
}
