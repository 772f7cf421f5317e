//! Where the parts of a document begin, without what they say.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
};

use super::{
    Mark, Node, Value,
    path::{Step, next_step},
};

/// What is left of a document as long as its configuration is served: ten thousand routes have a
/// hundred thousand parts, and no secret is kept.
///
/// The parts stand level by level, so that those directly below one stand side by side.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    parts: Box<[Part]>,
    /// Each of them once.
    keys: Box<[Box<str>]>,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    start: Mark,
    /// Which key it has; [`NO_KEY`] for an item of a list, and for the whole document.
    key: u32,
    /// Where the parts directly below it begin. They end where those of the next part begin.
    below: u32,
}

const NO_KEY: u32 = u32::MAX;

impl Outline {
    pub(crate) fn of(root: &Node) -> Self {
        let mut keys: HashMap<&str, u32> = HashMap::new();
        let part = |node: &Node, key| Part { start: node.span.start, key, below: 0 };
        let mut parts = vec![part(root, NO_KEY)];
        let mut level = VecDeque::from([(0, root)]);
        while let Some((at, node)) = level.pop_front() {
            parts[at].below = number(parts.len());
            let mut add = |node, key| {
                level.push_back((parts.len(), node));
                parts.push(part(node, key));
            };
            match &node.value {
                Value::List(items) => items.iter().for_each(|item| add(item, NO_KEY)),
                Value::Map(entries) => {
                    for entry in entries {
                        let next = number(keys.len());
                        add(&entry.node, *keys.entry(&entry.key).or_insert(next));
                    }
                }
                _ => {}
            }
        }
        let mut in_order: Vec<_> = keys.into_iter().collect();
        in_order.sort_by_key(|(_, number)| *number);
        let keys = in_order.into_iter().map(|(key, _)| key.into()).collect();
        Self { parts: parts.into(), keys }
    }

    /// Where what `path` names begins, or the nearest thing above it that exists. Where the last
    /// step is a key, that is where its value begins.
    pub(crate) fn start(&self, path: &str) -> Mark {
        let (mut at, mut rest) = (0, path);
        while let Some((step, tail)) = next_step(rest) {
            let Some(below) = self.step(at, step) else { break };
            (at, rest) = (below, tail);
        }
        self.parts[at].start
    }

    fn step(&self, at: usize, step: Step<'_>) -> Option<usize> {
        let key = |at: usize| self.keys.get(self.parts[at].key as usize).map(|key| &**key);
        let mut below = self.below(at);
        match step {
            Step::Key(wanted) => below.find(|at| key(*at) == Some(wanted)),
            Step::Index(index) => below.nth(index).filter(|at| key(*at).is_none()),
        }
    }

    fn below(&self, at: usize) -> Range<usize> {
        let end = self.parts.get(at + 1).map_or(self.parts.len(), |next| next.below as usize);
        self.parts[at].below as usize..end
    }
}

fn number(number: usize) -> u32 {
    u32::try_from(number).expect("a document has fewer than 2^32 of anything")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;

    #[test]
    fn every_part_is_found_where_it_begins() {
        let text = "\
routes:
  - name: a
    match: {hosts: [x, y], path: /}
  - name: b
services: []
log:
  level: info
";
        let outline = Outline::of(&parse(text, "x.yaml").0.unwrap());
        for (path, line, column) in [
            ("", 1, 1),
            ("routes", 2, 3),
            ("routes[0].name", 2, 11),
            ("routes[0].match.hosts[1]", 3, 24),
            ("routes[0].match.path", 3, 34),
            ("routes[1].name", 4, 11),
            ("log.level", 7, 10),
            // The nearest thing above it.
            ("routes[1].match.path", 4, 5),
            ("routes[2].name", 2, 3),
            ("services[0]", 5, 11),
            ("log[0]", 7, 3),
            ("routes.name", 2, 3),
        ] {
            assert_eq!(outline.start(path), Mark { line, column }, "{path}");
        }
    }
}
