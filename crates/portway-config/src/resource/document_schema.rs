//! The schema of a collection, ready for use.

use jsonschema::{PatternOptions, Validator};
use portway_plugin::Problem;
use serde_json::Value;

pub(crate) struct DocumentSchema(Validator);

impl DocumentSchema {
    /// Its patterns run in linear time, whatever a document says: those that cannot (with
    /// look-around, with back-references) make no schema here.
    ///
    /// # Errors
    /// It is no JSON Schema. The path leads below the collection.
    pub(crate) fn of(schema: &Value) -> Result<Self, Problem> {
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        options.build(schema).map(Self).map_err(|error| {
            let below = dotted(&error.instance_path().to_string());
            let path = format!("schema.{below}");
            Problem::new("bad_schema", error.to_string()).at(path.trim_end_matches('.').to_owned())
        })
    }

    /// All that is wrong with a document, each with its path there.
    pub(crate) fn check(&self, document: &Value) -> Vec<Problem> {
        let errors = self.0.iter_errors(document);
        let problem = |error: jsonschema::ValidationError<'_>| {
            let path = dotted(&error.instance_path().to_string());
            Problem::new("bad_document", error.to_string()).at(path)
        };
        errors.map(problem).collect()
    }
}

/// `/a/0/b` → `a.0.b`.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}
