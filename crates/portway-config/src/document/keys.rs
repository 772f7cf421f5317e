//! A key stands in a map once.

use std::collections::HashSet;

use portway_plugin::{Problem, value::Quoted};

use super::{Entry, Flaw, Node, Trail, Value};

/// Reports every key that stands in its map a second time, and drops it there.
pub(super) fn make_unique(root: &mut Node) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    visit(root, &Trail::Root, &mut flaws);
    flaws
}

fn visit(node: &mut Node, trail: &Trail<'_>, flaws: &mut Vec<Flaw>) {
    match &mut node.value {
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                visit(item, &trail.index(index), flaws);
            }
        }
        Value::Map(entries) => {
            if has_duplicates(entries) {
                drop_duplicates(entries, trail, flaws);
            }
            for entry in entries {
                visit(&mut entry.node, &trail.key(&entry.key), flaws);
            }
        }
        _ => {}
    }
}

/// Maps are small, nearly always: comparing is cheaper than hashing.
fn has_duplicates(entries: &[Entry]) -> bool {
    if entries.len() <= 16 {
        let mut rest = entries;
        while let Some((first, tail)) = rest.split_first() {
            if tail.iter().any(|entry| entry.key == first.key) {
                return true;
            }
            rest = tail;
        }
        return false;
    }
    let mut seen = HashSet::with_capacity(entries.len());
    !entries.iter().all(|entry| seen.insert(&entry.key))
}

fn drop_duplicates(entries: &mut Vec<Entry>, trail: &Trail<'_>, flaws: &mut Vec<Flaw>) {
    let mut lines = std::collections::HashMap::new();
    entries.retain(|entry| {
        let mark = entry.key_span.start;
        match lines.entry(entry.key.clone()) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(mark.line);
                true
            }
            std::collections::hash_map::Entry::Occupied(first) => {
                let message = format!("the key {} is there twice", Quoted(&entry.key));
                let problem = Problem::new("duplicate_key", message)
                    .at(trail.key(&entry.key).to_string())
                    .hint(format!("the first one is on line {}", first.get()));
                flaws.push(Flaw::new(problem, mark));
                false
            }
        }
    });
}
