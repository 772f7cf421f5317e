//! Connections that the program makes in the gateway's place.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use portway::{
    Builder, Gateway,
    config::Balance,
    connect::{Cause, Connect, Connected, Dial},
    plugin::BoxFuture,
};
use portway_testkit::{
    Client, Echo, RawClient, RunningEcho, WebSocket,
    tls::{Authority, ServerTls},
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream, UnixStream},
};

use crate::fixture::{at, client, code, serve, shop};

/// Leads everything to one upstream, and remembers what it was asked for.
#[derive(Clone)]
struct To {
    addr: std::net::SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl To {
    fn new(echo: &RunningEcho) -> Self {
        Self { addr: echo.addr(), asked: Arc::default() }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panics with it").clone()
    }
}

impl Connect for To {
    fn connect(&self, dial: Dial) -> BoxFuture<'_, Result<Connected, Cause>> {
        let asked = format!(
            "{} {}:{} {:?} https={} h2={} {}",
            dial.service(),
            dial.host(),
            dial.port(),
            dial.address(),
            dial.is_https(),
            dial.may_speak_http2(),
            dial.deadline().is_some(),
        );
        self.asked.lock().expect("nobody panics with it").push(asked);
        Box::pin(async move { Ok(TcpStream::connect(self.addr).await?.into()) })
    }
}

