//! What placeholders stand for in a path.

use std::{fmt, ops::Range};

use portway_plugin::value::Part;
use smallvec::SmallVec;

use super::regexes::{Programs, RegexId};

/// What the placeholders of a match stand for in one request's path.
#[derive(Clone)]
pub struct Captures<'a> {
    pub(super) path: &'a str,
    pub(super) names: &'a [Box<str>],
    /// In the order of the names.
    pub(super) ranges: SmallVec<[Range<usize>; 4]>,
}

impl<'a> Captures<'a> {
    /// The text of the placeholder of this name, in the normal form of the path.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.iter().find(|(other, _)| *other == name).map(|(_, text)| text)
    }

    /// Names and texts, in the order of the pattern.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let path = self.path;
        let texts = self.ranges.iter().map(move |range| path.get(range.clone()).unwrap_or(""));
        self.names.iter().map(|name| &**name).zip(texts)
    }
}

impl fmt::Debug for Captures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// How the captures of a match are found in a path that fits it.
#[derive(Debug)]
pub(super) enum Finder {
    /// Segment by segment. None when there are no placeholders.
    Segments(Box<[Step]>),
    /// By the named groups of an expression over the whole path.
    Groups(RegexId, Box<[usize]>),
}

/// What one segment gives.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing.
    Skip,
    /// All of it.
    Segment,
    /// What stands between literal texts.
    Between(Between),
    /// The groups of an expression over the segment.
    Groups(RegexId, Box<[usize]>),
    /// All that is left.
    Rest,
}

impl Finder {
    pub(super) fn ranges(&self, path: &str, regexes: &Programs) -> SmallVec<[Range<usize>; 4]> {
        let mut ranges = SmallVec::new();
        match self {
            Self::Groups(regex, groups) => {
                take_groups(path, 0, *regex, groups, regexes, &mut ranges);
            }
            Self::Segments(steps) => {
                let mut begin = 1;
                for step in steps {
                    let rest = path.get(begin..).unwrap_or_default();
                    let segment = rest.split('/').next().unwrap_or(rest);
                    match step {
                        Step::Skip => {}
                        Step::Segment => ranges.push(begin..begin + segment.len()),
                        Step::Between(between) => {
                            between.find(segment, |range| {
                                ranges.push(begin + range.start..begin + range.end);
                            });
                        }
                        Step::Groups(regex, groups) => {
                            take_groups(segment, begin, *regex, groups, regexes, &mut ranges);
                        }
                        Step::Rest => ranges.push(begin..begin + rest.len()),
                    }
                    begin += segment.len() + 1;
                }
            }
        }
        ranges
    }
}

fn take_groups(
    text: &str,
    begin: usize,
    regex: RegexId,
    groups: &[usize],
    regexes: &Programs,
    ranges: &mut SmallVec<[Range<usize>; 4]>,
) {
    if groups.is_empty() {
        return;
    }
    let found = regexes.get(regex).captures(text);
    for group in groups {
        // A group that took no part in the match stands for no text.
        let range = found.as_ref().and_then(|found| found.get(*group)).map(|text| text.range());
        let range = range.unwrap_or_default();
        ranges.push(begin + range.start..begin + range.end);
    }
}

/// `{a}-{b}`: literal texts with placeholders between them, each of which takes as little as it
/// can, but one byte.
#[derive(Clone, Debug)]
pub(super) struct Between {
    first: Box<str>,
    inner: Box<[Box<str>]>,
    last: Box<str>,
}

impl Between {
    /// `parts` has no expression, and text between any two placeholders.
    pub(super) fn new(parts: &[Part]) -> Self {
        let mut texts = vec![String::new()];
        for part in parts {
            match part {
                Part::Literal(text) => texts.last_mut().expect("never empty").push_str(text),
                Part::Param(_) | Part::Regex { .. } => texts.push(String::new()),
            }
        }
        let last = texts.pop().unwrap_or_default().into();
        let mut texts = texts.into_iter().map(Into::into);
        let first = texts.next().unwrap_or_default();
        Self { first, inner: texts.collect(), last }
    }

    /// Whether the segment fits; if so, `found` has been called for each placeholder. Taking each
    /// literal text where it first occurs leaves the most for what follows, so that nothing has
    /// to be tried twice.
    pub(super) fn find(&self, segment: &str, mut found: impl FnMut(Range<usize>)) -> bool {
        let Some(rest) = segment.strip_prefix(&*self.first) else { return false };
        let Some(middle) = rest.strip_suffix(&*self.last) else { return false };
        let end = self.first.len() + middle.len();
        let mut begin = self.first.len();
        let mut ranges = SmallVec::<[Range<usize>; 4]>::new();
        for text in &self.inner {
            let from = begin + 1;
            let Some(at) = segment.get(from..end).and_then(|rest| rest.find(&**text)) else {
                return false;
            };
            ranges.push(begin..from + at);
            begin = from + at + text.len();
        }
        if begin >= end {
            return false;
        }
        ranges.push(begin..end);
        ranges.into_iter().for_each(&mut found);
        true
    }
}
