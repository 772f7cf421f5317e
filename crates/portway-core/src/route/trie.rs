//! Paths as a tree of segments.
//!
//! A node is what patterns with the same segments so far share, whatever their placeholders are
//! called. A walk goes down with *all* nodes that rank equally, because only the segments below
//! and the other conditions decide between two expressions that fit the same segment. No node is
//! visited twice, so that a walk costs at most the nodes of the tree.

use std::{
    hash::{BuildHasher, Hasher},
    ops::{ControlFlow, Range},
};

use hashbrown::{DefaultHashBuilder, HashTable};
use smallvec::SmallVec;

use super::{
    captures::Between,
    regexes::{Programs, RegexId},
    router::MatchId,
};

/// The place of a node in the tree.
pub(super) type NodeId = u32;

/// A run of entries in one of the shared tables.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) begin: u32,
    pub(super) end: u32,
}

impl Span {
    fn is_empty(self) -> bool {
        self.begin == self.end
    }

    pub(super) fn of<T>(self, table: &[T]) -> &[T] {
        &table[self.begin as usize..self.end as usize]
    }
}

#[derive(Debug, Default)]
pub(super) struct Node {
    /// Whether there are children for literal segments.
    pub(super) literals: bool,
    pub(super) parts: Span,
    pub(super) regexes: Span,
    pub(super) param: Option<NodeId>,
    /// The matches whose path ends here, has anything behind a slash here, or is a prefix here.
    pub(super) end: Span,
    pub(super) rest: Span,
    pub(super) prefix: Span,
}

impl Node {
    /// Whether it has no children for expressions.
    fn is_plain(&self) -> bool {
        self.parts.is_empty() && self.regexes.is_empty()
    }
}

/// What a segment of several parts must fit.
#[derive(Debug)]
pub(super) enum PartsTest {
    Between(Between),
    Regex(RegexId),
}

/// All trees of a router.
#[derive(Debug, Default)]
pub(super) struct Trie {
    pub(super) nodes: Box<[Node]>,
    pub(super) literals: Literals,
    pub(super) parts: Box<[(PartsTest, NodeId)]>,
    pub(super) regexes: Box<[(RegexId, NodeId)]>,
    /// What the spans of matches are of: positions in the router's list, rising in each span.
    pub(super) matches: Box<[u32]>,
    /// The most segments on a way down.
    pub(super) depth: usize,
}

impl Trie {
    /// Calls `visit` with each match whose path fits, best first, until it breaks.
    pub(super) fn walk(
        &self,
        root: NodeId,
        segments: &Segments<'_>,
        regexes: &Programs,
        visit: &mut impl FnMut(u32) -> ControlFlow<MatchId>,
    ) -> ControlFlow<MatchId> {
        self.descend(&[root], 0, segments, regexes, visit)
    }

    /// The matches of a span, best first.
    pub(super) fn visit(
        &self,
        span: Span,
        visit: &mut impl FnMut(u32) -> ControlFlow<MatchId>,
    ) -> ControlFlow<MatchId> {
        span.of(&self.matches).iter().try_for_each(|found| visit(*found))
    }

    fn descend(
        &self,
        nodes: &[NodeId],
        depth: usize,
        segments: &Segments<'_>,
        regexes: &Programs,
        visit: &mut impl FnMut(u32) -> ControlFlow<MatchId>,
    ) -> ControlFlow<MatchId> {
        if let [id] = nodes
            && self.node(*id).is_plain()
        {
            return self.descend_plain(*id, depth, segments, regexes, visit);
        }
        let Some(segment) = segments.get(depth) else {
            self.visit_all(nodes, |node| node.end, visit)?;
            return self.visit_all(nodes, |node| node.prefix, visit);
        };
        let mut next = SmallVec::<[NodeId; 4]>::new();
        for &id in nodes {
            if self.node(id).literals {
                next.extend(self.literals.get(id, segment));
            }
        }
        self.descend_into(&mut next, depth, segments, regexes, visit)?;
        if !segment.is_empty() {
            for &id in nodes {
                let fitting =
                    self.node(id).parts.of(&self.parts).iter().filter(|(test, _)| match test {
                        PartsTest::Between(between) => between.find(segment, |_| {}),
                        PartsTest::Regex(regex) => regexes.get(*regex).is_match(segment),
                    });
                next.extend(fitting.map(|(_, node)| *node));
            }
            self.descend_into(&mut next, depth, segments, regexes, visit)?;
            for &id in nodes {
                let children = self.node(id).regexes.of(&self.regexes).iter();
                let fitting = children.filter(|(regex, _)| regexes.get(*regex).is_match(segment));
                next.extend(fitting.map(|(_, node)| *node));
            }
            self.descend_into(&mut next, depth, segments, regexes, visit)?;
            next.extend(nodes.iter().filter_map(|id| self.node(*id).param));
            self.descend_into(&mut next, depth, segments, regexes, visit)?;
        }
        self.visit_all(nodes, |node| node.rest, visit)?;
        self.visit_all(nodes, |node| node.prefix, visit)
    }

