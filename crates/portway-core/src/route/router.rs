//! Asking which route takes a request.

use std::{ops::ControlFlow, sync::Arc};

use http::{HeaderMap, Method};
use portway_config::{CertificatePart, Match};
use portway_plugin::value::Name;
use smallvec::SmallVec;

use super::{
    Allow, Captures, Regexes,
    captures::Finder,
    condition::{CertificateCondition, HeaderCondition, Parameters, QueryCondition},
    hosts::Hosts,
    methods::MethodSet,
    regexes::{Originals, Programs, RegexId},
    trie::{NodeId, Segments, Span, Trie},
};

/// A route as the router sees it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The caller's number for the route. Of two routes that are equal in everything else, the
    /// one with the lower number is tried first: number them in the order of declaration.
    pub id: u32,
    /// The namespace whose requests it takes; `None` where namespaces are not told apart.
    pub namespace: Option<&'a Name>,
    /// Routes of higher priority are tried first.
    pub priority: i32,
    /// The listeners whose clients it takes; without any, those of all.
    pub listeners: &'a [Name],
    /// What a request must look like, hosts and prefix of the service included.
    pub matches: &'a [Match],
}

/// What is asked about a request.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    /// Whose routes are candidates.
    pub world: World,
    /// The host, be it with a port, in upper case or with a dot at its end.
    pub host: &'a str,
    /// The path in its normal form. One that does not begin with a slash (`*`) is taken only by
    /// matches for any path.
    pub path: &'a str,
    /// The method.
    pub method: &'a Method,
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// The query as it was sent.
    pub query: Option<&'a str>,
    /// The name of the listener it came by.
    pub listener: &'a str,
    /// The client's verified certificate.
    pub certificate: Option<&'a dyn Certificate>,
}

/// What a client's certificate says.
pub trait Certificate: std::fmt::Debug + Sync {
    /// What it says of a part; of some it may say several things.
    fn values(&self, part: CertificatePart) -> &[Box<str>];
}

/// What a lookup found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This match takes the request.
    Route(MatchId),
    /// At least one match failed on nothing but the method.
    MethodNotAllowed(Allow),
    /// Nothing takes it.
    None,
}

/// The place of a match in its router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MatchId {
    part: u32,
    index: u32,
}

/// The routes of one namespace, by their place in a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World(pub(super) u32);

impl World {
    /// All routes, where namespaces are not told apart.
    pub const WHOLE: Self = Self(0);
    /// No route at all.
    pub const EMPTY: Self = Self(u32::MAX);
}

/// The prepared matches of all routes. It never changes; what a change does not touch is shared
/// with the router before it.
#[derive(Debug, Default)]
pub struct Router {
    /// Where the parts of each namespace's hosts are.
    pub(super) worlds: Box<[Hosts<u32>]>,
    /// The namespace of each world; `None` where namespaces are not told apart.
    pub(super) namespaces: Box<[Option<Name>]>,
    pub(super) parts: Box<[Placed]>,
    pub(super) originals: Originals,
}

/// A part, and where the routes in it stand now.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) part: Arc<Part>,
    /// The routes and matches in the part, as declared: what its matches count.
    pub(super) items: Box<[Item]>,
}

/// One match of a route on the host of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) route: u32,
    /// Which of the route's matches.
    pub(super) at: u32,
}

/// The matches of one host.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// In the order of the conditions that are looked at last, then of declaration: of two that
    /// take the same path, the first one wins.
    pub(super) matches: Box<[CompiledMatch]>,
    /// By falling priority.
    pub(super) levels: Box<[Level]>,
    pub(super) trie: Trie,
    pub(super) regexes: Box<[(RegexId, u32)]>,
    /// The originals; each core clones them.
    pub(super) programs: Programs,
}

/// Those of one priority.
#[derive(Debug)]
pub(super) struct Level {
    pub(super) priority: i32,
    pub(super) root: NodeId,
    /// Expressions over the whole path, with their matches.
    pub(super) regexes: Span,
    /// Matches for any path.
    pub(super) any_path: Span,
}

