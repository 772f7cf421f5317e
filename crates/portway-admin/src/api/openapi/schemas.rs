//! The schemas that others refer to: specs of all kinds, and the types of requests and answers.

use portway_config::{Catalog, Kind};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    super::{explain::Explain, live::DebugTokenRequest, revisions::Rollback},
    reference, shapes,
};
use crate::access::{NewToken, TokenRequest, TokenView};

/// All of them, by their names.
pub(super) fn all(catalog: &Catalog) -> Value {
    let schema = catalog.schema();
    let defs = schema.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut schemas = defs;
    let mut lists = Map::new();
    for kind in Kind::ALL {
        let name = kind.definition();
        let Some(mut spec) = schemas.get(name).cloned() else { continue };
        if let Some(Value::Array(required)) = spec.get_mut("required") {
            required.retain(|key| key != "name");
        }
        schemas.insert(format!("{name}Spec"), spec);
        schemas.insert(format!("{name}Resource"), shapes::resource(*kind));
        let items = reference(name);
        lists
            .insert(kind.plural().to_owned(), json!({ "type": ["array", "null"], "items": items }));
    }
    lists.insert("$schema".to_owned(), json!({ "description": "For editors." }));
    let document = json!({
        "type": "object",
        "description": "Resources of all kinds, as in a configuration file.",
        "properties": lists,
        "patternProperties": { "^x-": { "description": "A place for anchors." } },
        "additionalProperties": false,
    });
    schemas.insert("Document".to_owned(), document);
    // Editors go by its format, programs by its pattern.
    schemas.insert("Name".to_owned(), name());
    schemas.insert("Anything".to_owned(), json!({ "description": "Any JSON" }));
    schemas.extend(shapes::shared());
    let own = [
        part::<Explain>(),
        part::<Rollback>(),
        part::<TokenRequest>(),
        part::<DebugTokenRequest>(),
        part::<TokenView>(),
        part::<NewToken>(),
    ];
    for (name, schema, more) in own {
        schemas.insert(name, schema);
        // What the configuration has too, it tells more exactly.
        for (name, schema) in more {
            schemas.entry(name).or_insert(schema);
        }
    }
    let mut schemas = Value::Object(schemas);
    relocate(&mut schemas);
    schemas
}

/// What a resource may be called.
fn name() -> Value {
    json!({
        "type": "string",
        "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        "maxLength": portway_config::value::Name::MAX,
    })
}

/// A type's schema, with those it refers to.
fn part<T: JsonSchema>() -> (String, Value, Map<String, Value>) {
    let mut schema =
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    let defs = schema.as_object_mut().and_then(|schema| {
        schema.remove("$schema");
        schema.remove("$defs")
    });
    let defs = match defs {
        Some(Value::Object(defs)) => defs,
        _ => Map::new(),
    };
    (T::schema_name().into_owned(), schema, defs)
}

/// Definitions stand elsewhere in such a document.
fn relocate(schema: &mut Value) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(relocate),
        Value::Object(object) => {
            if let Some(Value::String(to)) = object.get_mut("$ref")
                && let Some(name) = to.strip_prefix("#/$defs/")
            {
                *to = format!("#/components/schemas/{name}");
            }
            object.values_mut().for_each(relocate);
        }
        _ => {}
    }
}
