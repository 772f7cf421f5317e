//! References in values: `${NAME}`, `${NAME:-default}` and `${file:/path}` are replaced by what
//! the caller looks up; `$${` stands for `${`. Only values, never keys or comments.
//!
//! What a reference brought in may be secret. The tree remembers how such a value was written,
//! and [`Secrets`] takes what was brought in out of messages. This room reads nothing itself.

mod pem;
mod reference;
mod secrets;

pub(crate) use secrets::Secrets;

use std::collections::BTreeSet;

use portway_plugin::{Problem, value::Quoted};

use crate::document::{Node, Text, Trail, Value};
use reference::{Piece, pieces};

/// Where references lead. The caller does the reading, and keeps what it read when it wants to
/// know later whether a file changed.
pub trait Lookup {
    /// The environment variable of this name.
    fn env(&self, name: &str) -> Option<String>;

    /// The content of the file at this path.
    ///
    /// # Errors
    /// Why it could not be read, for people.
    fn file(&self, path: &str) -> Result<String, String>;
}

/// Nothing is found anywhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLookup;

impl Lookup for NoLookup {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> Result<String, String> {
        Err("files are not read here".to_owned())
    }
}

/// What expanding a tree brought to light.
#[derive(Default)]
pub(crate) struct Expanded {
    pub(crate) problems: Vec<Problem>,
    pub(crate) files: BTreeSet<String>,
    pub(crate) secrets: Secrets,
}

/// Expands every reference in the values below `root`.
pub(crate) fn expand(root: &mut Node, file: &str, lookup: &dyn Lookup) -> Expanded {
    let mut expansion = Expansion { file, lookup, done: Expanded::default() };
    expansion.visit(root, &Trail::Root);
    let mut done = expansion.done;
    pem::read(root, file, lookup, &mut done);
    done
}

struct Expansion<'a> {
    file: &'a str,
    lookup: &'a dyn Lookup,
    done: Expanded,
}

impl Expansion<'_> {
    fn visit(&mut self, node: &mut Node, trail: &Trail<'_>) {
        match &mut node.value {
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.visit(item, &trail.index(index));
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    self.visit(&mut entry.node, &trail.key(&entry.key));
                }
            }
            Value::Text(text) if text.text.contains("${") => match self.text(text) {
                Ok(expanded) => *text = expanded,
                Err(problem) => {
                    let place = node.span.start.place(self.file);
                    let problem = Problem { place: Some(place), ..problem };
                    self.done.problems.push(problem.at(trail.to_string()));
                    node.value = Value::Unknown;
                }
            },
            _ => {}
        }
    }

    fn text(&mut self, text: &Text) -> Result<Text, Problem> {
        let (mut expanded, mut refers) = (String::new(), false);
        for piece in pieces(&text.text)? {
            match piece {
                Piece::Literal(literal) => expanded.push_str(literal),
                Piece::Env { name, default, written } => {
                    refers = true;
                    let value = self.lookup.env(name);
                    // As in a shell, an empty variable counts as missing where a default stands.
                    let value = match default {
                        Some(default) => value.filter(|value| !value.is_empty()).ok_or(default),
                        None => Ok(value.ok_or_else(|| unset(name, written))?),
                    };
                    match value {
                        Ok(value) => {
                            self.done.secrets.add(&value, written);
                            expanded.push_str(&value);
                        }
                        Err(default) => expanded.push_str(default),
                    }
                }
                Piece::File { path, written } => {
                    refers = true;
                    self.done.files.insert(path.to_owned());
                    let content = self.lookup.file(path).map_err(|why| unread(path, &why))?;
                    // Editors and secret stores end a file with a line break.
                    let content = content.strip_suffix('\n').unwrap_or(&content);
                    let content = content.strip_suffix('\r').unwrap_or(content);
                    self.done.secrets.add(content, written);
                    expanded.push_str(content);
                }
            }
        }
        let written = refers.then(|| text.text.as_str().into());
        Ok(Text { text: expanded, written })
    }
}

/// What to do about a file that cannot be read.
const READABLE: &str = "see that it is there, and that the user the gateway runs as may read it";

fn unset(name: &str, written: &str) -> Problem {
    Problem::new("unset_variable", format!("the environment variable {} is not set", Quoted(name)))
        .hint(format!("set it, or give a default: {}:-…}}", written.trim_end_matches('}')))
}

fn unread(path: &str, why: &str) -> Problem {
    Problem::new("unreadable_file", format!("the file {} cannot be read: {why}", Quoted(path)))
        .hint(READABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;

    struct Fixed;

    impl Lookup for Fixed {
        fn env(&self, name: &str) -> Option<String> {
            match name {
                "HOST" => Some("a.internal".to_owned()),
                "EMPTY" => Some(String::new()),
                _ => None,
            }
        }

        fn file(&self, path: &str) -> Result<String, String> {
            match path {
                "/run/key" => Ok("s3cret\r\n".to_owned()),
                _ => Err("no such file".to_owned()),
            }
        }
    }

    fn expanded(value: &str) -> String {
        let (node, _) = parse(&format!("v: {value}"), "f.yaml");
        let mut node = node.unwrap();
        let done = expand(&mut node, "f.yaml", &Fixed);
        match done.problems.first() {
            Some(problem) => problem.to_string(),
            None => node.get("v").and_then(Node::as_str).unwrap().to_owned(),
        }
    }

    #[test]
    fn references_are_replaced() {
        for (value, text) in [
            ("http://${HOST}:80", "http://a.internal:80"),
            ("${PORT:-8080}", "8080"),
            ("${EMPTY:-x}", "x"),
            ("'${EMPTY}'", ""),
            ("${X:-}${HOST}", "a.internal"),
            ("${X:-a:-b}", "a:-b"),
            ("${file:/run/key}", "s3cret"),
            ("$${HOST} $$ $x", "${HOST} $$ $x"),
            ("$$${HOST}", "$${HOST}"),
        ] {
            assert_eq!(expanded(value), text, "{value}");
        }
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_a_problem() {
        for (value, problem) in [
            (
                "${PORT}",
                "f.yaml:1:4: v: the environment variable \"PORT\" is not set (unset_variable)\n  \
                 hint: set it, or give a default: ${PORT:-…}",
            ),
            (
                "${file:/none}",
                "f.yaml:1:4: v: the file \"/none\" cannot be read: no such file (unreadable_file)\n  \
                 hint: see that it is there, and that the user the gateway runs as may read it",
            ),
            (
                "a${HOST",
                "f.yaml:1:4: v: the reference \"${HOST\" is not closed (bad_reference)\n  \
                 hint: write $${ for the two characters themselves",
            ),
        ] {
            assert_eq!(expanded(value), problem);
        }
        assert!(expanded("${a b}").contains("(bad_reference)"));
        assert!(expanded("${}").contains("(bad_reference)"));
        assert!(expanded("${file:}").contains("(bad_reference)"));
        assert!(expanded("${HOST-x}").contains("(bad_reference)"));
    }
}
