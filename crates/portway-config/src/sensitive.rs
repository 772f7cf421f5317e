//! Where secrets stand in a resource: the JSON Schema says it, by a format or by `writeOnly`.

use portway_plugin::value::{PrivateKey, Secret, TextForm};
use serde_json::Value;

/// Visits every text of `value` that is secret by the definition `definition` of `schema`, with
/// its path: `jwt[0].secret`.
pub(crate) fn visit(
    schema: &Value,
    definition: &str,
    value: &mut Value,
    visitor: &mut dyn FnMut(&str, &mut String),
) {
    let Some(shape) = schema.pointer(&format!("/$defs/{definition}")) else { return };
    Visit { schema, visitor }.node(shape, value, &mut String::new(), false);
}

struct Visit<'a> {
    schema: &'a Value,
    visitor: &'a mut dyn FnMut(&str, &mut String),
}

impl<'a> Visit<'a> {
    /// `within` says that something around the value is secret as a whole.
    fn node(&mut self, shape: &'a Value, value: &mut Value, path: &mut String, within: bool) {
        let secret = within || is_secret(shape);
        if let Some(target) = self.target(shape) {
            self.node(target, value, path, secret);
        }
        for forms in ["anyOf", "oneOf", "allOf"] {
            let forms = shape.get(forms).and_then(Value::as_array).into_iter().flatten();
            forms.for_each(|form| self.node(form, value, path, secret));
        }
        match value {
            Value::String(text) if secret => (self.visitor)(path, text),
            Value::Array(items) => {
                let Some(item) = shape.get("items") else { return };
                for (at, one) in items.iter_mut().enumerate() {
                    let before = path.len();
                    path.push_str(&format!("[{at}]"));
                    self.node(item, one, path, secret);
                    path.truncate(before);
                }
            }
            Value::Object(entries) => {
                for (key, one) in entries {
                    let known = shape.get("properties").and_then(|known| known.get(key));
                    let other = || shape.get("additionalProperties").filter(|s| s.is_object());
                    let Some(known) = known.or_else(other) else { continue };
                    let before = path.len();
                    if before > 0 {
                        path.push('.');
                    }
                    path.push_str(key);
                    self.node(known, one, path, secret);
                    path.truncate(before);
                }
            }
            _ => {}
        }
    }

    fn target(&self, shape: &Value) -> Option<&'a Value> {
        let reference = shape.get("$ref")?.as_str()?;
        self.schema.pointer(reference.trim_start_matches('#'))
    }
}

fn is_secret(shape: &Value) -> bool {
    let format = shape.get("format").and_then(Value::as_str);
    let by_format = format
        .is_some_and(|format| [Secret::FORMAT.name, PrivateKey::FORMAT.name].contains(&format));
    by_format || shape.get("writeOnly") == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use portway_plugin::{Registry, value::MASKED};
    use serde_json::json;

    use crate::{Catalog, Kind};

    #[test]
    fn secrets_are_found_wherever_they_stand() {
        let catalog = Catalog::new(Registry::new());
        let masked = |kind, mut value| {
            catalog.visit_secrets(kind, &mut value, &mut |_, text| *text = MASKED.into());
            value
        };
        assert_eq!(
            masked(
                Kind::Consumer,
                json!({"name": "a", "keys": ["k1", "k2"], "passwords": [{"hash": "$2b$x"}],
                       "jwt": [{"id": "i", "algorithm": "HS256", "secret": "s"}]}),
            ),
            json!({"name": "a", "keys": [MASKED, MASKED], "passwords": [{"hash": MASKED}],
                   "jwt": [{"id": "i", "algorithm": "HS256", "secret": MASKED}]}),
        );
        assert_eq!(
            masked(
                Kind::Listener,
                json!({"name": "a", "bind": ":1", "tls": {"certificates": [{"cert": "c", "key": "k"}]}}),
            ),
            json!({"name": "a", "bind": ":1", "tls": {"certificates": [{"cert": "c", "key": MASKED}]}}),
        );
        assert_eq!(masked(Kind::Secret, json!({"value": "v"})), json!({"value": MASKED}));
    }
}
