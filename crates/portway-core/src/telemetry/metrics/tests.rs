//! Scrapes as a scraper reads them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use hashbrown::HashSet;
use http::Method;
use portway_plugin::Side;

use super::{
    catalog::{FAMILIES, Family, Kind},
    *,
};
use crate::telemetry::BuildInfo;

const BUILD: BuildInfo = BuildInfo {
    version: "1.2.3",
    commit: "c0ffee",
    build_time: "2026-11-21T04:19:32Z",
    rust: "1.95.0",
};

/// A gateway of two cores that has seen a little of everything.
fn busy() -> Metrics {
    let metrics = Metrics::new(BUILD);
    metrics.set_restgate(true);
    metrics.set_log_dropped(Arc::new(AtomicU64::new(4)));
    metrics.plugin_counter("limits", "keys_forgotten").add(2);
    let millis = Duration::from_millis;
    for status in [200, 200, 404] {
        let core = metrics.core();
        let route = core.route("get-account", "accounts");
        route.finished(&Method::GET, status, millis(3), Some(millis(2)), 0, 1000);
        route.finished(&Method::POST, 201, millis(70), Some(millis(60)), 500, 10);
        route.stream_cut();
        core.plugin("key-auth", "get-account").called(PluginOutcome::Refused, 1500);
        let canary = core.route("get-account", "canary");
        canary.finished(&Method::GET, 200, millis(1), Some(millis(1)), 0, 0);
        core.unmatched().finished(
            &Method::from_bytes(b"BREW").unwrap(),
            404,
            Duration::ZERO,
            None,
            0,
            0,
        );
        core.error("no_route", Side::Client);
        core.in_flight_add();
        core.in_flight_add();
        core.in_flight_sub();
        core.listener("web").opened();
        core.listener("web").refused(Refusal::NotTls);
        core.listener("dns").lost(DatagramLoss::QueueFull);
        core.stream("db", "postgres").finished(StreamEnd::Idle, millis(250), 70, 7);
        core.service("accounts").opened();
        core.service("accounts").retried();
    }
    // What was opened on one core is closed on another.
    let core = metrics.core();
    core.listener("web").closed();
    core.service("accounts").closed();
    let certificates = vec![("web", "shop.example", 1_795_234_772)];
    metrics.applied(7, &Named { certificates, ..Named::default() });
    metrics.rejected();
    metrics
}

/// Samples by name and labels, with the family each stands under.
fn parse(text: &str) -> BTreeMap<String, (String, f64)> {
    let mut family = String::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            kind.split_once(' ').unwrap().0.clone_into(&mut family);
        } else if !line.starts_with('#') {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let value = (family.clone(), value.parse().unwrap());
            assert!(samples.insert(sample.to_owned(), value).is_none(), "twice: {sample}");
        }
    }
    samples
}

fn value(samples: &BTreeMap<String, (String, f64)>, sample: &str) -> f64 {
    samples.get(sample).unwrap_or_else(|| panic!("no {sample}")).1
}

