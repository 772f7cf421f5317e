//! How one listener ends TLS.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use portway_config::{
    ClientCertificateMode, ClientCertificates, Listener, ListenerTls, Problem, value::HostPattern,
};
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs::Ticketer},
    server::{NoServerSessionStorage, ProducesTickets, WebPkiClientVerifier},
};

use super::{
    certificate::Certificate,
    domains::DomainCertificates,
    material::{authorities, provider, versions},
    resolver::Resolver,
};
use crate::driver::SPEAKS_HTTP2;

/// The policy for hosts that none was written for.
const DEFAULT_POLICY: usize = 0;

/// How one listener ends TLS, compiled.
pub(crate) struct ListenerPlan {
    policies: Vec<Policy>,
    /// Which policy a host has, where it is not the default.
    by_host: ByHost,
    resolver: Arc<Resolver>,
    strict: bool,
    pub(crate) accept_plain: bool,
    pub(crate) timeout: Option<Duration>,
    max_handshakes: u32,
    /// Handshakes under way, on all cores.
    pending: Arc<AtomicU32>,
    expiries: Vec<Expiry>,
}

/// A certificate's last second, in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) name: Box<str>,
    pub(crate) not_after: i64,
}

/// What is asked of clients, with the sessions that were opened under it.
struct Policy {
    asked: Arc<ClientCertificates>,
    config: Arc<ServerConfig>,
    tickets: Option<Arc<dyn ProducesTickets>>,
}

#[derive(Default)]
struct ByHost {
    exact: HashMap<Box<str>, usize>,
    wildcard: HashMap<Box<str>, usize>,
    any: Option<usize>,
}

/// A handshake under way.
pub(super) struct Pending(Arc<AtomicU32>);

impl ListenerPlan {
    /// Compiles what `listener` says. All that is wrong is told; `path` is where its TLS stands.
    /// Ticket keys of policies that stay come from `previous`.
    pub(super) fn new(
        (listener, tls): (&Listener, &ListenerTls),
        path: &str,
        domains: Option<&Arc<DomainCertificates>>,
        previous: Option<&Self>,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let provider = provider(&tls.cipher_suites);
        let before = problems.len();
        let certificates: Vec<_> = tls
            .certificates
            .iter()
            .enumerate()
            .filter_map(|(at, spec)| {
                Certificate::new(spec, &provider, &format!("{path}.certificates[{at}]"), problems)
            })
            .collect();
        let resolver = Arc::new(Resolver::new(&certificates, domains));
        let maker = Maker { listener, tls, provider, resolver: Arc::clone(&resolver), previous };
        let hosts = tls.hosts.iter().enumerate();
        let asked =
            std::iter::once((format!("{path}.client_certificates"), &tls.client_certificates))
                .chain(hosts.map(|(at, host)| {
                    (format!("{path}.hosts[{at}].client_certificates"), &host.client_certificates)
                }));
        let policies: Vec<_> = asked
            .filter_map(|(path, asked)| {
                maker.policy(asked).map_err(|problem| problems.push(problem.at(path))).ok()
            })
            .collect();
        if problems.len() > before {
            return None;
        }
        let expiry = |certificate: &Certificate| Expiry {
            name: certificate.name().into(),
            not_after: certificate.not_after,
        };
        Some(Self {
            by_host: ByHost::new(tls),
            policies,
            resolver,
            strict: tls.strict_sni,
            accept_plain: tls.accept_plain,
            timeout: tls.handshake_timeout.limit(),
            max_handshakes: tls.max_handshakes,
            pending: previous.map_or_else(Arc::default, |plan| Arc::clone(&plan.pending)),
            expiries: certificates.iter().map(expiry).collect(),
        })
    }

    /// Begins a handshake, unless too many are under way.
    pub(super) fn begin(&self) -> Option<Pending> {
        let pending = Pending(Arc::clone(&self.pending));
        let before = self.pending.fetch_add(1, Relaxed);
        (self.max_handshakes == 0 || before < self.max_handshakes).then_some(pending)
    }

    /// Whether a handshake for `name` is taken on.
    pub(super) fn takes(&self, name: Option<&str>) -> bool {
        !self.strict || name.is_some_and(|name| self.resolver.knows(name))
    }

    /// The policy for a host, which has no port.
    fn policy(&self, host: &str) -> &Policy {
        let found = if self.by_host.is_empty() { None } else { self.by_host.find(host) };
        &self.policies[found.unwrap_or(DEFAULT_POLICY)]
    }

    /// Whether a connection that was `asked` for so much may carry requests for `host`: as much is
    /// asked there, or nothing.
    pub(crate) fn allows(&self, asked: &Arc<ClientCertificates>, host: &str) -> bool {
        let wanted = &self.policy(host).asked;
        Arc::ptr_eq(wanted, asked) || wanted.mode == ClientCertificateMode::Off || wanted == asked
    }

