//! A JSON Schema, prepared for walking: references followed, kinds told apart, formats found.

use std::{collections::HashMap, ops::Index};

use portway_plugin::value::{Format, Secret, TextForm};
use serde_json::Value;

/// A prepared schema.
pub(crate) struct Shapes {
    list: Vec<Shape>,
    root: ShapeId,
}

/// Which shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShapeId(usize);

/// What a value has to be.
pub(super) enum Shape {
    /// Anything.
    Any,
    /// `true` or `false`.
    Bool,
    /// An integer in a range.
    Integer(Range),
    /// Any number.
    Number,
    /// A text.
    Text(Word),
    /// A list of one kind.
    List(ShapeId),
    /// A map from names the user chooses.
    Map { keys: Option<Word>, values: ShapeId },
    /// A map with known keys.
    Object(Object),
    /// One of several forms.
    Choice(Choice),
}

/// A text, perhaps one that a parser must accept.
#[derive(Default)]
pub(super) struct Word {
    pub(super) format: Option<&'static Format>,
    /// A number is read by its digits.
    pub(super) or_number: bool,
    /// It is never shown.
    pub(super) secret: bool,
}

/// Which integers.
pub(super) struct Range {
    pub(super) min: i128,
    pub(super) max: i128,
    /// Only these, unless empty.
    pub(super) one_of: Vec<i128>,
}

/// Known keys, in the order of the schema.
pub(super) struct Object {
    pub(super) keys: Keys,
    /// How many keys are required.
    pub(super) required: usize,
    open: bool,
    prefixes: Vec<String>,
}

/// One known key.
pub(super) struct Key {
    pub(super) shape: ShapeId,
    pub(super) required: bool,
}

/// Keys in order, found by name.
#[derive(Default)]
pub(super) struct Keys {
    list: Vec<(String, Key)>,
    index: HashMap<String, usize>,
}

/// The forms a value may have.
#[derive(Default)]
pub(super) struct Choice {
    /// Texts that stand for themselves.
    pub(super) words: Vec<String>,
    /// Maps with exactly this key.
    pub(super) tagged: Vec<(String, ShapeId)>,
    /// Everything else, none of it a choice.
    pub(super) others: Vec<ShapeId>,
}

impl Shapes {
    /// Prepares `schema`, whose formats are `formats`. A schema is generated from types of this
    /// house: what it cannot say here is accepted as anything.
    pub(crate) fn of(schema: &Value, formats: &[&'static [Format]]) -> Self {
        Self::of_part(schema, "", formats)
    }

    /// Prepares what `pointer` (RFC 6901) leads to in `schema`.
    pub(crate) fn of_part(schema: &Value, pointer: &str, formats: &[&'static [Format]]) -> Self {
        let formats = formats.iter().flat_map(|list| list.iter());
        let formats = formats.map(|format| (format.name, format)).collect();
        let mut reader = Reader { schema, formats, list: Vec::new(), by_reference: HashMap::new() };
        let root = match schema.pointer(pointer) {
            Some(part) => reader.read(part),
            None => reader.push(Shape::Any),
        };
        Self { list: reader.list, root }
    }

    pub(super) fn root(&self) -> ShapeId {
        self.root
    }

    /// Whether what is written in place of this may be a secret: one, a list of such, or a map that
    /// has one.
    pub(super) fn is_secret(&self, id: ShapeId) -> bool {
        let is_word = |id: ShapeId| matches!(&self[id], Shape::Text(word) if word.secret);
        match &self[id] {
            Shape::Text(word) => word.secret,
            Shape::List(items) => self.is_secret(*items),
            Shape::Map { values, .. } => is_word(*values),
            Shape::Object(object) => object.keys.iter().any(|(_, key)| is_word(key.shape)),
            _ => false,
        }
    }
}

impl Index<ShapeId> for Shapes {
    type Output = Shape;

    fn index(&self, id: ShapeId) -> &Shape {
        &self.list[id.0]
    }
}

impl Object {
    /// Whether a key that is not known may stand here.
    pub(super) fn is_open(&self, key: &str) -> bool {
        self.open || self.prefixes.iter().any(|prefix| key.starts_with(prefix))
    }
}

impl Keys {
    pub(super) fn get(&self, key: &str) -> Option<&Key> {
        self.index.get(key).map(|at| &self.list[*at].1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Key)> {
        self.list.iter().map(|(name, key)| (name, key))
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.list.iter().map(|(name, _)| name.as_str()).collect()
    }
}

struct Reader<'a> {
    schema: &'a Value,
    formats: HashMap<&'static str, &'static Format>,
    list: Vec<Shape>,
    by_reference: HashMap<&'a str, ShapeId>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, schema: &'a Value) -> ShapeId {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            if let Some(id) = self.by_reference.get(reference) {
                return *id;
            }
            // The place is taken before the target is read, for it may refer to itself.
            let id = self.push(Shape::Any);
            self.by_reference.insert(reference, id);
            if let Some(target) = self.schema.pointer(reference.trim_start_matches('#')) {
                self.list[id.0] = self.shape(target);
            }
            return id;
        }
        let shape = self.shape(schema);
        self.push(shape)
    }

