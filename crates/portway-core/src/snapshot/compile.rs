//! From a checked configuration to a snapshot. CPU work only; what is equal is carried over.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use portway_config::{
    Balance, Checked, Config, Listener, ListenerProtocol, Reply, Route, Target, Timeouts,
    value::{ByteSize, Name, Weight},
};

use super::{
    Action, Destination, Life, ListenerId, ListenerPlan, Namespaces, Plan, Snapshot, StreamRoutes,
    consumers::consumers,
};
use crate::{
    balance::Picker,
    chain::{Chains, Instances},
    files::Files,
    host::Outside,
    reply::ReplyTemplate,
    resolve::Resolver,
    route::{Entry, Router},
    tls,
    upstream::Upstream,
};

/// How long a UDP session may be quiet where nothing is said about it.
const UDP_IDLE: Duration = Duration::from_secs(30);

type Key<'a> = (&'a Name, &'a Name);

/// Compiles `config` as revision `revision`. Upstreams whose service did not change, and the lives
/// of routes and listeners that stay, come from `previous`. `tls` was prepared for the same
/// configuration; `listener_id` numbers the listeners.
pub(crate) fn compile(
    config: Checked<Config>,
    revision: u64,
    previous: Option<&Snapshot>,
    resolver: &Resolver,
    tls: tls::Prepared,
    outside: &Arc<Outside>,
    mut listener_id: impl FnMut(&Listener) -> ListenerId,
) -> Snapshot {
    let instances =
        Instances::new(config.plugs(), previous.map(|previous| &previous.instances), outside);
    let mut chains = Chains::new(&config, &instances);
    let unmatched = chains.unmatched();
    let upstreams = upstreams(&config, previous, resolver, &tls);
    let numbers: HashMap<Key<'_>, usize> = config
        .services
        .iter()
        .enumerate()
        .map(|(number, service)| ((&service.meta.namespace, &service.meta.name), number))
        .collect();
    let lives = previous.map(route_lives).unwrap_or_default();
    let (mut cells, mut chain_cells) = (0, unmatched.len());
    let plans = config
        .routes
        .iter()
        .map(|route| {
            let key = (&route.meta.namespace, &route.meta.name);
            let life =
                lives.get(&key).map_or_else(|| Arc::new(Life::new()), |life| Arc::clone(life));
            let mut plan = plan(route, &config, &numbers, life, cells);
            cells += plan.destinations().len().max(1);
            chain_cells = surround(&mut plan, route, &config, &mut chains, chain_cells);
            plan
        })
        .collect();
    let listeners: Box<[_]> = config
        .listeners
        .iter()
        .zip(&tls.listeners)
        .map(|(listener, tls)| {
            let id = listener_id(listener);
            let life = previous
                .and_then(|previous| previous.listener(id))
                .map_or_else(|| Arc::new(Life::new()), |listener| Arc::clone(&listener.life));
            ListenerPlan::new(listener, id, life, tls.clone(), chains.class(listener))
        })
        .collect();
    let leaving = previous.map(|previous| leaving(previous, &listeners)).unwrap_or_default();
    let streams = StreamRoutes::build(&config.routes, &listeners, config.tells_namespaces_apart());
    let router = router(&config, previous);
    let namespaces = Namespaces::new(&config, &router);
    let consumers = consumers(&config);
    let tells_of_consumers = !consumers.is_empty() || !config.plugs().is_empty();
    Snapshot {
        tells_of_consumers,
        revision,
        instances,
        unmatched,
        consumers,
        chain_cells,
        router,
        namespaces,
        streams,
        plans,
        upstreams,
        tls,
        listeners,
        leaving,
        cells,
        config,
    }
}

/// The matches of all routes for requests. Those of hosts that nothing has changed are shared with
/// the previous revision.
fn router(config: &Config, previous: Option<&Snapshot>) -> Router {
    let apart = config.tells_namespaces_apart();
    let requests = config.routes.iter().zip(0_u32..);
    let requests = requests.filter(|(route, _)| route.protocol == ListenerProtocol::Http);
    let entries = requests.map(|(route, id)| entry(route, id, apart));
    let previous = previous.map(|previous| {
        let was = |id: u32| entry(&previous.config.routes[id as usize], id, apart);
        (&previous.router, was)
    });
    Router::build_after(entries, previous)
}

fn entry(route: &Route, id: u32, apart: bool) -> Entry<'_> {
    Entry {
        id,
        namespace: apart.then_some(&route.meta.namespace),
        priority: route.priority,
        listeners: &route.listeners,
        matches: route.matches.as_slice(),
    }
}

