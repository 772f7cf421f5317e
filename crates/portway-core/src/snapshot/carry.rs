//! What of the previous revision stays as it is.

use std::sync::Arc;

use hashbrown::HashMap;
use portway_config::{Config, Listener, Route, Target, Walk, value::Name};

use super::{Plan, Snapshot};
use crate::upstream::Upstream;

type Key<'a> = (&'a Name, &'a Name);

/// The plans of the previous revision, while those of the new one are made.
pub(super) struct Carried<'a> {
    previous: &'a Snapshot,
    walk: Walk<'a, Route>,
    /// The routes before by their names, once somebody asks for one that is not where it is
    /// expected.
    by_name: Option<HashMap<Key<'a>, usize>>,
    /// Whether an upstream before is there as it was, under the same number.
    upstreams_stay: Box<[bool]>,
    /// Whether the plugins of wider levels are what they were.
    same_around: bool,
}

impl<'a> Carried<'a> {
    pub(super) fn new(
        previous: &'a Snapshot,
        config: &Config,
        upstreams: &[Arc<Upstream>],
    ) -> Self {
        let before = &previous.config;
        let (old, new) = (before.services.shared(), config.services.shared());
        let stays = |number: usize| {
            new.get(number).is_some_and(|new| Arc::ptr_eq(&old[number], new))
                && Arc::ptr_eq(&previous.upstreams[number], &upstreams[number])
        };
        let same_listeners = plugged(before).eq(plugged(config));
        Self {
            previous,
            walk: before.routes.walk(),
            by_name: None,
            upstreams_stay: (0..old.len()).map(stays).collect(),
            same_around: same_listeners
                && before.global_plugins == config.global_plugins
                && before.plugins == config.plugins,
        }
    }

    /// The plan that a route of this name had before, and whether it can stay as it is.
    pub(super) fn plan(&mut self, route: &Arc<Route>) -> Option<(&'a Arc<Plan>, bool)> {
        let plans = self.previous.plans.shared();
        let Some(number) = self.walk.find(route) else {
            return Some((&plans[self.named(route)?], false));
        };
        let plan = &plans[number];
        let to = plan.destinations();
        let stays = self.same_around
            // A service that was away may be back.
            && to.len() == services(route)
            && to.iter().all(|to| self.upstreams_stay[to.upstream]);
        Some((plan, stays))
    }

    /// The place of the route that had the name of this one.
    fn named(&mut self, route: &Route) -> Option<usize> {
        let routes = &self.previous.config.routes;
        let key = |route: &'a Route| (&route.meta.namespace, &route.meta.name);
        let wanted = (&route.meta.namespace, &route.meta.name);
        let expected = self.walk.expected();
        if routes.get(expected).is_some_and(|old| key(old) == wanted) {
            return Some(expected);
        }
        let by_name = || routes.iter().map(key).zip(0..).collect();
        self.by_name.get_or_insert_with(by_name).get(&wanted).copied()
    }
}

/// What listeners with plugins of their own do to chains.
fn plugged(config: &Config) -> impl Iterator<Item = (&Name, &Name, &[portway_config::Attached])> {
    let plugged = config.listeners.iter().filter(|one: &&Listener| !one.plugins.is_empty());
    plugged.map(|one| (&one.meta.namespace, &one.meta.name, &*one.plugins))
}

