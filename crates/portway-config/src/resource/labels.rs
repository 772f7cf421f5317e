//! What people and tools say about a resource.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Keys with values, by rising key. Ten thousand resources have one or two each: a list of their
/// own length takes a tenth of the room of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels(Box<[(Box<str>, Box<str>)]>);

impl Labels {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(other, _)| (**other).cmp(key)).ok()?;
        Some(&self.0[at].1)
    }

    /// Adds one, or gives it another value.
    pub fn insert(&mut self, key: &str, value: &str) {
        let others = self.iter().filter(|(other, _)| *other != key);
        *self = others.chain([(key, value)]).collect();
    }

    /// Keys and values, by rising key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Of several with one key, the last one counts.
impl<'a> FromIterator<(&'a str, &'a str)> for Labels {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(labels: I) -> Self {
        let sorted: BTreeMap<&str, &str> = labels.into_iter().collect();
        Self(sorted.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let labels = BTreeMap::<Box<str>, Box<str>>::deserialize(deserializer)?;
        Ok(Self(labels.into_iter().collect()))
    }
}

/// That of a map of texts.
impl JsonSchema for Labels {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<String, String>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, String>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_read_and_written_as_a_map() {
        let mut labels: Labels = serde_json::from_str(r#"{"team": "a", "by": "hand"}"#).unwrap();
        assert_eq!((labels.get("by"), labels.get("to")), (Some("hand"), None));
        labels.insert("to", "b");
        labels.insert("team", "c");
        let text = serde_json::to_string(&labels).unwrap();
        assert_eq!(text, r#"{"by":"hand","team":"c","to":"b"}"#);
    }
}
