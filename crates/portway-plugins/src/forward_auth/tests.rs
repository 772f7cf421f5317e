//! A server that says who may ask, and one that says nothing.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderMap, Method};
use portway_plugin::{Body, Error, Level, Response};
use portway_testkit::plugin::{Seen, Stage};
use serde_json::{Value, json};

use super::ForwardAuth;

/// What the server was asked: method, URI, fields.
type Asked = Arc<Mutex<Vec<(Method, String, HeaderMap)>>>;

/// What it answers: a status (0 for no answer), fields, a body.
type Said = (u16, Vec<(&'static str, &'static str)>, String);

struct Scene {
    stage: Stage,
    asked: Asked,
    says: Arc<Mutex<Said>>,
}

async fn scene(more: Value, says: Said) -> Scene {
    let mut spec = json!({"url": "http://auth.internal:9100/verify/?a=b"});
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (asked, says) = (Asked::default(), Arc::new(Mutex::new(says)));
    let (asking, saying) = (Arc::clone(&asked), Arc::clone(&says));
    let stage = Stage::of::<ForwardAuth>(spec).await.expect("the spec is good");
    let stage = stage.fetched(move |request| {
        let (parts, _) = request.into_parts();
        asking.lock().unwrap().push((parts.method, parts.uri.to_string(), parts.headers));
        let (status, fields, body) = saying.lock().unwrap().clone();
        if status == 0 {
            let gateway = http::StatusCode::BAD_GATEWAY;
            return Err(Error::upstream(gateway, "upstream_connect", "no connection"));
        }
        let mut response = http::Response::builder().status(status);
        for (name, value) in fields {
            response = response.header(name, value);
        }
        Ok(Response::from(response.body(Body::from(body)).unwrap()))
    });
    Scene { stage, asked, says }
}

fn pass(fields: &[(&'static str, &'static str)]) -> Said {
    (200, fields.to_vec(), String::new())
}

