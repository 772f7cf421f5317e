//! The same numbers by route, for people who look at them while they change.

use super::{ADMIN, NO_ROUTE, gateway::Metrics, scrape::Totals};

/// What was counted since the start. Rates are the difference of two of these.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// By route and service, without what the admin API was asked.
    pub routes: Vec<RouteTraffic>,
    /// Connections of clients that are open.
    pub connections: i64,
    /// Requests under way.
    pub in_flight: i64,
}

/// What was counted for one route towards one service.
#[derive(Clone, Debug)]
pub struct RouteTraffic {
    /// The route; `None` for requests that no route took.
    pub route: Option<Box<str>>,
    /// The service; `None` where there is none.
    pub service: Option<Box<str>>,
    /// Requests that are over.
    pub requests: u64,
    /// Those that were answered with a status of 500 or above.
    pub errors: u64,
    /// The bytes of request bodies.
    pub bytes_in: u64,
    /// The bytes of answers' bodies.
    pub bytes_out: u64,
    /// How long half of the requests took at most, in seconds, as far as the buckets tell.
    pub p50: Option<f64>,
    /// How long 99 of 100 took at most.
    pub p99: Option<f64>,
}

impl Metrics {
    /// What was counted, by route.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        let totals = Totals::of(&self.cores());
        let named = |name: &str| (name != NO_ROUTE).then(|| name.into());
        let routes = totals.routes.iter().filter(|([route, _], _)| **route != *ADMIN);
        let routes = routes.map(|([route, service], total)| RouteTraffic {
            route: named(route),
            service: named(service),
            requests: total.outcomes.values().sum(),
            errors: total
                .outcomes
                .iter()
                .filter(|((_, status), _)| *status >= 500)
                .map(|(_, count)| count)
                .sum(),
            bytes_in: total.bytes_in,
            bytes_out: total.bytes_out,
            p50: total.total.quantile(0.5),
            p99: total.total.quantile(0.99),
        });
        Traffic {
            routes: routes.collect(),
            connections: totals.listeners.values().map(|one| one.open).sum(),
            in_flight: totals.in_flight,
        }
    }
}