    /// The same for one node that has at most one child for each rank: the usual case, without
    /// the lists.
    fn descend_plain(
        &self,
        id: NodeId,
        depth: usize,
        segments: &Segments<'_>,
        regexes: &Programs,
        visit: &mut impl FnMut(u32) -> ControlFlow<MatchId>,
    ) -> ControlFlow<MatchId> {
        let node = self.node(id);
        let Some(segment) = segments.get(depth) else {
            self.visit(node.end, visit)?;
            return self.visit(node.prefix, visit);
        };
        let literal = if node.literals { self.literals.get(id, segment) } else { None };
        let param = node.param.filter(|_| !segment.is_empty());
        for child in [literal, param].into_iter().flatten() {
            self.descend(&[child], depth + 1, segments, regexes, visit)?;
        }
        self.visit(node.rest, visit)?;
        self.visit(node.prefix, visit)
    }

    /// Goes down with the nodes of one rank, and leaves the list empty for the next rank.
    fn descend_into(
        &self,
        next: &mut SmallVec<[NodeId; 4]>,
        depth: usize,
        segments: &Segments<'_>,
        regexes: &Programs,
        visit: &mut impl FnMut(u32) -> ControlFlow<MatchId>,
    ) -> ControlFlow<MatchId> {
        if !next.is_empty() {
            self.descend(next, depth + 1, segments, regexes, visit)?;
            next.clear();
        }
        ControlFlow::Continue(())
    }

    /// The matches of several nodes that rank equally, best first.
    fn visit_all(
        &self,
        nodes: &[NodeId],
        span: impl Fn(&Node) -> Span,
        visit: &mut impl FnMut(u32) -> ControlFlow<MatchId>,
    ) -> ControlFlow<MatchId> {
        if let [id] = nodes {
            return self.visit(span(self.node(*id)), visit);
        }
        let spans = nodes.iter().map(|id| span(self.node(*id)).of(&self.matches));
        let mut all: SmallVec<[u32; 16]> = spans.flatten().copied().collect();
        all.sort_unstable();
        all.into_iter().try_for_each(visit)
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }
}

/// The children for literal segments, of all nodes in one table.
#[derive(Debug, Default)]
pub(super) struct Literals {
    edges: HashTable<Edge>,
    texts: String,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
struct Edge {
    parent: NodeId,
    child: NodeId,
    text: Range<u32>,
}

impl Literals {
    pub(super) fn get(&self, parent: NodeId, segment: &str) -> Option<NodeId> {
        let hash = self.hash(parent, segment);
        self.edges
            .find(hash, |edge| edge.parent == parent && self.text(&edge.text) == segment)
            .map(|edge| edge.child)
    }

    /// Adds a child that is not there yet.
    pub(super) fn insert(&mut self, parent: NodeId, segment: &str, child: NodeId) {
        let begin = super::build::index(self.texts.len());
        self.texts.push_str(segment);
        let text = begin..super::build::index(self.texts.len());
        let hash = self.hash(parent, segment);
        let Self { edges, texts, hasher } = self;
        edges.insert_unique(hash, Edge { parent, child, text }, |edge| {
            hash_with(hasher, edge.parent, &texts[edge.text.start as usize..edge.text.end as usize])
        });
    }

    fn text(&self, text: &Range<u32>) -> &str {
        &self.texts[text.start as usize..text.end as usize]
    }

    fn hash(&self, parent: NodeId, segment: &str) -> u64 {
        hash_with(&self.hasher, parent, segment)
    }
}

fn hash_with(hasher: &DefaultHashBuilder, parent: NodeId, segment: &str) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write_u32(parent);
    hasher.write(segment.as_bytes());
    hasher.finish()
}

/// The segments of a path: what stands between its slashes, behind the first one.
pub(super) struct Segments<'a> {
    path: &'a str,
    /// Where each segment ends; it begins one byte behind the end of the one before.
    ends: SmallVec<[u32; 16]>,
}

impl<'a> Segments<'a> {
    /// Cuts a path that begins with a slash. Segments beyond `depth` are never asked for.
    pub(super) fn new(path: &'a str, depth: usize) -> Self {
        let mut ends = SmallVec::new();
        for (at, byte) in path.bytes().enumerate().skip(1) {
            if byte == b'/' {
                ends.push(super::build::index(at));
                if ends.len() > depth {
                    return Self { path, ends };
                }
            }
        }
        ends.push(super::build::index(path.len()));
        Self { path, ends }
    }

    fn get(&self, at: usize) -> Option<&'a str> {
        let end = *self.ends.get(at)? as usize;
        let begin = at.checked_sub(1).map_or(1, |before| self.ends[before] as usize + 1);
        Some(&self.path[begin..end])
    }
}
