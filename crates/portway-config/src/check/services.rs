//! Services: endpoints that can be reached, stages that can end.

use std::collections::HashSet;

use portway_plugin::{
    Problem,
    value::{Duration, EndpointScheme, Quoted},
};

use super::Findings;
use crate::{
    Catalog,
    resource::{Balance, Config, Service, Timeouts, UpstreamHttp2, UpstreamTls},
    walk::closest,
};

pub(super) fn check(config: &Config, catalog: &Catalog, findings: &mut Findings) {
    for (at, service) in config.services.iter().enumerate() {
        let path = format!("services[{at}]");
        endpoints(service, &path, findings);
        schemes(service, &path, findings);
        balance(service, &path, catalog, findings);
        tls(service, &path, findings);
        stages(&service.timeouts, None, &path, findings);
    }
}

fn endpoints(service: &Service, path: &str, findings: &mut Findings) {
    match (&service.url, service.endpoints.is_empty()) {
        (Some(_), false) => findings.problem(
            Problem::new("url_and_endpoints", "the service has both a url and endpoints")
                .at(format!("{path}.endpoints"))
                .hint("put the url among the endpoints"),
        ),
        (None, true) => findings.problem(
            Problem::new("no_endpoint", "the service has neither a url nor endpoints")
                .at(path)
                .hint("give it a url: http://host:port"),
        ),
        _ => {}
    }
    let mut seen = HashSet::new();
    for (at, endpoint) in service.endpoints.iter().enumerate() {
        if !seen.insert(&endpoint.url) {
            let message = format!("the endpoint {} is there twice", endpoint.url);
            let problem = Problem::new("duplicate_endpoint", message);
            let problem = problem.at(format!("{path}.endpoints[{at}].url"));
            findings.problem(problem.hint("give it a greater weight instead"));
        }
    }
    if !service.endpoints.is_empty() && service.endpoints.iter().all(|e| e.weight.get() == 0) {
        let problem = Problem::new("no_weight", "every endpoint has the weight 0");
        findings.problem(problem.at(format!("{path}.endpoints")).hint("give one of them a share"));
    }
}

/// All endpoints of a service are spoken to in one way, in which they can be.
fn schemes(service: &Service, path: &str, findings: &mut Findings) {
    let kind = |scheme: EndpointScheme| match scheme {
        EndpointScheme::Http | EndpointScheme::Https | EndpointScheme::H2c => "HTTP",
        EndpointScheme::Tcp => "TCP",
        EndpointScheme::Udp => "UDP",
    };
    let kinds = || service.endpoints().map(|(url, _)| kind(url.scheme()));
    if let Some(first) = kinds().next()
        && let Some((at, other)) = kinds().enumerate().find(|(_, other)| *other != first)
    {
        let message = format!("this endpoint is {other}, the first one is {first}");
        let problem = Problem::new("mixed_endpoints", message);
        let problem = problem.at(format!("{path}.endpoints[{at}].url"));
        findings.problem(problem.hint("make two services of them"));
    }
    let is_h2c = |scheme| scheme == EndpointScheme::H2c;
    if service.http2 == UpstreamHttp2::Never
        && service.endpoints().any(|(url, _)| is_h2c(url.scheme()))
    {
        let message = "an h2c:// endpoint speaks nothing but HTTP/2";
        let problem = Problem::new("http2_never", message).at(format!("{path}.http2"));
        findings.problem(problem.hint("leave http2 out, or write http://"));
    }
}

/// What decides is there: in what comes to the service, and in the program.
fn balance(service: &Service, path: &str, catalog: &Catalog, findings: &mut Findings) {
    let is_of_requests = |scheme| {
        matches!(scheme, EndpointScheme::Http | EndpointScheme::Https | EndpointScheme::H2c)
    };
    if let Some(key) = service.balance.only_of_requests()
        && let Some((url, _)) = service.endpoints().find(|(url, _)| !is_of_requests(url.scheme()))
    {
        let message = format!("{url} takes no requests, and only those have a {key}");
        let problem = Problem::new("foreign_balance", message);
        let problem = problem.at(format!("{path}.balance.consistent_hash.{key}"));
        findings.problem(problem.hint("write consistent_hash: client_address"));
    }
    let Balance::Custom(name) = &service.balance else { return };
    let balancers = catalog.registry().balancers();
    if balancers.get(name).is_some() {
        return;
    }
    let message = format!("there is no balancer {}", Quoted(name));
    let problem = Problem::new("unknown_balancer", message).at(format!("{path}.balance.custom"));
    let names: Vec<_> = balancers.names().collect();
    findings.problem(match closest(name, names.iter().copied()) {
        Some(meant) => problem.hint(format!("did you mean {meant}?")),
        None if names.is_empty() => problem.hint("this program has registered none"),
        None => problem.hint(format!("those that are registered: {}", names.join(", "))),
    });
}

fn tls(service: &Service, path: &str, findings: &mut Findings) {
    let tls = &service.tls;
    match (&tls.cert, &tls.key) {
        (Some(_), None) => {
            let problem = Problem::new("unpaired_key", "the certificate has no private key");
            findings.problem(problem.at(format!("{path}.tls.cert")).hint("add key"));
        }
        (None, Some(_)) => {
            let problem = Problem::new("unpaired_key", "the private key has no certificate");
            findings.problem(problem.at(format!("{path}.tls.key")).hint("add cert"));
        }
        _ => {}
    }
    if tls.insecure_skip_verify {
        let message = "the certificates of the service are not verified";
        let warning = Problem::new("insecure_skip_verify", message);
        let warning = warning.at(format!("{path}.tls.insecure_skip_verify"));
        findings.warning(warning.hint("give tls.ca the authority that issued them"));
    }
    let speaks_tls = |scheme| scheme == EndpointScheme::Https;
    if *tls != UpstreamTls::default()
        && !service.endpoints().any(|(url, _)| speaks_tls(url.scheme()))
    {
        let message = "no endpoint is https://: tls has no effect";
        findings.warning(Problem::new("no_effect", message).at(format!("{path}.tls")));
    }
}

/// Warns of a stage that may take longer than the whole exchange. Only limits that somebody wrote
/// count: a short `request` with the default `connect` is no contradiction.
pub(super) fn stages(
    timeouts: &Timeouts,
    service: Option<&Timeouts>,
    path: &str,
    findings: &mut Findings,
) {
    let or_service = |own: Option<_>, of: fn(&Timeouts) -> Option<_>| own.or(service.and_then(of));
    let Some(request) = or_service(timeouts.request, |t| t.request).and_then(Duration::limit)
    else {
        return;
    };
    let stages = [
        ("connect", timeouts.connect, or_service(timeouts.connect, |t| t.connect)),
        (
            "response_header",
            timeouts.response_header,
            or_service(timeouts.response_header, |t| t.response_header),
        ),
    ];
    for (stage, own, limit) in stages {
        // What is contradictory in the service is said there.
        let here = own.is_some() || timeouts.request.is_some();
        if let Some(limit) = limit
            && here
            && limit.limit().is_some_and(|limit| limit > request)
        {
            let message = format!(
                "{stage} may take {limit}, longer than the whole request may: it never expires"
            );
            let stage = if own.is_some() { stage } else { "request" };
            let warning = Problem::new("timeout_never_reached", message);
            findings.warning(warning.at(format!("{path}.timeouts.{stage}")));
        }
    }
}
