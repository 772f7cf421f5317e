//! What the gateway keeps for others: secrets that configuration refers to, and documents.

use portway_plugin::{Problem, value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Meta, document_schema::DocumentSchema};
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
        let problems = match DocumentSchema::of(&self.schema) {
            Ok(schema) => schema.check(document),
            Err(problem) => vec![problem],
        };
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
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
