//! From attachments to chains.

use std::{collections::HashMap, fmt, sync::Arc};

use portway_config::{Checked, Config, InstanceId, Listener, Route, Service, Step, Way};

use super::{Instances, Running, condition::Condition};

/// The plugins on one way through the gateway, the outermost first.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) links: Box<[Arc<Link>]>,
}

/// One plugin where it is attached.
#[derive(Debug)]
pub(crate) struct Link {
    /// What metrics and logs call it.
    pub(crate) called: Box<str>,
    pub(crate) running: Arc<Running>,
    /// The requests it is for; `None` is all.
    pub(crate) when: Option<Condition>,
    /// Whether it only reports what it would do.
    pub(crate) dry_run: bool,
}

/// Makes the chains of one revision. Equal ones are made once.
pub(crate) struct Chains<'a> {
    config: &'a Checked<Config>,
    instances: &'a Instances,
    /// Listeners that have plugins of their own are told apart; all others are alike.
    classes: Vec<Option<&'a Listener>>,
    links: HashMap<(InstanceId, String), Arc<Link>>,
    chains: HashMap<Vec<*const Link>, Arc<Chain>>,
    /// Whether anything is attached anywhere.
    any: bool,
}

impl<'a> Chains<'a> {
    pub(crate) fn new(config: &'a Checked<Config>, instances: &'a Instances) -> Self {
        let with_plugins = config.listeners.iter().filter(|one| !one.plugins.is_empty());
        let classes = std::iter::once(None).chain(with_plugins.map(Some)).collect();
        let any = !config.plugs().is_empty();
        Self { config, instances, classes, links: HashMap::new(), chains: HashMap::new(), any }
    }

    /// The class of a listener: where its chains stand among those of a route.
    pub(crate) fn class(&self, listener: &Listener) -> usize {
        let is = |class: &Option<&Listener>| class.is_some_and(|one| std::ptr::eq(one, listener));
        self.classes.iter().position(is).unwrap_or_default()
    }

    /// The chains for requests that no route takes, by class. Empty without any.
    pub(crate) fn unmatched(&mut self) -> Box<[Option<Arc<Chain>>]> {
        self.ways(&[(None, None)])
    }

    /// The chains of a route, by class and then by destination. Empty without any.
    pub(crate) fn of_route(
        &mut self,
        route: &'a Route,
        services: &[&'a Service],
    ) -> Box<[Option<Arc<Chain>>]> {
        if services.is_empty() {
            return self.ways(&[(Some(route), None)]);
        }
        let ways: Vec<_> = services.iter().map(|service| (Some(route), Some(*service))).collect();
        self.ways(&ways)
    }

    /// The chains of a service's endpoints, by their numbers. Empty without any.
    pub(crate) fn of_endpoints(&mut self, service: &'a Service) -> Box<[Option<Arc<Chain>>]> {
        if !has_endpoint_plugins(service) {
            return Box::default();
        }
        let numbers = 0..service.endpoints.len();
        numbers
            .map(|number| {
                let level = service.endpoint_level(number);
                let way = Way { service: Some(service), endpoint: Some(number), ..Way::default() };
                let config: &'a Config = self.config;
                let steps = config.chain(way);
                let inner = steps.iter().filter(|step| step.level == level);
                let links: Vec<_> = inner.filter_map(|step| self.link(step)).collect();
                self.shared(links)
            })
            .collect()
    }

    fn ways(
        &mut self,
        ways: &[(Option<&'a Route>, Option<&'a Service>)],
    ) -> Box<[Option<Arc<Chain>>]> {
        if !self.any {
            return Box::default();
        }
        let mut chains = Vec::with_capacity(self.classes.len() * ways.len());
        for listener in self.classes.clone() {
            for (route, service) in ways {
                let way = Way { listener, service: *service, route: *route, endpoint: None };
                chains.push(self.chain(way));
            }
        }
        if chains.iter().all(Option::is_none) { Box::default() } else { chains.into() }
    }

    fn chain(&mut self, way: Way<'a>) -> Option<Arc<Chain>> {
        let config: &'a Config = self.config;
        let links: Vec<_> = config.chain(way).iter().filter_map(|step| self.link(step)).collect();
        // The end of a chain is where endpoints are chosen.
        if links.is_empty() && way.service.is_some_and(has_endpoint_plugins) {
            return Some(Arc::new(Chain { links: Box::default() }));
        }
        self.shared(links)
    }

    fn shared(&mut self, links: Vec<Arc<Link>>) -> Option<Arc<Chain>> {
        if links.is_empty() {
            return None;
        }
        let key = links.iter().map(Arc::as_ptr).collect();
        let make = || Arc::new(Chain { links: links.into() });
        Some(Arc::clone(self.chains.entry(key).or_insert_with(make)))
    }

    fn link(&mut self, step: &Step<'_>) -> Option<Arc<Link>> {
        // A shared instance may be attached in several ways.
        let said = format!("{} {:?}", step.level, step.attachment);
        let key = (step.id.clone(), said);
        if let Some(link) = self.links.get(&key) {
            return Some(Arc::clone(link));
        }
        let link = Arc::new(Link {
            called: step.called.clone(),
            running: Arc::clone(self.instances.get(&step.id)?),
            when: step.attachment.when.as_deref().map(Condition::new),
            dry_run: step.attachment.dry_run,
        });
        self.links.insert(key, Arc::clone(&link));
        Some(link)
    }
}

impl fmt::Debug for Chains<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chains").field("chains", &self.chains.len()).finish_non_exhaustive()
    }
}

fn has_endpoint_plugins(service: &Service) -> bool {
    service.endpoints.iter().any(|endpoint| !endpoint.plugins.is_empty())
}