/// A prepared match.
#[derive(Debug)]
pub(super) struct CompiledMatch {
    /// Which item of its part it is.
    pub(super) item: u32,
    pub(super) pattern: Box<str>,
    pub(super) methods: MethodSet,
    pub(super) headers: Box<[HeaderCondition]>,
    pub(super) query: Box<[QueryCondition]>,
    pub(super) certificate: Box<[CertificateCondition]>,
    pub(super) listeners: Box<[Name]>,
    pub(super) names: Box<[Box<str>]>,
    pub(super) finder: Finder,
}

/// A match of a router, with what logs and metrics say about it.
#[derive(Clone, Copy, Debug)]
pub struct CompiledMatchRef<'a> {
    found: &'a CompiledMatch,
    item: Item,
}

impl<'a> CompiledMatchRef<'a> {
    /// The number the route was entered with.
    #[must_use]
    pub fn route(self) -> u32 {
        self.item.route
    }

    /// Which of the route's matches it is, from 0.
    #[must_use]
    pub fn index(self) -> u32 {
        self.item.at
    }

    /// The path as the configuration has it: a pattern or exact path as it is, `prefix /a`,
    /// `regex /a+`, and `*` where any path is taken.
    #[must_use]
    pub fn pattern(self) -> &'a str {
        &self.found.pattern
    }

    /// The names of its captures.
    #[must_use]
    pub fn capture_names(self) -> &'a [Box<str>] {
        &self.found.names
    }
}

impl CompiledMatch {
    /// Whether all conditions hold but host, path and method.
    fn takes_rest(&self, request: &mut Request<'_>, programs: &Programs) -> bool {
        let Request { headers, parameters, listener, certificate } = request;
        (self.listeners.is_empty() || self.listeners.iter().any(|name| name.as_str() == *listener))
            && self.certificate.iter().all(|condition| condition.is_met(*certificate, programs))
            && self.headers.iter().all(|condition| condition.is_met(headers, programs))
            && self.query.iter().all(|condition| condition.is_met(parameters, programs))
    }
}

/// What the conditions that come last look at.
struct Request<'a> {
    headers: &'a HeaderMap,
    parameters: Parameters<'a>,
    listener: &'a str,
    certificate: Option<&'a dyn Certificate>,
}