    /// What a client is asked for that wants to speak to `host`, and how TLS is spoken then.
    pub(super) fn terms(&self, host: &str) -> (Arc<ClientCertificates>, Arc<ServerConfig>) {
        let policy = self.policy(host);
        (Arc::clone(&policy.asked), Arc::clone(&policy.config))
    }

    /// Certificates that are shown, and until when.
    pub(crate) fn expiries(&self) -> impl Iterator<Item = &Expiry> {
        self.expiries.iter().chain(self.resolver.of_domains())
    }

    /// The listener's own certificates whose time is over.
    pub(super) fn expired(&self, now: SystemTime) -> impl Iterator<Item = &Expiry> {
        self.expiries.iter().filter(move |expiry| is_over(expiry.not_after, now))
    }

    /// Whether the listener's own certificate of this name is good.
    pub(super) fn has_good(&self, name: &str, now: SystemTime) -> bool {
        self.expiries.iter().any(|own| *own.name == *name)
            && !self.expired(now).any(|own| *own.name == *name)
    }
}

/// Whether a certificate's last second is over.
pub(super) fn is_over(not_after: i64, now: SystemTime) -> bool {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    not_after < i64::try_from(now).unwrap_or(i64::MAX)
}

impl fmt::Debug for ListenerPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerPlan").field("expiries", &self.expiries).finish_non_exhaustive()
    }
}

/// Makes the policies of a listener.
struct Maker<'a> {
    listener: &'a Listener,
    tls: &'a ListenerTls,
    provider: Arc<CryptoProvider>,
    resolver: Arc<Resolver>,
    previous: Option<&'a ListenerPlan>,
}

impl Maker<'_> {
    fn policy(&self, asked: &ClientCertificates) -> Result<Policy, Problem> {
        let unusable = |error: &dyn fmt::Display| {
            Problem::new("bad_tls", format!("TLS cannot be spoken like this: {error}"))
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(versions(self.tls.min_version))
            .map_err(|error| unusable(&error))?;
        let builder = match (&asked.ca, asked.mode) {
            (Some(ca), ClientCertificateMode::Optional | ClientCertificateMode::Required) => {
                let roots = authorities(ca)?;
                let provider = Arc::clone(&self.provider);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                let verifier = match asked.mode {
                    ClientCertificateMode::Optional => verifier.allow_unauthenticated(),
                    _ => verifier,
                };
                builder.with_client_cert_verifier(verifier.build().map_err(|e| unusable(&e))?)
            }
            _ => builder.with_no_client_auth(),
        };
        let resolver = Arc::clone(&self.resolver);
        let mut config = builder.with_cert_resolver(resolver);
        config.alpn_protocols = match self.listener.http2.enabled && SPEAKS_HTTP2 {
            true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            false => vec![b"http/1.1".to_vec()],
        };
        // Sessions are kept by clients, in tickets: nothing is shared between cores but the keys.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        let tickets = if self.tls.resumption { Some(self.tickets(asked)?) } else { None };
        match &tickets {
            Some(tickets) => config.ticketer = Arc::clone(tickets),
            None => config.send_tls13_tickets = 0,
        }
        Ok(Policy { asked: Arc::new(asked.clone()), config: Arc::new(config), tickets })
    }

    /// The ticket keys of the same policy, so that sessions outlive a change of the certificates.
    fn tickets(&self, asked: &ClientCertificates) -> Result<Arc<dyn ProducesTickets>, Problem> {
        let policies = self.previous.map_or(&[][..], |plan| &plan.policies);
        let same = policies.iter().find(|policy| *policy.asked == *asked);
        match same.and_then(|policy| policy.tickets.clone()) {
            Some(tickets) => Ok(tickets),
            None => Ticketer::new().map_err(|error| {
                Problem::new("bad_tls", format!("no key for session tickets: {error}"))
            }),
        }
    }
}

impl ByHost {
    fn new(tls: &ListenerTls) -> Self {
        let mut this = Self::default();
        for (number, host) in tls.hosts.iter().enumerate() {
            for pattern in &host.hosts {
                this.add(pattern, DEFAULT_POLICY + 1 + number);
            }
        }
        this
    }

    fn add(&mut self, pattern: &HostPattern, policy: usize) {
        if let Some(suffix) = pattern.suffix() {
            self.wildcard.entry(suffix.into()).or_insert(policy);
        } else if let Some(host) = pattern.exact() {
            self.exact.entry(host.into()).or_insert(policy);
        } else {
            self.any.get_or_insert(policy);
        }
    }

    fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wildcard.is_empty() && self.any.is_none()
    }

    /// Exact before the longest wildcard.
    fn find(&self, host: &str) -> Option<usize> {
        let host = &*host.trim_end_matches('.').to_ascii_lowercase();
        if let Some(policy) = self.exact.get(host) {
            return Some(*policy);
        }
        let mut rest = host;
        while let Some((_, suffix)) = rest.split_once('.') {
            if let Some(policy) = self.wildcard.get(suffix) {
                return Some(*policy);
            }
            rest = suffix;
        }
        self.any
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
