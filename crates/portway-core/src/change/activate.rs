//! From the old revision to the new one, without a request noticing.

use std::{sync::Arc, time::Duration};

use hashbrown::HashSet;
use portway_config::{Catalog, Checked, Config, ListenerProtocol, Places, Problem};
use tokio::{
    sync::oneshot,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::prepare::{New, Prepared, ProbeChange, prepare};
use crate::{
    files::warn_of_missing_roots,
    host::Outside,
    listen::{Crowd, Terms},
    resolve::Resolver,
    server::{Brought, Open, Opening, RunningProbe, Server},
    snapshot::{Life, ListenerId, Means, Snapshot, View, compile},
    telemetry::metrics::{NO_ROUTE, Named},
    tls,
    upstream::Upstream,
};

/// How long a change waits for names it brings. An endpoint whose name does not resolve by then
/// takes no requests until it does.
const FIRST_ANSWERS: Duration = Duration::from_secs(2);

/// What is served before there is a configuration: nothing.
pub(crate) fn nothing(resolver: &Resolver, outside: &Arc<Outside>) -> Arc<Snapshot> {
    let config = portway_config::check(Config::default(), &Places::default(), &Catalog::default())
        .expect("the default configuration has no problem");
    let tls = tls::prepare(&config, None).expect("it has no certificate");
    let means = Means { resolver, outside, brought: &Brought::default() };
    Arc::new(compile(config, 0, None, means, tls, |_| ListenerId(u32::MAX)))
}

/// Takes `server` over to `config`. Everything is ready when `commit` is asked, and seen by nobody
/// yet.
pub(crate) async fn activate(
    server: &mut Server,
    config: Checked<Config>,
    commit: impl AsyncFnOnce() -> Result<(), Vec<Problem>>,
) -> Result<(), Vec<Problem>> {
    let Prepared { listeners: new, probe, log, tls } = prepare(server, &config)?;
    for warning in &tls.warnings {
        tracing::warn!(code = %warning.code, path = warning.path, "{}", warning.message);
    }
    if config.resolver != server.snapshot.config.resolver {
        server.resolver = Arc::new(server.resolver.succeeded_by(&config.resolver));
    }
    let ids = listener_ids(server, &config);
    let mut numbers = ids.iter().copied();
    let revision = server.snapshot.revision + 1;
    let previous = Arc::clone(&server.snapshot);
    let snapshot = Arc::new(compile(
        config,
        revision,
        (previous.revision > 0).then_some(&*previous),
        Means { resolver: &server.resolver, outside: &server.outside, brought: &server.brought },
        tls,
        |_| numbers.next().expect("one number for each listener"),
    ));
    let Config { probes, admin, .. } = &*snapshot.config;
    let own = [(probes.enabled, probes.bind), (admin.enabled, admin.bind)];
    let own = own.iter().filter(|(enabled, _)| *enabled).map(|(_, bind)| bind.socket_addr());
    server.outside.fetcher().set(&server.resolver, own.collect());
    await_names(&snapshot, &previous).await;
    start_plugins(server, &snapshot, &previous).await;
    warn_of_missing_roots(&snapshot.config).await;
    commit().await?;
    if let Some(log) = log {
        server.access.switch(log);
    }
    for core in &server.cores {
        let view = View::new(Arc::clone(&snapshot), Some(&core.shard.view()), &core.shard.cells);
        core.shard.show(view);
    }
    warn_of_idle_connectors(server, &snapshot);
    server.snapshot = Arc::clone(&snapshot);
    open(server, &ids, new);
    replace_probe(server, probe).await;
    close_removed(server, &ids).await;
    end_lives(server, &previous, &snapshot);
    announce(server, &snapshot);
    Ok(())
}

/// Listeners keep their number for as long as their socket is open. Where there are no sockets it is
/// their place.
fn listener_ids(server: &mut Server, config: &Config) -> Vec<ListenerId> {
    if server.embedded {
        return (0..).map(ListenerId).take(config.listeners.len()).collect();
    }
    let mut next = server.next_listener;
    let ids = config.listeners.iter().map(|listener| {
        server.open_socket(listener).map_or_else(
            || {
                next += 1;
                ListenerId(next)
            },
            |open| open.id,
        )
    });
    let ids = ids.collect();
    server.next_listener = next;
    ids
}

async fn await_names(snapshot: &Snapshot, previous: &Snapshot) {
    let address = |upstream: &Arc<Upstream>| Arc::as_ptr(upstream).addr();
    let known: HashSet<usize> = previous.upstreams.iter().map(address).collect();
    let deadline = Instant::now() + FIRST_ANSWERS;
    for upstream in &snapshot.upstreams {
        if known.contains(&address(upstream)) {
            continue;
        }
        for name in upstream.endpoints.iter().filter_map(|endpoint| endpoint.awaited_name()) {
            // The resolver says which names it cannot resolve, and goes on trying.
            name.ready(deadline).await;
        }
    }
}

/// Says at the start for which services the program dials in vain: they may still come.
fn warn_of_idle_connectors(server: &Server, snapshot: &Snapshot) {
    if server.revision() > 0 {
        return;
    }
    let known = |name: &str| snapshot.config.services.iter().any(|one| one.meta.called() == name);
    for service in server.brought.connectors.services().filter(|name| !known(name)) {
        tracing::warn!(service, "the program makes connections for a service that is not there");
    }
}

/// Starts the plugins that are new, and waits for them a little: one that waits for another server
/// goes on in the background.
async fn start_plugins(server: &Server, snapshot: &Snapshot, previous: &Snapshot) {
    let mut starting = JoinSet::new();
    for running in snapshot.instances.fresh(&previous.instances) {
        let running = Arc::clone(running);
        starting
            .spawn_on(async move { running.instance.start(&running.host).await }, &server.runtime);
    }
    let all = async {
        while let Some(started) = starting.join_next().await {
            if let Err(error) = started {
                tracing::error!(%error, "a plugin failed while it started");
            }
        }
    };
    if timeout(FIRST_ANSWERS, all).await.is_err() {
        tracing::warn!("plugins are still starting: until they have, they do what they can");
        starting.detach_all();
    }
}

/// Asks the kernel for what listeners that stay have asked of it since.
fn retune(server: &mut Server, ids: &[ListenerId]) {
    let listeners = &server.snapshot.config.listeners;
    for (id, listener) in ids.iter().zip(listeners.iter()) {
        let terms = Terms::of(listener);
        let open = server.listeners.iter_mut().find(|open| open.id == *id);
        let Some(open) = open.filter(|open| open.terms != terms) else { continue };
        let before = std::mem::replace(&mut open.terms, terms.clone());
        server.cores.iter().for_each(|core| core.tune(*id, before.clone(), terms.clone()));
    }
}

/// Begins to accept from new listeners. Those that stay may have another limit from now on.
fn open(server: &mut Server, ids: &[ListenerId], new: Vec<New>) {
    server.listeners.iter().for_each(|open| open.crowd.limit_changed());
    retune(server, ids);
    for New { index, address, sockets } in new {
        let (id, listener) = (ids[index], &server.snapshot.config.listeners[index]);
        let (crowd, doors) = Crowd::new(server.cores.len());
        for ((core, socket), passed) in server.cores.iter().zip(sockets).zip(doors) {
            let crowd = Arc::clone(&crowd);
            let port = address.map_or(0, |address| address.port());
            core.open(Opening { listener: id, socket, port, crowd, passed });
        }
        let (bind, name) = (listener.bind.clone(), listener.meta.label().to_owned());
        let udp = listener.protocol == ListenerProtocol::Udp;
        let terms = Terms::of(listener);
        let open = Open { id, bind, udp, name, terms, address, crowd };
        if !server.embedded {
            tracing::info!(listener = open.name, address = %open.at(), "listening");
        }
        server.listeners.push(open);
    }
}

async fn replace_probe(server: &mut Server, change: ProbeChange) {
    let old = match change {
        ProbeChange::Keep => None,
        ProbeChange::Close => server.probe.take(),
        ProbeChange::Replace(bind, address, probe) => {
            let (stop, stopped) = oneshot::channel::<()>();
            let serving =
                probe.serve(Arc::clone(&server.metrics), Arc::clone(&server.readiness), async {
                    let _ = stopped.await;
                });
            let task = server.runtime.spawn(serving);
            tracing::info!(%address, "probes");
            server.probe.replace(RunningProbe { bind, address, stop, task })
        }
    };
    if let Some(old) = old {
        old.end().await;
    }
}

async fn close_removed(server: &mut Server, wanted: &[ListenerId]) {
    let listeners = std::mem::take(&mut server.listeners);
    let (stay, go): (Vec<_>, Vec<_>) =
        listeners.into_iter().partition(|open| wanted.contains(&open.id));
    server.listeners = stay;
    for open in go {
        server.close(open).await;
    }
}

/// Streams of what was removed may go on for the drain time, then they are cut.
fn end_lives(server: &Server, previous: &Snapshot, snapshot: &Snapshot) {
    let stay: HashSet<_> = lives(snapshot).map(Arc::as_ptr).collect();
    let ended = lives(previous).filter(|life| !stay.contains(&Arc::as_ptr(life)));
    let ended: Vec<_> = ended.map(Arc::clone).collect();
    if ended.is_empty() {
        return;
    }
    let drain = snapshot.config.stream_drain.get();
    server.runtime.spawn(async move {
        sleep(drain).await;
        ended.iter().for_each(|life| life.end());
    });
}

fn lives(snapshot: &Snapshot) -> impl Iterator<Item = &Arc<Life>> {
    let routes = snapshot.plans.iter().map(|plan| &plan.life);
    routes.chain(snapshot.listeners.iter().map(|listener| &listener.life))
}

fn announce(server: &Server, snapshot: &Snapshot) {
    let config = &snapshot.config;
    if let Some(log) = &server.log {
        log.apply(&config.log);
    }
    let mut named = Named::default();
    let unmatched = snapshot.unmatched.iter().flatten().map(|chain| (chain, NO_ROUTE));
    let of_plans = snapshot
        .plans
        .iter()
        .flat_map(|plan| plan.chains.iter().flatten().map(move |chain| (chain, &*plan.route)));
    for (chain, route) in unmatched.chain(of_plans) {
        named.plugins.extend(chain.links.iter().map(|link| [&*link.called, route]));
    }
    for plan in &snapshot.plans {
        let destinations = plan.destinations();
        if destinations.is_empty() {
            named.routes.insert([&plan.route, NO_ROUTE]);
        }
        for destination in destinations {
            let service = snapshot.upstreams[destination.upstream].label();
            named.routes.insert([&plan.route, service]);
        }
    }
    named.services.extend(snapshot.upstreams.iter().map(|upstream| upstream.label()));
    named.listeners.extend(snapshot.listeners.iter().map(|listener| &*listener.name));
    for listener in &snapshot.listeners {
        let expiries = listener.tls.iter().flat_map(|tls| tls.expiries());
        named
            .certificates
            .extend(expiries.map(|expiry| (&*listener.name, &*expiry.name, expiry.not_after)));
    }
    server.metrics.set_restgate(config.probes.restgate_metrics);
    server.metrics.applied(snapshot.revision, &named);
    let open = if server.embedded { config.listeners.len() } else { server.listeners.len() };
    server.readiness.set_bound(open, config.listeners.len());
    server.readiness.configured(snapshot.revision);
}
