//! Whatever the client speaks and whatever the upstream speaks: HTTP/1.1, HTTP/2 with and without
//! TLS, Unix domain sockets, gRPC, WebSocket, one bridged to the other.

use std::{fs, io};

use http::{Request, StatusCode};
use portway_testkit::{
    Client, Echo, RawUpstream, RunningEcho, WebSocket,
    client::websocket_cases,
    eventually,
    frames::script,
    grpc::{self, Interop, InteropClient},
    tls::{Authority, ClientTls, ServerTls},
};

use crate::fixture::{Gateway, service};

/// A gateway before an echo server that speaks everything, with a service for each way to it.
struct Bridge {
    gateway: Gateway,
    authority: Authority,
    _upstreams: [RunningEcho; 3],
    _folder: tempfile::TempDir,
}

/// The prefixes of the services, and what the upstream then speaks.
const WAYS: [(&str, &str); 5] = [
    ("/plain", "HTTP/1.1"),
    ("/h2c", "HTTP/2.0"),
    ("/tls", "HTTP/2.0"),
    ("/tls1", "HTTP/1.1"),
    ("/unix", "HTTP/1.1"),
];

impl Bridge {
    async fn start() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let shown = authority.issue(&["shop.example"])?.write(folder.path())?;
        let ca = authority.write(folder.path())?;
        let plain = Echo::start().await?;
        let upstream = ServerTls::new(&authority.issue(&["upstream.example"])?);
        let upstream = upstream.alpn(&["h2", "http/1.1"]);
        let tls = Echo::anywhere().await?.tls(&upstream)?.spawn();
        let socket = folder.path().join("up.sock");
        let unix = Echo::bind_unix(&socket)?.spawn();
        let (ca, socket) = (ca.display(), socket.display());
        let trust = format!("tls: {{ca: \"{ca}\", server_name: upstream.example}}");
        let config = format!(
            "listeners:
  - {{name: web, bind: '127.0.0.1:0'}}
  - name: secure
    bind: '127.0.0.1:0'
    tls: {{certificates: [{{cert: '{cert}', key: '{key}'}}]}}
services:
  - {{name: plain, url: 'http://{plain}', prefix: /plain, routes: [{{name: plain}}]}}
  - {{name: h2c, url: 'h2c://{plain}', prefix: /h2c, routes: [{{name: h2c}}]}}
  - {{name: tls, url: 'https://{tls}', {trust}, prefix: /tls, routes: [{{name: tls}}]}}
  - {{name: tls1, url: 'https://{tls}', http2: never, {trust}, prefix: /tls1, routes: [{{name: tls1}}]}}
  - {{name: unix, url: 'unix:{socket}', prefix: /unix, routes: [{{name: unix}}]}}
routes:
  - {{name: own, match: {{path: {{prefix: /own}}}}, target: {{reply: {{body: own}}}}}}
",
            cert = shown.cert.display(),
            key = shown.key.display(),
            plain = plain.addr(),
            tls = tls.addr(),
        );
        let gateway = Gateway::start(&config).await?;
        Ok(Self { gateway, authority, _upstreams: [plain, tls, unix], _folder: folder })
    }

    fn tls(&self) -> ClientTls {
        ClientTls::trusting(&self.authority).server_name("shop.example")
    }

    /// A client of each kind, with its name.
    fn clients(&self) -> [(&'static str, Client); 4] {
        let (web, secure) = (self.gateway.addr(), self.gateway.listener("secure"));
        [
            ("HTTP/1.1", Client::h1(web)),
            ("h2c", Client::h2c(web)),
            ("HTTP/2 over TLS", Client::https(secure, &self.tls().alpn(&["h2"]))),
            ("HTTP/1.1 over TLS", Client::https(secure, &self.tls().alpn(&["http/1.1"]))),
        ]
    }
}

