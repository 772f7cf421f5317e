//! What stands in the place of JSON Schema in a build without it: only what lets every document
//! pass is a schema.

use portway_plugin::Problem;
use serde_json::Value;

pub(crate) struct DocumentSchema;

impl DocumentSchema {
    /// # Errors
    /// There is something to judge by.
    pub(crate) fn of(schema: &Value) -> Result<Self, Problem> {
        if *schema == Value::Bool(true) {
            return Ok(Self);
        }
        let problem = Problem::new("not_in_this_build", "this build judges no documents");
        Err(problem.at("schema").hint("build portway with the feature admin"))
    }

    /// Nothing is wrong.
    #[allow(clippy::unused_self, reason = "its face is that of the real one")]
    pub(crate) fn check(&self, _: &Value) -> Vec<Problem> {
        Vec::new()
    }
}
