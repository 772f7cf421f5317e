//! Services: endpoints that can be reached, stages that can end.

use std::collections::HashSet;

use portway_plugin::{Problem, value::Duration};

use super::Findings;
use crate::resource::{Config, Service, Timeouts};

pub(super) fn check(config: &Config, findings: &mut Findings) {
    for (at, service) in config.services.iter().enumerate() {
        let path = format!("services[{at}]");
        endpoints(service, &path, findings);
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
