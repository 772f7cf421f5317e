//! Asking which route takes a request.

use std::ops::ControlFlow;

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
    regexes::RegexId,
    trie::{NodeId, Segments, Span, Trie},
};

/// A route as the router sees it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The caller's number for the route. Of two routes that are equal in everything else, the
    /// one with the lower number is tried first: number them in the order of declaration.
    pub id: u32,
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
pub struct MatchId(pub(super) u32);

/// The prepared matches of all routes. It never changes.
#[derive(Debug, Default)]
pub struct Router {
    /// In the order of the conditions that are looked at last, then of declaration: of two that
    /// take the same path, the first one wins.
    pub(super) matches: Box<[CompiledMatch]>,
    /// For each host its levels, by falling priority.
    pub(super) hosts: Hosts<Box<[Level]>>,
    pub(super) trie: Trie,
    pub(super) regexes: Box<[(RegexId, u32)]>,
}

/// The matches of one host and one priority.
#[derive(Debug)]
pub(super) struct Level {
    pub(super) priority: i32,
    pub(super) root: NodeId,
    /// Expressions over the whole path, with their matches.
    pub(super) regexes: Span,
    /// Matches for any path.
    pub(super) any_path: Span,
}

/// A prepared match, with what logs and metrics say about it.
#[derive(Debug)]
pub struct CompiledMatch {
    pub(super) route: u32,
    pub(super) index: u32,
    pub(super) pattern: Box<str>,
    pub(super) methods: MethodSet,
    pub(super) headers: Box<[HeaderCondition]>,
    pub(super) query: Box<[QueryCondition]>,
    pub(super) certificate: Box<[CertificateCondition]>,
    pub(super) listeners: Box<[Name]>,
    pub(super) names: Box<[Box<str>]>,
    pub(super) finder: Finder,
}

impl CompiledMatch {
    /// The number the route was entered with.
    #[must_use]
    pub fn route(&self) -> u32 {
        self.route
    }

    /// Which of the route's matches it is, from 0.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// The path as the configuration has it: a pattern or exact path as it is, `prefix /a`,
    /// `regex /a+`, and `*` where any path is taken.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The names of its captures.
    #[must_use]
    pub fn capture_names(&self) -> &[Box<str>] {
        &self.names
    }

    /// Whether all conditions hold but host, path and method.
    fn takes_rest(&self, request: &mut Request<'_>) -> bool {
        let Request { headers, parameters, listener, certificate, regexes } = request;
        (self.listeners.is_empty() || self.listeners.iter().any(|name| name.as_str() == *listener))
            && self.certificate.iter().all(|condition| condition.is_met(*certificate, regexes))
            && self.headers.iter().all(|condition| condition.is_met(headers, regexes))
            && self.query.iter().all(|condition| condition.is_met(parameters, regexes))
    }
}

/// What the conditions that come last look at.
struct Request<'a> {
    headers: &'a HeaderMap,
    parameters: Parameters<'a>,
    listener: &'a str,
    certificate: Option<&'a dyn Certificate>,
    regexes: &'a Regexes,
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
            regexes,
        };
        let mut method_failed = false;
        let found = self.visit(lookup, regexes, &mut |id| {
            let candidate = &self.matches[id as usize];
            if !candidate.methods.takes(lookup.method) {
                method_failed = true;
            } else if candidate.takes_rest(&mut request) {
                return ControlFlow::Break(id);
            }
            ControlFlow::Continue(())
        });
        match found {
            ControlFlow::Break(id) => Found::Route(MatchId(id)),
            ControlFlow::Continue(()) if method_failed => {
                self.allowed(lookup, regexes, &mut request)
            }
            ControlFlow::Continue(()) => Found::None,
        }
    }

    /// What a match found by [`Self::find`] is.
    ///
    /// # Panics
    ///
    /// The match is of another router.
    #[must_use]
    pub fn get(&self, id: MatchId) -> &CompiledMatch {
        &self.matches[id.0 as usize]
    }

    /// What the placeholders of a match stand for in a path that it takes. Costs nothing where
    /// there are none, and is not needed to forward a request.
    #[must_use]
    pub fn captures<'a>(&'a self, id: MatchId, path: &'a str, regexes: &Regexes) -> Captures<'a> {
        let CompiledMatch { names, finder, .. } = self.get(id);
        Captures { path, names, ranges: finder.ranges(path, regexes) }
    }

    /// The methods of all matches that fail on nothing else. Only a request that nothing takes
    /// pays for this second walk.
    fn allowed(&self, lookup: &Lookup<'_>, regexes: &Regexes, request: &mut Request<'_>) -> Found {
        let mut allow = Allow::default();
        let _ = self.visit(lookup, regexes, &mut |id| {
            let candidate = &self.matches[id as usize];
            if !candidate.methods.takes(lookup.method) && candidate.takes_rest(request) {
                allow.add(&candidate.methods);
            }
            ControlFlow::Continue(())
        });
        if allow.is_empty() { Found::None } else { Found::MethodNotAllowed(allow) }
    }

    /// Calls `visit` with each match that takes host and path, best first, until it breaks.
    fn visit(
        &self,
        lookup: &Lookup<'_>,
        regexes: &Regexes,
        visit: &mut impl FnMut(u32) -> ControlFlow<u32>,
    ) -> ControlFlow<u32> {
        let mut hosts = self.hosts.lookup(lookup.host);
        let mut levels: SmallVec<[&[Level]; 4]> = hosts.drain(..).map(|levels| &**levels).collect();
        let segments =
            lookup.path.starts_with('/').then(|| Segments::new(lookup.path, self.trie.depth));
        // The next level is the one of the highest priority; of several, that of the most
        // specific host, which comes first.
        while let Some(next) = levels
            .iter_mut()
            .filter(|levels| !levels.is_empty())
            .reduce(|best, other| if other[0].priority > best[0].priority { other } else { best })
        {
            let Some((level, later)) = next.split_first() else { break };
            *next = later;
            if let Some(segments) = &segments {
                self.trie.walk(level.root, segments, regexes, visit)?;
                for (regex, id) in level.regexes.of(&self.regexes) {
                    if regexes.get(*regex).is_match(lookup.path) {
                        visit(*id)?;
                    }
                }
            }
            self.trie.visit(level.any_path, visit)?;
        }
        ControlFlow::Continue(())
    }
}
