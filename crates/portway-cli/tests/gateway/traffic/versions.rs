//! The version of HTTP an upstream is spoken to in, where a plugin says it.

use std::io;

use http::{Request, StatusCode};
use portway_testkit::{
    Client, Echo, RunningEcho, WebSocket,
    tls::{Authority, ServerTls},
};

use crate::fixture::Gateway;

/// Prefixes of services, what their upstream is spoken to in, and what comes of asking for 1.1 and
/// for 2: the version, or the code of an error.
const WAYS: [(&str, &str, &str, &str); 6] = [
    ("plain", "HTTP/1.1", "HTTP/1.1", "HTTP/2.0"),
    ("h2c", "HTTP/2.0", "HTTP/1.1", "HTTP/2.0"),
    ("tls", "HTTP/2.0", "HTTP/1.1", "HTTP/2.0"),
    ("never", "HTTP/1.1", "HTTP/1.1", "HTTP/2.0"),
    ("always", "HTTP/2.0", "HTTP/1.1", "HTTP/2.0"),
    ("old", "HTTP/1.1", "HTTP/1.1", "upstream_tls"),
];

struct Versions {
    gateway: Gateway,
    upstreams: [RunningEcho; 3],
    _folder: tempfile::TempDir,
}

impl Versions {
    /// Each service has its routes three times: as they are, with 1.1 and with 2.
    async fn start() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let ca = authority.write(folder.path())?;
        let identity = authority.issue(&["upstream.example"])?;
        let speaks = |protocols: &[&str]| ServerTls::new(&identity).alpn(protocols);
        let plain = Echo::start().await?;
        let both = Echo::anywhere().await?;
        let both = both.tls(&speaks(&["h2", "http/1.1"]))?.spawn();
        let old = Echo::anywhere().await?.tls(&speaks(&["http/1.1"]))?.spawn();
        let trust = format!("tls: {{ca: '{}', server_name: upstream.example}}", ca.display());
        let mut config = "services:\n".to_owned();
        for (name, keys) in [
            ("plain", format!("url: 'http://{}'", plain.addr())),
            ("h2c", format!("url: 'h2c://{}'", plain.addr())),
            ("tls", format!("url: 'https://{}', {trust}", both.addr())),
            ("never", format!("url: 'https://{}', http2: never, {trust}", both.addr())),
            ("always", format!("url: 'https://{}', http2: always, {trust}", both.addr())),
            ("old", format!("url: 'https://{}', {trust}", old.addr())),
            ("told", format!("url: 'http://{}', proxy_protocol: v1", plain.addr())),
        ] {
            let route = |version: &str, plugins: &str| {
                let path = format!("{{prefix: /{name}/{version}}}");
                format!("{{name: {name}-{version}, match: {{path: {path}}}, plugins: [{plugins}]}}")
            };
            let routes = [
                route("own", ""),
                route("one", "{set-version: {version: 1.1}}"),
                route("two", "{set-version: {version: 2}}"),
            ];
            let routes = routes.join(", ");
            config += &format!("  - {{name: {name}, {keys}, routes: [{routes}]}}\n");
        }
        let gateway = Gateway::start_with(&config, &["--cores", "1"]).await?;
        Ok(Self { gateway, upstreams: [plain, both, old], _folder: folder })
    }

    /// The version a request reaches the upstream in, or the code of the error.
    async fn spoken(&self, path: &str) -> io::Result<String> {
        let response = Box::pin(self.gateway.client().get(path)).await?;
        let told: serde_json::Value = serde_json::from_slice(&response.body)?;
        let told =
            if response.status == StatusCode::OK { &told["protocol"] } else { &told["code"] };
        Ok(told.as_str().unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn a_request_is_sent_in_the_version_that_was_asked_for() -> io::Result<()> {
    let versions = Versions::start().await?;
    // The second time on the connections of the first.
    for turn in 0..2 {
        for (name, own, one, two) in WAYS {
            for (version, expected) in [("own", own), ("one", one), ("two", two), ("own", own)] {
                let path = format!("/{name}/{version}");
                assert_eq!(versions.spoken(&path).await?, expected, "{path}, turn {turn}");
            }
        }
    }
    // Of each service and version, one.
    let connections: Vec<_> = versions.upstreams.iter().map(RunningEcho::connections).collect();
    assert_eq!(connections[0], 4, "{connections:?}");
    assert_eq!(connections[1], 6, "{connections:?}");
    Ok(())
}

#[tokio::test]
async fn websockets_pass_whatever_version_was_asked_for() -> io::Result<()> {
    let versions = Versions::start().await?;
    let web = versions.gateway.addr();
    for (name, ..) in WAYS {
        for version in ["own", "one", "two"] {
            let path = format!("/{name}/{version}");
            let mut socket = WebSocket::connect(web, &path)
                .await
                .map_err(|error| io::Error::other(format!("{path}: {error}")))?;
            assert!(socket.exchange("hello").await?.contains("hello"), "{path}");
            socket.close().await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_said_in_a_version_is_refused() -> io::Result<()> {
    let versions = Versions::start().await?;
    let client = Client::h2c(versions.gateway.addr());
    for (path, expected) in [("/h2c/one/x", Some("upstream_version")), ("/h2c/two/x", None)] {
        let request = Request::post(path).header("content-type", "application/grpc");
        let request = request.body(String::new()).map_err(io::Error::other)?;
        let response = Box::pin(client.request(request)).await?;
        assert_eq!(response.header("portway-error-code"), expected, "{path}");
        if expected.is_some() {
            assert_eq!(response.header("grpc-status"), Some("13"), "{response:?}");
            let record = versions.gateway.record(path).await?;
            assert!(record["cause"].as_str().is_some_and(|it| it.contains("gRPC")), "{record}");
        }
    }
    let before = versions.upstreams[0].connections();
    assert_eq!(versions.spoken("/told/two").await?, "upstream_version");
    assert_eq!(versions.upstreams[0].connections(), before, "nobody is asked untold");
    Ok(())
}
