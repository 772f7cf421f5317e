//! From tables to resources: what a program declares is served, shown and exported like what
//! anybody else declares.

use std::{collections::BTreeMap, str::FromStr};

use portway_config::{
    Attached, Attachment, Balance, Config, Endpoint, Match, Matches, PathMatch, Reply as Answer,
    Rewrite, Route as RouteResource, Service as ServiceResource, Target,
    value::{Name, PathPattern, PathPrefix, Status, Weight},
};
use portway_plugin::{Plugin, Problem, value::InvalidValue};
use serde_json::Value;

use super::{Code, Codes, Route, Service};
use crate::problems::read;

/// What a program declares.
#[derive(Default)]
pub(crate) struct Declared {
    /// The tables.
    pub(crate) services: Vec<&'static Service>,
    /// The endpoints of services, in the order in which they were given.
    pub(crate) endpoints: Vec<(String, Vec<String>)>,
    /// The policies by name.
    pub(crate) policies: BTreeMap<String, Balance>,
    /// The policy of services that name none.
    pub(crate) default_policy: Balance,
}

/// What has become of what was declared.
#[derive(Default)]
pub(crate) struct Lowered {
    /// The resources with which nothing is wrong.
    pub(crate) config: Config,
    /// The code of their routes.
    pub(crate) codes: Codes,
    /// All that is no name, path, size and so on. A path of a problem names the route:
    /// `shop.item.to`.
    pub(crate) problems: Vec<Problem>,
    /// Whether a service could not be made that routes may name.
    pub(crate) lacks_services: bool,
}

/// The resources of what was declared, and its code.
pub(crate) fn lower(declared: &Declared) -> Lowered {
    let mut lowering = Lowering { declared, made: Lowered::default() };
    for (name, urls) in &declared.endpoints {
        lowering.endpoints(name, urls);
    }
    for (at, service) in declared.services.iter().enumerate() {
        if declared.services[..at].iter().any(|other| std::ptr::eq(*other, *service)) {
            let message = format!("the service {:?} is mounted twice", service.name);
            let problem = Problem::new("duplicate_service", message).at(service.name);
            lowering
                .made
                .problems
                .push(problem.hint("mount it once: all its endpoints in one list"));
            continue;
        }
        for route in service.routes {
            lowering.route(service, route);
        }
    }
    lowering.made
}

struct Lowering<'a> {
    declared: &'a Declared,
    made: Lowered,
}

