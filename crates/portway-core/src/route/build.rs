//! Making a router: compilation, which may take its time.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use hashbrown::HashMap;
use portway_config::{Match, PathMatch, TypedPath};
use portway_plugin::value::{HostPattern, Name, Part as SegmentPart, Parts, PathPattern, Segment};

use super::{
    captures::{Between, Finder, Step},
    condition::{CertificateCondition, HeaderCondition, QueryCondition},
    hosts::Hosts,
    methods::MethodSet,
    regexes::{Originals, RegexId, RegexTable, Regexes},
    router::{CompiledMatch, Entry, Item, Level, Part, Placed, Router},
    trie::{Literals, Node, NodeId, PartsTest, Span, Trie},
};

impl Router {
    /// Prepares the matches of all routes, and the expressions in them. The order of the entries
    /// says nothing.
    #[must_use]
    pub fn build<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> (Self, Regexes) {
        let router = Self::build_after(entries, None::<(&Self, fn(u32) -> Entry<'a>)>);
        let regexes = Regexes::of_core(&router, None);
        (router, regexes)
    }

    /// The same, where what is equal comes from a router that was made before; of that one, each
    /// number stands for the entry that it was made of.
    #[must_use]
    #[expect(single_use_lifetimes, reason = "the language wants names for them here")]
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this call")]
    pub fn build_after<'a, 'b>(
        entries: impl IntoIterator<Item = Entry<'a>>,
        previous: Option<(&Self, impl Fn(u32) -> Entry<'b>)>,
    ) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        if !entries.is_sorted_by_key(|entry| entry.id) {
            entries.sort_by_key(|entry| entry.id);
        }
        let Grouped { worlds, groups } = Grouped::new(&entries);
        let earlier = previous.as_ref().map(|(router, _)| &router.originals);
        let mut originals = earlier.cloned().unwrap_or_default();
        let parts = groups.into_iter().map(|Group { world, host, items }| {
            let (namespace, _) = &worlds[world];
            let known = previous.as_ref().and_then(|(router, entry)| {
                let placed = router.placed(*namespace, host)?;
                placed.is_of(&items, &entries, entry).then(|| Arc::clone(&placed.part))
            });
            let part = known.unwrap_or_else(|| {
                Arc::new(part(items.iter().map(|at| (&entries[at.entry], at.at)), &mut originals))
            });
            let items = items.iter().map(|at| Item { route: entries[at.entry].id, at: at.at });
            Placed { part, items: items.collect() }
        });
        let parts = parts.collect();
        originals.tidy();
        let (namespaces, worlds): (Vec<_>, Vec<_>) = worlds
            .into_iter()
            .map(|(name, hosts)| (name.cloned(), hosts.map(|group| index(group.0))))
            .unzip();
        Self { worlds: worlds.into(), namespaces: namespaces.into(), parts, originals }
    }

    /// The part of a host.
    fn placed(&self, namespace: Option<&Name>, host: Option<&HostPattern>) -> Option<&Placed> {
        let world = self.namespaces.iter().position(|one| one.as_ref() == namespace)?;
        Some(&self.parts[*self.worlds[world].get(host)? as usize])
    }
}

impl Placed {
    /// Whether its part is what these items would be made into.
    fn is_of<'b>(
        &self,
        items: &[At],
        entries: &[Entry<'_>],
        was: &impl Fn(u32) -> Entry<'b>,
    ) -> bool {
        let same = |(old, new): (&Item, &At)| {
            let (before, now) = (was(old.route), &entries[new.entry]);
            old.at == new.at
                && before.priority == now.priority
                && before.listeners == now.listeners
                && (std::ptr::eq(before.matches, now.matches)
                    || before.matches.get(old.at as usize) == now.matches.get(new.at as usize))
        };
        self.items.len() == items.len() && self.items.iter().zip(items).all(same)
    }
}

/// The hosts of each namespace, and what stands under each of them.
struct Grouped<'a> {
    worlds: Vec<(Option<&'a Name>, Hosts<Number>)>,
    groups: Vec<Group<'a>>,
}

/// The place of a group, which begins behind all of them.
#[derive(Clone, Copy)]
struct Number(usize);

impl Default for Number {
    fn default() -> Self {
        Self(usize::MAX)
    }
}

/// What stands under one host of one namespace, as declared.
struct Group<'a> {
    world: usize,
    host: Option<&'a HostPattern>,
    items: Vec<At>,
}

/// One match of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
struct At {
    entry: usize,
    at: u32,
}

impl<'a> Grouped<'a> {
    fn new(entries: &[Entry<'a>]) -> Self {
        let mut this = Self { worlds: Vec::new(), groups: Vec::new() };
        let mut numbers: HashMap<Option<&Name>, usize> = HashMap::new();
        for (number, entry) in entries.iter().enumerate() {
            let world = *numbers.entry(entry.namespace).or_insert_with(|| {
                this.worlds.push((entry.namespace, Hosts::default()));
                this.worlds.len() - 1
            });
            for (found, at) in entry.matches.iter().zip(0_u32..) {
                let at = At { entry: number, at };
                if found.hosts.is_empty() {
                    this.enter(world, None, at);
                }
                for host in &found.hosts {
                    this.enter(world, Some(host), at);
                }
            }
        }
        this
    }

    fn enter(&mut self, world: usize, host: Option<&'a HostPattern>, at: At) {
        let number = self.worlds[world].1.entry(host);
        if number.0 == usize::MAX {
            number.0 = self.groups.len();
            self.groups.push(Group { world, host, items: Vec::new() });
        }
        let items = &mut self.groups[number.0].items;
        // A match may name one host twice.
        if items.last() != Some(&at) {
            items.push(at);
        }
    }
}

/// Prepares the matches of one host, in the order of their declaration.
fn part<'a>(
    items: impl Iterator<Item = (&'a Entry<'a>, u32)>,
    originals: &'a mut Originals,
) -> Part {
    let items = items.map(|(entry, at)| (entry, &entry.matches[at as usize]));
    let mut ordered: Vec<_> = (0_u32..).zip(items).collect();
    // A stable sort: of what is equal, the one declared first.
    ordered.sort_by_key(|(_, (entry, found))| {
        let Match { methods, headers, query, client_certificate, .. } = found;
        let values = (Reverse(headers.len()), Reverse(query.len()));
        let certificate = Reverse(client_certificate.len());
        (methods.is_empty(), values, certificate, entry.listeners.is_empty())
    });
    let mut builder = Builder::new(originals);
    let mut levels = Levels::new();
    let mut matches = Vec::with_capacity(ordered.len());
    for (item, (entry, found)) in ordered {
        let number = index(matches.len());
        let level = levels
            .entry(Reverse(entry.priority))
            .or_insert_with(|| GrowingLevel { root: builder.node(), ..GrowingLevel::default() });
        builder.enter(level, found.path.as_ref(), number);
        matches.push(builder.compile(entry, item, found));
    }
    builder.finish(matches.into(), levels)
}

/// A number of things that fits in 32 bits, because they were written in a configuration.
pub(super) fn index(number: usize) -> u32 {
    u32::try_from(number).expect("a configuration has fewer than 2^32 of anything")
}

type Levels = BTreeMap<Reverse<i32>, GrowingLevel>;

/// A [`Level`] in the making.
#[derive(Default)]
struct GrowingLevel {
    root: NodeId,
    regexes: Vec<(RegexId, u32)>,
    any_path: Vec<u32>,
}

/// A [`Node`] in the making.
#[derive(Default)]
struct GrowingNode {
    literals: bool,
    parts: Vec<(PartsTest, NodeId)>,
    regexes: Vec<(RegexId, NodeId)>,
    param: Option<NodeId>,
    end: Vec<u32>,
    rest: Vec<u32>,
    prefix: Vec<u32>,
}

/// What makes two segments the same child of a node.
#[derive(PartialEq, Eq, Hash)]
enum Child<'a> {
    Literal(&'a str),
    /// The parts without the names of their placeholders.
    Parts(String),
    Regex(RegexId),
    Param,
}

struct Builder<'a> {
    regexes: RegexTable<'a>,
    nodes: Vec<GrowingNode>,
    children: HashMap<(NodeId, Child<'a>), NodeId>,
    literals: Literals,
    depth: usize,
}

impl<'a> Builder<'a> {
    fn new(originals: &'a mut Originals) -> Self {
        Self {
            regexes: RegexTable::new(originals),
            nodes: Vec::new(),
            children: HashMap::new(),
            literals: Literals::default(),
            depth: 0,
        }
    }

