//! The reference of a plugin's spec, written from its JSON Schema.

use std::fmt::Write;

use serde_json::Value;

use crate::Catalog;

/// How deep maps in maps are told apart.
const DEPTH: usize = 5;

/// What a plugin is for, in one sentence, and what may be said about it.
#[derive(Clone, Debug)]
pub struct PluginReference {
    /// The plugin's name.
    pub name: &'static str,
    /// What it is for: the first paragraph of the description of its spec.
    pub summary: String,
    /// The rest of the description.
    pub more: String,
    /// Its keys, in the order of the schema.
    pub keys: Vec<KeyReference>,
}

/// One key of a spec.
#[derive(Clone, Debug)]
pub struct KeyReference {
    /// Where it stands: `jwks.url`, `limits[]`.
    pub path: String,
    /// What it holds, in words.
    pub kind: String,
    /// What it is without the key. Empty where that is nothing, or it is required.
    pub default: String,
    /// Whether it has to be there.
    pub required: bool,
    /// What it does.
    pub description: String,
}

impl Catalog {
    /// The reference of every plugin, in the order of the registry.
    #[must_use]
    pub fn plugins(&self) -> Vec<PluginReference> {
        let schema = self.schema();
        let entries = self.registry().iter();
        entries.filter_map(|entry| plugin(schema, entry.name())).collect()
    }
}

impl PluginReference {
    /// As a page of the documentation.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut page = format!("# {}\n\n{}\n", self.name, self.summary);
        if !self.more.is_empty() {
            let _ = write!(page, "\n{}\n", self.more);
        }
        page += "\n## Settings\n\n";
        if self.keys.is_empty() {
            page += "There are none: `{}`.\n";
            return page;
        }
        page += "| key | value | default | what it does |\n|---|---|---|---|\n";
        for key in &self.keys {
            let default = match (key.required, key.default.as_str()) {
                (true, _) => "*required*".to_owned(),
                (false, "") => String::new(),
                (false, value) => format!("`{value}`"),
            };
            let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} |",
                key.path,
                cell(&key.kind),
                cell(&default),
                cell(&key.description)
            );
        }
        page
    }
}

fn plugin(schema: &Value, name: &'static str) -> Option<PluginReference> {
    let spec = schema.pointer("/$defs/Attachment/properties")?.get(name)?;
    let spec = Spec { root: schema }.resolved(spec);
    let description = spec.get("description").and_then(Value::as_str).unwrap_or_default();
    let (summary, more) = description.split_once("\n\n").unwrap_or((description, ""));
    let mut keys = Vec::new();
    Spec { root: schema }.keys(spec, "", DEPTH, &mut keys);
    let unwrapped = |text: &str| text.split("\n\n").map(joined).collect::<Vec<_>>().join("\n\n");
    Some(PluginReference { name, summary: joined(summary), more: unwrapped(more), keys })
}

/// One paragraph on one line, but lists and code stay as they are.
fn joined(text: &str) -> String {
    let is_prose = |line: &str| !line.starts_with(['-', '`', ' ', '|']);
    if text.lines().all(is_prose) { text.replace('\n', " ") } else { text.to_owned() }
}

struct Spec<'a> {
    root: &'a Value,
}

impl<'a> Spec<'a> {
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let target = reference.and_then(|to| self.root.pointer(to.trim_start_matches('#')));
        target.unwrap_or(schema)
    }

    fn keys(&self, schema: &'a Value, before: &str, depth: usize, keys: &mut Vec<KeyReference>) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
        let required: Vec<_> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().collect();
        for (name, property) in properties {
            let resolved = self.resolved(property);
            let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
            let described = property.get("description").or_else(|| resolved.get("description"));
            let default = property.get("default").map(Value::to_string).unwrap_or_default();
            keys.push(KeyReference {
                path: path.clone(),
                kind: self.kind(property),
                default: default.trim_matches('"').to_owned(),
                required: required.iter().any(|one| one.as_str() == Some(name)),
                description: joined(described.and_then(Value::as_str).unwrap_or_default()),
            });
            if depth > 0 {
                self.inner(resolved, &path, depth - 1, keys);
            }
        }
    }

    /// The keys of what a key holds.
    fn inner(&self, schema: &'a Value, path: &str, depth: usize, keys: &mut Vec<KeyReference>) {
        if schema.get("properties").is_some() {
            self.keys(schema, path, depth, keys);
        } else if let Some(items) = schema.get("items") {
            self.inner(self.resolved(items), &format!("{path}[]"), depth, keys);
        } else if let Some(forms) = forms(schema) {
            for form in forms {
                let before = keys.len();
                self.inner(self.resolved(form), path, depth, keys);
                // What a form is for is said of the form, not of its only key.
                let about = form.get("description").and_then(Value::as_str).unwrap_or_default();
                if let Some(key) = keys.get_mut(before).filter(|key| key.description.is_empty()) {
                    key.description = joined(about);
                }
            }
        }
    }

    /// What a value is, in words.
    fn kind(&self, schema: &'a Value) -> String {
        let resolved = self.resolved(schema);
        if let Some(forms) = forms(resolved) {
            let mut kinds: Vec<String> = forms.iter().map(|form| self.kind(form)).collect();
            kinds.dedup();
            return kinds.join(", ");
        }
        if let Some(word) = resolved.get("const") {
            return format!("`{}`", word.as_str().map_or_else(|| word.to_string(), str::to_owned));
        }
        if let Some(words) = resolved.get("enum").and_then(Value::as_array) {
            let words =
                words.iter().map(|word| format!("`{}`", word.to_string().trim_matches('"')));
            return words.collect::<Vec<_>>().join(", ");
        }
        let format = resolved.get("format").and_then(Value::as_str).unwrap_or_default();
        let known = portway_plugin::value::FORMATS.iter().find(|known| known.name == format);
        if let Some(known) = known {
            return known.noun.to_owned();
        }
        let kind = resolved.get("type");
        match kind.and_then(|kind| kind.as_str().or_else(|| kind.get(0)?.as_str())) {
            Some("array") => {
                let items = resolved.get("items").map(|items| self.kind(items));
                format!("a list of {}", items.as_deref().unwrap_or("anything"))
            }
            Some("object") => match tag(resolved) {
                Some(tag) => format!("`{{{tag}: …}}`"),
                None => "a map".to_owned(),
            },
            Some("string") => "a text".to_owned(),
            Some("integer") => "an integer".to_owned(),
            Some("number") => "a number".to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            _ => "anything".to_owned(),
        }
    }
}

fn forms(schema: &Value) -> Option<&Vec<Value>> {
    schema.get("oneOf").or(schema.get("anyOf")).and_then(Value::as_array)
}

/// The only key of a form that is told by its key.
fn tag(schema: &Value) -> Option<&str> {
    let properties = schema.get("properties")?.as_object()?;
    let required = schema.get("required")?.as_array()?;
    (properties.len() == 1 && required.len() == 1)
        .then(|| properties.keys().next().map(String::as_str))?
}