/// Puts plugins around a plan and its endpoints. `cells` is where their counters begin; returns where
/// those of the next plan do.
fn surround<'a>(
    plan: &mut Plan,
    route: &'a Route,
    config: &'a Config,
    chains: &mut Chains<'a>,
    mut cells: usize,
) -> usize {
    let services: Vec<_> =
        plan.destinations().iter().map(|to| &config.services[to.upstream]).collect();
    for (to, service) in plan.destinations_mut().iter_mut().zip(&services) {
        to.endpoints = chains.of_endpoints(service);
        to.endpoint_cells = cells;
        cells += to.endpoints.len();
    }
    plan.chains = chains.of_route(route, &services);
    plan.chain_cells = cells;
    cells + plan.chains.len()
}

/// The listeners that have no place in the new revision and whose connections may be at work.
fn leaving(previous: &Snapshot, listeners: &[ListenerPlan]) -> Box<[ListenerPlan]> {
    let stays = |id| listeners.iter().any(|listener| listener.id == id);
    let earlier = previous.listeners.iter().chain(&previous.leaving);
    let leaving = earlier.filter(|old| !stays(old.id) && !old.life.has_ended()).cloned();
    leaving.map(ListenerPlan::left).collect()
}

fn upstreams(
    config: &Config,
    previous: Option<&Snapshot>,
    resolver: &Resolver,
    tls: &tls::Prepared,
) -> Box<[Arc<Upstream>]> {
    let known: HashMap<Key<'_>, &Arc<Upstream>> = previous
        .iter()
        .flat_map(|previous| &previous.upstreams)
        .map(|upstream| ((upstream.namespace(), upstream.name()), upstream))
        .collect();
    let same_resolver = previous.is_none_or(|previous| previous.config.resolver == config.resolver);
    config
        .services
        .iter()
        .zip(&tls.services)
        .map(|(service, tls)| match known.get(&(&service.meta.namespace, &service.meta.name)) {
            Some(upstream) if same_resolver && upstream.serves(service) => Arc::clone(upstream),
            _ => Upstream::new(service, tls.clone(), resolver),
        })
        .collect()
}

fn route_lives(previous: &Snapshot) -> HashMap<Key<'_>, &Arc<Life>> {
    let routes = previous.config.routes.iter();
    routes
        .zip(&previous.plans)
        .map(|(route, plan)| ((&route.meta.namespace, &route.meta.name), &plan.life))
        .collect()
}

fn plan(
    route: &Route,
    config: &Config,
    numbers: &HashMap<Key<'_>, usize>,
    life: Arc<Life>,
    cells: usize,
) -> Plan {
    let forward = |services: &mut dyn Iterator<Item = (&Name, Weight)>| {
        let (destinations, weights): (Vec<_>, Vec<_>) = services
            .map(|(name, weight)| {
                // A disabled service has no number: its routes have nobody to go to.
                let upstream = numbers.get(&(&route.meta.namespace, name)).copied();
                (upstream.map(|upstream| destination(route, config, upstream)), weight.get())
            })
            .filter_map(|(destination, weight)| Some((destination?, weight)))
            .unzip();
        let picker = Picker::new(Balance::RoundRobin, &weights);
        Action::Forward { picker, destinations: destinations.into() }
    };
    let action = match &route.target {
        Some(Target::Service(name)) => forward(&mut std::iter::once((name, Weight::default()))),
        Some(Target::Services(services)) => {
            forward(&mut services.iter().map(|part| (&part.service, part.weight)))
        }
        Some(Target::Files(files)) => Action::Files {
            files: Files::new(files.clone()),
            stages: route.timeouts.stages(&Timeouts::default()),
        },
        Some(Target::Reply(reply)) => match ReplyTemplate::new(reply) {
            Some(template) if reply.template => Action::Template(Box::new(template)),
            _ => fixed(reply),
        },
        Some(Target::Redirect(redirect)) => Action::Redirect(redirect.clone()),
        // The check refuses a route without a target.
        None => forward(&mut std::iter::empty()),
    };
    Plan {
        route: route.meta.label().into(),
        life,
        action,
        rewrite: route.rewrite.clone(),
        host: route.host.clone(),
        body_limit: route.body_limit.map(ByteSize::limit),
        chains: Box::default(),
        chain_cells: 0,
        cells,
    }
}

fn destination(route: &Route, config: &Config, upstream: usize) -> Destination {
    let service = &config.services[upstream].timeouts;
    let mut stages = route.timeouts.stages(service);
    if route.protocol == ListenerProtocol::Udp {
        // Nobody says good-bye over UDP: what is quiet is over much earlier.
        let idle = route.timeouts.idle.or(service.idle);
        stages.idle = idle.map_or(Some(UDP_IDLE), portway_config::value::Duration::limit);
    }
    Destination { upstream, stages, endpoints: Box::default(), endpoint_cells: 0 }
}

fn fixed(reply: &Reply) -> Action {
    let headers: HeaderMap = reply
        .headers
        .iter()
        .map(|(name, value)| (name.get().clone(), value.get().clone()))
        .collect();
    Action::Reply {
        status: reply.status.get(),
        headers,
        body: Bytes::from(reply.body.clone().into_bytes()),
    }
}
