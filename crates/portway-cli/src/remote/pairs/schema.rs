//! What the schema of a kind says about a key: enough to make a value of a text.

use serde_json::Value;

/// How many references lead from one to the next; schemas do not go in circles for long.
const STEPS: usize = 16;

/// The schema of a value, with references followed.
#[derive(Clone, Debug)]
pub(super) struct Shape<'a> {
    root: &'a Value,
    /// The forms it may have.
    forms: Vec<&'a Value>,
}

impl<'a> Shape<'a> {
    /// The shape of a whole resource.
    pub(super) fn of(schema: &'a Value) -> Self {
        Self::at(schema, schema)
    }

    fn at(root: &'a Value, schema: &'a Value) -> Self {
        let mut forms = Vec::new();
        spread(root, schema, STEPS, &mut forms);
        Self { root, forms }
    }

    /// The shape of a key of this map.
    pub(super) fn key(&self, key: &str) -> Option<Self> {
        let of = |form: &&'a Value| {
            let named = form.get("properties").and_then(|all| all.get(key));
            let other = || form.get("additionalProperties").filter(|other| other.is_object());
            named.or_else(other)
        };
        self.forms.iter().find_map(of).map(|schema| Self::at(self.root, schema))
    }

    /// The shape of a key of a key: `timeouts.connect`.
    pub(super) fn path(&self, path: &str) -> Option<Self> {
        path.split('.').try_fold(self.clone(), |shape, key| shape.key(key))
    }

    /// The keys of this map.
    pub(super) fn keys(&self) -> Vec<&'a str> {
        let maps = self.forms.iter().filter_map(|form| form.get("properties")?.as_object());
        maps.flat_map(|map| map.keys().map(String::as_str)).collect()
    }

    /// The keys this map must have.
    pub(super) fn required(&self) -> Vec<&'a str> {
        let lists = self.forms.iter().filter_map(|form| form.get("required")?.as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    /// Whether a file would have to be written in base64.
    pub(super) fn wants_base64(&self) -> bool {
        let says = |form: &&Value, key| form.get(key).and_then(Value::as_str).map(str::to_owned);
        self.forms.iter().any(|form| {
            says(form, "contentEncoding").is_some_and(|encoding| encoding == "base64")
                || says(form, "format").is_some_and(|format| matches!(&*format, "base64" | "byte"))
        })
    }

    /// Whether any value will do.
    pub(super) fn is_anything(&self) -> bool {
        self.forms.iter().any(|form| is_anything(form))
    }

    /// The value that a text means here.
    pub(super) fn value(&self, text: &str) -> Result<Value, String> {
        if self.is_anything() {
            return Ok(text.into());
        }
        // A text that is also a list is the list only where it has commas.
        let is_list = self.has("array");
        if self.has("string") && !(is_list && text.contains(',')) && !self.is_number(text) {
            return Ok(text.into());
        }
        if self.has("boolean") {
            match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "1" | "yes" | "on" => return Ok(true.into()),
                "false" | "f" | "0" | "no" | "off" => return Ok(false.into()),
                _ => {}
            }
        }
        if self.is_number(text) {
            return serde_json::from_str(text).map_err(|error| error.to_string());
        }
        if is_list {
            let items = self.forms.iter().find_map(|form| form.get("items"));
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            return match items {
                Some(items) => {
                    let items = Self::at(self.root, items);
                    parts.map(|part| items.value(part)).collect()
                }
                None => Ok(parts.collect()),
            };
        }
        Err(format!("{text:?} is not {}", self.noun()))
    }

    fn is_number(&self, text: &str) -> bool {
        let whole = self.has("integer") && text.parse::<i128>().is_ok();
        let broken = self.has("number") && text.parse::<f64>().is_ok_and(f64::is_finite);
        (whole || broken) && serde_json::from_str::<Value>(text).is_ok()
    }

    fn has(&self, kind: &str) -> bool {
        self.forms.iter().any(|form| is_a(form, kind))
    }

    /// What would have been right.
    fn noun(&self) -> String {
        let nouns = [
            ("boolean", "true or false"),
            ("integer", "a whole number"),
            ("number", "a number"),
            ("object", "a map: write KEY:=JSON, or KEY.KEY=VALUE"),
        ];
        let fitting = nouns.iter().filter(|(kind, _)| self.has(kind)).map(|(_, noun)| *noun);
        fitting.collect::<Vec<_>>().join(", or ")
    }
}

fn is_a(form: &Value, kind: &str) -> bool {
    let names = form
        .get("const")
        .into_iter()
        .chain(form.get("enum").and_then(Value::as_array).into_iter().flatten());
    if kind == "string" && names.into_iter().any(Value::is_string) {
        return true;
    }
    match form.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(several)) => several.iter().any(|one| one == kind),
        _ => kind == "object" && form.get("properties").is_some(),
    }
}

fn is_anything(form: &Value) -> bool {
    match form {
        Value::Bool(is_anything) => *is_anything,
        Value::Object(map) => !["type", "enum", "const", "properties", "items"]
            .iter()
            .any(|key| map.contains_key(*key)),
        _ => false,
    }
}

/// Follows references and takes apart what has several forms.
fn spread<'a>(root: &'a Value, schema: &'a Value, steps: usize, forms: &mut Vec<&'a Value>) {
    if steps == 0 {
        return;
    }
    let mut leads_on = false;
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        leads_on = true;
        match root.pointer(reference.trim_start_matches('#')) {
            Some(target) => spread(root, target, steps - 1, forms),
            // What is not said cannot be judged here; the gateway will.
            None => forms.push(&Value::Bool(true)),
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        for form in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            leads_on = true;
            spread(root, form, steps - 1, forms);
        }
    }
    let says_more = schema.get("properties").is_some() || schema.get("type").is_some();
    if says_more || !leads_on {
        forms.push(schema);
    }
}