    fn push(&mut self, shape: Shape) -> ShapeId {
        self.list.push(shape);
        ShapeId(self.list.len() - 1)
    }

    fn shape(&mut self, schema: &'a Value) -> Shape {
        if schema.get("$ref").is_some() {
            let mut choice = Choice::default();
            self.form(schema, &mut choice);
            return Shape::Choice(choice);
        }
        if let Some(forms) = schema.get("oneOf").or(schema.get("anyOf")).and_then(Value::as_array) {
            let mut choice = Choice::default();
            forms.iter().for_each(|form| self.form(form, &mut choice));
            return Shape::Choice(choice);
        }
        if schema.get("const").is_some() || (schema.get("enum").is_some() && !is(schema, "integer"))
        {
            let mut choice = Choice::default();
            self.form(schema, &mut choice);
            return Shape::Choice(choice);
        }
        if is(schema, "string") {
            return Shape::Text(self.word(schema));
        }
        if is(schema, "object") {
            return self.object(schema);
        }
        if is(schema, "array") {
            let items = schema.get("items").map(|items| self.read(items));
            return Shape::List(items.unwrap_or_else(|| self.push(Shape::Any)));
        }
        if is(schema, "integer") {
            return Shape::Integer(range(schema));
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => Shape::Bool,
            Some("number") => Shape::Number,
            _ => Shape::Any,
        }
    }

    fn word(&self, schema: &Value) -> Word {
        let format = schema.get("format").and_then(Value::as_str);
        Word {
            secret: format == Some(Secret::FORMAT.name),
            format: format.and_then(|name| self.formats.get(name).copied()),
            or_number: is(schema, "integer") || is(schema, "number"),
        }
    }

    fn object(&mut self, schema: &'a Value) -> Shape {
        let additional = schema.get("additionalProperties");
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            let keys = schema.get("propertyNames").map(|names| self.word(names));
            let values = match additional {
                Some(values) => self.read(values),
                None => self.push(Shape::Any),
            };
            return Shape::Map { keys, values };
        };
        let required: Vec<_> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut keys = Keys::default();
        for (name, property) in properties {
            let required = required.contains(&name.as_str());
            keys.index.insert(name.clone(), keys.list.len());
            keys.list.push((name.clone(), Key { shape: self.read(property), required }));
        }
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        let prefixes = patterns.into_iter().flatten();
        Shape::Object(Object {
            keys,
            required: required.len(),
            open: additional.is_some_and(|additional| *additional != Value::Bool(false)),
            prefixes: prefixes.filter_map(|(p, _)| Some(p.strip_prefix('^')?.to_owned())).collect(),
        })
    }

    /// Adds one form, taking choices inside choices apart.
    fn form(&mut self, schema: &'a Value, choice: &mut Choice) {
        if let Some(Value::String(word)) = schema.get("const") {
            choice.words.push(word.clone());
            return;
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array)
            && words.iter().all(Value::is_string)
        {
            choice.words.extend(words.iter().filter_map(Value::as_str).map(str::to_owned));
            return;
        }
        if let Some((tag, content)) = tagged(schema) {
            let shape = self.read(content);
            choice.tagged.push((tag.to_owned(), shape));
            return;
        }
        if let Some(forms) = schema.get("oneOf").or(schema.get("anyOf")).and_then(Value::as_array) {
            forms.iter().for_each(|form| self.form(form, choice));
            return;
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
            && let Some(target) = self.schema.pointer(reference.trim_start_matches('#'))
            && ["oneOf", "anyOf", "const", "enum"].iter().any(|key| target.get(key).is_some())
        {
            self.form(target, choice);
            return;
        }
        let id = self.read(schema);
        choice.others.push(id);
    }
}

/// A map with exactly one key, which is required: one variant of a Rust enum.
fn tagged(schema: &Value) -> Option<(&str, &Value)> {
    let properties = schema.get("properties")?.as_object()?;
    let required = schema.get("required")?.as_array()?;
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    match (properties.iter().next(), properties.len(), required.len()) {
        (Some((tag, content)), 1, 1) if closed => Some((tag, content)),
        _ => None,
    }
}

fn is(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(several)) => several.iter().any(|one| one == kind),
        _ => false,
    }
}

/// The bounds the schema gives, and those of the Rust type behind it.
fn range(schema: &Value) -> Range {
    let (min, max) = match schema.get("format").and_then(Value::as_str) {
        Some("int8") => (i8::MIN.into(), i8::MAX.into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("int64") => (i64::MIN.into(), i64::MAX.into()),
        Some("uint8") => (0, u8::MAX.into()),
        Some("uint16") => (0, u16::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("uint64" | "uint") => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    };
    let bound = |key| schema.get(key).and_then(integer);
    let one_of = schema.get("enum").and_then(Value::as_array);
    Range {
        min: bound("minimum").map_or(min, |bound| bound.max(min)),
        max: bound("maximum").map_or(max, |bound| bound.min(max)),
        one_of: one_of.into_iter().flatten().filter_map(integer).collect(),
    }
}

fn integer(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}
