//! All the TLS of a configuration, before anything else of it is opened.

use std::{collections::HashMap, sync::Arc, time::SystemTime};

use portway_config::{
    Checked, Config, Listener, ListenerProtocol, Problem, Service, value::EndpointScheme,
};
use rustls::RootCertStore;

use super::{Client, TlsPlan, Verification, domains::DomainCertificates};

/// The plans of a configuration's listeners and services, in their order.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    pub(crate) listeners: Vec<Option<Arc<TlsPlan>>>,
    pub(crate) services: Vec<Option<Client>>,
    /// What is worth saying.
    pub(crate) warnings: Vec<Problem>,
    /// What domains show.
    domains: Option<Arc<DomainCertificates>>,
    /// The authorities the system trusts, if anybody asked for them.
    system: Option<Arc<RootCertStore>>,
}

/// Compiles the TLS of `config`. What did not change comes from `previous`, with its sessions. A
/// certificate whose time is over does not replace one that is good.
pub(crate) fn prepare(
    config: &Checked<Config>,
    previous: Option<(&Config, &Prepared)>,
) -> Result<Prepared, Vec<Problem>> {
    let mut problems = Vec::new();
    let known: HashMap<_, (&Listener, &Arc<TlsPlan>)> = previous
        .iter()
        .flat_map(|(config, prepared)| config.listeners.iter().zip(&prepared.listeners))
        .filter_map(|(listener, plan)| {
            Some(((&listener.meta.namespace, &listener.meta.name), (listener, plan.as_ref()?)))
        })
        .collect();
    let now = SystemTime::now();
    let mut prepared = Prepared::default();
    prepared.domains = domains(config, previous, now, &mut problems, &mut prepared.warnings);
    let had = previous.and_then(|(_, previous)| previous.domains.as_ref());
    let same_domains = had.map(Arc::as_ptr) == prepared.domains.as_ref().map(Arc::as_ptr);
    for (at, listener) in config.listeners.iter().enumerate() {
        let old = known.get(&(&listener.meta.namespace, &listener.meta.name)).copied();
        let path = config.declared_path(&format!("listeners[{at}].tls"));
        // The admin API is for those who know it by its own name.
        let is_admin = listener.protocol == ListenerProtocol::Admin;
        let shown = prepared.domains.as_ref().filter(|_| !is_admin);
        let made = match old {
            Some((old, plan)) if (same_domains || is_admin) && speaks_alike(old, listener) => {
                Some(Arc::clone(plan))
            }
            _ => {
                let old = old.map(|(_, plan)| &**plan);
                let found = (&mut problems, &mut prepared.warnings);
                listener_plan(listener, old, shown, &path, now, found)
            }
        };
        prepared.listeners.push(made);
    }
    prepared.system = previous.and_then(|(_, prepared)| prepared.system.clone());
    let before = previous.map_or(&[][..], |(config, _)| config.services.shared());
    for (at, service) in config.services.shared().iter().enumerate() {
        let same = before.get(at).is_some_and(|old| Arc::ptr_eq(old, service));
        if let Some((_, known)) = previous.filter(|_| same) {
            prepared.services.push(known.services[at].clone());
            continue;
        }
        let path = || config.declared_path(&format!("services[{at}].tls"));
        let client = client(service, &mut prepared, path, &mut problems);
        prepared.services.push(client);
    }
    if problems.is_empty() { Ok(prepared) } else { Err(problems) }
}

/// What domains show; what did not change is carried over.
fn domains(
    config: &Config,
    previous: Option<(&Config, &Prepared)>,
    now: SystemTime,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Option<Arc<DomainCertificates>> {
    let known = previous.and_then(|(before, prepared)| Some((before, prepared.domains.as_ref()?)));
    if let Some((before, known)) = known
        && DomainCertificates::are_same(before, config)
    {
        return Some(Arc::clone(known));
    }
    if config.certificates.is_empty() {
        return None;
    }
    let known = known.map(|(before, known)| (before, &**known));
    Some(Arc::new(DomainCertificates::new(config, known, now, problems, warnings)))
}

/// Whether what a listener does about TLS did not change.
fn speaks_alike(old: &Listener, new: &Listener) -> bool {
    (&old.tls, &old.http2) == (&new.tls, &new.http2)
}

fn listener_plan(
    listener: &Listener,
    previous: Option<&TlsPlan>,
    domains: Option<&Arc<DomainCertificates>>,
    path: &str,
    now: SystemTime,
    (problems, warnings): (&mut Vec<Problem>, &mut Vec<Problem>),
) -> Option<Arc<TlsPlan>> {
    let tls = listener.tls.as_ref()?;
    let plan = TlsPlan::new((listener, tls), path, domains, previous, problems)?;
    for expired in plan.expired(now) {
        let message = format!("the certificate for {} has expired", expired.name);
        let problem = Problem::new("expired_certificate", message);
        let problem = problem.at(format!("{path}.certificates"));
        if previous.is_some_and(|previous| previous.has_good(&expired.name, now)) {
            problems.push(problem.hint("the certificate that is live is good: it stays"));
        } else {
            warnings.push(problem.hint("renew it: clients that verify it stay away"));
        }
    }
    Some(Arc::new(plan))
}

fn client(
    service: &Service,
    prepared: &mut Prepared,
    path: impl Fn() -> String,
    problems: &mut Vec<Problem>,
) -> Option<Client> {
    if !service.endpoints().any(|(url, _)| url.scheme() == EndpointScheme::Https) {
        return None;
    }
    let path = &path();
    let system = match (Verification::of(&service.tls), &prepared.system) {
        (Verification::Own, _) => Arc::new(RootCertStore::empty()),
        (Verification::System, Some(system)) => Arc::clone(system),
        (Verification::System, None) => {
            let system = Arc::new(trusted_by_the_system(&mut prepared.warnings, path));
            prepared.system = Some(Arc::clone(&system));
            system
        }
    };
    Client::new(service, &system, path, problems)
}

pub(super) fn trusted_by_the_system(warnings: &mut Vec<Problem>, path: &str) -> RootCertStore {
    let mut store = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    store.add_parsable_certificates(found.certs);
    if store.is_empty() {
        let problem = Problem::new("no_system_authorities", "the system trusts no authority");
        let hint = "install ca-certificates, or give the service tls.ca";
        warnings.push(problem.at(path.to_owned()).hint(hint));
    }
    store
}
