//! What the gateway keeps for others: secrets that configuration refers to, and documents.

use jsonschema::PatternOptions;
use portway_plugin::{Problem, value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Meta;
use crate::expand::SecretId;

/// A text that configuration of the same namespace takes in by `${secret:name}`, and that nobody is
/// shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct NamedSecret {
    /// Name, namespace, labels, description, switch.
    #[serde(flatten)]
    pub meta: Meta,
    /// The text.
    pub value: value::Secret,
}

impl NamedSecret {
    /// Which one it is, and the text itself.
    #[must_use]
    pub fn revealed(&self) -> (SecretId, String) {
        let id = (self.meta.namespace.to_string(), self.meta.name.to_string());
        (id, self.value.expose().to_owned())
    }
}

/// A set of JSON documents that the admin API keeps. They are no configuration: traffic does not
/// change with them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Collection {
    /// Name, namespace, labels, description, switch.
    #[serde(flatten)]
    pub meta: Meta,
    /// The JSON Schema (draft 2020-12, or what its `$schema` says) every document must fit.
    /// Without it, every document does.
    #[serde(default = "anything", skip_serializing_if = "is_anything")]
    pub schema: Value,
    /// Who may read the documents.
    #[serde(default)]
    pub visibility: Visibility,
}

impl Collection {
    /// What is wrong with a document, by the schema.
    ///
    /// # Errors
    /// Everything that is wrong, each with its path in the document; a schema that is none.
    pub fn check(&self, document: &Value) -> Result<(), Vec<Problem>> {
        let validator = self.validator().map_err(|problem| vec![problem])?;
        let problems: Vec<_> = validator
            .iter_errors(document)
            .map(|error| {
                let path = dotted(&error.instance_path().to_string());
                Problem::new("bad_document", error.to_string()).at(path)
            })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// The schema, ready for use. Its patterns run in linear time, whatever a document says: those
    /// that cannot (with look-around, with back-references) make no schema here.
    ///
    /// # Errors
    /// It is no JSON Schema. The path leads below the collection.
    pub(crate) fn validator(&self) -> Result<jsonschema::Validator, Problem> {
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        options.build(&self.schema).map_err(|error| {
            let below = dotted(&error.instance_path().to_string());
            let path = format!("schema.{below}");
            Problem::new("bad_schema", error.to_string()).at(path.trim_end_matches('.').to_owned())
        })
    }
}

/// `/a/0/b` → `a.0.b`.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// Who may read the documents of a collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Those who may read in its namespace (the default).
    #[default]
    Private,
    /// Those who may read in any namespace.
    Public,
}

fn anything() -> Value {
    Value::Bool(true)
}

fn is_anything(schema: &Value) -> bool {
    *schema == Value::Bool(true)
}
