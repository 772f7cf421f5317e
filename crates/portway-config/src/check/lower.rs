//! The lowered form: every route stands by itself, what is disabled is gone, there is a listener.

use std::{mem, sync::Arc};

use hashbrown::HashSet;
use portway_plugin::{
    Problem,
    value::{BindAddr, ByteSize, Name, PathPrefix, Quoted, Regex},
};

use super::{
    Findings, From, RouteFrom,
    known::{Facts, Known, Lowered},
};
use crate::resource::{
    Config, List, Listener, ListenerProtocol, Match, Meta, PathMatch, Route, Service, Target,
    TypedPath,
};

/// The namespace a route under a service belongs to: its service's.
pub(super) fn namespace<'a>(service: &'a Meta, route: &'a Meta) -> &'a Name {
    if route.namespace.is_default_namespace() { &service.namespace } else { &route.namespace }
}

/// Makes every route stand by itself. What is disabled, or under something that is, stays and is
/// marked so.
pub(super) fn lower(
    mut config: Config,
    known: &Known,
    facts: &mut Facts,
    findings: &mut Findings,
) -> (Config, From) {
    let mut from = From {
        listeners: (0..config.listeners.len()).collect(),
        services: (0..config.services.len()).collect(),
        routes: Vec::new(),
        admin: None,
    };
    let top = (0..config.routes.len()).map(|route| RouteFrom { service: None, route });
    if config.services.iter().all(|service| service.routes.is_empty()) {
        from.routes.extend(top);
        return (config, from);
    }
    let mut routes = List::default();
    for (at, service) in mem::take(&mut config.services).into_iter().enumerate() {
        if service.routes.is_empty() {
            config.services.push(service);
            continue;
        }
        let before = findings.count();
        let apart = match known.lowered(&service) {
            Some(known) => known.clone(),
            None => taken_apart(&service, at, findings),
        };
        for (route, nested) in apart.routes.iter().enumerate() {
            from.routes.push(RouteFrom { service: Some(at), route });
            routes.push(Arc::clone(nested));
        }
        config.services.push(Arc::clone(&apart.bare));
        if findings.count() == before {
            facts.took_apart(apart);
        }
    }
    from.routes.extend(top);
    routes.append(&mut config.routes);
    config.routes = routes;
    (config, from)
}

/// A service, and the routes under it as routes of their own.
fn taken_apart(service: &Arc<Service>, at: usize, findings: &mut Findings) -> Lowered {
    let mut bare = Service::clone(service);
    let mut routes = mem::take(&mut bare.routes);
    for (number, nested) in routes.iter_mut().enumerate() {
        let origin = RouteFrom { service: Some(at), route: number };
        nested.meta.enabled &= service.meta.enabled;
        inherit(nested, service, origin, findings);
    }
    let routes = routes.into_iter().map(Arc::new).collect();
    Lowered::new(Arc::clone(service), Arc::new(bare), routes)
}

/// Drops what is disabled and what leads nowhere else, and sees to a listener. There is something
/// in `of_routes` for each route.
pub(super) fn switch_off<T>(
    config: &mut Config,
    from: &mut From,
    of_routes: &mut Vec<T>,
    findings: &mut Findings,
) {
    switch_off_namespaces(config);
    let off = config.services.iter().filter(|service| !service.meta.enabled);
    let off: HashSet<_> =
        off.map(|service| (service.meta.namespace.clone(), service.meta.name.clone())).collect();
    if !off.is_empty() {
        let routes = config.routes.shared_mut().iter_mut().zip(&from.routes);
        let touched = |route: &Route| route.meta.enabled && leads_to_one_of(route, &off);
        for (route, origin) in routes.filter(|(route, _)| touched(route)) {
            let route = Arc::make_mut(route);
            route.meta.enabled = without_disabled(route, &off, *origin, findings);
        }
    }
    let mut routes = config.routes.iter();
    of_routes.retain(|_| routes.next().is_some_and(|route| route.meta.enabled));
    keep(&mut config.routes, &mut from.routes, |route| route.meta.enabled);
    keep(&mut config.services, &mut from.services, |service| service.meta.enabled);
    keep(&mut config.listeners, &mut from.listeners, |listener| listener.meta.enabled);
    if config.listeners.is_empty() {
        config.listeners.push(default_listener());
    }
    if config.routes.is_empty() {
        let warning = Problem::new("no_routes", "there is no route: every request is answered 404");
        findings.warning(warning);
    }
}

