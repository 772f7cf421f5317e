//! Plugins: each attachment means exactly one thing, each spec is one its plugin takes.

use std::collections::{HashMap, HashSet};

use portway_plugin::{
    Problem,
    value::{Name, Quoted},
};
use serde_json::Value;

use super::Findings;
use crate::{
    Catalog,
    plugged::{InstanceId, Level, Plugged, Plugs},
    resource::{Attached, Attachment, Config, ListenerProtocol, PluginSpec},
    walk::{CODE, closest},
};

/// Checks what is attached anywhere, and makes the instances. Paths are those of a configuration
/// that has not been lowered. What was `made` before need not be made again.
pub(super) fn check(
    config: &Config,
    catalog: &Catalog,
    made: &Plugs,
    findings: &mut Findings,
) -> Plugs {
    let mut checker =
        Checker { catalog, made, plugs: Plugs::default(), findings, shared: HashSet::new() };
    for (at, instance) in config.plugins.iter().enumerate() {
        let path = format!("plugins[{at}]");
        let (namespace, name) = (&instance.meta.namespace, &instance.meta.name);
        checker.shared.insert((namespace.clone(), name.clone()));
        let id = InstanceId::Shared(namespace.clone(), name.clone());
        if instance.plugin.len() == 1 {
            checker.make(id, &instance.plugin, &path);
        } else {
            let message = format!("expected one plugin, found {}", instance.plugin.len());
            checker.findings.problem(Problem::new("one_of", message).at(path));
        }
    }
    let mut wider = Wider::default();
    checker.list(&config.global_plugins, &Level::Global, "global_plugins", &mut wider);
    let around = wider.clone();
    for (at, listener) in config.listeners.iter().enumerate() {
        let path = format!("listeners[{at}].plugins");
        checker.only_for_requests(&listener.plugins, listener.protocol, &path);
        // A route may come by any listener: what one of them has may be switched off.
        let mut here = around.clone();
        checker.list(&listener.plugins, &listener.level(), &path, &mut here);
        wider.0.extend(here.0);
    }
    let mut of_services = wider.clone();
    for (at, service) in config.services.iter().enumerate() {
        let mut here = wider.clone();
        let path = format!("services[{at}]");
        checker.list(&service.plugins, &service.level(), &format!("{path}.plugins"), &mut here);
        of_services.0.extend(here.0.iter().cloned());
        for (number, endpoint) in service.endpoints.iter().enumerate() {
            let path = format!("{path}.endpoints[{number}].plugins");
            let level = service.endpoint_level(number);
            checker.only_inside(&endpoint.plugins, &path);
            checker.list(&endpoint.plugins, &level, &path, &mut here.clone());
        }
        let routes = service.routes.iter().enumerate();
        for (inner, route) in routes.filter(|(_, route)| !route.plugins.is_empty()) {
            let path = format!("{path}.routes[{inner}].plugins");
            let mut level = route.level();
            if let Level::Route(namespace, _) = &mut level {
                namespace.clone_from(super::lower::namespace(&service.meta, &route.meta));
            }
            checker.only_for_requests(&route.plugins, route.protocol, &path);
            checker.list(&route.plugins, &level, &path, &mut here.clone());
        }
    }
    let routes = config.routes.iter().enumerate();
    for (at, route) in routes.filter(|(_, route)| !route.plugins.is_empty()) {
        let path = format!("routes[{at}].plugins");
        checker.only_for_requests(&route.plugins, route.protocol, &path);
        checker.list(&route.plugins, &route.level(), &path, &mut of_services.clone());
    }
    checker.plugs
}

/// What wider levels have attached, by what it is called.
#[derive(Clone, Default)]
struct Wider(HashSet<String>);

struct Checker<'a> {
    catalog: &'a Catalog,
    made: &'a Plugs,
    plugs: Plugs,
    findings: &'a mut Findings,
    shared: HashSet<(Name, Name)>,
}