    fn node(&mut self) -> NodeId {
        self.nodes.push(GrowingNode::default());
        index(self.nodes.len() - 1)
    }

    /// Enters a match where lookups will meet it. Matches are entered best first.
    fn enter(&mut self, level: &mut GrowingLevel, path: Option<&'a PathMatch>, number: u32) {
        let list = match path {
            None => &mut level.any_path,
            Some(PathMatch::Pattern(pattern)) => match pattern.segments() {
                [Segment::Rest(_)] => &mut level.any_path,
                [segments @ .., Segment::Rest(_)] => {
                    let node = self.descend_segments(level.root, segments);
                    &mut self.nodes[node as usize].rest
                }
                segments => {
                    let node = self.descend_segments(level.root, segments);
                    &mut self.nodes[node as usize].end
                }
            },
            Some(PathMatch::Typed(TypedPath::Exact(exact))) => {
                let node = self.descend_literals(level.root, exact.segments());
                &mut self.nodes[node as usize].end
            }
            Some(PathMatch::Typed(TypedPath::Prefix(prefix))) if prefix.is_root() => {
                &mut level.any_path
            }
            Some(PathMatch::Typed(TypedPath::Prefix(prefix))) => {
                let node = self.descend_literals(level.root, prefix.segments());
                &mut self.nodes[node as usize].prefix
            }
            Some(PathMatch::Typed(TypedPath::Regex(regex))) => {
                level.regexes.push((self.regexes.add(regex), number));
                return;
            }
        };
        list.push(number);
    }

