//! The admin API: nobody reaches it unasked, and what it is told about people can be used.

use std::collections::HashMap;

use portway_plugin::{
    Problem,
    value::{HostPattern, OriginPattern, Quoted},
};

use super::{Findings, consumers::is_password_hash, listeners, token_keys};
use crate::{
    places::Places,
    resource::{
        Access, Admin, AdminCertificate, AdminJwt, Authentication, ClientCertificateMode, Config,
    },
};

pub(super) fn check(config: &Config, places: &Places, findings: &mut Findings) {
    let admin = &config.admin;
    if let Some(tls) = &admin.tls {
        listeners::tls(tls, false, "admin.tls", findings);
    }
    if admin.enabled {
        open(admin, findings);
    }
    let access = &admin.access;
    browsers(access, findings);
    passwords(access, places, findings);
    if let Some(jwt) = &access.jwt {
        self::jwt(jwt, findings);
    }
    for (at, certificate) in access.certificates.iter().enumerate() {
        self::certificate(certificate, &format!("admin.access.certificates[{at}]"), findings);
    }
    without_effect(admin, findings);
}

/// Whether the API stands open to others than those who have an account on this machine.
fn open(admin: &Admin, findings: &mut Findings) {
    let access = &admin.access;
    let is_open = access.authentication == Authentication::None;
    let is_local = admin.bind.ip().is_some_and(|ip| ip.to_canonical().is_loopback());
    if is_open && !is_local {
        let bind = admin.bind;
        let message = format!("everybody who reaches {bind} could change the gateway");
        let problem = Problem::new("admin_without_authentication", message);
        let hint = "leave authentication out and use tokens, or bind 127.0.0.1:9080";
        findings.problem(problem.at("admin.access.authentication").hint(hint));
    }
    let any = access.allowed_hosts.iter().position(HostPattern::is_any);
    if let Some(at) = any.filter(|_| is_open) {
        let message = "any page in a browser on this machine could change the gateway";
        let problem = Problem::new("admin_without_authentication", message);
        let path = format!("admin.access.allowed_hosts[{at}]");
        findings.problem(problem.at(path).hint("name the hosts, or leave authentication out"));
    }
    let is_clear = admin.tls.as_ref().is_none_or(|tls| tls.accept_plain);
    if is_clear && !is_local && access.trusted_proxies.is_empty() {
        let message = format!("passwords and tokens come to {} in clear", admin.bind);
        let warning = Problem::new("clear_credentials", message).at("admin.bind");
        let hint = "add admin.tls, or name the proxies that end TLS under trusted_proxies";
        findings.warning(warning.hint(hint));
    }
}

fn browsers(access: &Access, findings: &mut Findings) {
    for (at, origin) in access.allowed_origins.iter().enumerate() {
        if OriginPattern::is_any(origin) || origin.is_null() {
            let message =
                format!("{} lets any page change the gateway", Quoted(&origin.to_string()));
            let problem = Problem::new("bad_value", message);
            let path = format!("admin.access.allowed_origins[{at}]");
            findings.problem(problem.at(path).hint("name the origins: https://ui.example.com"));
        }
    }
}

fn passwords(access: &Access, places: &Places, findings: &mut Findings) {
    let mut seen: HashMap<&str, String> = HashMap::new();
    for (at, password) in access.basic.iter().enumerate() {
        let path = format!("admin.access.basic[{at}]");
        if !is_password_hash(&password.hash) {
            let problem = Problem::new("bad_value", "the hash is neither argon2 nor bcrypt")
                .hint("a password is stored as its hash: `portway hash` makes one");
            findings.problem(problem.at(format!("{path}.hash")));
        }
        let name = &*password.username;
        let path = format!("{path}.username");
        if name.is_empty() || name.contains(':') || name.contains(char::is_control) {
            let message = format!("{} is not a user name", Quoted(name));
            let problem = Problem::new("bad_value", message).at(path);
            findings.problem(problem.hint("it is not empty and has no colon (RFC 7617)"));
        } else if let Some(first) = seen.insert(name, path.clone()) {
            let first = places.named(&first);
            let message = format!("this user name is there already: {first}");
            findings.problem(Problem::new("duplicate_credential", message).at(path));
        }
    }
}

fn jwt(jwt: &AdminJwt, findings: &mut Findings) {
    for (key, empty) in [("keys", jwt.keys.is_empty()), ("audiences", jwt.audiences.is_empty())] {
        if empty {
            let problem = Problem::new("bad_value", "the list is empty: no token would be good");
            findings.problem(problem.at(format!("admin.access.jwt.{key}")));
        }
    }
    token_keys::check(&jwt.keys, findings);
}

fn certificate(certificate: &AdminCertificate, path: &str, findings: &mut Findings) {
    let AdminCertificate { subject, dns, uri, fingerprint, .. } = certificate;
    let said = [subject, uri, fingerprint].map(Option::is_some);
    if dns.is_none() && !said.contains(&true) {
        let problem = Problem::new("one_of", "nothing is said of the certificate: any would fit");
        findings.problem(problem.at(path).hint("add subject, dns, uri or fingerprint"));
    }
    let is_digest = |text: &String| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if fingerprint.as_ref().is_some_and(|text| !is_digest(text)) {
        let problem = Problem::new("bad_value", "a fingerprint has 64 hexadecimal digits");
        let hint = "openssl x509 -in client.crt -outform der | sha256sum";
        findings.problem(problem.at(format!("{path}.fingerprint")).hint(hint));
    }
    if uri.as_ref().is_some_and(|uri| !uri.contains("://")) {
        let problem = Problem::new("bad_value", "it has no scheme, so it takes no URI");
        let hint = "write spiffe://example.org/ops/*";
        findings.problem(problem.at(format!("{path}.uri")).hint(hint));
    }
}

fn without_effect(admin: &Admin, findings: &mut Findings) {
    let access = &admin.access;
    let mut warn = |key: &str, why: &str| {
        let message = format!("{why}: {key} has no effect");
        findings.warning(Problem::new("no_effect", message).at(format!("admin.access.{key}")));
    };
    if access.forwarded_depth > 0 && access.trusted_proxies.is_empty() {
        warn("forwarded_depth", "no proxy is trusted");
    }
    let are_asked_for = admin
        .tls
        .as_ref()
        .is_some_and(|tls| tls.client_certificates.mode != ClientCertificateMode::Off);
    if !access.certificates.is_empty() && !are_asked_for {
        warn("certificates", "clients are not asked for a certificate");
    }
    if access.authentication == Authentication::None {
        let unused = [
            ("basic", !access.basic.is_empty()),
            ("jwt", access.jwt.is_some()),
            ("certificates", !access.certificates.is_empty() && are_asked_for),
        ];
        for (key, _) in unused.iter().filter(|(_, there)| *there) {
            warn(key, "authentication is none");
        }
    }
}
