use http::{Method, StatusCode};
use portway_plugin::{Body, Error, Problem};
use portway_testkit::plugin::{Seen, Stage};
use serde_json::{Value, json};

use super::Cors;

const ALLOW: &str = "access-control-allow-origin";

async fn stage(spec: Value) -> Stage {
    let stage = Stage::of::<Cors>(spec).await.unwrap();
    stage.target(|request| {
        if request.uri().path() == "/private" {
            return Err(Error::client(StatusCode::UNAUTHORIZED, "unauthorized", "who are you?"));
        }
        let response =
            http::Response::builder().header(ALLOW, "https://upstream").header(ALLOW, "*");
        Ok(response.header("vary", "accept").body(Body::empty()).unwrap())
    })
}

async fn from(stage: &Stage, origin: &str) -> Seen {
    stage.ask(Method::GET, "/", &[("origin", origin)]).await
}

async fn preflight(stage: &Stage, origin: &str, more: &[(&str, &str)]) -> Seen {
    let mut headers = vec![("origin", origin), ("access-control-request-method", "PUT")];
    headers.extend_from_slice(more);
    stage.ask(Method::OPTIONS, "/", &headers).await
}

fn vary(seen: &Seen) -> String {
    let lines = seen.headers().get_all("vary").iter();
    lines.map(|line| line.to_str().unwrap()).collect::<Vec<_>>().join(", ")
}

fn problem(spec: Value) -> Problem {
    Stage::unstarted::<Cors>(spec).unwrap_err()
}

#[tokio::test]
async fn an_allowed_origin_is_named_and_no_other() {
    let stage = stage(json!({
        "origins": ["https://a.com", "https://*.b.com", {"regex": "https://c[0-9]\\.com"}],
        "exposed_headers": ["x-total", "etag"],
    }))
    .await;
    for origin in ["https://a.com", "https://x.b.com", "https://c1.com"] {
        let seen = from(&stage, origin).await;
        let named: Vec<_> = seen.headers().get_all(ALLOW).iter().collect();
        assert_eq!(named, [origin]);
        assert_eq!(seen.header("access-control-expose-headers"), "x-total, etag");
        assert_eq!(seen.header("access-control-allow-credentials"), "");
        assert_eq!(vary(&seen), "accept, Origin");
    }
    for origin in [
        "https://a.com.evil.net",
        "http://a.com",
        "https://evilb.com",
        "https://b.com",
        "https://c1.com.evil.net",
        "https://evil.net/https://c1.com",
        "null",
        "HTTPS://A.COM",
        "",
    ] {
        let seen = from(&stage, origin).await;
        assert!(!seen.headers().contains_key(ALLOW), "{origin}");
        assert!(!seen.headers().contains_key("access-control-expose-headers"), "{origin}");
        assert_eq!(vary(&seen), "accept, Origin");
    }
    let twice = [("origin", "https://a.com"), ("origin", "https://evil.net")];
    let seen = stage.ask(Method::GET, "/", &twice).await;
    assert!(!seen.headers().contains_key(ALLOW));
    let seen = stage.get("/").await;
    assert_eq!((seen.headers().contains_key(ALLOW), vary(&seen)), (false, "accept, Origin".into()));
}

#[tokio::test]
async fn any_origin_is_a_star_and_nothing_varies() {
    let stage = stage(json!({"origins": ["*"]})).await;
    for origin in ["https://a.com", "null"] {
        let seen = from(&stage, origin).await;
        assert_eq!((seen.header(ALLOW), vary(&seen)), ("*", "accept".to_owned()));
    }
}

#[tokio::test]
async fn null_is_allowed_by_name_only() {
    let named = stage(json!({"origins": ["null"]})).await;
    assert_eq!(from(&named, "null").await.header(ALLOW), "null");
    let every = stage(json!({"origins": [{"regex": ".*"}]})).await;
    assert!(!from(&every, "null").await.headers().contains_key(ALLOW));
    assert_eq!(from(&every, "https://a").await.header(ALLOW), "https://a");
}

#[tokio::test]
async fn errors_can_be_read_too() {
    let stage = stage(json!({"origins": ["https://a.com"], "credentials": true})).await;
    let seen = stage.ask(Method::GET, "/private", &[("origin", "https://a.com")]).await;
    assert_eq!((seen.status(), seen.header(ALLOW)), (401, "https://a.com"));
    assert_eq!(seen.header("access-control-allow-credentials"), "true");
    assert_eq!(vary(&seen), "Origin");
}