impl Lowering<'_> {
    /// A service, and once more for each policy that routes of it have in place of its own: what a
    /// policy counts and remembers is of one service.
    fn endpoints(&mut self, name: &str, urls: &[String]) {
        let endpoint = |(at, url): (usize, &String)| {
            let url = self.read(url, &format!("{name}.endpoints[{at}]"))?;
            Some(Endpoint { url, weight: Weight::default(), plugins: Vec::new() })
        };
        let endpoints: Vec<_> = urls.iter().enumerate().filter_map(endpoint).collect();
        let is_whole = endpoints.len() == urls.len();
        self.made.lacks_services |= !is_whole;
        let tables = self.declared.services.iter().filter(|service| service.name == name);
        let mut policies = vec![tables.clone().find_map(|table| table.policy)];
        let own =
            tables.flat_map(|table| table.routes.iter().filter_map(|route| own(table, route)));
        policies.extend(own.map(Some));
        policies.dedup();
        for (at, policy) in policies.iter().enumerate() {
            if policies[..at].contains(policy) {
                continue;
            }
            let called = if at == 0 { name.to_owned() } else { with_policy(name, *policy) };
            let Some(named) = self.read::<Name>(&called, name) else {
                self.made.lacks_services = true;
                return;
            };
            let mut service = ServiceResource::new(named, endpoints.clone());
            service.balance = self.policy(*policy, name);
            if is_whole {
                self.made.config.services.push(service);
            }
        }
    }

    fn policy(&mut self, policy: Option<&str>, path: &str) -> Balance {
        let declared = self.declared;
        let Some(name) = policy else { return declared.default_policy.clone() };
        if let Some(balance) = declared.policies.get(name) {
            return balance.clone();
        }
        let names: Vec<_> = declared.policies.keys().map(String::as_str).collect();
        let hint = match names.is_empty() {
            true => format!("give it to the builder: .policy({name:?}, …)"),
            false => format!("there is {}", names.join(", ")),
        };
        let message = format!("there is no policy {name:?}");
        let problem = Problem::new("unknown_policy", message).at(format!("{path}.policy"));
        self.made.problems.push(problem.hint(hint));
        Balance::default()
    }

    fn route(&mut self, service: &'static Service, route: &'static Route) {
        let before = self.made.problems.len();
        let at = format!("{}.{}", service.name, route.name);
        let path = join(service.prefix, route.path);
        let rewrite = match route.to {
            Some(to) => self.read(to, &format!("{at}.to")).map(Rewrite::Path),
            None => self.prefix(service, &at).map(Rewrite::StripPrefix),
        };
        let hosts = if route.hosts.is_empty() { service.hosts } else { route.hosts };
        let one = Match {
            hosts: self.all(hosts, &format!("{at}.hosts")),
            methods: self.all(&methods(service, route), &format!("{at}.methods")),
            path: self.path(&path, route, &format!("{at}.path")).map(PathMatch::Pattern),
            ..Match::default()
        };
        let Some(name) = self.read::<Name>(&at, &at) else { return };
        let mut resource = RouteResource::new(name);
        resource.matches = Matches::One(one);
        resource.target = self.target(service, route);
        resource.rewrite = rewrite;
        resource.timeouts.request =
            route.timeout.and_then(|text| self.read(text, &format!("{at}.timeout")));
        resource.body_limit =
            route.body_limit.and_then(|text| self.read(text, &format!("{at}.body_limit")));
        let shared = [service.plugins, route.plugins].concat();
        let shared = self.all::<Name>(&shared, &format!("{at}.plugins"));
        resource.plugins = shared.into_iter().map(Attached::Shared).collect();
        if let Some(run) = route.code {
            let spec = [(Code::NAME.to_owned(), Value::from(at.clone()))];
            let attachment =
                Attachment { plugin: spec.into(), enabled: true, ..Attachment::default() };
            resource.plugins.push(Attached::With(Box::new(attachment)));
            self.made.codes.add(at, run, route);
        }
        // Half a route would take requests of others.
        if self.made.problems.len() == before {
            self.made.config.routes.push(resource);
        }
    }

    /// Below a prefix, a path without a slash would be another word of it.
    fn path(&mut self, joined: &str, route: &Route, at: &str) -> Option<PathPattern> {
        let is_below = route.path.starts_with('/') || route.path.is_empty();
        self.read(if is_below { joined } else { route.path }, at)
    }

    fn prefix(&mut self, service: &Service, at: &str) -> Option<PathPrefix> {
        let prefix = service.prefix.trim_end_matches('/');
        if prefix.is_empty() { None } else { self.read(prefix, &format!("{at}.prefix")) }
    }

    /// Where the requests go that the code does not answer.
    fn target(&mut self, service: &Service, route: &Route) -> Option<Target> {
        if route.answers {
            // Nobody sees it: the code before it answers all requests.
            let status = Status::try_from(501).unwrap_or_default();
            let answer =
                Answer { status, headers: BTreeMap::new(), body: String::new(), template: false };
            return Some(Target::Reply(answer.into()));
        }
        let Some(policy) = own(service, route) else {
            return self.read(service.name, service.name).map(Target::Service);
        };
        if !self.declared.endpoints.iter().any(|(name, _)| name == service.name) {
            let message = "the route has a policy, and somebody else has the service";
            let at = format!("{}.{}.policy", service.name, route.name);
            let hint = "give the builder the endpoints, or the service its `balance` where it is";
            self.made.problems.push(Problem::new("foreign_service", message).at(at).hint(hint));
            return None;
        }
        self.read(&with_policy(service.name, Some(policy)), service.name).map(Target::Service)
    }

    fn all<T: FromStr<Err = InvalidValue>>(&mut self, texts: &[&str], path: &str) -> Vec<T> {
        let texts = texts.iter().enumerate();
        texts.filter_map(|(at, text)| self.read(text, &format!("{path}[{at}]"))).collect()
    }

    fn read<T: FromStr<Err = InvalidValue>>(&mut self, text: &str, path: &str) -> Option<T> {
        read(text, path).map_err(|problem| self.made.problems.push(problem)).ok()
    }
}

/// The policy of a route that is another one than its service's.
fn own(service: &Service, route: &Route) -> Option<&'static str> {
    route.policy.filter(|policy| service.policy != Some(policy))
}

/// What a service is called for routes with a policy of their own.
fn with_policy(service: &str, policy: Option<&str>) -> String {
    policy.map_or_else(|| service.to_owned(), |policy| format!("{service}.{policy}"))
}

/// The methods a route takes. One for GET takes HEAD, unless another one is for that.
fn methods(service: &Service, route: &Route) -> Vec<&'static str> {
    let mut methods = route.methods.to_vec();
    let is_heads = |other: &Route| {
        other.methods.contains(&"HEAD") && (other.path, other.hosts) == (route.path, route.hosts)
    };
    if methods.contains(&"GET") && !service.routes.iter().any(is_heads) {
        methods.push("HEAD");
    }
    methods
}

/// A path below a prefix; `/` below one is the prefix itself.
fn join(prefix: &str, path: &str) -> String {
    let prefix = prefix.trim_end_matches('/');
    match path {
        "/" | "" if !prefix.is_empty() => prefix.to_owned(),
        path => format!("{prefix}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_with_or_without_a_slash() {
        for (prefix, path, joined) in [
            ("", "/", "/"),
            ("/", "/items", "/items"),
            ("/sales", "/", "/sales"),
            ("/sales/", "/items/{id}", "/sales/items/{id}"),
            ("/sales", "/items/", "/sales/items/"),
        ] {
            assert_eq!(join(prefix, path), joined);
        }
    }
}
