use std::time::Duration;

use portway_testkit::plugin::Stage;
use serde_json::json;
use tokio::time::Instant;

use super::FaultInjection;

#[tokio::test(start_paused = true)]
async fn requests_wait_and_fail_as_the_spec_says() {
    for (spec, waits, status, sent) in [
        (json!({"delay": "2s"}), 2000, 200, true),
        (json!({"abort": 503}), 0, 503, false),
        (json!({"delay": "500ms", "abort": 404}), 500, 404, false),
        (json!({"delay": "2s", "delay_percent": 0}), 0, 200, true),
        (json!({"delay": "2s", "delay_percent": 100}), 2000, 200, true),
        (json!({"abort": 503, "abort_percent": 0}), 0, 200, true),
    ] {
        let stage = Stage::of::<FaultInjection>(spec.clone()).await.expect("the spec is good");
        let began = Instant::now();
        let seen = stage.get("/").await;
        // The timer of the runtime is one of milliseconds.
        let late = began.elapsed().checked_sub(Duration::from_millis(waits)).expect("not early");
        assert!(late < Duration::from_millis(5), "{late:?} {spec}");
        assert_eq!((seen.status(), seen.target().is_some()), (status, sent), "{spec}");
        assert_eq!(seen.code(), if sent { "" } else { "fault_injected" });
        let noted = |key: &str| seen.notes.iter().any(|note| *note.key == *key);
        assert_eq!(noted("fault-injection.delay"), waits > 0, "{spec}");
        assert_eq!(noted("fault-injection.abort"), !sent, "{spec}");
    }
}

#[tokio::test]
async fn a_body_takes_the_place_of_the_error() {
    let spec = json!({"abort": 500, "body": "on fire"});
    let mut seen = Stage::of::<FaultInjection>(spec).await.unwrap().get("/").await;
    assert_eq!(seen.status(), 500);
    assert_eq!(seen.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(seen.text().await, "on fire");
}

#[tokio::test(start_paused = true)]
async fn a_share_of_the_requests_is_hit() {
    let spec = json!({"delay": "1s", "delay_percent": 50, "abort": 503, "abort_percent": 20});
    let stage = Stage::of::<FaultInjection>(spec).await.unwrap();
    let (mut delayed, mut failed, mut both) = (0, 0, 0);
    for _ in 0..2000 {
        let began = Instant::now();
        let fails = stage.get("/").await.status() == 503;
        let waits = began.elapsed() >= Duration::from_secs(1);
        delayed += i32::from(waits);
        failed += i32::from(fails);
        both += i32::from(waits && fails);
    }
    assert!((900..1100).contains(&delayed), "{delayed}");
    assert!((300..500).contains(&failed), "{failed}");
    // Each is drawn for itself.
    assert!((100..300).contains(&both), "{both}");
}

#[tokio::test]
async fn nonsense_is_refused() {
    for spec in [
        json!({}),
        json!({"delay": "0"}),
        json!({"body": "x", "delay": "1s"}),
        json!({"abort": 200}),
        json!({"abort": 503, "abort_percent": 101}),
        json!({"delay": "1s", "delay_percent": -1}),
        json!({"delay": 2}),
    ] {
        assert!(Stage::of::<FaultInjection>(spec.clone()).await.is_err(), "{spec}");
    }
}
