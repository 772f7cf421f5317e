//! Built-in plugins in a gateway, together: what each does alone is tested beside it.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Empty;
use portway_testkit::{Client, RawUpstream, client::Response, refused_addr};

use crate::fixture::{Gateway, one_route};

/// A gateway with the built-in plugins.
async fn gateway(document: &str) -> Gateway {
    Gateway::start(document, portway::plugins::registry()).await
}

async fn ask(gateway: &Gateway, method: Method, path: &str, fields: &[(&str, &str)]) -> Response {
    let mut request = Request::builder().method(method).uri(path).header("host", "shop.example");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::<Bytes>::new()).expect("a request");
    gateway.client().request(request).await.expect("an answer")
}

const SHOP: &str = "
access_log: {enabled: false}
listeners: [{name: web, bind: '127.0.0.1:0'}]
global_plugins:
  - cors: {origins: ['https://app.example'], headers: [apikey]}
consumers:
  - {name: alice, groups: [staff], keys: [key of alice]}
  - {name: bob, keys: [key of bob]}
services:
  - name: echo
    url: '@ECHO@'
    plugins:
      - key-auth: {}
      - acl: {allow: {groups: [staff]}}
      - rate-limit: {limits: [2/1h], by: consumer}
      - response-headers: {set: {x-served: yes}}
    routes: [{name: all}]
";

