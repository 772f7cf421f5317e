//! Certificates and keys that are written as paths: what is in the files takes their place, as if
//! `${file:…}` had been written.

use portway_plugin::value::is_pem;

use super::{Expanded, Problem, unread};
use crate::{
    document::{Node, Text, Trail, Value},
    expand::Lookup,
};

/// The keys below which paths of certificates and keys stand.
const ABOVE: [&str; 3] = ["tls", "client_certificates", "certificates"];
/// The keys of the paths.
const KEYS: [&str; 3] = ["cert", "key", "ca"];

/// Reads every certificate and key below `root` that is written as a path. `below` says that
/// such keys may stand right in it.
pub(super) fn read(
    root: &mut Node,
    file: &str,
    lookup: &dyn Lookup,
    done: &mut Expanded,
    below: bool,
) {
    Reading { file, lookup, done }.visit(root, &Trail::Root, below);
}

struct Reading<'a> {
    file: &'a str,
    lookup: &'a dyn Lookup,
    done: &'a mut Expanded,
}

impl Reading<'_> {
    fn visit(&mut self, node: &mut Node, trail: &Trail<'_>, below: bool) {
        match &mut node.value {
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.visit(item, &trail.index(index), below);
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    let trail = trail.key(&entry.key);
                    if below && KEYS.contains(&&*entry.key) {
                        self.file(&mut entry.node, &trail);
                    }
                    let below = below || ABOVE.contains(&&*entry.key);
                    self.visit(&mut entry.node, &trail, below);
                }
            }
            _ => {}
        }
    }

    fn file(&mut self, node: &mut Node, trail: &Trail<'_>) {
        let Value::Text(text) = &mut node.value else { return };
        if is_pem(&text.text) || text.text.is_empty() || text.text.contains('\n') {
            return;
        }
        let path = text.text.clone();
        self.done.files.insert(path.clone());
        match self.lookup.file(&path) {
            Ok(content) => {
                self.done.secrets.add(&content, &path);
                *text = Text { text: content, written: Some(path.into()) };
            }
            Err(why) => {
                let place = Some(node.span.start.place(self.file));
                let problem = Problem { place, ..unread(&path, &why) };
                self.done.problems.push(problem.at(trail.to_string()));
                node.value = Value::Unknown;
            }
        }
    }
}