    fn descend_literals(
        &mut self,
        root: NodeId,
        segments: impl Iterator<Item = &'a str>,
    ) -> NodeId {
        let mut node = root;
        let mut depth = 0;
        for segment in segments {
            node = self.literal_child(node, segment);
            depth += 1;
        }
        self.depth = self.depth.max(depth);
        node
    }

    fn descend_segments(&mut self, root: NodeId, segments: &'a [Segment]) -> NodeId {
        self.depth = self.depth.max(segments.len());
        segments.iter().fold(root, |node, segment| match segment {
            Segment::Literal(text) => self.literal_child(node, text),
            Segment::Param(_) => {
                let (child, _) = self.child(node, Child::Param);
                self.nodes[node as usize].param = Some(child);
                child
            }
            Segment::Regex { regex, .. } => {
                let regex = self.regexes.add(regex);
                let (child, is_new) = self.child(node, Child::Regex(regex));
                if is_new {
                    self.nodes[node as usize].regexes.push((regex, child));
                }
                child
            }
            Segment::Parts(parts) => {
                let (child, is_new) = self.child(node, Child::Parts(without_names(parts)));
                if is_new {
                    let test = match parts.whole() {
                        None => PartsTest::Between(Between::new(parts.as_slice())),
                        Some(whole) => PartsTest::Regex(self.regexes.add(whole)),
                    };
                    self.nodes[node as usize].parts.push((test, child));
                }
                child
            }
            // All that follows comes last, and is entered in a list of its own.
            Segment::Rest(_) => node,
        })
    }

    fn literal_child(&mut self, parent: NodeId, segment: &'a str) -> NodeId {
        let (child, is_new) = self.child(parent, Child::Literal(segment));
        if is_new {
            self.nodes[parent as usize].literals = true;
            self.literals.insert(parent, segment, child);
        }
        child
    }

    /// The child, and whether it was made now.
    fn child(&mut self, parent: NodeId, child: Child<'a>) -> (NodeId, bool) {
        let next = index(self.nodes.len());
        let id = *self.children.entry((parent, child)).or_insert(next);
        if id == next {
            self.nodes.push(GrowingNode::default());
        }
        (id, id == next)
    }

