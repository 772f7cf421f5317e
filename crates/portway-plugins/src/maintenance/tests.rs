use std::time::{Duration, UNIX_EPOCH};

use http::Method;
use portway_testkit::plugin::Stage;
use serde_json::{Value, json};

use super::{Maintenance, MaintenanceSpec, schedule::Schedule};

/// How many seconds of maintenance are left at these times, in seconds since 1970.
#[expect(clippy::needless_pass_by_value, reason = "specs are written where they are checked")]
fn check(spec: Value, times: &[(u64, Option<u64>)]) {
    let read: MaintenanceSpec = serde_json::from_value(spec.clone()).expect("the spec is good");
    let schedule = Schedule::new(&read.hours, read.utc_offset).expect("the hours are good");
    let schedule = schedule.expect("there are hours");
    for (time, left) in times {
        let remaining = schedule.remaining(UNIX_EPOCH + Duration::from_secs(*time));
        assert_eq!(remaining.map(|left| left.as_secs()), *left, "{time} {spec}");
    }
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Monday, 5 January 1970, 00:00 UTC.
const MONDAY: u64 = 4 * DAY;

#[test]
fn hours_may_cross_midnight() {
    check(
        json!({"hours": [{"from": "22:00", "to": "06:00"}]}),
        &[
            (MONDAY + 22 * HOUR - 1, None),
            (MONDAY + 22 * HOUR, Some(8 * HOUR)),
            (MONDAY + 24 * HOUR, Some(6 * HOUR)),
            (MONDAY + 30 * HOUR - 1, Some(1)),
            (MONDAY + 30 * HOUR, None),
            (0, Some(6 * HOUR)),
        ],
    );
    check(
        json!({"hours": [{"from": "09:30", "to": "10:00"}]}),
        &[
            (MONDAY + 9 * HOUR, None),
            (MONDAY + 9 * HOUR + 1800, Some(1800)),
            (MONDAY + 10 * HOUR, None),
        ],
    );
}

#[test]
fn days_are_those_on_which_it_begins() {
    check(
        json!({"hours": [{"from": "22:00", "to": "06:00", "days": ["mon", "thu"]}]}),
        &[
            (MONDAY + HOUR, None),
            (MONDAY + 23 * HOUR, Some(7 * HOUR)),
            (MONDAY + DAY + HOUR, Some(5 * HOUR)),
            (MONDAY + DAY + 23 * HOUR, None),
            (MONDAY + 3 * DAY + 23 * HOUR, Some(7 * HOUR)),
            (MONDAY + 7 * DAY + 23 * HOUR, Some(7 * HOUR)),
        ],
    );
    check(
        json!({"hours": [{"from": "00:00", "to": "24:00", "days": ["sat", "sun"]}]}),
        &[
            (MONDAY + 5 * DAY - 1, None),
            // Two days without a break.
            (MONDAY + 5 * DAY, Some(2 * DAY)),
            (MONDAY + 7 * DAY - 1, Some(1)),
            (MONDAY + 7 * DAY, None),
        ],
    );
}

#[test]
fn the_clock_is_the_one_of_the_offset() {
    let spec = |offset: &str| json!({"hours": [{"from": "22:00", "to": "02:00", "days": ["mon"]}], "utc_offset": offset});
    check(
        spec("+08:00"),
        &[
            (MONDAY + 14 * HOUR - 1, None),
            (MONDAY + 14 * HOUR, Some(4 * HOUR)),
            (MONDAY + 18 * HOUR, None),
        ],
    );
    check(
        spec("-03:30"),
        &[
            (MONDAY + 25 * HOUR, None),
            (MONDAY + 25 * HOUR + 1800, Some(4 * HOUR)),
            (MONDAY + 29 * HOUR + 1800, None),
        ],
    );
    // Before 1970, by the clock on the wall.
    check(
        json!({"hours": [{"from": "23:00", "to": "24:00"}], "utc_offset": "-01:00"}),
        &[(0, Some(HOUR))],
    );
}

#[test]
fn hours_that_meet_are_one_and_some_never_end() {
    let night = json!([{"from": "22:00", "to": "24:00"}, {"from": "00:00", "to": "06:00"},
        {"from": "05:00", "to": "07:00"}]);
    check(json!({"hours": night}), &[(MONDAY + 23 * HOUR, Some(8 * HOUR))]);
    let always =
        json!({"hours": [{"from": "12:00", "to": "11:59"}, {"from": "11:00", "to": "13:00"}]});
    check(always.clone(), &[(MONDAY + 13 * HOUR, Some(14 * DAY + 23 * HOUR - 60))]);
}

async fn stage(spec: Value) -> Stage {
    Stage::of::<Maintenance>(spec).await.expect("the spec is good")
}

#[tokio::test]
async fn browsers_get_a_page_and_others_an_error() {
    let stage = stage(json!({"title": "Back <soon>", "message": "We & \"you\"", "status": 500,
        "retry_after": "90s"}))
    .await;
    let mut seen = stage.ask(Method::GET, "/", &[("accept", "text/html,*/*;q=0.8")]).await;
    assert_eq!((seen.status(), seen.header("content-type")), (500, "text/html; charset=utf-8"));
    assert_eq!((seen.header("retry-after"), seen.header("cache-control")), ("90", "no-store"));
    let page = seen.text().await;
    assert!(page.contains("<title>Back &lt;soon&gt;</title>"), "{page}");
    assert!(page.contains("<p>We &amp; &quot;you&quot;</p>"), "{page}");
    for accept in ["application/json", "*/*", "application/grpc"] {
        let seen = stage.ask(Method::GET, "/", &[("accept", accept)]).await;
        assert_eq!((seen.status(), seen.code()), (500, "maintenance"));
        assert_eq!(seen.result.as_ref().unwrap_err().message(), "We & \"you\"");
        assert_eq!((seen.header("retry-after"), seen.header("cache-control")), ("90", "no-store"));
        assert!(seen.target().is_none());
    }
}

#[tokio::test]
async fn without_more_it_is_503_and_no_word_of_when() {
    let seen = stage(json!({})).await.get("/").await;
    assert_eq!((seen.status(), seen.header("retry-after")), (503, ""));
}

#[tokio::test]
async fn outside_the_hours_requests_are_served() {
    // By the wall clock: an hour that is far off, and two that are under way.
    let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let minute = |ahead: u64| {
        let of_day = (now / 60 + ahead) % (24 * 60);
        format!("{:02}:{:02}", of_day / 60, of_day % 60)
    };
    let later = json!({"hours": [{"from": minute(600), "to": minute(660)}]});
    assert_eq!(stage(later).await.get("/").await.status(), 200);
    let around = json!({"hours": [{"from": minute(1380), "to": minute(60)}]});
    let seen = stage(around).await.get("/").await;
    let wait: u64 = seen.header("retry-after").parse().unwrap();
    assert!(seen.status() == 503 && (3400..=3600).contains(&wait), "{wait}");
}

#[tokio::test]
async fn some_are_served_all_the_same() {
    let mut stage = stage(json!({"exclude": ["10.0.0.0/8", "fd00::/8"]})).await;
    for (client, status) in
        [("10.0.0.1", 200), ("::ffff:10.0.0.1", 200), ("fd00::1", 200), ("192.0.2.1", 503)]
    {
        stage.known.client = Some(client.parse().unwrap());
        assert_eq!(stage.get("/").await.status(), status, "{client}");
    }
}

#[tokio::test]
async fn clients_may_be_sent_elsewhere() {
    for (target, served) in [
        ("https://status.example.com/?a=b", None),
        ("/maintenance.html?lang=en", Some("/maintenance.html")),
    ] {
        let stage = stage(json!({"redirect": target, "retry_after": "1m"})).await;
        let seen = stage.get("/shop").await;
        assert_eq!((seen.status(), seen.header("location")), (307, target));
        assert_eq!(seen.header("retry-after"), "60");
        if let Some(path) = served {
            assert_eq!(stage.get(path).await.status(), 200);
        }
    }
}

#[tokio::test]
async fn nonsense_is_refused() {
    for (spec, path) in [
        (json!({"hours": [{"from": "06:00", "to": "06:00"}]}), "hours[0]"),
        (
            json!({"hours": [{"from": "01:00", "to": "02:00"}, {"from": "24:00", "to": "01:00"}]}),
            "hours[1]",
        ),
        (json!({"hours": [{"from": "01:00", "to": "02:00"}], "retry_after": "1s"}), "retry_after"),
        (json!({"redirect": "//evil.example"}), "redirect"),
        (json!({"redirect": "/\\evil.example"}), "redirect"),
        (json!({"redirect": "javascript:alert(1)"}), "redirect"),
        (json!({"redirect": "https://a.example/\r\nX: y"}), "redirect"),
        (json!({"redirect": "page"}), "redirect"),
        (json!({"status": 200}), ""),
        (json!({"utc_offset": "Europe/Rome"}), ""),
        (json!({"hours": [{"from": "22", "to": "23:00"}]}), ""),
        (json!({"hours": [{"from": "22:00", "to": "23:00", "days": ["funday"]}]}), ""),
    ] {
        let problem = Stage::of::<Maintenance>(spec.clone()).await.unwrap_err();
        assert_eq!((problem.code, problem.path.as_str()), ("bad_value", path), "{spec}");
    }
}
