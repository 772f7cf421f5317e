//! What the four routes promise, through Portway's program and real upstreams.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use portway::{GatewayService, Peer};
use portway_bench_shop::{
    gateway::gateway,
    open::{Order, Pace, Route, run},
    upstream::{Upstream, issue, listen},
};
use tokio::{net::TcpListener, task::JoinSet};
use tower_service::Service;

const ITEMS: &str = concat!(
    r#"[{"id":"p1","owner_id":"u1","name":"Blue pen","price":200,"category":"office"},"#,
    r#"{"id":"p2","owner_id":"u1","name":"Notebook A5","price":500,"category":"office"},"#,
    r#"{"id":"p3","owner_id":"u1","name":"Paper clips","price":50,"category":"office"},"#,
    r#"{"id":"p4","owner_id":"u2","name":"Ceramic mug","price":800,"category":"kitchen"},"#,
    r#"{"id":"p5","owner_id":"u2","name":"Tea spoon","price":100,"category":"kitchen"},"#,
    r#"{"id":"p6","owner_id":"u3","name":"Desk lamp","price":3000,"category":"home"},"#,
    r#"{"id":"p7","owner_id":"u3","name":"Floor mat","price":1500,"category":"home"}]"#,
);
const CHEAP: &str = concat!(
    r#"[{"id":"p1","owner_id":"u1","name":"Blue pen","price":200,"category":"office"},"#,
    r#"{"id":"p3","owner_id":"u1","name":"Paper clips","price":50,"category":"office"}]"#,
);
const PEN: &str =
    r#"[{"id":"p1","owner_id":"u1","name":"Blue pen","price":200,"category":"office"}]"#;
const MUG: &str =
    r#"[{"id":"p4","owner_id":"u2","name":"Ceramic mug","price":800,"category":"kitchen"}]"#;

/// The gateway and what is behind it.
struct Shop {
    gateway: GatewayService,
    #[expect(dead_code, reason = "they answer as long as this lives")]
    upstreams: JoinSet<std::io::Result<std::convert::Infallible>>,
}

impl Shop {
    async fn open() -> Self {
        let mut upstreams = JoinSet::new();
        let mut start = |upstream: Upstream| {
            let listener = listen(local()).expect("a port");
            let url = format!("http://{}", listener.local_addr().expect("it listens"));
            upstreams.spawn(upstream.serve(listener));
            url
        };
        let (auth, data) = (start(Upstream::Auth), start(Upstream::Data));
        let gateway = started(&auth, &data).await;
        Self { gateway, upstreams }
    }

    async fn ask(&self, method: Method, path: &str, token: &str, body: &str) -> (u16, String) {
        let mut request = Request::builder().method(method).uri(path).header("host", "shop");
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let mut request =
            request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).expect("a request");
        let client: SocketAddr = "192.0.2.7:4711".parse().expect("an address");
        request.extensions_mut().insert(Peer::new(client));
        let answer = self.gateway.clone().call(request).await.expect("it never fails");
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    async fn get(&self, path: &str, token: &str) -> (u16, String) {
        self.ask(Method::GET, path, token, "").await
    }

    async fn post(&self, path: &str, body: &str) -> (u16, String) {
        self.ask(Method::POST, path, "", body).await
    }
}

fn token(user: &str) -> String {
    issue(user, "somebody@shop.example", 4_102_444_800)
}

fn good(body: &str) -> (u16, String) {
    (200, body.to_owned())
}

async fn started(auth: &str, data: &str) -> GatewayService {
    gateway(auth, data).expect("it is right").into_service().await.expect("it starts")
}

#[tokio::test]
async fn the_four_answers_are_those_of_the_contract() {
    let shop = Shop::open().await;
    assert_eq!(shop.get("/items", "").await, good(ITEMS));
    assert_eq!(shop.get("/my-items", &token("u9")).await, good("[]"));
    assert_eq!(shop.get("/my-items", &token("u2")).await.0, 200);
    let search = r#"{"category":"office","max_price":300}"#;
    assert_eq!(shop.post("/items/search", search).await, good(CHEAP));
    assert_eq!(shop.post("/items/lookup", r#"{"q":"pen"}"#).await, good(PEN));
    for (route, body) in Route::ALL.into_iter().zip([ITEMS, "[]", CHEAP, PEN]) {
        assert_eq!(route.answer(), body.len(), "{route:?}");
    }
}

#[tokio::test]
async fn who_asks_is_told_by_the_auth_service() {
    let shop = Shop::open().await;
    let (status, body) = shop.get("/my-items", &token("u3")).await;
    assert_eq!((status, body.contains("Desk lamp"), body.contains("Blue pen")), (200, true, false));
    let over = issue("u3", "somebody@shop.example", 1);
    for token in ["", "no token at all", &over] {
        let (status, body) = shop.get("/my-items", token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{body}");
    }
}

#[tokio::test]
async fn an_auth_service_that_is_gone_lets_nobody_in() {
    let mut shop = Shop::open().await;
    let (data, closed) = (listen(local()).unwrap(), listen(local()).unwrap());
    let url = |listener: &TcpListener| {
        let address = listener.local_addr().expect("it listens");
        format!("http://{address}")
    };
    let (auth, data) = (url(&closed), url(&data));
    drop(closed);
    shop.gateway = started(&auth, &data).await;
    assert_eq!(shop.get("/my-items", &token("u3")).await.0, 401);
}

#[tokio::test]
async fn bodies_are_looked_at_and_replaced() {
    let shop = Shop::open().await;
    for bad in ["", "{", r#"{"max_price":"cheap"}"#, r#"{"category":7}"#] {
        assert_eq!(shop.post("/items/search", bad).await.0, 400, "{bad}");
    }
    for bad in ["{}", r#"{"q":7}"#] {
        assert_eq!(shop.post("/items/lookup", bad).await.0, 400, "{bad}");
    }
    assert_eq!(shop.post("/items/search", "{}").await, good(ITEMS));
    assert_eq!(shop.post("/items/lookup", r#"{"q":"  MUG "}"#).await, good(MUG));
}

#[tokio::test]
async fn the_load_counts_answers_as_they_should_be_and_no_others() {
    let (data, auth) = (listen(local()).unwrap(), listen(local()).unwrap());
    let (to, asked) = (data.local_addr().unwrap(), auth.local_addr().unwrap());
    let mut upstreams = JoinSet::new();
    upstreams.spawn(Upstream::Data.serve(data));
    upstreams.spawn(Upstream::Auth.serve(auth));
    let order = |to, route: Route, directly| Order {
        to,
        request: route.request(to, directly),
        answer: route.answer(),
        pace: Pace::Steady { rate: 400.0, length: Duration::from_millis(100) },
        most: 100,
        patience: Duration::from_secs(10),
    };
    for route in Route::ALL {
        let seen = run(order(to, route, true)).await.unwrap();
        assert_eq!((seen.offered, seen.answered + seen.dropped, seen.failed), (40, 40, 0));
    }
    let seen = run(order(asked, Route::Verify, true)).await.unwrap();
    assert_eq!((seen.answered + seen.dropped, seen.failed), (40, 0));
    // Nobody has said who asks: 401.
    let error = run(order(to, Route::MyItems, false)).await.unwrap_err();
    assert!(error.to_string().contains("status 401"), "{error}");
}

fn local() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}
