//! RESTGate's file loads unchanged: an allow-list of methods and paths in front of services.
//!
//! What its documentation promises is done as documented: its ports, defaults and durations, the
//! host rewritten to the service's, the first of several equal routes winning. What it leaves
//! open (limits, pools, balancing) is as everywhere in this gateway.

mod duration;
mod file;
mod labels;
mod pattern;

use std::{collections::HashMap, sync::OnceLock};

use portway_plugin::{
    Problem,
    value::{BindAddr, Duration, FORMATS, Quoted},
};

use crate::{
    document::Node,
    expand::Secrets,
    load::{Dialect, Read, Reader},
    places::{Naming, Numbers, Places, item},
    resource::{
        Config, Endpoint, HostPolicy, Listener, Match, Matches, Meta, Route, Service, Timeouts,
    },
    schema::generate,
    walk::{Shapes, walk},
};
use file::{File, ObservedRoute, ObservedService};
use labels::Names;

/// Whether the document is RESTGate's.
pub(crate) fn is_one(tree: &Node) -> bool {
    tree.entry("observed_services").is_some()
}

/// Reads the document. Problems are added to `problems`.
pub(crate) fn read(
    mut tree: Node,
    file: &str,
    secrets: Secrets,
    problems: &mut Vec<Problem>,
) -> Read {
    problems.extend(walk(&mut tree, shapes(), file));
    problems.extend(duplicate_names(&tree, file));
    let mut numbers = Numbers::default();
    let mut reader = Reader { file, problems };
    let settings = reader.typed(&tree, &["observed_services"], "").unwrap_or_default();
    let mut config = process(&settings);
    let waiting = settings.response_header_timeout.0;
    config.services = services(&mut reader, &tree, waiting, &mut numbers).into();
    let naming = Naming { numbers, translate: Some(document_path) };
    let places = Places::new(file, &tree, naming, secrets);
    Read { config, places, dialect: Dialect::RestGate, unread_services: Vec::new() }
}

fn shapes() -> &'static Shapes {
    static SHAPES: OnceLock<Shapes> = OnceLock::new();
    SHAPES.get_or_init(|| Shapes::of(&generate::<File>(), &[FORMATS, file::FORMATS]))
}

/// What is said of the process and its listeners.
fn process(file: &File) -> Config {
    let web = "web".parse().expect("`web` is a name");
    let mut listener = Listener::new(web, BindAddr::any(file.port));
    listener.limits.header_read = file.read_header_timeout.0;
    listener.limits.idle = file.idle_timeout.0;
    listener.read_timeout = file.read_timeout.0;
    listener.write_timeout = file.write_timeout.0;
    let mut config = Config { listeners: [listener].into(), ..Config::default() };
    config.probes.bind = BindAddr::any(file.admin_port);
    config.probes.restgate_metrics = true;
    config.log.level = file.log_level.0;
    config.log.format = file.log_format;
    config.shutdown.timeout = file.shutdown_timeout.0;
    config
}

fn services(
    reader: &mut Reader<'_>,
    tree: &Node,
    waiting: Duration,
    numbers: &mut Numbers,
) -> Vec<Service> {
    let (mut services, mut service_names, mut route_names) =
        (Vec::new(), Names::new("service"), Names::new("route"));
    let items = tree.get("observed_services").map_or(&[][..], Node::items);
    for (number, item) in items.iter().enumerate() {
        let path = format!("observed_services[{number}]");
        let observed = reader.typed::<ObservedService>(item, &["routes"], &path);
        let Some(observed) = observed else { continue };
        let mut nested = Vec::new();
        let routes: Vec<ObservedRoute> = reader.list(item, &format!("{path}.routes"), &mut nested);
        let meta = service_names.meta(observed.name.as_deref().unwrap_or_default());
        let mut service = Service::new(meta.name.clone(), Vec::<Endpoint>::new());
        service.meta = meta;
        service.url = Some(observed.service_url);
        service.host = HostPolicy::Upstream;
        service.timeouts = Timeouts {
            response_header: Some(waiting),
            // There is no such limit there: a WebSocket may be silent for as long as it likes.
            idle: Some(Duration::ZERO),
            ..Timeouts::default()
        };
        service.routes = routes.into_iter().map(|route| convert(route, &mut route_names)).collect();
        services.push(service);
        numbers.push_service(number, nested);
    }
    services
}

fn convert(observed: ObservedRoute, names: &mut Names) -> Route {
    let mut meta: Meta = names.meta(&observed.name);
    meta.description = observed.description;
    let matches = Match {
        methods: observed.methods.0,
        path: Some(observed.pattern.into_path()),
        ..Match::default()
    };
    let name = meta.name.clone();
    Route { meta, matches: Matches::One(matches), ..Route::new(name) }
}

/// The names of routes are compared as they are written, over all services.
fn duplicate_names(tree: &Node, file: &str) -> Vec<Problem> {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    let mut problems = Vec::new();
    let services = tree.get("observed_services").map_or(&[][..], Node::items);
    for (service, node) in services.iter().enumerate() {
        for (route, node) in node.get("routes").map_or(&[][..], Node::items).iter().enumerate() {
            let Some(name) = node.get("name") else { continue };
            let Some(text) = name.as_str() else { continue };
            let line = name.span.start.place(file).line;
            if let Some(first) = seen.get(text) {
                let message = format!(
                    "a second route is called {}; the first one is on line {first}",
                    Quoted(text)
                );
                let path = format!("observed_services[{service}].routes[{route}].name");
                let problem = Problem::new("duplicate_name", message).at(path);
                let place = Some(name.span.start.place(file));
                problems.push(Problem { place, ..problem.hint("give one of them another name") });
            } else {
                seen.insert(text, line);
            }
        }
    }
    problems
}

/// Where a part of the configuration stands in RESTGate's document.
fn document_path(path: &str) -> String {
    match path {
        "listeners[0].bind" => return "port".to_owned(),
        "probes.bind" => return "admin_port".to_owned(),
        _ => {}
    }
    let Some(("services", service, rest)) = item(path) else { return path.to_owned() };
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    let below = match item(rest) {
        Some(("routes", route, rest)) => {
            let key = match rest {
                "" => "",
                ".name" => ".name",
                rest if rest.contains("methods") => ".methods",
                _ => ".pattern",
            };
            format!(".routes[{route}]{key}")
        }
        _ if rest.starts_with("url") => ".service_url".to_owned(),
        _ if rest == "name" => ".name".to_owned(),
        _ => String::new(),
    };
    format!("observed_services[{service}]{below}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_where_they_were_written() {
        for (path, document) in [
            ("listeners[0].bind", "port"),
            ("probes.bind", "admin_port"),
            ("services[1].url", "observed_services[1].service_url"),
            ("services[1]", "observed_services[1]"),
            ("services[1].routes[2].match", "observed_services[1].routes[2].pattern"),
            ("services[1].routes[2].match.methods", "observed_services[1].routes[2].methods"),
            ("services[1].routes[2]", "observed_services[1].routes[2]"),
            ("", ""),
        ] {
            assert_eq!(document_path(path), document);
        }
    }
}
