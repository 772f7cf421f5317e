//! Which plugins a request meets, and in which order.

use portway::plugin::Registry;
use portway_testkit::Client;

use crate::fixture::Gateway;

const LEVELS: &str = "
access_log: {enabled: false}
global_plugins: [{tag: {word: low}, name: low}, {tag: {word: high}, name: high, priority: 5}]
plugins: [{name: shared, tag: {word: shared}}]
listeners:
  - {name: web, bind: '127.0.0.1:0', plugins: [{tag: {word: web}, name: web}]}
  - {name: other, bind: '127.0.0.2:0'}
services:
  - name: echo
    url: '@ECHO@'
    plugins: [{tag: {word: service}, name: service}, shared]
    routes:
      - {name: all, match: {path: /all}, plugins: [{tag: {word: route}}]}
      - {name: less, match: {path: /less}, plugins: [{without: low}, {without: shared}]}
      - {name: changed, match: {path: /changed}, plugins: [{replace: high, tag: {word: mine}}]}
      - {name: off, match: {path: /off}, plugins: [{tag: {word: route}, enabled: false}]}
routes:
  - {name: reply, match: {path: /reply}, target: {reply: {body: hello}}, plugins: [{tag: {word: own}}]}
";

#[tokio::test(flavor = "multi_thread")]
async fn wide_levels_stand_around_narrow_ones() {
    let gateway = Gateway::start(LEVELS, Registry::new()).await;
    for (path, tags) in [
        ("/all", "high low web service shared route"),
        ("/less", "high web service"),
        ("/changed", "low web service shared mine"),
        ("/off", "high low web service shared"),
    ] {
        assert_eq!(gateway.tags(path).await, tags, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_every_kind_pass_the_chain_on_their_way_back() {
    let gateway = Gateway::start(LEVELS, Registry::new()).await;
    let backwards = |listener, path, status, tags: &'static str| {
        let client = Client::h1(gateway.at(listener));
        async move {
            let response = client.get(path).await.unwrap();
            let said = response.header("x-tags").unwrap_or_default().to_owned();
            assert_eq!((response.status.as_u16(), said.as_str()), (status, tags), "{path}");
        }
    };
    backwards("web", "/all", 200, "route shared service web low high").await;
    backwards("web", "/reply", 200, "own web low high").await;
    backwards("other", "/reply", 200, "own low high").await;
    // No route: the listener's and the global ones.
    backwards("web", "/nothing", 404, "web low high").await;
    backwards("other", "/nothing", 404, "low high").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_http2_meets_the_same_plugins() {
    let gateway = Gateway::start(LEVELS, Registry::new()).await;
    let response = Client::h2c(gateway.at("web")).get("/all").await.unwrap();
    assert_eq!(response.header("x-tags"), Some("route shared service web low high"));
    let sent = response.answer().unwrap();
    assert_eq!(sent.header("x-tags"), Some("high low web service shared route"));
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_decide_for_which_requests_a_plugin_is() {
    let document = crate::fixture::one_route(
        r#"[
           {tag: {word: post}, name: a, when: {methods: [POST]}},
           {tag: {word: path}, name: b, when: {path: {prefix: /a}}},
           {tag: {word: header}, name: c, when: {headers: [{name: x-a, exact: '1'}]}},
           {tag: {word: near}, name: d, when: {clients: [127.0.0.0/8]}},
           {tag: {word: far}, name: e, when: {clients: [10.0.0.0/8]}},
           {mark: {}},
           {tag: {word: marked}, name: f, when: {marks: [seen]}},
           {tag: {word: unmarked}, name: g, when: {marks: [other]}},
           {tag: {word: said}, name: h, when: {expression: "request.method == 'POST' && request.headers['x-a'] == '1' && route == 'all'"}},
           {tag: {word: unsaid}, name: i, when: {expression: "'x-b' in request.headers && request.headers['x-b'] == '1'"}},
           {tag: {word: unclear}, name: j, when: {expression: "request.headers['x-b'] == '1'"}},
         ]"#,
    );
    let registry = Registry::new().hook("mark", |request, next| {
        Box::pin(async move {
            next.exchange().mark("seen");
            next.run(request).await
        })
    });
    let gateway = Gateway::start(&document, registry).await;
    assert_eq!(gateway.tags("/b").await, "near marked unclear");
    assert_eq!(gateway.tags("/a/b").await, "path near marked unclear");
    let request = http::Request::post("/").header("host", "a").header("x-a", "1");
    let body = http_body_util::Empty::<bytes::Bytes>::new();
    let response = gateway.client().request(request.body(body).unwrap()).await.unwrap();
    assert_eq!(
        response.answer().unwrap().header("x-tags"),
        Some("post header near marked said unclear")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plugins_of_an_endpoint_meet_what_is_sent_to_it() {
    let dead = portway_testkit::refused_addr().unwrap();
    let document = format!(
        "access_log: {{enabled: false}}
listeners: [{{name: web, bind: '127.0.0.1:0'}}]
services:
  - name: echo
    endpoints:
      - {{url: '{}', plugins: [{{tag: {{word: dead}}}}]}}
      - {{url: '@ECHO@', plugins: [{{tag: {{word: alive}}}}]}}
    routes: [{{name: all, plugins: [{{tag: {{word: route}}}}]}}]
",
        dead.url()
    );
    let gateway = Gateway::start(&document, Registry::new()).await;
    // In turn: every other request meets the dead one first, and goes on to the other.
    for _ in 0..4 {
        let tags = gateway.tags("/").await;
        assert_eq!(tags, "route alive");
    }
    assert_eq!(gateway.echo.requests(), 4);
}
