//! The documented precedence as an order: of two matches that take the same request, the smaller
//! one wins.

use std::cmp::Reverse;

use portway_config::{
    Match, PathMatch, Route, TypedPath,
    value::{HostPattern, Segment},
};

/// The rank of one match on one host. What comes first decides first. Matches that no request
/// can choose between are put in the order of their text, so that like stands beside like.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank<'a> {
    priority: Reverse<i32>,
    host: HostRank<'a>,
    path: PathRank<'a>,
    any_method: bool,
    headers: Reverse<usize>,
    query: Reverse<usize>,
    certificate: Reverse<usize>,
    any_listener: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HostRank<'a> {
    Exact(&'a str),
    /// The longest suffix first.
    Suffix(Reverse<usize>, &'a str),
    Any,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PathRank<'a> {
    Segments(Vec<SegmentRank<'a>>),
    Regex,
    Any,
}

/// What stands in the place of a segment, or where there is none any more.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SegmentRank<'a> {
    Literal(&'a str),
    Parts,
    Regex,
    Param,
    End,
    Rest,
    Below,
}

impl<'a> Rank<'a> {
    pub(super) fn new(route: &Route, host: Option<&'a HostPattern>, found: &'a Match) -> Self {
        Self {
            priority: Reverse(route.priority),
            host: host_rank(host),
            path: path_rank(found.path.as_ref()),
            any_method: found.methods.is_empty(),
            headers: Reverse(found.headers.len()),
            query: Reverse(found.query.len()),
            certificate: Reverse(found.client_certificate.len()),
            any_listener: route.listeners.is_empty(),
        }
    }
}

pub(super) fn host_rank(host: Option<&HostPattern>) -> HostRank<'_> {
    match host.map(HostPattern::as_str) {
        None | Some("*") => HostRank::Any,
        Some(host) if host.starts_with('*') => HostRank::Suffix(Reverse(host.len()), host),
        Some(host) => HostRank::Exact(host),
    }
}

fn path_rank(path: Option<&PathMatch>) -> PathRank<'_> {
    match path {
        None => PathRank::Any,
        Some(PathMatch::Pattern(pattern)) => match pattern.segments() {
            [Segment::Rest(_)] => PathRank::Any,
            segments => {
                let mut ranks = segments.iter().map(segment_rank).collect::<Vec<_>>();
                if ranks.last() != Some(&SegmentRank::Rest) {
                    ranks.push(SegmentRank::End);
                }
                PathRank::Segments(ranks)
            }
        },
        Some(PathMatch::Typed(TypedPath::Exact(exact))) => {
            literal_ranks(exact.segments(), SegmentRank::End)
        }
        Some(PathMatch::Typed(TypedPath::Prefix(prefix))) if prefix.is_root() => PathRank::Any,
        Some(PathMatch::Typed(TypedPath::Prefix(prefix))) => {
            literal_ranks(prefix.segments(), SegmentRank::Below)
        }
        Some(PathMatch::Typed(TypedPath::Regex(_))) => PathRank::Regex,
    }
}

fn segment_rank(segment: &Segment) -> SegmentRank<'_> {
    match segment {
        Segment::Literal(text) => SegmentRank::Literal(text),
        Segment::Parts(_) => SegmentRank::Parts,
        Segment::Regex { .. } => SegmentRank::Regex,
        Segment::Param(_) => SegmentRank::Param,
        Segment::Rest(_) => SegmentRank::Rest,
    }
}

fn literal_ranks<'a>(
    segments: impl Iterator<Item = &'a str>,
    last: SegmentRank<'a>,
) -> PathRank<'a> {
    PathRank::Segments(segments.map(SegmentRank::Literal).chain([last]).collect())
}