pub(crate) const NOWHERE: &str = "http://shop.invalid:8001";

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_resolves_is_dialled_and_its_connection_used_again() {
    let echo = Echo::start().await.unwrap();
    let to = To::new(&echo);
    let server = serve(Builder::new().connect(to.clone()), &shop(NOWHERE, "")).await;
    let mut raw = RawClient::connect(at(&server, "web")).await.unwrap();
    for _ in 0..3 {
        let answer = raw.exchange("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert!(answer.text().contains("shop.invalid:8001"), "the host it is asked for");
    }
    assert_eq!(to.asked(), ["shop shop.invalid:8001 None https=false h2=false true"]);
    assert_eq!(echo.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_upstream_has_closed_is_made_anew() {
    let echo = Echo::start().await.unwrap();
    let to = To::new(&echo);
    let server = serve(Builder::new().connect(to.clone()), &shop(NOWHERE, "")).await;
    let mut raw = RawClient::connect(at(&server, "web")).await.unwrap();
    for _ in 0..2 {
        // It closes behind its answer.
        raw.exchange("GET /?close=true HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    }
    assert_eq!(to.asked().len() as u64, echo.connections());
    assert_eq!(echo.requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_dials_for_one_service_does_not_for_others() {
    let (one, other) = (Echo::start().await.unwrap(), Echo::start().await.unwrap());
    let (to_one, to_other) = (To::new(&one), To::new(&other));
    let document = format!(
        "listeners: [{{name: web, bind: '127.0.0.1:0'}}]\n\
         services:\n\
         - {{name: shop, url: '{NOWHERE}', routes: [{{name: a, match: {{path: /a}}}}]}}\n\
         - {{name: rest, url: '{NOWHERE}', routes: [{{name: b, match: {{path: /b}}}}]}}\n"
    );
    let builder = Builder::new().connect(to_other.clone()).connect_for("shop", to_one.clone());
    let server = serve(builder, &document).await;
    for path in ["/a", "/b"] {
        assert_eq!(client(&server).get(path).await.unwrap().status, 200);
    }
    assert_eq!((one.requests(), other.requests()), (1, 1));
    assert!(to_one.asked()[0].starts_with("shop ") && to_other.asked()[0].starts_with("rest "));
}

#[portway::service(name = "shop", policy = "a")]
mod routes {
    #[portway::get("/a")]
    async fn own() {}

    #[portway::get("/b", policy = "b")]
    async fn other() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_with_a_policy_of_their_own_are_dialled_for_too() {
    let echo = Echo::start().await.unwrap();
    let (to, addr) = (To::new(&echo), portway_testkit::free_addr().unwrap());
    let gateway = Gateway::builder()
        .policy("a", Balance::RoundRobin)
        .policy("b", Balance::Random)
        .mount_service(routes::routes(), [NOWHERE])
        .connect_for("shop", to.clone())
        .service("shop", |shop| shop.pool.max_idle = 3)
        .listen(&addr.to_string())
        .build()
        .unwrap();
    assert!(gateway.declared().services.iter().all(|service| service.pool.max_idle == 3));
    let mut handle = gateway.handle();
    let serving = tokio::spawn(gateway.serve([], std::future::pending()));
    handle.started().await.expect("it serves");
    for path in ["/a", "/b"] {
        assert_eq!(Client::h1(addr).get(path).await.unwrap().status, 200);
    }
    assert_eq!((echo.requests(), to.asked().len()), (2, 2));
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_carries_bytes_carries_requests() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("upstream.sock");
    let echo = Echo::bind_unix(&path).unwrap().spawn();
    // Inside the process, and from there by a Unix domain socket.
    let pipe = move |_: Dial| {
        let path = path.clone();
        async move {
            let mut upstream = UnixStream::connect(path).await?;
            let (ours, mut theirs) = tokio::io::duplex(1024);
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut theirs, &mut upstream).await;
            });
            Ok(ours.into())
        }
    };
    let server = serve(Builder::new().connect(pipe), &shop(NOWHERE, "")).await;
    let large = client(&server).get("/?bytes=200000").await.unwrap();
    assert_eq!(large.status, 200);
    let mut socket = WebSocket::connect(at(&server, "web"), "/chat").await.unwrap();
    assert_eq!(socket.exchange("hello").await.unwrap(), "hello");
    socket.close().await.unwrap();
    assert!(echo.requests() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_spoken_over_it_and_shared() {
    let echo = Echo::start().await.unwrap();
    let to = To::new(&echo);
    let server = serve(Builder::new().connect(to.clone()), &shop("h2c://shop.invalid:1", "")).await;
    let client = Client::h2c(at(&server, "web"));
    for _ in 0..4 {
        let answer = client.get("/a").await.unwrap().answer().unwrap();
        assert_eq!(answer.protocol, "HTTP/2.0");
    }
    assert_eq!(to.asked(), ["shop shop.invalid:1 None https=false h2=true true"]);
    assert_eq!(echo.connections(), 1);
}

/// An upstream with a certificate for `shop.invalid`, and what trusts it.
async fn secure(alpn: &[&str]) -> (RunningEcho, Authority) {
    let authority = Authority::new().expect("an authority");
    let identity = authority.issue(&["shop.invalid"]).expect("a certificate");
    let tls = ServerTls::new(&identity).alpn(alpn);
    let echo = Echo::anywhere().await.expect("a port").tls(&tls).expect("TLS");
    (echo.spawn(), authority)
}

fn trusting(authority: &Authority, more: &str) -> String {
    let pem = authority.cert_pem().replace('\n', "\\n");
    shop("https://shop.invalid", &format!(", tls: {{ca: \"{pem}\"}}{more}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_ends_tls_where_the_program_leaves_it_to_it() {
    for (alpn, version) in [(&["h2", "http/1.1"][..], "HTTP/2.0"), (&["http/1.1"], "HTTP/1.1")] {
        let (echo, authority) = secure(alpn).await;
        let to = To::new(&echo);
        let server = serve(Builder::new().connect(to.clone()), &trusting(&authority, "")).await;
        let answer = client(&server).get("/a").await.unwrap().answer().unwrap();
        assert_eq!(answer.protocol, version);
        assert!(to.asked()[0].contains("https=true h2=true"), "{:?}", to.asked());
    }
    let (echo, _) = secure(&["http/1.1"]).await;
    let server =
        serve(Builder::new().connect(To::new(&echo)), &shop("https://shop.invalid", "")).await;
    let refused = code(&client(&server), "/a").await;
    assert_eq!(refused, (502, "upstream_tls".to_owned()), "nobody vouches for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_of_the_program_is_taken_at_its_word() {
    let echo = Echo::start().await.unwrap();
    let addr = echo.addr();
    for (agreed, version) in [(true, "HTTP/2.0"), (false, "HTTP/1.1")] {
        // What carries the bytes is safe enough for it.
        let connect = move |dial: Dial| async move {
            assert_eq!(dial.alpn(), [b"h2".to_vec(), b"http/1.1".to_vec()]);
            let stream = TcpStream::connect(addr).await?;
            Ok(Connected::new(stream).secured().http2(agreed))
        };
        let server =
            serve(Builder::new().connect(connect), &shop("https://shop.invalid", "")).await;
        let answer = client(&server).get("/a").await.unwrap().answer().unwrap();
        assert_eq!(answer.protocol, version);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_says_of_addresses_holds_as_far_as_they_are_known() {
    let echo = Echo::start().await.unwrap();
    let (to, asked) = (To::new(&echo), Arc::new(AtomicUsize::new(0)));
    let only = ", deny_private_addresses: true";
    let server = serve(Builder::new().connect(to.clone()), &shop(&echo.url(), only)).await;
    assert_eq!(code(&client(&server), "/a").await, (503, "no_endpoint".to_owned()));
    assert!(to.asked().is_empty());
    let (count, addr) = (Arc::clone(&asked), echo.addr());
    let connect = move |dial: Dial| {
        count.fetch_add(usize::from(dial.is_public_only()), SeqCst);
        async move { Ok(TcpStream::connect(addr).await?.into()) }
    };
    let server = serve(Builder::new().connect(connect), &shop(NOWHERE, only)).await;
    assert_eq!(client(&server).get("/a").await.unwrap().status, 200);
    assert_eq!(asked.load(SeqCst), 1, "it was told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_introduced_on_it_before_all_else() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = upstream.local_addr().unwrap();
    let connect = move |_: Dial| async move { Ok(TcpStream::connect(addr).await?.into()) };
    let document = shop(NOWHERE, ", proxy_protocol: v1");
    let server = serve(Builder::new().connect(connect), &document).await;
    let mut raw = RawClient::connect(at(&server, "web")).await.unwrap();
    raw.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let (mut stream, _) = upstream.accept().await.unwrap();
    let mut begun = [0; 21];
    stream.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"PROXY TCP4 127.0.0.1 ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_listeners_dials_on_the_runtime_it_is_called_on() {
    let echo = Echo::start().await.unwrap();
    let gateway = Gateway::builder()
        .policy("a", Balance::RoundRobin)
        .policy("b", Balance::Random)
        .mount_service(routes::routes(), [NOWHERE])
        .connect(To::new(&echo));
    let mut gateway = gateway.build().unwrap().into_service().await.unwrap();
    let request = http::Request::get("/a").header("host", "a");
    let request = request.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
    let answer = tower_service::Service::call(&mut gateway, request).await.unwrap();
    assert_eq!((answer.status().as_u16(), echo.requests()), (200, 1));
}