impl Scene {
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Seen {
        self.stage.ask(Method::GET, path, headers).await
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn says(&self, said: Said) {
        *self.says.lock().unwrap() = said;
    }
}

#[tokio::test]
async fn the_server_is_told_what_the_request_is() {
    let more = json!({"request_headers": ["authorization", "x-device"], "method": "POST"});
    let mut scene = scene(more, pass(&[])).await;
    scene.stage.known.client = Some("2001:db8::7".parse().unwrap());
    scene.stage.known.scheme = "https";
    let headers = [
        ("host", "shop.example.com:8443"),
        ("authorization", "Bearer x"),
        ("x-device", "a"),
        ("x-device", "b"),
        ("cookie", "a=b"),
        ("content-length", "0"),
        ("x-forwarded-uri", "/public"),
        ("x-forwarded-for", "10.0.0.1"),
    ];
    let seen = scene.stage.ask(Method::DELETE, "/a%20b?c=d", &headers).await;
    assert_eq!(seen.status(), 200);
    let asked = scene.asked.lock().unwrap();
    let (method, uri, fields) = &asked[0];
    assert_eq!((method, uri.as_str()), (&Method::POST, "http://auth.internal:9100/verify/?a=b"));
    for (name, value) in [
        ("x-forwarded-method", "DELETE"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example.com:8443"),
        ("x-forwarded-uri", "/a%20b?c=d"),
        ("x-forwarded-for", "2001:db8::7"),
        ("authorization", "Bearer x"),
    ] {
        let all: Vec<_> = fields.get_all(name).iter().collect();
        assert_eq!(all, [value], "{name}");
    }
    assert_eq!(fields.get_all("x-device").iter().count(), 2);
    assert_eq!(fields.len(), 8, "{fields:?}");
}

#[tokio::test]
async fn the_path_it_is_told_is_the_one_that_found_the_route() {
    let mut scene = scene(json!({}), pass(&[])).await;
    scene.stage.known.path = "/admin".to_owned();
    assert_eq!(scene.get("/x/../admin?a", &[]).await.status(), 200);
    assert_eq!(scene.asked.lock().unwrap()[0].2["x-forwarded-uri"], "/admin?a");
}

#[tokio::test]
async fn who_passes_brings_what_the_server_says() {
    let more = json!({"response_headers": ["x-user", "x-role"], "consumer_header": "x-name"});
    let answer = pass(&[("x-user", "u1"), ("x-other", "o"), ("x-name", "alice")]);
    let scene = scene(more, answer).await;
    let lies =
        [("x-user", "root"), ("x-role", "admin"), ("x-consumer-username", "root"), ("x-name", "n")];
    let seen = scene.get("/", &lies).await;
    assert_eq!(seen.status(), 200);
    let told = ["x-user", "x-role", "x-other", "x-consumer-username"].map(|name| seen.sent(name));
    assert_eq!(told, ["u1", "", "", "alice"]);
    assert_eq!(&*seen.consumer.expect("it is known").name, "alice");
    // Without a name nobody is known, and a client cannot say one.
    scene.says((204, vec![], String::new()));
    let seen = scene.get("/", &lies).await;
    assert_eq!(
        (seen.status(), seen.sent("x-consumer-username"), seen.sent("x-user")),
        (200, "", "")
    );
    assert!(seen.consumer.is_none());
}

#[tokio::test]
async fn who_does_not_pass_gets_the_answer() {
    let fields = vec![
        ("location", "https://login/"),
        ("set-cookie", "a=b"),
        ("set-cookie", "c=d"),
        ("x-internal", "secret"),
        ("www-authenticate", "Basic"),
    ];
    let scene = scene(json!({}), (302, fields.clone(), "go there".to_owned())).await;
    for status in [302, 401, 403, 404, 429] {
        scene.says((status, fields.clone(), "go there".to_owned()));
        let mut seen = scene.get("/", &[]).await;
        assert_eq!(seen.status(), status);
        assert!(seen.targets.is_empty());
        assert_eq!(seen.header("location"), "https://login/");
        assert_eq!(seen.header("www-authenticate"), "Basic");
        assert_eq!(seen.headers().get_all("set-cookie").iter().count(), 2);
        assert_eq!(seen.header("x-internal"), "");
        assert_eq!(seen.text().await, "go there");
    }
    let chosen = self::scene(
        json!({"client_headers": ["x-internal"], "max_body": "4B"}),
        (403, fields, "five!".to_owned()),
    );
    let chosen = chosen.await;
    let mut seen = chosen.get("/", &[]).await;
    assert_eq!((seen.header("x-internal"), seen.header("location")), ("secret", ""));
    assert_eq!(seen.text().await, "", "it is too large");
    chosen.says((403, vec![], "four".to_owned()));
    assert_eq!(chosen.get("/", &[]).await.text().await, "four");
}

#[tokio::test]
async fn without_an_answer_nobody_passes_unless_the_spec_says_so() {
    for status in [0, 500, 503] {
        let closed = scene(json!({}), (status, vec![], "trace".to_owned())).await;
        for _ in 0..3 {
            let seen = closed.get("/", &[]).await;
            assert_eq!((seen.status(), seen.code()), (503, "auth_unavailable"), "{status}");
            assert!(seen.targets.is_empty() && !seen.header("retry-after").is_empty());
        }
        let log = closed.stage.log();
        assert_eq!(log.len(), 1, "it is said once: {log:?}");
        assert!(log[0].0 == Level::Warn && log[0].1.contains("requests are refused"), "{log:?}");
        closed.says(pass(&[]));
        assert_eq!(closed.get("/", &[]).await.status(), 200);
        assert!(closed.stage.log()[1].1.contains("again"));

        let more = json!({"fail_open": true, "response_headers": ["x-user"]});
        let open = scene(more, (status, vec![("x-user", "u")], String::new())).await;
        let seen = open.get("/", &[("x-user", "root"), ("x-consumer-username", "root")]).await;
        assert_eq!((seen.status(), seen.sent("x-user")), (200, ""), "{status}");
        assert_eq!(seen.sent("x-consumer-username"), "");
        assert!(format!("{:?}", seen.notes).contains("failed_open"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_counts_for_a_while() {
    let more = json!({"cache": "10s", "response_headers": ["x-user"], "consumer_header": "x-user"});
    let scene = scene(more, pass(&[("x-user", "u1")])).await;
    let alice = [("authorization", "alice")];
    for (after, asked) in [(0, 1), (9, 1), (1, 2), (5, 2)] {
        tokio::time::advance(Duration::from_secs(after)).await;
        let seen = scene.get("/", &alice).await;
        assert_eq!((seen.sent("x-user"), seen.sent("x-consumer-username")), ("u1", "u1"));
        assert_eq!(scene.asked(), asked);
    }
    // Whatever the server might decide by makes another question.
    scene.get("/other", &alice).await;
    scene.get("/?a", &alice).await;
    scene.get("/", &[("authorization", "bob")]).await;
    scene.get("/", &[("authorization", "alice"), ("authorization", "alice")]).await;
    scene.get("/", &[("authorization", ""), ("cookie", "alice")]).await;
    scene.get("/", &[("host", "b.example.com"), alice[0]]).await;
    scene.stage.ask(Method::HEAD, "/", &alice).await;
    assert_eq!(scene.asked(), 9);
    // Who does not pass is not remembered.
    scene.says((401, vec![], String::new()));
    for asked in [10, 11] {
        assert_eq!(scene.get("/", &[("authorization", "eve")]).await.status(), 401);
        assert_eq!(scene.asked(), asked);
    }
    assert_eq!(scene.get("/", &alice).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn an_answer_counts_for_what_the_spec_names() {
    let more = json!({"cache": "10s", "cache_key": ["authorization"]});
    let scene = scene(more, pass(&[])).await;
    for path in ["/", "/other?a"] {
        assert_eq!(
            scene.get(path, &[("authorization", "alice"), ("cookie", path)]).await.status(),
            200
        );
    }
    assert_eq!(scene.asked(), 1);
    scene.get("/", &[("authorization", "bob")]).await;
    scene.get("/", &[]).await;
    assert_eq!(scene.asked(), 3);
    let never = self::scene(json!({}), pass(&[])).await;
    for asked in 1..4 {
        never.get("/", &[]).await;
        assert_eq!(never.asked(), asked);
    }
}

#[tokio::test]
async fn preflights_pass_as_nobodys() {
    let cors = [
        ("origin", "https://a"),
        ("access-control-request-method", "GET"),
        ("x-user", "root"),
        ("x-consumer-username", "root"),
    ];
    let no = (403, vec![], String::new());
    let scene = scene(json!({"response_headers": ["x-user"]}), no.clone()).await;
    let seen = scene.stage.ask(Method::OPTIONS, "/", &cors).await;
    assert_eq!((seen.status(), scene.asked()), (200, 0));
    assert_eq!((seen.sent("x-user"), seen.sent("x-consumer-username")), ("", ""));
    assert_eq!(scene.stage.ask(Method::OPTIONS, "/", &cors[..1]).await.status(), 403);
    let strict = self::scene(json!({"run_on_preflight": true}), no).await;
    assert_eq!(strict.stage.ask(Method::OPTIONS, "/", &cors).await.status(), 403);
}

#[tokio::test]
async fn specs_that_make_no_sense() {
    for (more, path) in [
        (json!({"timeout": "0"}), "timeout"),
        (json!({"request_headers": ["accept", "host"]}), "request_headers[1]"),
        (json!({"request_headers": ["x-forwarded-for"]}), "request_headers[0]"),
        (json!({"response_headers": ["content-length"]}), "response_headers[0]"),
        (json!({"client_headers": ["transfer-encoding"]}), "client_headers[0]"),
        (json!({"cache_key": ["x-device"]}), "cache_key[0]"),
        (json!({"url": "unix:/run/auth"}), ""),
        (json!({"url": "http://user:pass@auth/"}), ""),
    ] {
        let mut spec = json!({"url": "http://auth/"});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let problem = Stage::of::<ForwardAuth>(spec).await.err();
        let problem = problem.unwrap_or_else(|| panic!("{more} is taken"));
        assert_eq!(problem.path, path, "{more}");
        assert!(!problem.message.contains("pass@"), "{problem}");
    }
}
