//! From a checked configuration to a snapshot. CPU work only; what is equal is carried over.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use hashbrown::HashMap;
use http::HeaderMap;
use portway_config::{
    Checked, Config, List, Listener, ListenerProtocol, Reply, Route, Service, Target, Timeouts,
    value::{ByteSize, Name, Weight},
};

use super::{
    Action, Destination, FixedReply, Life, ListenerId, ListenerPlan, Namespaces, Plan, Snapshot,
    StreamRoutes, carry::Carried, consumers::consumers, plan::Seat,
};
use crate::{
    balance::Turns,
    chain::{Chains, Instances},
    files::Files,
    host::Outside,
    reply::ReplyTemplate,
    resolve::Resolver,
    route::{Entry, Router},
    server::Brought,
    tls,
    upstream::Upstream,
};

/// How long a UDP session may be quiet where nothing is said about it.
const UDP_IDLE: Duration = Duration::from_secs(30);

type Key<'a> = (&'a Name, &'a Name);

/// What of the process a configuration is compiled with.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) resolver: &'a Resolver,
    /// What the gateway does for plugins.
    pub(crate) outside: &'a Arc<Outside>,
    /// What the program has brought along.
    pub(crate) brought: &'a Brought,
}

/// Compiles `config` as revision `revision`. Upstreams whose service did not change, plans, hosts
/// and the lives of routes and listeners that stay, come from `previous`. `tls` was prepared for the same
/// configuration; `listener_id` numbers the listeners.
pub(crate) fn compile(
    config: Checked<Config>,
    revision: u64,
    previous: Option<&Snapshot>,
    means: Means<'_>,
    tls: tls::Prepared,
    mut listener_id: impl FnMut(&Listener) -> ListenerId,
) -> Snapshot {
    let instances =
        Instances::new(config.plugs(), previous.map(|previous| &previous.instances), means.outside);
    let mut chains = Chains::new(&config, &instances);
    let unmatched = chains.unmatched();
    let upstreams = upstreams(&config, previous, means, &tls);
    let carried = previous.map(|previous| Carried::new(previous, &config, &upstreams));
    let plans = plans(&config, carried, &mut chains);
    let mut counters = Seat { cells: 0, plugins: unmatched.len() };
    let seats = plans.iter().map(|plan| {
        let (seat, needs) = (counters, plan.counters());
        counters.cells += needs.cells;
        counters.plugins += needs.plugins;
        seat
    });
    let seats = seats.collect();
    let listeners: Box<[_]> = config
        .listeners
        .iter()
        .zip(&tls.listeners)
        .map(|(listener, tls)| {
            let id = listener_id(listener);
            let life = previous
                .and_then(|previous| previous.listener(id))
                .map_or_else(|| Arc::new(Life::new()), |listener| Arc::clone(&listener.life));
            let class = chains.class(listener);
            let plan = ListenerPlan::new(listener, id, life, tls.clone(), class);
            plan.speaking(means.brought.protocols.of(&listener.protocols))
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
        router,
        namespaces,
        streams,
        plans,
        seats,
        upstreams,
        tls,
        listeners,
        leaving,
        counters,
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

/// The plans of all routes. Those that nothing has changed are those of the previous revision.
fn plans<'a>(
    config: &'a Config,
    mut carried: Option<Carried<'_>>,
    chains: &mut Chains<'a>,
) -> List<Plan> {
    let numbers: HashMap<Key<'_>, usize> = config
        .services
        .iter()
        .enumerate()
        .map(|(number, service)| ((&service.meta.namespace, &service.meta.name), number))
        .collect();
    let plans = config.routes.shared().iter().map(|route| {
        let life = match carried.as_mut().and_then(|carried| carried.plan(route)) {
            Some((plan, true)) => return Arc::clone(plan),
            Some((plan, false)) => Arc::clone(&plan.life),
            None => Arc::new(Life::new()),
        };
        let mut plan = plan(route, config, &numbers, life);
        surround(&mut plan, route, config, chains);
        Arc::new(plan)
    });
    plans.collect()
}

/// Puts plugins around a plan and its endpoints.
fn surround<'a>(plan: &mut Plan, route: &'a Route, config: &'a Config, chains: &mut Chains<'a>) {
    let services: Vec<_> =
        plan.destinations().iter().map(|to| &config.services[to.upstream]).collect();
    let mut cells = 0;
    for (to, service) in plan.destinations_mut().iter_mut().zip(&services) {
        to.endpoints = chains.of_endpoints(service);
        to.endpoint_cells = cells;
        cells += to.endpoints.len();
    }
    plan.chains = chains.of_route(route, &services);
    plan.chain_cells = cells;
}

/// The listeners that have no place in the new revision and whose connections may be at work.
fn leaving(previous: &Snapshot, listeners: &[ListenerPlan]) -> Box<[ListenerPlan]> {
    let stays = |id| listeners.iter().any(|listener| listener.id == id);
    let earlier = previous.listeners.iter().chain(&previous.leaving);
    let leaving = earlier.filter(|old| !stays(old.id) && !old.life.has_ended()).cloned();
    leaving.map(ListenerPlan::left).collect()
}

fn upstreams(
    config: &Checked<Config>,
    previous: Option<&Snapshot>,
    means: Means<'_>,
    tls: &tls::Prepared,
) -> Box<[Arc<Upstream>]> {
    let known: HashMap<Key<'_>, &Arc<Upstream>> = previous
        .iter()
        .flat_map(|previous| &previous.upstreams)
        .map(|upstream| ((upstream.namespace(), upstream.name()), upstream))
        .collect();
    let same_resolver = previous.is_none_or(|previous| previous.config.resolver == config.resolver);
    let before = previous.map_or(&[][..], |previous| previous.config.services.shared());
    let services = config.services.shared().iter().enumerate().zip(&tls.services);
    let upstream = |((number, service), tls): ((usize, &Arc<Service>), &Option<tls::Client>)| {
        if same_resolver
            && let Some(previous) = previous
            && before.get(number).is_some_and(|old| Arc::ptr_eq(old, service))
        {
            return Arc::clone(&previous.upstreams[number]);
        }
        let known = known.get(&(&service.meta.namespace, &service.meta.name)).copied();
        match known {
            Some(upstream) if same_resolver && upstream.serves(service) => Arc::clone(upstream),
            _ => {
                let known = known.map(|upstream| &**upstream);
                let connect = means.brought.connectors.of(&service.meta.called());
                let brought = (config.balancers(), connect);
                Upstream::new(service, tls.clone(), means.resolver, brought, known)
            }
        }
    };
    services.map(upstream).collect()
}

fn plan(
    route: &Route,
    config: &Config,
    numbers: &HashMap<Key<'_>, usize>,
    life: Arc<Life>,
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
        let picker = Turns::new(&weights);
        Action::Forward { picker, destinations: destinations.into() }
    };
    let action = match &route.target {
        Some(Target::Service(name)) => forward(&mut std::iter::once((name, Weight::default()))),
        Some(Target::Services(services)) => {
            forward(&mut services.iter().map(|part| (&part.service, part.weight)))
        }
        Some(Target::Files(files)) => Action::Files {
            files: Files::new((**files).clone()),
            stages: route.timeouts.stages(&Timeouts::default()).into(),
        },
        Some(Target::Reply(reply)) => match ReplyTemplate::new(reply) {
            Some(template) if reply.template => Action::Template(Box::new(template)),
            _ => Action::Reply(fixed(reply).into()),
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

fn fixed(reply: &Reply) -> FixedReply {
    let headers: HeaderMap = reply
        .headers
        .iter()
        .map(|(name, value)| (name.get().clone(), value.get().clone()))
        .collect();
    FixedReply {
        status: reply.status.get(),
        headers,
        body: Bytes::from(reply.body.clone().into_bytes()),
    }
}
