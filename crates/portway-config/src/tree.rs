//! Text read as values, before anybody asks what they mean.

use portway_plugin::{Place, Problem};
use serde_json::Value;

use crate::document::{self, Node, Outline, Value as Content};

/// A text in YAML, JSON or TOML as it stands: not expanded, not checked. Programs that put a
/// document together of several, or send one elsewhere to be checked, keep it to say later where
/// something stands.
#[derive(Clone, Debug)]
pub struct Tree {
    file: String,
    root: Node,
    outline: Outline,
}

impl Tree {
    /// Reads `text`, called `file` in messages. Its format is what the name's extension says
    /// (`.yaml`, `.yml`, `.json`, `.toml`), else what the text looks like.
    ///
    /// # Errors
    /// It cannot be read, or a key stands in a map twice.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Problem>> {
        match document::parse(text, file) {
            (Some(root), problems) if problems.is_empty() => {
                Ok(Self { file: file.to_owned(), outline: Outline::of(&root), root })
            }
            (_, problems) => Err(problems),
        }
    }

    /// What it says. A key without a value is `null`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        value(&self.root)
    }

    /// Where `path` (`services[0].url`) stands, or the nearest thing around it.
    #[must_use]
    pub fn place(&self, path: &str) -> Place {
        self.outline.start(path).place(&self.file)
    }
}

/// With the keys that have no value, which a merge patch uses to delete.
fn value(node: &Node) -> Value {
    match &node.value {
        Content::List(items) => items.iter().map(value).collect(),
        Content::Map(entries) => {
            entries.iter().map(|entry| (String::from(&*entry.key), value(&entry.node))).collect()
        }
        _ => node.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_they_stand() {
        let tree = Tree::parse("a: 1\nb: [x, {c: null}]\nd: ${HOME}\n", "x.yaml").unwrap();
        assert_eq!(tree.to_json().to_string(), r#"{"a":1,"b":["x",{"c":null}],"d":"${HOME}"}"#);
        let Place { file, line, column } = tree.place("b[1].c.further");
        assert_eq!((file.as_str(), line, column), ("x.yaml", 2, 12));
    }

    #[test]
    fn a_key_twice_is_no_tree() {
        let problems = Tree::parse("a: 1\na: 2\n", "x.yaml").unwrap_err();
        assert_eq!(problems[0].code, "duplicate_key");
        assert!(Tree::parse("a: [", "x.yaml").is_err());
    }
}