#[tokio::test(flavor = "multi_thread")]
async fn who_how_much_and_where_from() {
    let gateway = gateway(SHOP).await;
    let origin = ("origin", "https://app.example");
    let spoof = ("x-consumer-username", "root");

    let refused = ask(&gateway, Method::GET, "/", &[origin]).await;
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").is_some());
    assert_eq!(refused.header("access-control-allow-origin"), Some(origin.1), "pages may read it");

    let wrong = ask(&gateway, Method::GET, "/", &[("apikey", "guessed")]).await;
    let other = ask(&gateway, Method::GET, "/", &[("apikey", "key of bob")]).await;
    assert_eq!((wrong.status.as_u16(), other.status.as_u16()), (401, 403));

    for _ in 0..2 {
        let served = ask(&gateway, Method::GET, "/", &[("apikey", "key of alice"), spoof]).await;
        assert_eq!((served.status.as_u16(), served.header("x-served")), (200, Some("yes")));
        let sent = served.answer().unwrap();
        assert_eq!(sent.header("x-consumer-username"), Some("alice"));
        assert_eq!(
            (sent.header("x-consumer-groups"), sent.header("apikey")),
            (Some("staff"), None)
        );
    }
    let more = ask(&gateway, Method::GET, "/", &[("apikey", "key of alice"), origin]).await;
    assert_eq!(more.status, 429);
    assert!(more.header("retry-after").is_some() && more.header("ratelimit").is_some());
    assert_eq!(more.header("access-control-allow-origin"), Some(origin.1));

    let preflight = [origin, ("access-control-request-method", "GET")];
    let preflight = ask(&gateway, Method::OPTIONS, "/", &preflight).await;
    assert_eq!(preflight.status, 204);
    assert_eq!(gateway.echo.requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_over_all_cores() {
    let gateway = gateway(&one_route("[{rate-limit: {limits: [100/1h]}}]")).await;
    let address = gateway.at("web");
    let askers = (0..30).map(|_| {
        tokio::spawn(async move {
            let client = Client::h1(address);
            let mut served = 0;
            for _ in 0..10 {
                served += u32::from(client.get("/").await.unwrap().status == 200);
            }
            served
        })
    });
    let mut served = 0;
    for asker in askers.collect::<Vec<_>>() {
        served += asker.await.unwrap();
    }
    assert_eq!(served, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_hashed_away_from_the_cores() {
    // Of "U*U", by crypt_blowfish.
    let document = "
access_log: {enabled: false}
listeners: [{name: web, bind: '127.0.0.1:0'}]
consumers: [{name: ali, passwords: [{hash: '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'}]}]
services: [{name: echo, url: '@ECHO@', plugins: [basic-auth: {}], routes: [{name: all}]}]
";
    let gateway = gateway(document).await;
    // ali:U*U, ali:open
    for (credentials, status) in [("YWxpOlUqVQ==", 200), ("YWxpOm9wZW4=", 401), ("%%%", 400)] {
        let field = format!("Basic {credentials}");
        for _ in 0..3 {
            let answer = ask(&gateway, Method::GET, "/", &[("authorization", &field)]).await;
            assert_eq!(answer.status, status, "{credentials}");
        }
    }
    assert_eq!(gateway.echo.requests(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_fetched_let_nobody_in() {
    let nobody = refused_addr().unwrap();
    let jwks = format!("jwks: {{url: '{}/keys', algorithms: [ES256]}}", nobody.url());
    let gateway = gateway(&one_route(&format!("[{{jwt: {{{jwks}}}}}]"))).await;
    assert_eq!(ask(&gateway, Method::GET, "/", &[]).await.status, 401);
    let token = "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJhIn0.AAAA";
    let answer = ask(&gateway, Method::GET, "/", &[("authorization", token)]).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(gateway.echo.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_says_who_may_ask() {
    let judge = RawUpstream::start(|mut connection| async move {
        loop {
            let head = connection.read_head().await?.to_ascii_lowercase();
            let answer = if head.contains("authorization: bearer good") {
                "HTTP/1.1 200 OK\r\nX-User: alice\r\nContent-Length: 0\r\n\r\n"
            } else {
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 2\r\n\r\nno"
            };
            connection.write(answer).await?;
        }
    })
    .await
    .unwrap();
    let plugin = format!(
        "[{{forward-auth: {{url: 'http://{}/verify', response_headers: [x-user]}}}}]",
        judge.addr()
    );
    let gateway = gateway(&one_route(&plugin)).await;
    let refused = ask(&gateway, Method::GET, "/", &[("x-user", "root")]).await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("www-authenticate")),
        (401, Some("Bearer"))
    );
    let fields = [("authorization", "Bearer good"), ("x-user", "root")];
    let served = ask(&gateway, Method::GET, "/", &fields).await;
    assert_eq!(served.answer().unwrap().header("x-user"), Some("alice"));
    assert_eq!(gateway.echo.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_changes_what_passes() {
    let hook = RawUpstream::start(|mut connection| async move {
        loop {
            connection.read_request().await?;
            connection
                .write("HTTP/1.1 200 OK\r\nX-Hooked: yes\r\nContent-Length: 6\r\n\r\nhooked")
                .await?;
        }
    })
    .await
    .unwrap();
    let plugin = format!("[{{inject: {{response: {{url: 'http://{}/'}}}}}}]", hook.addr());
    let gateway = gateway(&one_route(&plugin)).await;
    let answer = ask(&gateway, Method::GET, "/", &[]).await;
    assert_eq!((answer.text().as_ref(), answer.header("x-hooked")), ("hooked", Some("yes")));
    assert_eq!(gateway.echo.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_compressed_and_paths_are_changed() {
    let plugins = "[{compression: {}}, {rewrite: {prefix: {from: /old, to: /new}}}]";
    let gateway = gateway(&one_route(plugins)).await;
    let plain = ask(&gateway, Method::GET, "/old/a?b=c", &[]).await;
    let sent = plain.answer().unwrap();
    assert_eq!((sent.path.as_str(), sent.query.as_deref()), ("/new/a", Some("b=c")));
    let squeezed =
        ask(&gateway, Method::GET, "/x?bytes=100000", &[("accept-encoding", "gzip")]).await;
    let coded = squeezed.header("content-encoding");
    assert!(coded.is_none() || coded == Some("gzip"), "{coded:?}");
    assert!(squeezed.header("vary").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_on_bodies_holds_for_all_forms() {
    let gateway = gateway(&one_route("[{request-size-limit: {max: 10B}}]")).await;
    for (body, status) in [("0123456789", 200), ("0123456789a", 413)] {
        let request = Request::post("/").header("host", "a");
        let body = http_body_util::Full::new(Bytes::from_static(body.as_bytes()));
        let answer = gateway.client().request(request.body(body).unwrap()).await.unwrap();
        assert_eq!(answer.status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_says_who_shares_a_quota() {
    let by = "by: {expression: \"request.headers['x-tenant'] + '/' + request.method\"}";
    let plugins = format!("[{{rate-limit: {{limits: [1/1h], missing: refuse, {by}}}}}]");
    let gateway = gateway(&one_route(&plugins)).await;
    for (tenant, status) in [("a", 200), ("a", 429), ("b", 200), ("b", 429)] {
        let answer = ask(&gateway, Method::GET, "/", &[("x-tenant", tenant)]).await;
        assert_eq!(answer.status, status, "{tenant}");
    }
    assert_eq!(ask(&gateway, Method::POST, "/", &[("x-tenant", "a")]).await.status, 200);
    assert_eq!(ask(&gateway, Method::GET, "/", &[]).await.status, 403, "it has no tenant");
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_read_and_write_who_asked() {
    let gateway = gateway(&one_route("[{set-scheme: {scheme: https}}]")).await;
    let claims = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "gopher")];
    for fields in [&claims[..], &[]] {
        let sent = ask(&gateway, Method::GET, "/", fields).await.answer().unwrap();
        let lines = |name: &str| -> Vec<String> {
            let all = sent.headers.iter().filter(|(other, _)| other == name);
            all.map(|(_, value)| value.clone()).collect()
        };
        assert_eq!(lines("x-forwarded-proto"), ["https"]);
        assert_eq!(lines("x-forwarded-for"), ["127.0.0.1"]);
        assert_eq!(lines("via"), ["1.1 portway"]);
        assert_eq!(lines("x-request-id").len(), 1);
    }
}