/// How many services a route names.
fn services(route: &Route) -> usize {
    match &route.target {
        Some(Target::Service(_)) => 1,
        Some(Target::Services(shares)) => shares.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use portway_config::{
        Catalog, Checked, Kind, Known, NoLookup, ResourceId, Resources, merge, resource,
        value::Name,
    };
    use tokio::runtime::Handle;

    use crate::{
        host::Outside,
        resolve::Resolver,
        server::Brought,
        snapshot::{ListenerId, Means, Snapshot, compile},
        telemetry::metrics::Metrics,
        tls,
    };

    /// Makes one revision after the other, and each of them once more from scratch.
    struct Gateway {
        resources: Resources,
        known: Known,
        snapshot: Option<Snapshot>,
    }

    impl Gateway {
        fn put(&mut self, kind: Kind, name: &str, text: &str) {
            let catalog = Catalog::default();
            let id = ResourceId { kind, namespace: Name::default(), name: name.parse().unwrap() };
            let one = resource(text, "body.json", &id, &NoLookup, &catalog).unwrap();
            self.resources.insert(one);
        }

        fn service(&mut self, name: &str, more: &str) {
            self.put(Kind::Service, name, &format!("{{\"url\": \"http://127.0.0.1:1\"{more}}}"));
        }

        fn route(&mut self, name: &str, path: &str, target: &str) {
            let target = format!("{{\"match\": {{\"path\": \"{path}\"}}, \"target\": {target}}}");
            self.put(Kind::Route, name, &target);
        }

        fn made(config: Checked<portway_config::Config>, previous: Option<&Snapshot>) -> Snapshot {
            let before = previous.map(|previous| (&*previous.config, &previous.tls));
            let tls = tls::prepare(&config, before).unwrap();
            let resolver = Resolver::new(&config.resolver, Handle::current());
            let outside = Outside::new(Handle::current(), Arc::new(Metrics::default()), 1);
            let (resolver, outside, brought) = (&resolver, &outside, &Brought::default());
            let means = Means { resolver, outside, brought };
            compile(config, 1, previous, means, tls, |_| ListenerId(1))
        }

        /// Goes over to what was put, and says which routes' plans were carried over.
        fn goes_on(&mut self) -> Vec<String> {
            let catalog = Catalog::default();
            let checked = |known: &Known| {
                let loaded = merge(&[&self.resources.loaded(&catalog)]).unwrap();
                loaded.check_knowing(known).unwrap()
            };
            let scratch = Self::made(checked(&Known::default()), None);
            let config = checked(&self.known);
            self.known = config.known().clone();
            let new = Self::made(config, self.snapshot.as_ref());
            assert_eq!(format!("{:?}", new.seats), format!("{:?}", scratch.seats));
            for (carried, fresh) in new.plans.iter().zip(&scratch.plans) {
                assert_eq!(format!("{carried:?}"), format!("{fresh:?}"));
            }
            let before = self.snapshot.iter().flat_map(|snapshot| snapshot.plans.shared());
            let before: Vec<_> = before.collect();
            let stays = |plan: &&Arc<super::Plan>| before.iter().any(|old| Arc::ptr_eq(old, plan));
            let carried = new.plans.shared().iter().filter(stays);
            let carried = carried.map(|plan| plan.route.to_string()).collect();
            self.snapshot = Some(new);
            carried
        }
    }

    #[tokio::test]
    async fn plans_stay_until_something_they_are_made_of_changes() {
        let mut gateway =
            Gateway { resources: Resources::default(), known: Known::default(), snapshot: None };
        gateway.service("s", "");
        gateway.service("t", "");
        gateway.route("a", "/a", "{\"service\": \"s\"}");
        gateway.route("b", "/b", "{\"services\": [{\"service\": \"s\"}, {\"service\": \"t\"}]}");
        gateway.route("c", "/c", "{\"reply\": {}}");
        gateway.route("d", "/d", "{\"service\": \"t\"}");
        assert!(gateway.goes_on().is_empty());
        assert_eq!(gateway.goes_on(), ["a", "b", "c", "d"]);
        gateway.route("b", "/B", "{\"service\": \"t\"}");
        assert_eq!(gateway.goes_on(), ["a", "c", "d"]);
        // All that follow move.
        gateway.route("aa", "/aa", "{\"reply\": {}}");
        assert_eq!(gateway.goes_on(), ["a", "b", "c", "d"]);
        gateway.service("t", ", \"timeouts\": {\"connect\": \"7s\"}");
        assert_eq!(gateway.goes_on(), ["a", "aa", "c"]);
        // One that is switched off leads nowhere, and the numbers of the others change.
        gateway.service("s", ", \"enabled\": false");
        assert_eq!(gateway.goes_on(), ["aa", "c"]);
        gateway.service("s", "");
        assert_eq!(gateway.goes_on(), ["aa", "c"]);
    }
}