#[test]
fn cores_are_added_up() {
    let samples = parse(&busy().scrape(Form::Prometheus));
    for (sample, expected) in [
        (
            r#"portway_requests_total{route="get-account",service="accounts",method="GET",status="200"}"#,
            2.0,
        ),
        (
            r#"portway_requests_total{route="get-account",service="accounts",method="GET",status="404"}"#,
            1.0,
        ),
        (r#"portway_requests_total{route="-",service="-",method="other",status="404"}"#, 3.0),
        (r#"portway_request_duration_seconds_count{route="get-account",service="accounts"}"#, 6.0),
        (r#"portway_request_duration_seconds_sum{route="get-account",service="accounts"}"#, 0.219),
        (
            r#"portway_request_duration_seconds_bucket{route="get-account",service="accounts",le="0.005"}"#,
            3.0,
        ),
        (r#"portway_upstream_duration_seconds_sum{route="get-account",service="accounts"}"#, 0.186),
        (r#"portway_request_bytes_total{route="get-account",service="accounts"}"#, 1500.0),
        (r#"portway_response_bytes_total{route="get-account",service="accounts"}"#, 3030.0),
        (r#"portway_streams_cut_total{route="get-account"}"#, 3.0),
        ("portway_requests_in_flight", 3.0),
        (r#"portway_errors_total{code="no_route",side="client"}"#, 3.0),
        (r#"portway_connections{listener="web"}"#, 2.0),
        (r#"portway_connections_accepted_total{listener="web"}"#, 3.0),
        (r#"portway_connections_refused_total{listener="web",reason="not_tls"}"#, 3.0),
        (
            r#"portway_stream_connections_total{route="db",service="postgres",reason="idle_timeout"}"#,
            3.0,
        ),
        (r#"portway_stream_duration_seconds_sum{route="db",service="postgres"}"#, 0.75),
        (r#"portway_stream_received_bytes_total{route="db",service="postgres"}"#, 210.0),
        (r#"portway_stream_sent_bytes_total{route="db",service="postgres"}"#, 21.0),
        (r#"portway_datagrams_dropped_total{listener="dns",reason="queue_full"}"#, 3.0),
        (r#"portway_upstream_connections{service="accounts"}"#, 2.0),
        (r#"portway_upstream_connections_opened_total{service="accounts"}"#, 3.0),
        (r#"portway_retries_total{service="accounts"}"#, 3.0),
        ("portway_config_revision", 7.0),
        ("portway_config_last_reload_successful", 0.0),
        (r#"portway_config_reloads_total{outcome="applied"}"#, 1.0),
        (r#"portway_config_reloads_total{outcome="rejected"}"#, 1.0),
        ("portway_access_log_dropped_total", 0.0),
        ("portway_log_dropped_total", 4.0),
        (r#"portway_build_info{version="1.2.3",commit="c0ffee"}"#, 1.0),
        // Under RESTGate's names a route is one, whatever its services.
        (r#"restgate_requests_total{route="get-account",method="GET",status="200"}"#, 5.0),
        (r#"restgate_request_duration_seconds_count{route="get-account"}"#, 9.0),
    ] {
        assert!((value(&samples, sample) - expected).abs() < 1e-9, "{sample}");
    }
    let at = value(&samples, "portway_config_last_reload_timestamp_seconds");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!((now.as_secs_f64() - at).abs() < 60.0);
}

#[test]
fn a_route_that_forwards_nothing_has_no_upstream_time() {
    let text = busy().scrape(Form::Prometheus);
    assert!(!text.contains(r#"portway_upstream_duration_seconds_count{route="-""#));
    assert!(text.contains(r#"portway_request_duration_seconds_count{route="-""#));
}

#[test]
fn restgate_names_are_exported_only_when_asked_for() {
    let metrics = busy();
    metrics.set_restgate(false);
    assert!(!metrics.scrape(Form::Prometheus).contains("restgate_"));
}

/// The names of the labels of a sample.
fn labels(sample: &str) -> Vec<&str> {
    let Some((_, labels)) = sample.split_once('{') else { return Vec::new() };
    labels.split("\",").map(|label| label.split_once('=').unwrap().0).collect()
}

fn name_of(family: &Family, form: Form) -> &'static str {
    match form {
        Form::Prometheus => family.name,
        Form::OpenMetrics => family.name.strip_suffix("_total").unwrap_or(family.name),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_scrape_holds_what_the_catalogue_names_and_nothing_else() {
    for form in [Form::Prometheus, Form::OpenMetrics] {
        let text = busy().scrape(form);
        let samples = parse(&text);
        let mut seen = BTreeSet::new();
        for (sample, (family, _)) in &samples {
            let known = FAMILIES.iter().find(|known| name_of(known, form) == family).unwrap();
            let name = sample.split('{').next().unwrap();
            let mut names = labels(sample);
            if known.kind == Kind::Histogram {
                let part = name.strip_prefix(known.name).unwrap();
                assert!(["_bucket", "_sum", "_count"].contains(&part), "{sample}");
                if part == "_bucket" {
                    assert_eq!(names.pop(), Some("le"), "{sample}");
                }
            } else {
                assert_eq!(name, known.name, "{sample}");
            }
            assert_eq!(names, known.labels, "{sample}");
            seen.insert(known.name);
        }
        let all: BTreeSet<_> = FAMILIES.iter().map(|family| family.name).collect();
        assert_eq!(seen, all, "each has a sample");
        for family in FAMILIES {
            let name = name_of(family, form);
            let (help, kind) = (family.help, family.kind.as_str());
            let head = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
            assert_eq!(text.matches(&head).count(), 1, "{name}");
        }
        assert_eq!(text.ends_with("\n# EOF\n"), form == Form::OpenMetrics);
    }
}

#[test]
fn a_change_of_format_starts_no_new_series() {
    let metrics = busy();
    let names = |form| {
        let text = metrics.scrape(form);
        parse(&text).into_keys().collect::<Vec<_>>()
    };
    assert_eq!(names(Form::Prometheus), names(Form::OpenMetrics));
}

#[test]
fn a_route_that_left_keeps_its_last_value_for_the_scrapers() {
    let metrics = busy();
    let live = Named { routes: HashSet::from([["get-account", "accounts"]]), ..Named::default() };
    metrics.applied(8, &live);
    let samples = parse(&metrics.scrape(Form::Prometheus));
    let canary =
        r#"portway_requests_total{route="get-account",service="canary",method="GET",status="200"}"#;
    assert!((value(&samples, canary) - 3.0).abs() < 1e-9);
}

#[test]
fn a_counter_never_goes_back_while_cores_count() {
    let metrics = Metrics::default();
    const REQUESTS: u64 = 50_000;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let cells = metrics.core().route("r", "s");
            scope.spawn(move || {
                for _ in 0..REQUESTS {
                    cells.finished(&Method::GET, 200, Duration::from_micros(10), None, 1, 0);
                }
            });
        }
        let mut last = 0.0;
        while last < 2.0 * REQUESTS as f64 {
            let samples = parse(&metrics.scrape(Form::Prometheus));
            let count = samples
                .get(r#"portway_requests_total{route="r",service="s",method="GET",status="200"}"#)
                .map_or(0.0, |(_, count)| *count);
            assert!(count >= last);
            last = count;
        }
    });
}

#[test]
fn cells_share_no_cache_line_and_stay_small() {
    assert_eq!(align_of::<RouteCells>(), 128);
    assert_eq!(align_of::<CoreCells>(), 128);
    assert!(size_of::<RouteCells>() <= 640, "{} bytes", size_of::<RouteCells>());
}