impl Checker<'_> {
    /// The attachments of one level.
    fn list(&mut self, attached: &[Attached], level: &Level, path: &str, wider: &mut Wider) {
        let mut here: HashMap<String, usize> = HashMap::new();
        for (at, one) in attached.iter().enumerate() {
            let path = format!("{path}[{at}]");
            let one = one.attachment();
            if !self.says_one_thing(&one, &path) {
                continue;
            }
            for (key, name) in [("without", &one.without), ("replace", &one.replace)] {
                if let Some(name) = name {
                    self.must_be_wider(name, wider, &format!("{path}.{key}"));
                }
            }
            if one.without.is_some() {
                continue;
            }
            match &one.shared {
                Some(name) => self.must_be_shared(name, level, &path),
                None => {
                    let id = InstanceId::Own(level.clone(), one.called().into());
                    self.make(id, &one.plugin, &path);
                }
            }
            if let Some(first) = here.insert(one.called().to_owned(), at) {
                let called = Quoted(one.called()).to_string();
                let message =
                    format!("{called} is attached here twice, the first time at [{first}]");
                let problem = Problem::new("duplicate_plugin", message)
                    .hint("leave one out, or give one of them a name of its own");
                self.findings.problem(problem.at(path));
            }
        }
        wider.0.extend(here.into_keys());
    }

    /// Whether exactly one of `use`, `without` and a plugin is given.
    fn says_one_thing(&mut self, one: &Attachment, path: &str) -> bool {
        let said = usize::from(one.shared.is_some())
            + usize::from(one.without.is_some())
            + one.plugin.len();
        if said != 1 {
            let message = match said {
                0 => "expected a plugin, use or without, found none of them".to_owned(),
                many => format!("expected one plugin, use or without, found {many} of them"),
            };
            let problem = Problem::new("one_of", message)
                .hint("write one list item for each plugin, such as `- cors: {}`");
            self.findings.problem(problem.at(path));
        }
        said == 1
    }

    fn must_be_shared(&mut self, name: &Name, level: &Level, path: &str) {
        if self.shared.contains(&(level.namespace(), name.clone())) {
            return;
        }
        let names = self.shared.iter().map(|(_, name)| name.as_str());
        let is_plugin = self.catalog.registry().get(name.as_str()).is_some();
        let message = format!("no shared instance is called {}", Quoted(name.as_str()));
        let problem = Problem::new("unknown_plugin", message).at(path);
        self.findings.problem(match closest(name.as_str(), names) {
            _ if is_plugin => problem.hint(format!("write `{name}: {{…}}` for one of its own")),
            Some(meant) => problem.hint(format!("did you mean {meant}?")),
            None => problem.hint("shared instances are listed under `plugins` at the top"),
        });
    }

    fn must_be_wider(&mut self, name: &Name, wider: &Wider, path: &str) {
        if wider.0.contains(name.as_str()) {
            return;
        }
        let message = format!("no wider level has attached {}", Quoted(name.as_str()));
        let problem = Problem::new("unknown_plugin", message).at(path);
        let meant = closest(name.as_str(), wider.0.iter().map(String::as_str));
        self.findings.problem(match meant {
            Some(meant) => problem.hint(format!("did you mean {meant}?")),
            None => problem,
        });
    }

    /// Makes an instance, which says what is wrong with its spec.
    fn make(&mut self, id: InstanceId, plugin: &PluginSpec, path: &str) {
        let Some((name, spec)) = plugin.iter().next() else { return };
        let Some(entry) = self.catalog.registry().get(name) else {
            let message = format!("there is no plugin {}", Quoted(name));
            let problem = Problem::new("unknown_plugin", message).at(format!("{path}.{name}"));
            let names = self.catalog.registry().iter().map(portway_plugin::Entry::name);
            self.findings.problem(match closest(name, names) {
                _ if name == "code" => problem.hint(CODE),
                Some(meant) => problem.hint(format!("did you mean {meant}?")),
                None => problem.hint("`portway plugins` lists those that are there"),
            });
            return;
        };
        let made = self.made.get(&id);
        if let Some(made) = made.filter(|one| one.instance.name() == name && one.spec == *spec) {
            return self.plugs.insert(id, made.clone());
        }
        // A plugin that is written without a spec has an empty one.
        let given =
            if spec.is_null() { Value::Object(serde_json::Map::new()) } else { spec.clone() };
        match entry.create(given) {
            Ok(instance) => self.plugs.insert(id, Plugged { spec: spec.clone(), instance }),
            Err(problem) => {
                let inner = match problem.path.as_str() {
                    "" => format!("{path}.{name}"),
                    inner if inner.starts_with('[') => format!("{path}.{name}{inner}"),
                    inner => format!("{path}.{name}.{inner}"),
                };
                self.findings.problem(problem.at(inner));
            }
        }
    }

    /// When an endpoint is chosen, wider plugins are at work already.
    fn only_inside(&mut self, attached: &[Attached], path: &str) {
        for (at, one) in attached.iter().enumerate() {
            let one = one.attachment();
            if one.without.is_some() || one.replace.is_some() {
                let message = "the plugins of an endpoint cannot switch wider ones off";
                let problem = Problem::new("foreign_plugin", message)
                    .hint("an endpoint is chosen when wider plugins are at work already");
                self.findings.problem(problem.at(format!("{path}[{at}]")));
            }
        }
    }

    fn only_for_requests(&mut self, attached: &[Attached], protocol: ListenerProtocol, path: &str) {
        if !attached.is_empty() && protocol != ListenerProtocol::Http {
            let message = "plugins work on requests, and there are none here";
            self.findings.problem(Problem::new("foreign_plugin", message).at(path));
        }
    }
}