/// Marks what is in namespaces that are disabled. Domains stay: nobody else is to answer for their
/// hosts. Listeners of `default` are everybody's.
fn switch_off_namespaces(config: &mut Config) {
    let off = config.namespaces.iter().filter(|one| !one.meta.enabled);
    let off: HashSet<Name> = off.map(|one| one.meta.name.clone()).collect();
    if off.is_empty() {
        return;
    }
    let is_off = |meta: &Meta| meta.enabled && off.contains(&meta.namespace);
    config.routes.change(|one| is_off(&one.meta), |one| one.meta.enabled = false);
    config.services.change(|one| is_off(&one.meta), |one| one.meta.enabled = false);
    config.consumers.change(|one| is_off(&one.meta), |one| one.meta.enabled = false);
    config.certificates.change(|one| is_off(&one.meta), |one| one.meta.enabled = false);
    config.listeners.change(
        |one| is_off(&one.meta) && !one.meta.namespace.is_default_namespace(),
        |one| one.meta.enabled = false,
    );
}

/// The admin API is served on a listener like others, after all of them.
pub(super) fn add_admin(config: &mut Config, from: &mut From) {
    if !config.admin.enabled {
        return;
    }
    let name = "admin".parse().expect("`admin` is a name");
    let mut listener = Listener::new(name, config.admin.bind);
    listener.protocol = ListenerProtocol::Admin;
    listener.tls.clone_from(&config.admin.tls);
    listener.limits.body = ByteSize::mib(64);
    from.admin = Some(config.listeners.len());
    config.listeners.push(listener);
}

/// Drops what `wanted` does not want, here and in the list of where it comes from.
fn keep<T, F>(list: &mut List<T>, from: &mut Vec<F>, wanted: impl Fn(&T) -> bool) {
    let mut items = list.iter();
    from.retain(|_| items.next().is_some_and(&wanted));
    list.retain(wanted);
}

fn default_listener() -> Listener {
    let name = "web".parse().expect("`web` is a name");
    Listener::new(name, BindAddr::any_v4(8080))
}

/// Takes what is not its own from its service.
fn inherit(route: &mut Route, service: &Service, origin: RouteFrom, findings: &mut Findings) {
    route.meta.namespace = namespace(&service.meta, &route.meta).clone();
    route.target = Some(Target::Service(service.meta.name.clone()));
    for one in route.matches.as_mut_slice() {
        if one.hosts.is_empty() {
            one.hosts.clone_from(&service.hosts);
        }
        if let Some(prefix) = &service.prefix
            && let Err(problem) = prepend(prefix, one)
        {
            findings.problem(problem.at(format!("{origin}.match")));
        }
    }
}

/// Puts the prefix before the path. Only an expression can become too long by it.
fn prepend(prefix: &PathPrefix, one: &mut Match) -> Result<(), Problem> {
    if prefix.is_root() {
        return Ok(());
    }
    one.path = Some(match &one.path {
        None => PathMatch::Typed(TypedPath::Prefix(prefix.clone())),
        Some(PathMatch::Pattern(pattern)) => PathMatch::Pattern(pattern.prefixed(prefix)),
        Some(PathMatch::Typed(TypedPath::Exact(path))) => {
            PathMatch::Typed(TypedPath::Exact(path.prefixed(prefix)))
        }
        Some(PathMatch::Typed(TypedPath::Prefix(path))) => {
            PathMatch::Typed(TypedPath::Prefix(path.prefixed(prefix)))
        }
        Some(PathMatch::Typed(TypedPath::Regex(path))) => {
            let text = format!("{}(?:{path})", regex::escape(prefix.as_str()));
            let joined = text.parse::<Regex>().map_err(|invalid| {
                Problem::new(
                    invalid.code,
                    format!("with the service's prefix before it, {}", invalid.message),
                )
            })?;
            PathMatch::Typed(TypedPath::Regex(joined))
        }
    });
    Ok(())
}

fn leads_to_one_of(route: &Route, services: &HashSet<(Name, Name)>) -> bool {
    let is = |name: &Name| services.contains(&(route.meta.namespace.clone(), name.clone()));
    match &route.target {
        Some(Target::Service(name)) => is(name),
        Some(Target::Services(shares)) => shares.iter().any(|share| is(&share.service)),
        _ => false,
    }
}

/// Takes disabled services off a route's target. `false` when nothing is left of it.
fn without_disabled(
    route: &mut Route,
    disabled: &HashSet<(Name, Name)>,
    origin: RouteFrom,
    findings: &mut Findings,
) -> bool {
    let namespace = route.meta.namespace.clone();
    let is_disabled = |name: &Name| disabled.contains(&(namespace.clone(), name.clone()));
    let gone = match &mut route.target {
        Some(Target::Service(name)) if is_disabled(name) => Some(name.clone()),
        Some(Target::Services(shares)) => {
            let first = shares.iter().find(|share| is_disabled(&share.service));
            let first = first.map(|share| share.service.clone());
            shares.retain(|share| !is_disabled(&share.service));
            first.filter(|_| shares.iter().all(|share| share.weight.get() == 0))
        }
        _ => None,
    };
    let Some(name) = gone else { return true };
    let message = format!(
        "the service {} is disabled, so the route is out of service too",
        Quoted(name.as_str())
    );
    findings.warning(Problem::new("disabled_service", message).at(format!("{origin}.target")));
    false
}
