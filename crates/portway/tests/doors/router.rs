//! A gateway in an axum application.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{Router, body::Body, extract::Request, middleware, routing::get};
use portway::{
    Builder, Gateway, Head, HookResult, Peer,
    build::{Listener, Make, Route, config},
    config::RedirectHttps,
};
use portway_testkit::{Client, DEADLINE, Echo, RunningEcho, WebSocket, within};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, oneshot},
    task::JoinHandle,
};
use tower_service::Service as _;

#[portway::hook]
async fn introduce(head: &mut Head) -> HookResult {
    let client = head.client();
    head.set_header("x-client", client)
}

#[portway::service(prefix = "/shop")]
mod shop {
    use super::{Gate, introduce};

    #[portway::any("/{*rest}", before = [introduce])]
    async fn all() {}

    #[portway::get("/inner", plugins = ["inside"])]
    async fn inner() {}

    #[portway::get("/slow", handler)]
    async fn slow(gate: &Gate) -> &'static str {
        gate.entered.send(()).expect("the test waits");
        drop(gate.open.acquire().await);
        "late"
    }
}

/// Where a request waits, and where the test learns that one does, and that there is no gateway any
/// more.
struct Gate {
    entered: mpsc::UnboundedSender<()>,
    open: Arc<Semaphore>,
}

