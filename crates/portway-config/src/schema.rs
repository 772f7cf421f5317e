//! The JSON Schema of the document: generated from the types, so that editors, the walk and the
//! types cannot disagree.

use portway_plugin::Registry;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::resource::Config;

/// The types that name a plugin by a key of their own.
const PLUGGED: [&str; 2] = ["Attachment", "PluginInstance"];

/// The JSON Schema (draft 2020-12) of a configuration with these plugins.
pub(crate) fn schema(registry: &Registry) -> Value {
    let mut generator = generator();
    let specs: Vec<_> =
        registry.iter().map(|entry| (entry.name(), entry.schema(&mut generator))).collect();
    let mut schema = generator.into_root_schema_for::<Config>().to_value();
    for name in PLUGGED {
        let Some(Value::Object(plugged)) = schema.pointer_mut(&format!("/$defs/{name}")) else {
            continue;
        };
        plugged.shift_remove("additionalProperties");
        if let Some(Value::Object(properties)) = plugged.get_mut("properties") {
            let specs = specs.iter().map(|(plugin, spec)| ((*plugin).to_owned(), spec.clone()));
            properties.extend(specs.map(|(plugin, spec)| (plugin, spec.to_value())));
        }
    }
    tidy(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("$id".into(), "https://portway.dev/schema/portway.json".into());
        root.insert("title".into(), "Portway configuration".into());
        if let Some(Value::Object(properties)) = root.get_mut("properties") {
            let about = "The schema an editor checks this file with.";
            properties.insert("$schema".into(), json!({ "type": "string", "description": about }));
        }
        // A place for anchors: `x-defaults: &defaults {…}`.
        root.insert("patternProperties".into(), json!({ "^x-": true }));
    }
    schema
}

/// The definition `name` of a schema with those it refers to.
pub(crate) fn part(schema: &Value, name: &str) -> Value {
    let (mut wanted, mut defs) = (vec![name.to_owned()], Map::new());
    while let Some(name) = wanted.pop() {
        if defs.contains_key(&name) {
            continue;
        }
        let Some(definition) = schema.pointer(&format!("/$defs/{name}")) else { continue };
        references(definition, &mut wanted);
        defs.insert(name, definition.clone());
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/$defs/{name}"),
        "$defs": defs,
    })
}

fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Array(list) => list.iter().for_each(|one| references(one, found)),
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            found.extend(reference.and_then(|to| to.strip_prefix("#/$defs/")).map(str::to_owned));
            object.values().for_each(|one| references(one, found));
        }
        _ => {}
    }
}

/// The schema of a type, closed and without nulls.
pub(crate) fn generate<T: JsonSchema>() -> Value {
    let mut schema = generator().into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    schema
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

/// Maps with known keys allow no others, and nobody writes `null`: a key is there or it is not.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(tidy),
        Value::Object(object) => {
            drop_null(object);
            if object.contains_key("properties") && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".into(), false.into());
            }
            object.iter_mut().filter(|(key, _)| *key != "default").for_each(|(_, v)| tidy(v));
        }
        _ => {}
    }
}

fn drop_null(object: &mut Map<String, Value>) {
    if object.get("default") == Some(&Value::Null) {
        object.shift_remove("default");
    }
    if let Some(Value::Array(kinds)) = object.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    let Some(Value::Array(forms)) = object.get_mut("anyOf") else { return };
    forms.retain(|form| form.get("type").is_none_or(|kind| kind != "null"));
    if let [Value::Object(only)] = forms.as_slice() {
        let only = only.clone();
        object.shift_remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use portway_plugin::value::FORMATS;

    use super::*;

    #[test]
    fn it_speaks_of_every_key_and_of_no_null() {
        let schema = schema(&Registry::new());
        let text = schema.to_string();
        assert!(!text.contains("null"), "{text}");
        let route = schema.pointer("/$defs/Route").unwrap();
        assert_eq!(route.get("additionalProperties"), Some(&Value::Bool(false)));
        assert_eq!(route.get("required"), Some(&json!(["name"])));
        assert!(route.pointer("/properties/match").is_some(), "{route}");
        // Formats that nobody knows would be walked past in silence.
        let mut formats = Vec::new();
        collect_formats(&schema, &mut formats);
        let numeric = ["uint16", "uint32", "int32"];
        for format in formats {
            let known = FORMATS.iter().any(|known| known.name == format);
            assert!(known || numeric.contains(&format.as_str()), "{format}");
        }
    }

    fn collect_formats(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| collect_formats(value, found)),
            Value::Object(object) => {
                if let Some(Value::String(format)) = object.get("format") {
                    found.push(format.clone());
                }
                let schemas = object.iter().filter(|(key, _)| *key != "default");
                schemas.for_each(|(_, value)| collect_formats(value, found));
            }
            _ => {}
        }
    }
}