#[tokio::test]
async fn every_client_reaches_every_upstream() -> io::Result<()> {
    let bridge = Bridge::start().await?;
    for (client_speaks, client) in bridge.clients() {
        for (prefix, upstream_speaks) in WAYS {
            let what = format!("{client_speaks} to {prefix}");
            let body = "x".repeat(300_000);
            for (method, body) in [("GET", ""), ("POST", "small"), ("PUT", &*body)] {
                let request = Request::builder().method(method).uri(format!("{prefix}/a?b=c"));
                let request = request.body(body.to_owned()).map_err(io::Error::other)?;
                let response = Box::pin(client.request(request)).await?;
                assert_eq!(response.status, StatusCode::OK, "{what}");
                let told: serde_json::Value = serde_json::from_slice(&response.body)?;
                assert_eq!(told["protocol"], upstream_speaks, "{what}");
                assert_eq!(told["method"], method, "{what}");
                assert_eq!(told["path"], format!("{prefix}/a"), "{what}");
                assert_eq!(told["body"]["length"], body.len(), "{what} {method}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_comes_though_the_request_is_not_read() -> io::Result<()> {
    let bridge = Bridge::start().await?;
    for (client_speaks, client) in bridge.clients() {
        for size in [3, 100_000, 2_000_000] {
            let request = Request::post("/own").body("x".repeat(size)).map_err(io::Error::other)?;
            let response = Box::pin(client.request(request)).await;
            // A client that writes to the end before it reads may find its stream reset.
            match response {
                Ok(response) => assert_eq!(response.text(), "own", "{client_speaks} {size}"),
                Err(error) => assert!(size > 200_000, "{client_speaks} {size}: {error}"),
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn interim_answers_and_trailers_of_http2_upstreams_pass() -> io::Result<()> {
    let hints = RawUpstream::start(script::hints_first).await?;
    let trailers = RawUpstream::start(script::ends_with_trailers).await?;
    let gateway = Gateway::start(&format!(
        "services:
  - {{name: hints, url: 'h2c://{}', prefix: /hints, routes: [{{name: hints}}]}}
  - {{name: trailers, url: 'h2c://{}', prefix: /trailers, routes: [{{name: trailers}}]}}
",
        hints.addr(),
        trailers.addr()
    ))
    .await?;
    let mut raw = gateway.raw().await?;
    raw.send("GET /hints HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    assert_eq!(raw.read_head().await?.status, 103);
    assert_eq!(raw.read_head().await?.status, 200);
    let response = Box::pin(Client::h2c(gateway.addr()).get("/trailers")).await?;
    assert_eq!(response.status, StatusCode::OK);
    assert!(!response.trailers.is_empty(), "{response:?}");
    Ok(())
}

/// RFC 9113 sections 6.8 and 8.7: nobody has processed it, so even a POST is sent again.
#[tokio::test]
async fn what_an_http2_upstream_refuses_goes_elsewhere() -> io::Result<()> {
    for refusing in [
        RawUpstream::start(script::refuses(1000)).await?,
        RawUpstream::start(script::goes_away_after(0)).await?,
    ] {
        let echo = Echo::start().await?;
        let gateway = Gateway::start(&format!(
            "services: [{{name: up, endpoints: [{{url: 'h2c://{}'}}, {{url: 'h2c://{}'}}], \
             routes: [{{name: all}}]}}]",
            refusing.addr(),
            echo.addr()
        ))
        .await?;
        let client = gateway.client();
        for _ in 0..4 {
            let request = Request::post("/").body("once".to_owned()).map_err(io::Error::other)?;
            let response = Box::pin(client.request(request)).await?;
            assert_eq!(response.status, StatusCode::OK, "{}", response.text());
        }
        assert_eq!(echo.requests(), 4);
    }
    Ok(())
}

#[tokio::test]
async fn every_case_of_grpc_passes() -> io::Result<()> {
    let server = Interop::start().await?;
    let gateway = Gateway::start(&format!(
        "services: [{{name: grpc, url: 'h2c://{}', routes: [{{name: all}}]}}]",
        server.addr()
    ))
    .await?;
    let client = InteropClient::h2c(gateway.addr()).await?;
    Box::pin(grpc::run_all(&client)).await.map_err(io::Error::other)?;
    eventually("no call is left", || server.open_calls() == 0).await
}

#[tokio::test]
async fn failures_of_the_gateway_are_told_in_the_words_of_grpc() -> io::Result<()> {
    let gateway = Gateway::start(
        "services: [{name: gone, url: 'h2c://127.0.0.1:1', prefix: /gone, routes: [{name: gone}]}]",
    )
    .await?;
    for (path, status, code) in [("/gone/x", "14", "upstream_connect"), ("/none", "12", "no_route")]
    {
        let request = Request::post(path).header("content-type", "application/grpc");
        let request = request.body(String::new()).map_err(io::Error::other)?;
        let response = Box::pin(Client::h2c(gateway.addr()).request(request)).await?;
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(response.headers["grpc-status"], status, "{response:?}");
        assert_eq!(response.headers["portway-error-code"], code);
    }
    Ok(())
}

#[tokio::test]
async fn browsers_reach_grpc() -> io::Result<()> {
    let server = Interop::start().await?;
    let gateway = Gateway::start(&format!(
        "services: [{{name: grpc, url: 'h2c://{}', grpc_web: true, routes: [{{name: all}}]}}]",
        server.addr()
    ))
    .await?;
    let empty = b"\0\0\0\0\0".to_vec();
    for (kind, body) in [
        ("application/grpc-web+proto", empty.clone()),
        ("application/grpc-web-text", b"AAAAAAA=".to_vec()),
    ] {
        let request = Request::post("/grpc.testing.TestService/EmptyCall");
        let request = request.header("content-type", kind).header("x-grpc-web", "1");
        let request = request
            .body(http_body_util::Full::new(bytes::Bytes::from(body)))
            .map_err(io::Error::other)?;
        let response = Box::pin(gateway.client().request(request)).await?;
        assert_eq!(response.status, StatusCode::OK);
        let kind = kind.trim_end_matches("+proto");
        assert!(response.headers["content-type"].to_str().unwrap_or("").starts_with(kind));
        if kind.ends_with("text") {
            // An empty message, then the trailers: 0x80 is what they begin with.
            assert!(response.text().starts_with("AAAAAAA="), "{}", response.text());
        } else {
            assert_eq!(response.body[..6], [0, 0, 0, 0, 0, 0x80], "{response:?}");
            assert!(response.text().contains("grpc-status: 0"), "{}", response.text());
        }
    }
    Ok(())
}

#[tokio::test]
async fn websockets_pass_whatever_carries_them() -> io::Result<()> {
    let bridge = Bridge::start().await?;
    let (web, secure) = (bridge.gateway.addr(), bridge.gateway.listener("secure"));
    for (prefix, _) in WAYS {
        let path = format!("{prefix}/ws");
        let h2 = Client::h2c(web);
        let tls_h2 = Client::https(secure, &bridge.tls().alpn(&["h2"]));
        let tls = bridge.tls().alpn(&["http/1.1"]);
        for (what, opened) in [
            ("HTTP/1.1", WebSocket::connect(web, &path).await),
            ("HTTP/1.1 over TLS", Box::pin(WebSocket::connect_tls(secure, &tls, &path)).await),
            ("h2c", Box::pin(WebSocket::open_on_stream(&h2, &path)).await),
            ("HTTP/2 over TLS", Box::pin(WebSocket::open_on_stream(&tls_h2, &path)).await),
        ] {
            let what = format!("{what} to {prefix}");
            let mut socket =
                opened.map_err(|error| io::Error::other(format!("{what}: {error}")))?;
            assert!(socket.exchange("hello").await?.contains("hello"), "{what}");
            socket.close().await.map_err(|error| io::Error::other(format!("{what}: {error}")))?;
        }
    }
    Ok(())
}

/// Right and wrong frames: what the upstream makes of them is what the client hears.
#[tokio::test]
async fn what_comes_of_a_websocket_is_as_without_a_gateway() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    let mut differ = Vec::new();
    for case in websocket_cases() {
        let direct = case.verdict(echo.addr(), "a.example", "/").await?;
        let through = case.verdict(gateway.addr(), "a.example", "/").await?;
        if direct != through {
            differ.push(format!("{}: {direct:?} became {through:?}", case.name));
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
    Ok(())
}

#[tokio::test]
async fn an_upstream_that_is_not_who_it_should_be_gets_nothing() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let authority = Authority::new()?;
    let ca = authority.write(folder.path())?;
    let stranger = Authority::new()?;
    for (why, identity) in [
        ("another name", authority.issue(&["other.example"])?),
        ("another authority", stranger.issue(&["upstream.example"])?),
        ("its time is over", authority.order(&["upstream.example"]).expired().issue()?),
    ] {
        let echo = Echo::anywhere().await?.tls(&ServerTls::new(&identity))?.spawn();
        let gateway = Gateway::start(&format!(
            "services: [{{name: up, url: 'https://{}', routes: [{{name: all}}], \
             tls: {{ca: '{}', server_name: upstream.example}}}}]",
            echo.addr(),
            ca.display()
        ))
        .await?;
        let response = gateway.client().get("/x").await?;
        assert_eq!(response.status, StatusCode::BAD_GATEWAY, "{why}");
        assert!(response.text().contains("upstream_tls"), "{why}: {}", response.text());
        let record = gateway.record("/x").await?;
        assert!(record["cause"].as_str().is_some_and(|it| it.contains("certificate")), "{record}");
        assert_eq!(echo.requests(), 0, "{why}");
    }
    Ok(())
}

/// A pair that is no pair leaves the one that is live.
#[tokio::test]
async fn certificates_are_taken_over_when_their_files_change() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let authority = Authority::new()?;
    let files = authority.issue(&["one.example"])?.write(folder.path())?;
    let config = format!(
        "listeners: [{{name: web, bind: '127.0.0.1:0', tls: {{certificates: \
         [{{cert: '{}', key: '{}'}}]}}}}]\nroutes: [{{name: r, target: {{reply: {{body: ok}}}}}}]",
        files.cert.display(),
        files.key.display()
    );
    let gateway = Gateway::start(&config).await?;
    let answers = |name: &str| {
        let tls = ClientTls::trusting(&authority).server_name(name);
        let client = Client::https(gateway.addr(), &tls);
        async move { Box::pin(client.get("/")).await.is_ok() }
    };
    let old =
        Client::https(gateway.addr(), &ClientTls::trusting(&authority).server_name("one.example"));
    assert_eq!(Box::pin(old.get("/")).await?.text(), "ok");

    let next = authority.issue(&["two.example"])?;
    let rejected = gateway.after(|| fs::write(&files.cert, &next.cert_pem)).await.unwrap_err();
    assert!(rejected.to_string().contains("certificate_mismatch"), "{rejected}");
    assert!(answers("one.example").await && !answers("two.example").await);
    let ready = Client::h1(gateway.probes()).get("/readyz").await?;
    assert!(ready.text().contains("certificate_mismatch"), "{}", ready.text());

    gateway.after(|| fs::write(&files.key, &next.key_pem)).await?;
    assert!(answers("two.example").await && !answers("one.example").await);
    assert_eq!(Box::pin(old.get("/")).await?.text(), "ok");
    assert_eq!(old.connections(), 1);

    let over = authority.order(&["two.example"]).expired().issue()?;
    let both = || {
        fs::write(&files.cert, &over.cert_pem)?;
        fs::write(&files.key, &over.key_pem)
    };
    assert!(gateway.after(both).await.is_err());
    assert!(answers("two.example").await);
    let metrics = Client::h1(gateway.probes()).get("/metrics").await?;
    let name = "portway_tls_certificate_not_after_seconds{listener=\"web\",name=\"two.example\"}";
    assert!(metrics.text().contains(name), "{}", metrics.text());
    Ok(())
}