    fn compile(&mut self, entry: &Entry<'_>, item: u32, found: &'a Match) -> CompiledMatch {
        let Match { methods, headers, query, path, client_certificate, .. } = found;
        let (pattern, names, finder) = match path {
            None => ("*".to_owned(), Box::default(), no_captures()),
            Some(PathMatch::Pattern(pattern)) => {
                let names = pattern.captures().map(Into::into).collect();
                (pattern.to_string(), names, self.segment_finder(pattern))
            }
            Some(PathMatch::Typed(TypedPath::Exact(path))) => {
                (path.to_string(), Box::default(), no_captures())
            }
            Some(PathMatch::Typed(TypedPath::Prefix(prefix))) => {
                (format!("prefix {prefix}"), Box::default(), no_captures())
            }
            Some(PathMatch::Typed(TypedPath::Regex(regex))) => {
                let id = self.regexes.add(regex);
                let named = self.regexes.get(id).capture_names().enumerate();
                let named = named.filter_map(|(group, name)| Some((group, name?.into())));
                let (groups, names): (Vec<usize>, Vec<Box<str>>) = named.unzip();
                (format!("regex {regex}"), names.into(), Finder::Groups(id, groups.into()))
            }
        };
        CompiledMatch {
            item,
            pattern: pattern.into(),
            methods: MethodSet::new(methods),
            headers: headers.iter().map(|it| HeaderCondition::new(it, &mut self.regexes)).collect(),
            query: query.iter().map(|it| QueryCondition::new(it, &mut self.regexes)).collect(),
            certificate: client_certificate
                .iter()
                .map(|it| CertificateCondition::new(it, &mut self.regexes))
                .collect(),
            listeners: entry.listeners.into(),
            names,
            finder,
        }
    }

    fn segment_finder(&mut self, pattern: &'a PathPattern) -> Finder {
        let steps = pattern.segments().iter().map(|segment| match segment {
            Segment::Literal(_) => Step::Skip,
            Segment::Param(_) | Segment::Regex { .. } => Step::Segment,
            Segment::Rest(_) => Step::Rest,
            Segment::Parts(parts) => match parts.whole() {
                None => Step::Between(Between::new(parts.as_slice())),
                Some(whole) => Step::Groups(self.regexes.add(whole), groups(parts)),
            },
        });
        let mut steps: Vec<Step> = steps.collect();
        let used = steps.iter().rposition(|step| !matches!(step, Step::Skip));
        steps.truncate(used.map_or(0, |last| last + 1));
        Finder::Segments(steps.into())
    }

    fn finish(self, matches: Box<[CompiledMatch]>, levels: Levels) -> Part {
        let (mut numbers, mut parts, mut regexes) = (Vec::new(), Vec::new(), Vec::new());
        let nodes = self.nodes.into_iter().map(|node| Node {
            literals: node.literals,
            parts: append(&mut parts, node.parts),
            regexes: append(&mut regexes, node.regexes),
            param: node.param,
            end: append(&mut numbers, node.end),
            rest: append(&mut numbers, node.rest),
            prefix: append(&mut numbers, node.prefix),
        });
        let nodes = nodes.collect();
        let mut whole_paths = Vec::new();
        let levels = levels.into_iter().map(|(Reverse(priority), level)| Level {
            priority,
            root: level.root,
            regexes: append(&mut whole_paths, level.regexes),
            any_path: append(&mut numbers, level.any_path),
        });
        let levels = levels.collect();
        let trie = Trie {
            nodes,
            literals: self.literals,
            parts: parts.into(),
            regexes: regexes.into(),
            matches: numbers.into(),
            depth: self.depth,
        };
        let programs = self.regexes.finish();
        Part { matches, levels, trie, regexes: whole_paths.into(), programs }
    }
}

fn append<T>(table: &mut Vec<T>, entries: Vec<T>) -> Span {
    let begin = index(table.len());
    table.extend(entries);
    Span { begin, end: index(table.len()) }
}

fn no_captures() -> Finder {
    Finder::Segments(Box::default())
}

fn without_names(parts: &Parts) -> String {
    let mut text = String::new();
    for part in parts.as_slice() {
        match part {
            SegmentPart::Literal(literal) => text.push_str(literal),
            SegmentPart::Param(_) => text.push_str("{}"),
            SegmentPart::Regex { regex, .. } => {
                // No literal text has a brace in it.
                text.push_str("{:");
                text.push_str(regex.as_str());
                text.push('}');
            }
        }
    }
    text
}

/// The group of each placeholder in the expression for the whole segment.
fn groups(parts: &Parts) -> Box<[usize]> {
    let mut next = 1;
    let mut groups = Vec::new();
    for part in parts.as_slice() {
        let inner = match part {
            SegmentPart::Literal(_) => continue,
            SegmentPart::Param(_) => 0,
            // Its own group and the one of the whole match are not counted twice.
            SegmentPart::Regex { regex, .. } => regex.compile().captures_len() - 1,
        };
        groups.push(next);
        next += 1 + inner;
    }
    groups.into()
}