impl Router {
    /// The match that takes the request, by the documented precedence.
    #[must_use]
    pub fn find(&self, lookup: &Lookup<'_>, regexes: &Regexes) -> Found {
        let mut request = Request {
            headers: lookup.headers,
            parameters: Parameters::new(lookup.query),
            listener: lookup.listener,
            certificate: lookup.certificate,
        };
        let mut method_failed = false;
        let found = self.visit(lookup, regexes, &mut |candidate, programs| {
            if !candidate.methods.takes(lookup.method) {
                method_failed = true;
            } else if candidate.takes_rest(&mut request, programs) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        match found {
            Some(id) => Found::Route(id),
            None if method_failed => self.allowed(lookup, regexes, &mut request),
            None => Found::None,
        }
    }

    /// What a match found by [`Self::find`] is.
    ///
    /// # Panics
    ///
    /// The match is of another router.
    #[must_use]
    pub fn get(&self, id: MatchId) -> CompiledMatchRef<'_> {
        let Placed { part, items } = &self.parts[id.part as usize];
        let found = &part.matches[id.index as usize];
        CompiledMatchRef { found, item: items[found.item as usize] }
    }

    /// The routes of a namespace, where namespaces are told apart.
    #[must_use]
    pub fn world(&self, namespace: &Name) -> World {
        let is = |one: &Option<Name>| one.as_ref() == Some(namespace);
        let found = self.namespaces.iter().position(is);
        found.map_or(World::EMPTY, |number| World(super::build::index(number)))
    }

    /// What the placeholders of a match stand for in a path that it takes. Costs nothing where
    /// there are none, and is not needed to forward a request.
    #[must_use]
    pub fn captures<'a>(&'a self, id: MatchId, path: &'a str, regexes: &Regexes) -> Captures<'a> {
        let CompiledMatch { names, finder, .. } = self.get(id).found;
        Captures { path, names, ranges: finder.ranges(path, regexes.of(id.part)) }
    }

    /// The methods of all matches that fail on nothing else. Only a request that nothing takes
    /// pays for this second walk.
    fn allowed(&self, lookup: &Lookup<'_>, regexes: &Regexes, request: &mut Request<'_>) -> Found {
        let mut allow = Allow::default();
        self.visit(lookup, regexes, &mut |candidate, programs| {
            if !candidate.methods.takes(lookup.method) && candidate.takes_rest(request, programs) {
                allow.add(&candidate.methods);
            }
            ControlFlow::Continue(())
        });
        if allow.is_empty() { Found::None } else { Found::MethodNotAllowed(allow) }
    }

    /// Calls `visit` with each match that takes host and path, best first, until it breaks;
    /// returns where it did.
    fn visit(
        &self,
        lookup: &Lookup<'_>,
        regexes: &Regexes,
        visit: &mut impl FnMut(&CompiledMatch, &Programs) -> ControlFlow<()>,
    ) -> Option<MatchId> {
        let mut hosts = self.worlds.get(lookup.world.0 as usize)?.lookup(lookup.host);
        let mut parts: SmallVec<[Ahead<'_>; 4]> =
            hosts.drain(..).map(|part| self.ahead(*part)).collect();
        let depth = parts.iter().map(|ahead| ahead.part.trie.depth).max()?;
        let segments = lookup.path.starts_with('/').then(|| Segments::new(lookup.path, depth));
        // The next level is the one of the highest priority; of several, that of the most
        // specific host, which comes first.
        while let Some(next) = parts
            .iter_mut()
            .filter(|ahead| !ahead.levels.is_empty())
            .reduce(|best, other| if other.priority() > best.priority() { other } else { best })
        {
            let Some((level, later)) = next.levels.split_first() else { break };
            next.levels = later;
            let (number, part) = (next.number, next.part);
            let programs = regexes.of(number);
            let mut visit = |index: u32| match visit(&part.matches[index as usize], programs) {
                ControlFlow::Break(()) => ControlFlow::Break(MatchId { part: number, index }),
                ControlFlow::Continue(()) => ControlFlow::Continue(()),
            };
            if let ControlFlow::Break(found) =
                part.visit(level, lookup.path, segments.as_ref(), programs, &mut visit)
            {
                return Some(found);
            }
        }
        None
    }

    fn ahead(&self, number: u32) -> Ahead<'_> {
        let part = &*self.parts[number as usize].part;
        Ahead { number, part, levels: &part.levels }
    }
}

/// A part whose levels are being looked through.
struct Ahead<'a> {
    number: u32,
    part: &'a Part,
    /// Those that are left.
    levels: &'a [Level],
}

impl Ahead<'_> {
    fn priority(&self) -> Option<i32> {
        self.levels.first().map(|level| level.priority)
    }
}

impl Part {
    /// Calls `visit` with each match of a level that takes the path, best first, until it breaks.
    fn visit(
        &self,
        level: &Level,
        path: &str,
        segments: Option<&Segments<'_>>,
        programs: &Programs,
        visit: &mut impl FnMut(u32) -> ControlFlow<MatchId>,
    ) -> ControlFlow<MatchId> {
        if let Some(segments) = segments {
            self.trie.walk(level.root, segments, programs, visit)?;
            for (regex, index) in level.regexes.of(&self.regexes) {
                if programs.get(*regex).is_match(path) {
                    visit(*index)?;
                }
            }
        }
        self.trie.visit(level.any_path, visit)
    }
}