#[tokio::test]
async fn a_preflight_is_answered_here() {
    let stage = stage(json!({
        "origins": ["https://a.com"], "methods": ["GET", "PUT"], "headers": ["x-a", "x-b"],
        "credentials": true, "max_age": "10m", "exposed_headers": ["x-c"],
    }))
    .await;
    let asked = [("access-control-request-headers", "x-evil")];
    let seen = preflight(&stage, "https://a.com", &asked).await;
    assert_eq!((seen.status(), seen.targets.len()), (204, 0));
    for (name, value) in [
        (ALLOW, "https://a.com"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET, PUT"),
        ("access-control-allow-headers", "x-a, x-b"),
        ("access-control-max-age", "600"),
        ("access-control-expose-headers", ""),
        ("access-control-allow-private-network", ""),
        ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }
    let seen = preflight(&stage, "https://evil.net", &asked).await;
    assert_eq!((seen.status(), seen.targets.len()), (204, 0));
    assert_eq!(seen.headers().len(), 1, "nothing but Vary: {:?}", seen.headers());
}

#[tokio::test]
async fn the_defaults_of_a_preflight() {
    let stage = stage(json!({"origins": ["*"]})).await;
    let seen =
        preflight(&stage, "https://a.com", &[("access-control-request-headers", "x-a")]).await;
    assert_eq!(seen.header(ALLOW), "*");
    assert_eq!(seen.header("access-control-allow-methods"), "GET, HEAD, POST, PUT, PATCH, DELETE");
    assert_eq!(seen.header("access-control-allow-headers"), "");
    assert_eq!(seen.header("access-control-max-age"), "");
}

#[tokio::test]
async fn whatever_is_asked_for_may_be_allowed() {
    let spec = json!({
        "origins": ["https://a.com"], "headers": ["*"], "private_network": true, "max_age": "0",
    });
    let stage = stage(spec).await;
    let asked = [
        ("access-control-request-headers", "authorization, x-a"),
        ("access-control-request-private-network", "true"),
    ];
    let seen = preflight(&stage, "https://a.com", &asked).await;
    assert_eq!(seen.header("access-control-allow-headers"), "authorization, x-a");
    assert_eq!(seen.header("access-control-allow-private-network"), "true");
    assert_eq!(seen.header("access-control-max-age"), "0");
    assert!(seen.header("vary").ends_with("Access-Control-Request-Private-Network"));
    let seen = preflight(&stage, "https://a.com", &[]).await;
    assert_eq!(seen.header("access-control-allow-headers"), "");
    assert_eq!(seen.header("access-control-allow-private-network"), "");
    let odd = [("access-control-request-headers", "x-a\t\"<>")];
    let seen = preflight(&stage, "https://a.com", &odd).await;
    assert_eq!(seen.header("access-control-allow-headers"), "");
}

#[tokio::test]
async fn other_options_requests_go_on() {
    let stage = stage(json!({"origins": ["https://a.com"]})).await;
    let seen = stage.ask(Method::OPTIONS, "/", &[("origin", "https://a.com")]).await;
    assert_eq!((seen.targets.len(), seen.header(ALLOW)), (1, "https://a.com"));
    let seen = stage.ask(Method::OPTIONS, "/", &[("access-control-request-method", "GET")]).await;
    assert_eq!(seen.targets.len(), 1);
}

#[test]
fn what_would_let_anybody_act_for_a_user_is_refused() {
    for (origin, path) in [
        (json!("*"), "origins[1]"),
        (json!("null"), "origins[1]"),
        (json!({"regex": "https?://.*"}), "origins[1].regex"),
    ] {
        let spec = json!({"origins": ["https://a.com", origin], "credentials": true});
        let problem = problem(spec);
        assert_eq!((problem.code, &*problem.path), ("unsafe_cors", path));
    }
    let spec = json!({"origins": ["https://a"], "credentials": true, "exposed_headers": ["*"]});
    assert_eq!(problem(spec).path, "exposed_headers");
    assert_eq!(problem(json!({"origins": []})).path, "origins");
    assert_eq!(problem(json!({"origins": ["*"], "methods": []})).path, "methods");
    for bad in [json!({}), json!({"origins": ["a.com"]}), json!({"origins": [{"regex": "("}]})] {
        assert_eq!(problem(bad).code, "bad_value");
    }
}
