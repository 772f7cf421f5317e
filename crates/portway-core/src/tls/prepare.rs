//! All the TLS of a configuration, before anything else of it is opened.

use std::{collections::HashMap, sync::Arc, time::SystemTime};

use portway_config::{Checked, Config, Listener, Problem, Service, value::EndpointScheme};
use rustls::RootCertStore;

use super::{Client, TlsPlan, Verification};

/// The plans of a configuration's listeners and services, in their order.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    pub(crate) listeners: Vec<Option<Arc<TlsPlan>>>,
    pub(crate) services: Vec<Option<Client>>,
    /// What is worth saying.
    pub(crate) warnings: Vec<Problem>,
    /// The authorities the system trusts, if anybody asked for them.
    system: Option<Arc<RootCertStore>>,
}

/// Looks at the certificates and keys of a configuration as a start would, and says what is worth
/// saying about them.
///
/// # Errors
/// Pairs that do not fit, keys that cannot be read, authorities that are none.
pub fn verify(config: &Checked<Config>) -> Result<Vec<Problem>, Vec<Problem>> {
    prepare(config, None).map(|prepared| prepared.warnings)
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
    for (at, listener) in config.listeners.iter().enumerate() {
        let old = known.get(&(&listener.meta.namespace, &listener.meta.name)).copied();
        let path = config.declared_path(&format!("listeners[{at}].tls"));
        let plan = listener_plan(listener, old, &path, now, &mut problems, &mut prepared.warnings);
        prepared.listeners.push(plan);
    }
    prepared.system = previous.and_then(|(_, prepared)| prepared.system.clone());
    for (at, service) in config.services.iter().enumerate() {
        let path = config.declared_path(&format!("services[{at}].tls"));
        let client = client(service, &mut prepared, &path, &mut problems);
        prepared.services.push(client);
    }
    if problems.is_empty() { Ok(prepared) } else { Err(problems) }
}

fn listener_plan(
    listener: &Listener,
    old: Option<(&Listener, &Arc<TlsPlan>)>,
    path: &str,
    now: SystemTime,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Option<Arc<TlsPlan>> {
    let tls = listener.tls.as_ref()?;
    if let Some((old, plan)) = old
        && (&old.tls, &old.http2) == (&listener.tls, &listener.http2)
    {
        return Some(Arc::clone(plan));
    }
    let previous = old.map(|(_, plan)| &**plan);
    let plan = TlsPlan::new(listener, tls, path, previous, problems)?;
    for expired in plan.expired(now) {
        let message = format!("the certificate for {} has expired", expired.name);
        let problem = Problem::new("expired_certificate", message);
        let problem = problem.at(format!("{path}.certificates"));
        let was_good = previous.is_some_and(|previous| {
            let is_old = |expiry: &&super::listener::Expiry| expiry.name == expired.name;
            previous.expiries().iter().any(|expiry| {
                is_old(&expiry) && !previous.expired(now).any(|old| old.name == expired.name)
            })
        });
        if was_good {
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
    path: &str,
    problems: &mut Vec<Problem>,
) -> Option<Client> {
    if !service.endpoints().any(|(url, _)| url.scheme() == EndpointScheme::Https) {
        return None;
    }
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
