//! Listeners: TLS that can be spoken, and nothing that has no effect.

use portway_plugin::{
    Problem,
    value::{Name, Quoted},
};

use super::Findings;
use crate::{
    Catalog,
    resource::{
        Certificate, CipherSuite, ClientCertificateMode, ClientCertificates, Config, Domain,
        Listener, ListenerProtocol, ListenerTls, TlsVersion,
    },
    walk::closest,
};

pub(super) fn check(config: &Config, catalog: &Catalog, findings: &mut Findings) {
    for (at, listener) in config.listeners.iter().enumerate() {
        let path = format!("listeners[{at}]");
        if listener.protocol != ListenerProtocol::Http {
            not_http(listener, &path, findings);
        }
        if let Some(tls) = &listener.tls {
            self::tls(tls, brings_certificate(config), &format!("{path}.tls"), findings);
        }
        protocols(listener, &path, catalog, findings);
        without_effect(listener, config, &path, findings);
    }
}

/// Protocols of the program's own are there, and are looked for where HTTP is spoken.
fn protocols(listener: &Listener, path: &str, catalog: &Catalog, findings: &mut Findings) {
    if !listener.protocols.is_empty() && !listener.protocol.is_http() {
        let protocol = listener.protocol.as_str();
        let message = format!("what comes to a listener of the protocol {protocol} is passed on");
        let problem = Problem::new("foreign_protocol", message).at(format!("{path}.protocols"));
        findings.problem(problem.hint("leave protocols out, or the protocol"));
        return;
    }
    let known: Vec<_> = catalog.protocols().iter().map(Name::as_str).collect();
    for (at, name) in listener.protocols.iter().enumerate() {
        if known.contains(&name.as_str()) {
            continue;
        }
        let message = format!("there is no protocol {}", Quoted(name.as_str()));
        let problem = Problem::new("unknown_protocol", message);
        let problem = problem.at(format!("{path}.protocols[{at}]"));
        findings.problem(match closest(name.as_str(), known.iter().copied()) {
            Some(meant) => problem.hint(format!("did you mean {meant}?")),
            None if known.is_empty() => {
                problem.hint("a program brings one along, by .protocol(name, …); this one has none")
            }
            None => problem.hint(format!("those that there are: {}", known.join(", "))),
        });
    }
}

/// What only a listener that speaks HTTP can do.
fn not_http(listener: &Listener, path: &str, findings: &mut Findings) {
    let protocol = listener.protocol.as_str();
    if listener.tls.is_some() {
        let message = format!("a listener of the protocol {protocol} ends no TLS");
        let problem = Problem::new("tls_not_ended", message).at(format!("{path}.tls"));
        findings.problem(problem.hint("leave tls out, or the protocol"));
    }
    if listener.protocol == ListenerProtocol::Udp {
        if listener.bind.unix().is_some() {
            let problem =
                Problem::new("udp_on_socket", "datagrams have no Unix domain socket here");
            findings.problem(problem.at(format!("{path}.bind")).hint("give it an address"));
        }
        if !listener.proxy_protocol.is_empty() {
            let problem = Problem::new("no_effect", "the PROXY protocol is not for datagrams");
            findings.warning(problem.at(format!("{path}.proxy_protocol")));
        }
    }
    let unused = [
        ("redirect_https", listener.redirect_https.is_some()),
        ("allowed_domains", !listener.allowed_domains.is_empty()),
        ("trusted_proxies", !listener.trusted_proxies.is_empty()),
    ];
    for (key, _) in unused.iter().filter(|(_, there)| *there) {
        let message = format!("nothing of the protocol {protocol} has it: {key} has no effect");
        findings.warning(Problem::new("no_effect", message).at(format!("{path}.{key}")));
    }
}

/// Whether a domain brings a certificate for all listeners.
fn brings_certificate(config: &Config) -> bool {
    let shown = |domain: &&Domain| {
        let is = |one: &Certificate| {
            one.meta.enabled
                && one.meta.namespace == domain.meta.namespace
                && Some(&one.meta.name) == domain.certificate.as_ref()
        };
        domain.certificate.is_some() && config.certificates.iter().any(is)
    };
    let domains = config.domains.iter().filter(|one| one.meta.enabled);
    let mut domains = domains.filter(|one| config.has_enabled(&one.meta.namespace));
    domains.any(|domain| shown(&domain))
}

/// `elsewhere` says whether certificates come from somewhere else too.
pub(super) fn tls(tls: &ListenerTls, elsewhere: bool, path: &str, findings: &mut Findings) {
    if tls.certificates.is_empty() && !elsewhere {
        let problem = Problem::new("no_certificate", "there is no certificate to show");
        let hint = "add certificates: [{cert: server.crt, key: server.key}]";
        findings.problem(problem.at(format!("{path}.certificates")).hint(hint));
    }
    let is_13 = |suite: &CipherSuite| *suite <= CipherSuite::TLS_CHACHA20_POLY1305_SHA256;
    if tls.min_version == TlsVersion::Tls13
        && !tls.cipher_suites.is_empty()
        && !tls.cipher_suites.iter().any(is_13)
    {
        let problem = Problem::new("no_cipher_suite", "no cipher suite of TLS 1.3 is allowed");
        let hint = "add TLS_AES_128_GCM_SHA256, or lower min_version";
        findings.problem(problem.at(format!("{path}.cipher_suites")).hint(hint));
    }
    client_certificates(&tls.client_certificates, &format!("{path}.client_certificates"), findings);
    for (at, host) in tls.hosts.iter().enumerate() {
        let path = format!("{path}.hosts[{at}]");
        if host.hosts.is_empty() {
            let problem = Problem::new("empty_match", "the list of hosts is empty: it is for none");
            findings.problem(problem.at(format!("{path}.hosts")));
        }
        let path = format!("{path}.client_certificates");
        client_certificates(&host.client_certificates, &path, findings);
    }
}

fn client_certificates(asked: &ClientCertificates, path: &str, findings: &mut Findings) {
    match (asked.mode, &asked.ca) {
        (ClientCertificateMode::Off, Some(_)) => {
            let warning =
                Problem::new("no_effect", "no certificate is asked for: ca has no effect");
            findings.warning(warning.at(format!("{path}.ca")).hint("set mode: required"));
        }
        (ClientCertificateMode::Optional | ClientCertificateMode::Required, None) => {
            let problem = Problem::new("missing_ca", "no authority is named that may issue them");
            findings.problem(problem.at(format!("{path}.ca")).hint("add ca: clients-ca.crt"));
        }
        _ => {}
    }
}

fn without_effect(listener: &Listener, config: &Config, path: &str, findings: &mut Findings) {
    let takes_plain = listener.tls.as_ref().is_none_or(|tls| tls.accept_plain);
    if listener.redirect_https.is_some() && !takes_plain {
        let message = "every client comes over TLS: redirect_https has no effect";
        let warning = Problem::new("no_effect", message).at(format!("{path}.redirect_https"));
        findings.warning(warning.hint("set tls.accept_plain, or put it on the plain listener"));
    }
    let all_served = config.domains.is_empty() || config.has_enabled(&Name::default());
    if listener.strict && listener.allowed_domains.is_empty() && all_served {
        let message = "every host is allowed: strict has no effect";
        let warning = Problem::new("no_effect", message).at(format!("{path}.strict"));
        findings.warning(warning.hint("list allowed_domains"));
    }
}