/// An application that is served.
struct Application {
    address: SocketAddr,
    _echo: RunningEcho,
    entered: mpsc::UnboundedReceiver<()>,
    open: Arc<Semaphore>,
    end: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

impl Application {
    /// Serves the router of a gateway with whatever is put around it. `connected` says whether axum
    /// tells of connections.
    async fn serve(connected: bool, around: impl FnOnce(Router) -> Router) -> Self {
        let (_echo, open) =
            (Echo::start().await.expect("an upstream"), Arc::new(Semaphore::new(0)));
        let (sender, entered) = mpsc::unbounded_channel();
        let builder = Gateway::builder()
            .mount_service(shop::routes(), [_echo.url()])
            .state(Gate { entered: sender, open: Arc::clone(&open) });
        let gateway = inside(builder).build().expect("it is right");
        let router = around(gateway.into_router().await.expect("it starts"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (end, ended) = oneshot::channel::<()>();
        let ended = async move { drop(ended.await) };
        let serving = if connected {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let serving = axum::serve(listener, service).with_graceful_shutdown(ended);
            tokio::spawn(async move { serving.await })
        } else {
            let serving = axum::serve(listener, router).with_graceful_shutdown(ended);
            tokio::spawn(async move { serving.await })
        };
        Self { address, _echo, entered, open, end, serving }
    }

    async fn get(&self, path: &str) -> portway_testkit::client::Response {
        Client::h1(self.address).get(path).await.expect("an answer")
    }

    /// Who the upstream was told that asks.
    async fn client(&self, path: &str) -> String {
        let answer = self.get(path).await.answer().expect("the upstream answered");
        answer.header("x-client").unwrap_or_default().to_owned()
    }
}

/// With a rule about addresses.
fn inside(builder: Builder) -> Builder {
    builder.configure(|config| {
        let plugin = serde_json::json!({ "ip-restriction": { "allow": ["127.0.0.0/8"] } });
        let plugin = serde_json::from_value(plugin).expect("a plugin");
        let meta = portway::config::Meta::named("inside".parse().expect("a name"));
        config.plugins.push(portway::config::PluginInstance { meta, plugin });
    })
}

#[tokio::test]
async fn it_is_merged_with_routes_of_ones_own() {
    let own = Router::new().route("/hello", get(async || "hello"));
    let application = Application::serve(true, |gateway| own.merge(gateway)).await;
    assert_eq!(application.get("/hello").await.text(), "hello");
    let answer = application.get("/shop/items/7?q=1").await.answer().expect("the upstream's");
    assert_eq!((answer.path.as_str(), answer.query.as_deref()), ("/items/7", Some("q=1")));
    // Only axum knows to which port the client has connected.
    assert_eq!(answer.header("x-forwarded-port"), None);
    let unknown = application.get("/nowhere").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("no_route"), "{}", unknown.text());
}

#[tokio::test]
async fn it_is_nested_under_a_prefix() {
    let around = |gateway| Router::new().nest("/gw", gateway);
    let application = Application::serve(true, around).await;
    let answer = application.get("/gw/shop/items/7").await.answer().expect("the upstream's");
    assert_eq!(answer.path, "/items/7");
    assert_eq!(application.get("/shop/items/7").await.status, 404);
    assert_eq!(application.get("/gw/shopping").await.status, 404);
}

#[tokio::test]
async fn the_client_is_whom_axum_has_accepted() {
    let application = Application::serve(true, |gateway| gateway).await;
    assert_eq!(application.client("/shop/a").await, "127.0.0.1");
    assert_eq!(application.get("/shop/inner").await.status, 200);
}

#[tokio::test]
async fn what_a_layer_says_of_the_client_counts_before_the_connection() {
    let tell = async |mut request: Request, next: middleware::Next| {
        request.extensions_mut().insert(Peer::new("192.0.2.7:4711".parse().expect("an address")));
        next.run(request).await
    };
    let around = |gateway: Router| gateway.layer(middleware::from_fn(tell));
    let application = Application::serve(true, around).await;
    assert_eq!(application.client("/shop/a").await, "192.0.2.7");
    assert_eq!(application.get("/shop/inner").await.status, 403);
}

#[tokio::test]
async fn a_host_says_that_it_has_ended_tls() {
    let tell = async |mut request: Request, next: middleware::Next| {
        let client = "192.0.2.7:4711".parse().expect("an address");
        let peer = Peer::new(client);
        let is_secure = request.headers().contains_key("x-secure");
        request.extensions_mut().insert(if is_secure { peer.secure() } else { peer });
        next.run(request).await
    };
    let around = |gateway: Router| gateway.layer(middleware::from_fn(tell));
    let application = Application::serve(true, around).await;
    for (field, scheme) in [("x-secure", "https"), ("x-other", "http")] {
        let request = http::Request::get("/shop/a").header("host", "a").header(field, "1");
        let request = request.body(http_body_util::Empty::<bytes::Bytes>::new());
        let client = Client::h1(application.address);
        let answer = client.request(request.expect("a request")).await.expect("an answer");
        let answer = answer.answer().expect("the upstream's");
        assert_eq!(answer.header("x-forwarded-proto"), Some(scheme));
    }
}

/// It is not loopback, nor what a client says in a header field.
#[tokio::test]
async fn a_client_nobody_knows_is_kept_out() {
    let application = Application::serve(false, |gateway| gateway).await;
    assert_eq!(application.client("/shop/a").await, "0.0.0.0");
    let request = http::Request::get("/shop/inner").header("x-forwarded-for", "127.0.0.1");
    let request = request.header("host", "a").body(http_body_util::Empty::<bytes::Bytes>::new());
    let client = Client::h1(application.address);
    let answer = client.request(request.expect("a request")).await.expect("an answer");
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_websocket_passes() {
    let around = |gateway| Router::new().nest("/gw", gateway);
    let application = Application::serve(true, around).await;
    let mut socket = WebSocket::connect(application.address, "/gw/shop/talk").await.expect("101");
    assert_eq!(socket.exchange("one").await.expect("an echo"), "one");
    assert_eq!(socket.exchange("two").await.expect("an echo"), "two");
    socket.close().await.expect("it closes");
    // What the upstream does not take is no 101.
    assert!(WebSocket::connect(application.address, "/gw/nowhere").await.is_err());
}

#[tokio::test]
async fn what_is_in_flight_finishes_and_the_gateway_ends_with_the_router() {
    let mut application = Application::serve(true, |gateway| gateway).await;
    let client = Client::h1(application.address);
    let asked = tokio::spawn(async move { client.get("/shop/slow").await });
    let entered =
        async { application.entered.recv().await.ok_or(io::ErrorKind::BrokenPipe.into()) };
    within(DEADLINE, "request", entered).await.expect("a request has begun");
    application.end.send(()).expect("it is served");
    application.open.add_permits(1);
    let answer = asked.await.expect("no panic").expect("an answer");
    assert_eq!((answer.status.as_u16(), &*answer.text()), (200, "late"));
    application.serving.await.expect("no panic").expect("it ends well");
    let gone = async {
        while application.entered.recv().await.is_some() {}
        Ok(())
    };
    within(DEADLINE, "end of the gateway", gone).await.expect("it ends with the router");
}

/// It answers as the first listener of the configuration would, whichever that is now.
#[tokio::test]
async fn it_goes_on_when_the_listeners_of_the_configuration_are_others() {
    let route = |path: &str| Route::new("own").path(path).reply(204, "").make();
    let listening = |at: &str, path: &str| {
        let allowed = serde_json::json!({ "allow": ["127.0.0.0/8"] });
        let listener = Listener::new("web", at).plugin("ip-restriction", allowed);
        config([listener.make(), route(path)]).expect("it is right")
    };
    let first = listening("127.0.0.1:1", "/one");
    let gateway = Gateway::builder().configure(|own| *own = first).build().expect("it is right");
    let handle = gateway.handle();
    let mut service = gateway.into_service().await.expect("it starts");
    let mut status = async |path: &str, client: SocketAddr| {
        let request =
            http::Request::get(path).header("host", "a.example").extension(Peer::new(client));
        let request = request.body(Body::empty()).expect("a request");
        service.call(request).await.expect("an answer").status().as_u16()
    };
    let near: SocketAddr = ([127, 0, 0, 1], 1).into();
    let far: SocketAddr = ([192, 0, 2, 1], 1).into();
    assert_eq!((status("/one", near).await, status("/one", far).await), (204, 403));
    handle.update(listening("127.0.0.1:2", "/two")).await.expect("it is right");
    assert_eq!((status("/two", near).await, status("/two", far).await), (204, 403));
    // The one that is there when nobody says any has no plugins.
    handle.update(config([route("/three")]).expect("it is right")).await.expect("it is right");
    assert_eq!((status("/three", near).await, status("/three", far).await), (204, 204));
}

/// Where a listener would close the connection without a word, there is none that could be closed.
#[tokio::test]
async fn a_host_that_is_not_allowed_is_answered_also_where_listeners_are_strict() {
    let listener = Listener::new("web", "127.0.0.1:1").edit(|web| {
        web.strict = true;
        web.allowed_domains = vec!["a.example".parse().expect("a pattern")];
    });
    let gateway = Gateway::builder().with(listener).with(Route::new("own").reply(204, ""));
    let gateway = gateway.build().expect("it is right");
    let mut service = gateway.into_service().await.expect("it starts");
    for (host, status) in [("a.example", 204), ("b.example", 421)] {
        let request = http::Request::get("/").header("host", host).body(Body::empty());
        let answering = service.call(request.expect("a request"));
        let answer = tokio::time::timeout(DEADLINE, answering).await.expect("it is answered");
        assert_eq!(answer.expect("an answer").status().as_u16(), status, "{host}");
    }
}

/// Who comes under TLS that the host has ended is there already.
#[tokio::test]
async fn a_secure_client_is_not_redirected_to_https() {
    let listener = Listener::new("web", "127.0.0.1:1").edit(|web| {
        web.redirect_https = Some(RedirectHttps::default());
    });
    let gateway = Gateway::builder().with(listener).with(Route::new("own").reply(204, ""));
    let gateway = gateway.build().expect("it is right");
    let mut service = gateway.into_service().await.expect("it starts");
    let plain = Peer::new(([192, 0, 2, 1], 1).into());
    for (peer, status) in [(plain, 308), (plain.secure(), 204)] {
        let request = http::Request::get("/").header("host", "a.example").extension(peer);
        let request = request.body(Body::empty()).expect("a request");
        let answer = service.call(request).await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{peer:?}");
    }
}
