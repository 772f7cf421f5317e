use std::{collections::HashMap, sync::Arc, time::Duration};

use http::{HeaderValue, Method, StatusCode};
use portway_plugin::{Body, Consumer, Error, Exchange};
use portway_testkit::plugin::{Known, Seen, Stage};
use serde_json::{Value, json};

use super::{Algorithm, RateLimit, limit::Limit, store::Store};
use crate::keys::{Key, KeySpec, Keys};

async fn stage(spec: Value) -> Stage {
    Stage::of::<RateLimit>(spec).await.expect("the spec is good")
}

/// After each wait in milliseconds a request, and whether it passes.
async fn check(spec: Value, traffic: &[(u64, bool)]) {
    let stage = stage(spec.clone()).await;
    for (at, (wait, passes)) in traffic.iter().enumerate() {
        tokio::time::advance(Duration::from_millis(*wait)).await;
        let seen = stage.get("/").await;
        assert_eq!(seen.status() == 200, *passes, "request {at} of {spec}");
        assert_eq!(seen.targets.len(), usize::from(*passes), "request {at} of {spec}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quota_fills_evenly_or_with_the_window() {
    let gcra = |limits: Value| json!({"limits": limits});
    check(
        gcra(json!(["2/1s"])),
        &[
            (0, true),
            (0, true),
            (0, false),
            (499, false),
            (1, true),
            (0, false),
            (500, true),
            (60_000, true),
            (0, true),
            (0, false),
        ],
    )
    .await;
    // A third of a second is no whole number of nanoseconds.
    check(
        gcra(json!(["3/1s"])),
        &[(0, true), (0, true), (0, true), (0, false), (333, false), (1, true), (0, false)],
    )
    .await;
    let sliding = |limits: Value| json!({"limits": limits, "algorithm": "sliding_window"});
    check(
        sliding(json!(["2/1s"])),
        &[
            (0, true),
            (600, true),
            (399, false),
            (1, true),
            (0, false),
            (599, false),
            (1, true),
            (60_000, true),
            (0, true),
            (0, false),
        ],
    )
    .await;
    // Two that came close together are forgotten together.
    check(sliding(json!(["2/1s"])), &[(0, true), (60, true), (999, false), (1, true)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_counts_in_all_limits_or_in_none() {
    for algorithm in ["gcra", "sliding_window"] {
        let spec = json!({"limits": ["1/1s", "3/1h"], "algorithm": algorithm});
        check(
            spec,
            &[
                (0, true),
                (0, false),
                (0, false),
                (1000, true),
                (0, false),
                (1000, true),
                (1000, false),
                (10_000, false),
            ],
        )
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_how_long_to_wait() {
    for (spec, waits) in [
        (json!({"limits": ["2/1m"]}), [(0, "30"), (29_500, "1"), (499, "1")]),
        (
            json!({"limits": ["2/1m"], "algorithm": "sliding_window"}),
            [(0, "60"), (29_500, "31"), (30_499, "1")],
        ),
    ] {
        let stage = stage(spec).await;
        for _ in 0..2 {
            assert_eq!(stage.get("/").await.status(), 200);
        }
        for (time, wait) in waits {
            tokio::time::advance(Duration::from_millis(time)).await;
            let seen = stage.get("/").await;
            assert_eq!((seen.status(), seen.code()), (429, "rate_limited"));
            assert_eq!(seen.header("retry-after"), wait);
        }
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(stage.get("/").await.status(), 200);
    }
}

fn all(seen: &Seen) -> HashMap<String, String> {
    let text = |value: &HeaderValue| value.to_str().expect("text").to_owned();
    seen.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

#[tokio::test(start_paused = true)]
async fn answers_say_where_the_client_stands() {
    let draft: &[(&str, &str)] = &[
        ("ratelimit-policy", "\"10s\";q=4;w=10, \"1m\";q=9;w=60, \"500ms\";q=2"),
        ("ratelimit", "\"10s\";r=3;t=3, \"1m\";r=8;t=7, \"500ms\";r=1;t=1"),
    ];
    let legacy: &[(&str, &str)] =
        &[("x-ratelimit-limit", "2"), ("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "1")];
    for (headers, expected) in [
        ("draft", draft.to_vec()),
        ("legacy", legacy.to_vec()),
        ("both", [draft, legacy].concat()),
        ("none", vec![]),
    ] {
        let limits = json!(["4/10s", "9/1m", "2/500ms"]);
        let stage = stage(json!({"limits": limits, "headers": headers})).await;
        let expected: HashMap<_, _> =
            expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(all(&stage.get("/").await), expected, "{headers}");
    }
    let stage = stage(json!({"limits": ["1/1m"], "headers": "both"})).await;
    stage.get("/").await;
    let seen = stage.get("/").await;
    assert_eq!(seen.header("ratelimit-policy"), "\"default\";q=1;w=60");
    assert_eq!(seen.header("ratelimit"), "\"default\";r=0;t=60");
    assert_eq!(seen.header("x-ratelimit-remaining"), "0");
    assert_eq!(seen.header("retry-after"), "60");
}

#[tokio::test(start_paused = true)]
async fn errors_and_what_is_said_further_in_are_told_too() {
    let stage = stage(json!({"limits": ["5/1m"], "headers": "both"})).await.target(|_| {
        let error = Error::upstream(StatusCode::BAD_GATEWAY, "upstream_connect", "no connection");
        let field = |name: &'static str| http::HeaderName::from_static(name);
        Err(error
            .with_header(field("ratelimit"), HeaderValue::from_static("\"inner\";r=1;t=1"))
            .with_header(field("x-ratelimit-remaining"), HeaderValue::from_static("1"))
            .with_header(field("x-ratelimit-limit"), HeaderValue::from_static("2")))
    });
    let seen = stage.get("/").await;
    assert_eq!(seen.status(), 502);
    let lines: Vec<_> = seen.headers().get_all("ratelimit").iter().collect();
    assert_eq!(lines, ["\"inner\";r=1;t=1", "\"default\";r=4;t=12"]);
    assert_eq!(seen.header("x-ratelimit-remaining"), "1");
    assert_eq!(seen.header("x-ratelimit-limit"), "2");
}

#[tokio::test(start_paused = true)]
async fn status_notes_and_keys_are_those_of_the_spec() {
    let spec = json!({"limits": ["1/1h"], "status": 503, "by": {"header": "x-key"},
        "missing": "pass"});
    let stage = stage(spec).await;
    let ask = async |key| stage.ask(Method::GET, "/", &[("x-key", key)]).await;
    let first = ask("a").await;
    assert_eq!(first.status(), 200);
    assert_eq!(
        first.notes.iter().map(|note| (&*note.key, &*note.value)).collect::<Vec<_>>(),
        [("rate-limit.remaining", "0")]
    );
    let second = ask("a").await;
    assert_eq!((second.status(), second.code()), (503, "rate_limited"));
    assert_eq!(&*second.notes[1].value, "1/1h");
    assert_eq!(ask("b").await.status(), 200);
    for _ in 0..3 {
        let passed = stage.get("/").await;
        assert_eq!((passed.status(), passed.header("ratelimit")), (200, ""));
    }
}

/// Case, slashes and queries of a path make no other key.
#[tokio::test(start_paused = true)]
async fn no_spelling_of_a_path_gets_around_it() {
    for by in ["client", "route", "service"] {
        let stage = stage(json!({"limits": ["1/1h"], "by": by})).await;
        assert_eq!(stage.get("/login").await.status(), 200);
        for path in ["/LOGIN", "/login/", "//login", "/login?x=1", "/%6cogin", "/a/../login"] {
            assert_eq!(stage.get(path).await.status(), 429, "{path} by {by}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_limits_of_a_consumer_take_the_place_of_the_plugins() {
    for (by, passing) in [("consumer", 3), ("client", 1)] {
        let stage = identified(json!({"limits": ["1/1h"], "by": by}), &["3/1h"]).await;
        for at in 0..5 {
            assert_eq!(stage.get("/").await.status() == 200, at < passing, "{at} by {by}");
        }
    }
    let stage = identified(json!({"limits": ["1/1h"], "by": "consumer"}), &[]).await;
    assert_eq!(stage.get("/").await.status(), 200);
    assert_eq!(stage.get("/").await.status(), 429);
}

/// A stage whose client is known, and may ask this often.
async fn identified(spec: Value, limits: &[&str]) -> Stage {
    let mut stage = stage(spec).await;
    let rate_limits = limits.iter().map(|limit| limit.parse().expect("a rate")).collect();
    stage.known.consumer = Some(Arc::new(Consumer { rate_limits, ..Consumer::named("alice") }));
    stage
}

/// Where there are as many as before, what is used stays used.
#[tokio::test(start_paused = true)]
async fn limits_of_a_consumer_that_change_apply_at_once() {
    let mut stage = identified(json!({"limits": ["1/1h"], "by": "consumer"}), &["1/1h"]).await;
    assert_eq!(stage.get("/").await.status(), 200);
    for (limits, passing) in [(vec!["2/1s"], 0), (vec!["5/1m", "6/1h"], 5), (vec![], 1)] {
        let rate_limits = limits.iter().map(|limit| limit.parse().expect("a rate")).collect();
        stage.known.consumer = Some(Arc::new(Consumer { rate_limits, ..Consumer::named("alice") }));
        for at in 0..passing + 1 {
            assert_eq!(stage.get("/").await.status() == 200, at < passing, "{at} {limits:?}");
        }
    }
}

fn limits(rates: &[&str]) -> Vec<Limit> {
    rates.iter().map(|rate| Limit::new(rate.parse().expect("a rate"))).collect()
}

/// Keys of so many clients.
fn clients(count: u32) -> Vec<Key> {
    let keys = Keys::new(serde_json::from_value::<KeySpec>(json!({})).expect("a spec"));
    let key = |client: u32| {
        let known = Known {
            client: Some(std::net::Ipv4Addr::from_bits(client).into()),
            ..Known::default()
        };
        let request = http::Request::new(Body::empty());
        keys.of(&request, &Exchange::new(&known)).expect("not refused").expect("counted")
    };
    (0..count).map(key).collect()
}

#[test]
fn no_more_pass_than_the_limit_over_all_threads() {
    for algorithm in [Algorithm::Gcra, Algorithm::SlidingWindow] {
        let (limits, keys) = (limits(&["1000/1h", "5000/24h"]), clients(3));
        let store = Store::new(algorithm, 100_000);
        let work = || {
            let asks = (0..3000).map(|at| store.ask(keys[at % keys.len()], &limits, 1));
            asks.filter(|verdict| verdict.passed).count()
        };
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(passed, 3 * 1000, "{algorithm:?}");
    }
}

#[test]
fn the_table_is_bounded_and_forgets_whole_quotas_first() {
    let (minutes, keys) = (limits(&["1/1m"]), clients(20_000));
    let minute = minutes[0].window;
    for max_keys in [1, 100, 1000] {
        let store = Store::new(Algorithm::Gcra, max_keys);
        for key in &keys {
            assert!(store.ask(*key, &minutes, 0).passed);
        }
        assert!(store.len() <= max_keys && store.len() > max_keys / 2, "{}", store.len());
        // A minute later all of them are worth nothing: nobody is forgotten too early.
        let forgot = |key: &Key| store.ask(*key, &minutes, minute).forgot;
        assert!(!keys[..max_keys.min(50)].iter().any(forgot), "{max_keys}");
    }
    // One who has to wait for long is not forgotten for those who do not.
    let store = Store::new(Algorithm::Gcra, 64);
    assert!(store.ask(keys[0], &limits(&["1/24h"]), 0).passed);
    for (at, key) in (0..).zip(&keys[1..]) {
        store.ask(*key, &minutes, at * 1_000_000);
    }
    assert!(!store.ask(keys[0], &limits(&["1/24h"]), 20_000 * 1_000_000).passed);
}

#[test]
fn a_table_does_not_grow_while_old_keys_can_be_reused() {
    let (limits, keys) = (limits(&["5/1s"]), clients(10_000));
    let store = Store::new(Algorithm::SlidingWindow, 100_000);
    for (at, key) in (0..).zip(&keys) {
        // A thousand in a second.
        assert!(store.ask(*key, &limits, at * 1_000_000).passed);
    }
    assert!(store.len() < 4000, "{}", store.len());
}

/// Whatever the traffic, no stretch as long as the window has more than the limit.
#[test]
fn a_sliding_window_is_never_exceeded() {
    let (limits, key) = (limits(&["50/1s"]), clients(1)[0]);
    let store = Store::new(Algorithm::SlidingWindow, 1);
    let (mut now, mut passed, mut seed) = (0_u64, Vec::new(), 1_u64);
    for _ in 0..20_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        now += seed >> 40;
        if store.ask(key, &limits, now).passed {
            passed.push(now);
        }
    }
    assert!(passed.len() > 2000, "{}", passed.len());
    assert!(passed.windows(51).all(|one| one[50] - one[0] >= 1_000_000_000));
    // And nearly the whole of it is given.
    let most = usize::try_from(now / 1_000_000_000).expect("a few") * 50;
    assert!(passed.len() * 100 > most * 85, "{} of {most}", passed.len());
}

#[tokio::test]
async fn nonsense_is_refused_with_its_path() {
    for (spec, path) in [
        (json!({"limits": []}), "limits"),
        (json!({"limits": ["1/1s", "2/1m", "3/1000ms"]}), "limits[2]"),
        (json!({"limits": ["1/1s"], "max_keys": 4_000_000_000_u32}), "max_keys"),
        (json!({"limits": ["0/1s"]}), ""),
        (json!({"limits": ["1/1s"], "max_keys": 0}), ""),
        (json!({"limits": ["1/1s"], "status": 200}), ""),
        (json!({"limits": ["1/1s"], "headers": "all"}), ""),
        (json!({"limits": ["1/1s"], "algorithm": "leaky"}), ""),
        (json!({}), ""),
    ] {
        let problem = Stage::of::<RateLimit>(spec.clone()).await.unwrap_err();
        assert_eq!((problem.code, problem.path.as_str()), ("bad_value", path), "{spec}");
    }
    let many: Vec<_> = (1..10).map(|seconds| format!("1/{seconds}s")).collect();
    assert!(Stage::of::<RateLimit>(json!({"limits": many})).await.is_err());
}
