//! From counters to rates.

use std::{cmp::Reverse, collections::BTreeMap};

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::remote::{
    args::Sort,
    show::{items, text},
};

/// What the gateway had counted at a time.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) at: Instant,
    pub(super) data: Value,
}

/// The traffic of one route or service in between.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rate {
    pub(super) name: String,
    /// Where a route's requests go.
    pub(super) service: String,
    pub(super) requests: f64,
    pub(super) errors: f64,
    pub(super) in_flight: u64,
    /// In seconds; of a service, the longest of its routes'.
    pub(super) p50: Option<f64>,
    pub(super) p99: Option<f64>,
    pub(super) total: u64,
}

/// The traffic between two samples.
#[derive(Clone, Debug, Default)]
pub(super) struct Rates {
    pub(super) routes: Vec<Rate>,
    pub(super) services: Vec<Rate>,
}

impl Rates {
    pub(super) fn between(before: &Sample, now: &Sample) -> Self {
        let seconds = now.at.duration_since(before.at).as_secs_f64().max(0.001);
        let key =
            |one: &Value| (text(one, "/namespace"), text(one, "/route"), text(one, "/service"));
        let old: BTreeMap<_, _> =
            items(&before.data, "/routes").iter().map(|one| (key(one), one)).collect();
        let route = |one: &Value| {
            let rate = |counter: &str| {
                let count = |one: &Value| one[counter].as_u64().unwrap_or_default();
                let then = old.get(&key(one)).map_or(0, |one| count(one));
                // Counters begin anew with a gateway that was started again.
                let more = count(one).checked_sub(then).unwrap_or(count(one));
                #[expect(clippy::cast_precision_loss, reason = "a rate is no exact thing")]
                let more = more as f64;
                more / seconds
            };
            let (namespace, name, service) = key(one);
            let name = match namespace.as_str() {
                "" | "default" => name,
                other => format!("{other}/{name}"),
            };
            Rate {
                name: if name.is_empty() { "(no route)".to_owned() } else { name },
                service,
                requests: rate("requests"),
                errors: rate("errors"),
                in_flight: one["in_flight"].as_u64().unwrap_or_default(),
                p50: one["latency"]["p50"].as_f64(),
                p99: one["latency"]["p99"].as_f64(),
                total: one["requests"].as_u64().unwrap_or_default(),
            }
        };
        let routes = items(&now.data, "/routes").iter().map(route).collect::<Vec<_>>();
        let services = by_service(&routes);
        Self { routes, services }
    }

    pub(super) fn sort(&mut self, by: Sort) {
        for rates in [&mut self.routes, &mut self.services] {
            rates.sort_by(|a, b| {
                let first = match by {
                    Sort::Requests => b.requests.total_cmp(&a.requests),
                    Sort::Errors => b.errors.total_cmp(&a.errors),
                    Sort::Latency => {
                        b.p99.unwrap_or_default().total_cmp(&a.p99.unwrap_or_default())
                    }
                    Sort::Name => a.name.cmp(&b.name),
                };
                let busy = |rate: &Rate| Reverse(rate.total);
                first.then_with(|| busy(a).cmp(&busy(b))).then_with(|| a.name.cmp(&b.name))
            });
        }
    }

    pub(super) fn keep(&mut self, rows: Option<usize>) {
        if let Some(rows) = rows {
            self.routes.truncate(rows);
            self.services.truncate(rows);
        }
    }

    pub(super) fn json(&self) -> Value {
        let object = |kind: &str, rate: &Rate| {
            let mut object = json!({
                kind: rate.name,
                "requests_per_second": rate.requests,
                "errors_per_second": rate.errors,
                "in_flight": rate.in_flight,
                "latency": { "p50": rate.p50, "p99": rate.p99 },
                "requests": rate.total,
            });
            if kind == "route" {
                object["service"] = rate.service.as_str().into();
            }
            object
        };
        let all = |kind: &str, rates: &[Rate]| -> Value {
            rates.iter().map(|rate| object(kind, rate)).collect()
        };
        json!({ "routes": all("route", &self.routes), "services": all("service", &self.services) })
    }
}

fn by_service(routes: &[Rate]) -> Vec<Rate> {
    let mut services: BTreeMap<&str, Rate> = BTreeMap::new();
    for route in routes.iter().filter(|route| !route.service.is_empty()) {
        let service = services.entry(&route.service).or_default();
        service.name.clone_from(&route.service);
        service.requests += route.requests;
        service.errors += route.errors;
        service.in_flight += route.in_flight;
        service.total += route.total;
        let longest = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::max);
        service.p50 = longest(service.p50, route.p50);
        service.p99 = longest(service.p99, route.p99);
    }
    services.into_values().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn two_samples_are_rates() {
        let at = Instant::now();
        let route = |name: &str, requests: u64, errors: u64| {
            json!({ "route": name, "service": "svc", "requests": requests, "errors": errors,
                "in_flight": 1, "latency": { "p50": 0.001, "p99": 0.01 * f64::from(u32::try_from(requests).unwrap()) } })
        };
        let before = json!({ "routes": [route("a", 10, 0), route("b", 90, 5)] });
        let now = json!({ "routes": [route("a", 30, 4), route("b", 4, 0), route("c", 8, 0)] });
        let before = Sample { at, data: before };
        let now = Sample { at: at + Duration::from_secs(2), data: now };
        let mut rates = Rates::between(&before, &now);
        rates.sort(Sort::Requests);
        let shown = |rates: &[Rate]| {
            rates.iter().map(|one| (one.name.clone(), one.requests, one.errors)).collect::<Vec<_>>()
        };
        let name = |name: &str| name.to_owned();
        assert_eq!(
            shown(&rates.routes),
            [(name("a"), 10.0, 2.0), (name("c"), 4.0, 0.0), (name("b"), 2.0, 0.0)]
        );
        assert_eq!(shown(&rates.services), [(name("svc"), 16.0, 2.0)]);
        assert_eq!(rates.services[0].p99, Some(0.3));
        rates.sort(Sort::Name);
        rates.keep(Some(1));
        assert_eq!(rates.json()["routes"][0]["route"], "a");
        assert_eq!(rates.json()["routes"].as_array().unwrap().len(), 1);
    }
}
