//! References in values: `${NAME}`, `${NAME:-default}`, `${file:/path}` and `${secret:name}` are
//! replaced by what the caller looks up; `$${` stands for `${`. Only values, never keys or comments.
//!
//! What a reference brought in may be secret. The tree remembers how such a value was written,
//! and [`Secrets`] takes what was brought in out of messages. This room reads nothing itself.

mod pem;
mod reference;
mod secrets;

pub(crate) use secrets::Secrets;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use portway_plugin::{Place, Problem, value::Quoted};

use crate::document::{Entry, Node, Text, Trail, Value};
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

    /// The secret of this name in this namespace.
    fn secret(&self, _namespace: &str, _name: &str) -> Option<String> {
        None
    }

    /// Whether there are an environment and files at all. Where there are none, references to
    /// them are refused.
    fn has_surroundings(&self) -> bool {
        true
    }
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
    /// The secrets that were asked for, each with where that was first.
    pub(crate) used: BTreeMap<SecretId, Use>,
}

/// Which secret: its namespace and its name.
pub type SecretId = (String, String);

/// Where a secret is referred to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The path in the document, or in the resource.
    pub path: String,
    /// The place in the document, if it came from one.
    pub place: Option<Place>,
}

impl Use {
    /// What is wrong when there is no such secret.
    pub(crate) fn of_nothing(&self, (namespace, name): &SecretId) -> Problem {
        let problem = no_secret(namespace, name).at(self.path.clone());
        Problem { place: self.place.clone(), ..problem }
    }
}

/// A document whose references are to be expanded.
pub(crate) struct Expandable<'a> {
    pub(crate) root: &'a mut Node,
    pub(crate) file: &'a str,
    pub(crate) lookup: &'a dyn Lookup,
}

/// Expands every reference in the values of documents that belong together.
pub(crate) fn expand(documents: Vec<Expandable<'_>>) -> Vec<Expanded> {
    // What the documents say of secrets themselves comes first: the rest may refer to it.
    let mut own = BTreeMap::new();
    let begun: Vec<_> = documents
        .into_iter()
        .map(|Expandable { root, file, lookup }| {
            let mut expansion = Expansion::new(file, lookup);
            if let Value::Map(entries) = &mut root.value {
                for entry in entries.iter_mut().filter(|entry| &*entry.key == SECRETS) {
                    expansion.list(entry);
                    own.extend(own_secrets(&entry.node));
                }
            }
            (root, expansion)
        })
        .collect();
    let own = Rc::new(own);
    let rest = begun.into_iter().map(|(root, mut expansion)| {
        expansion.own = Rc::clone(&own);
        if let Value::Map(entries) = &mut root.value {
            let rest = entries.iter_mut().filter(|entry| &*entry.key != SECRETS);
            rest.for_each(|entry| expansion.list(entry));
        } else {
            expansion.visit(root, &Trail::Root);
        }
        let Expansion { file, lookup, mut done, .. } = expansion;
        pem::read(root, file, lookup, &mut done, false);
        done
    });
    rest.collect()
}

/// The same below a resource of `namespace`, whose path is `trail`. `below` says that files of
/// certificates may be named right there.
pub(crate) fn expand_resource(
    root: &mut Node,
    file: &str,
    lookup: &dyn Lookup,
    (namespace, below): (&str, bool),
) -> Expanded {
    let mut expansion = Expansion::new(file, lookup);
    namespace.clone_into(&mut expansion.namespace);
    expansion.visit(root, &Trail::Root);
    let mut done = expansion.done;
    pem::read(root, file, lookup, &mut done, below);
    done
}

/// The key of the list of secrets.
const SECRETS: &str = "secrets";

/// The values of a list of secrets, by namespace and name.
fn own_secrets(list: &Node) -> BTreeMap<SecretId, String> {
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let secret = |node: &Node| {
        Some(((namespace_of(node).to_owned(), text(node, "name")?), text(node, "value")?))
    };
    list.items().iter().filter_map(secret).collect()
}

fn namespace_of(node: &Node) -> &str {
    node.get("namespace").and_then(Node::as_str).unwrap_or("default")
}

struct Expansion<'a> {
    file: &'a str,
    lookup: &'a dyn Lookup,
    /// The namespace of the resource in hand.
    namespace: String,
    /// The secrets of the documents themselves.
    own: Rc<BTreeMap<SecretId, String>>,
    done: Expanded,
}

impl<'a> Expansion<'a> {
    fn new(file: &'a str, lookup: &'a dyn Lookup) -> Self {
        let (namespace, own) = ("default".to_owned(), Rc::default());
        Self { file, lookup, namespace, own, done: Expanded::default() }
    }

    /// One key of the document, whose items may each have a namespace.
    fn list(&mut self, entry: &mut Entry) {
        let trail = Trail::Root;
        let trail = trail.key(&entry.key);
        let Value::List(items) = &mut entry.node.value else {
            return self.visit(&mut entry.node, &trail);
        };
        for (index, item) in items.iter_mut().enumerate() {
            namespace_of(item).clone_into(&mut self.namespace);
            self.visit(item, &trail.index(index));
        }
        "default".clone_into(&mut self.namespace);
    }

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
            Value::Text(text) if text.text.contains("${") => {
                let at =
                    Use { path: trail.to_string(), place: Some(node.span.start.place(self.file)) };
                match self.text(text, &at) {
                    Ok(expanded) => *text = expanded,
                    Err(problem) => {
                        let problem = Problem { place: at.place, ..problem };
                        self.done.problems.push(problem.at(at.path));
                        node.value = Value::Unknown;
                    }
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &Text, at: &Use) -> Result<Text, Problem> {
        let (mut expanded, mut refers) = (String::new(), false);
        for piece in pieces(&text.text)? {
            match piece {
                Piece::Literal(literal) => expanded.push_str(literal),
                Piece::Env { written, .. } | Piece::File { written, .. }
                    if !self.lookup.has_surroundings() =>
                {
                    return Err(no_surroundings(written));
                }
                Piece::Secret { name, written } => {
                    refers = true;
                    let value =
                        self.secret(name, at).ok_or_else(|| no_secret(&self.namespace, name))?;
                    self.done.secrets.add(&value, written);
                    expanded.push_str(&value);
                }
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

    fn secret(&mut self, name: &str, at: &Use) -> Option<String> {
        let id = (self.namespace.clone(), name.to_owned());
        let own = self.own.get(&id).cloned();
        let found = own.or_else(|| self.lookup.secret(&self.namespace, name));
        self.done.used.entry(id).or_insert_with(|| at.clone());
        found
    }
}

/// What to do about a file that cannot be read.
const READABLE: &str = "see that it is there, and that the user the gateway runs as may read it";

fn unset(name: &str, written: &str) -> Problem {
    Problem::new("unset_variable", format!("the environment variable {} is not set", Quoted(name)))
        .hint(format!("set it, or give a default: {}:-…}}", written.trim_end_matches('}')))
}

fn no_secret(namespace: &str, name: &str) -> Problem {
    let message = format!("the namespace {namespace} has no secret {}", Quoted(name));
    Problem::new("unknown_secret", message).hint("secrets of other namespaces are out of reach")
}

fn no_surroundings(written: &str) -> Problem {
    let message = format!(
        "the reference {} leads to the machine, which is out of reach from here",
        Quoted(written)
    );
    Problem::new("bad_reference", message)
        .hint("only files of the machine may take in its variables and files; use ${secret:name}")
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
        let document = Expandable { root: &mut node, file: "f.yaml", lookup: &Fixed };
        let done = expand(vec![document]).remove(0);
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
