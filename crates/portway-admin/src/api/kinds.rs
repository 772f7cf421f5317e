//! What there can be: kinds of resources, and plugins.

use std::collections::{BTreeMap, BTreeSet};

use portway_config::{Kind, value::Name};
use portway_core::explain::chains;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
};
use crate::access::Verb;

/// `GET /api/v1/kinds`
pub(crate) fn kinds(context: &Context) -> Result<Made, Failure> {
    context.who.allows(Verb::List, "kind", None)?;
    let catalog = context.ledger().catalog();
    let kinds = Kind::ALL.iter().map(|kind| {
        json!({
            "kind": kind.singular(),
            "plural": kind.plural(),
            "short": kind.short(),
            "namespaced": kind.is_namespaced(),
            "schema": catalog.schema_of(*kind),
        })
    });
    Ok(Answer::of(kinds.collect::<Vec<_>>()).into())
}

/// `GET /api/v1/plugin-types`
pub(crate) fn plugin_types(context: &Context) -> Result<Made, Failure> {
    context.who.allows(Verb::List, "plugin-type", None)?;
    Ok(Answer::of(types(context)).into())
}

/// `GET /api/v1/plugin-types/{name}`
pub(crate) fn plugin_type(context: &Context) -> Result<Made, Failure> {
    context.who.allows(Verb::Get, "plugin-type", None)?;
    let name = context.param("name");
    let found = types(context).into_iter().find(|plugin| plugin["name"] == name);
    let found = found.ok_or_else(|| Failure::not_found(format!("there is no plugin {name:?}")))?;
    Ok(Answer::of(found).into())
}

/// The plugins, each with the routes of theirs that somebody may look at.
fn types(context: &Context) -> Vec<Value> {
    let is_visible = |namespace: &Name| {
        let (verb, word) = (Verb::Get, Kind::Route.singular());
        context.who.allows(verb, word, Some(namespace.as_str())).is_ok()
    };
    let mut routes: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let running = context.ledger().changes().running();
    if let Some(running) = &running {
        let config = running.config();
        for row in chains(config) {
            let Some(route) = row.route.filter(|route| is_visible(&route.meta.namespace)) else {
                continue;
            };
            let name = format!("{}/{}", route.meta.namespace, route.meta.name);
            for step in &row.steps {
                let Some(plugged) = config.plugs().get(&step.id) else { continue };
                routes.entry(plugged.instance.name()).or_default().insert(name.clone());
            }
        }
    }
    let catalog = context.ledger().catalog();
    let plugins = catalog.plugins().into_iter().map(|plugin| {
        json!({
            "name": plugin.name,
            "description": plugin.summary,
            "schema": catalog.plugin_schema(plugin.name),
            "example": catalog.registry().get(plugin.name).and_then(portway_config::Entry::example),
            "origin": "built-in",
            "routes": routes.get(plugin.name).cloned().unwrap_or_default(),
        })
    });
    plugins.collect()
}
