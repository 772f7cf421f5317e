//! The tree.

use serde_json::{Map, Number};

/// A place in a text, counted from 1; columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// From the first character to behind the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: Mark,
    pub(crate) end: Mark,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(Text),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// What stood here was wrong and has been reported: nothing more is said about it.
    Unknown,
}

/// A text, and how it was written when references in it were expanded: messages show that and
/// never the expanded text, which may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) written: Option<Box<str>>,
}

/// A key of a map and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: Box<str>,
    pub(crate) key_span: Span,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn new(value: Value, span: Span) -> Self {
        Self { value, span }
    }

    /// The value of `key`, when this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The entry of `key`, when this is a map that has it.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| &*entry.key == key),
            _ => None,
        }
    }

    /// The elements, when this is a list.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text, when this is one.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// The tree as JSON. A key without a value is left out: `routes:` with all routes commented
    /// out means the same as no `routes` at all. So is what is unknown.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        self.to_json_without(&[])
    }

    /// The same, without some keys of the map this is.
    pub(crate) fn to_json_without(&self, keys: &[&str]) -> serde_json::Value {
        match &self.value {
            Value::Null | Value::Unknown => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => value.into(),
                (_, Ok(value)) => value.into(),
                _ => value.to_string().into(),
            },
            Value::Float(value) => Number::from_f64(*value)
                .map_or_else(|| value.to_string().into(), serde_json::Value::Number),
            Value::Text(text) => text.text.as_str().into(),
            Value::List(items) => items
                .iter()
                .filter(|item| item.value != Value::Unknown)
                .map(Self::to_json)
                .collect(),
            Value::Map(entries) => {
                let absent = |node: &Node| matches!(node.value, Value::Null | Value::Unknown);
                let wanted = |entry: &&Entry| !absent(&entry.node) && !keys.contains(&&*entry.key);
                let with_value = entries.iter().filter(wanted);
                let pairs = with_value.map(|e| (String::from(&*e.key), e.node.to_json()));
                serde_json::Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// Whether something in it was wrong.
    pub(crate) fn has_unknown(&self) -> bool {
        match &self.value {
            Value::Unknown => true,
            Value::List(items) => items.iter().any(Self::has_unknown),
            Value::Map(entries) => entries.iter().any(|entry| entry.node.has_unknown()),
            _ => false,
        }
    }
}

impl Value {
    /// A text as it was written.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(Text { text: text.into(), written: None })
    }

    /// What it is, with its article.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Null | Self::Unknown => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}
