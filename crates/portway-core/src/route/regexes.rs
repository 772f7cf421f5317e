//! The regular expressions of a router, in tables of their own.

use std::{collections::HashMap as Map, sync::Arc};

use hashbrown::HashMap;
use portway_plugin::value;
use regex::Regex;

use super::router::Router;

/// The expressions a router refers to. A clone shares the programs but has scratch spaces of its
/// own: give each core one, so that cores never write to the same memory when they match.
#[derive(Debug, Default)]
pub struct Regexes(Box<[Arc<Programs>]>);

/// The expressions of one part. Equal ones are the same in all parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Programs(Box<[Arc<Regex>]>);

/// The place of an expression in the table of its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RegexId(u32);

impl Regexes {
    /// The expressions of a router for one core. Those of parts that `previous` has as well are
    /// the core's own already.
    #[must_use]
    pub fn of_core(router: &Router, previous: Option<(&Router, &Self)>) -> Self {
        let known = previous.iter().flat_map(|(router, own)| router.parts.iter().zip(&own.0));
        let known: Map<_, _> = known
            .filter(|(placed, _)| !placed.part.programs.is_empty())
            .map(|(placed, own)| (Arc::as_ptr(&placed.part), (placed, own)))
            .collect();
        let mut copies = Copies::default();
        for (placed, own) in known.values() {
            copies.know(&placed.part.programs, own);
        }
        let none = Arc::new(Programs::default());
        let programs =
            router.parts.iter().map(|placed| match known.get(&Arc::as_ptr(&placed.part)) {
                Some((_, own)) => Arc::clone(own),
                None if placed.part.programs.is_empty() => Arc::clone(&none),
                None => Arc::new(copies.of(&placed.part.programs)),
            });
        Self(programs.collect())
    }

    pub(super) fn of(&self, part: u32) -> &Programs {
        &self.0[part as usize]
    }
}

impl Clone for Regexes {
    fn clone(&self) -> Self {
        let mut copies = Copies::default();
        Self(self.0.iter().map(|programs| Arc::new(copies.of(programs))).collect())
    }
}

impl Programs {
    pub(super) fn get(&self, id: RegexId) -> &Regex {
        &self.0[id.0 as usize]
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same for another core.
    pub(crate) fn of_core(&self) -> Self {
        Copies::default().of(self)
    }
}

/// One core's copies, by their originals.
#[derive(Default)]
struct Copies(Map<*const Regex, Arc<Regex>>);

impl Copies {
    fn know(&mut self, originals: &Programs, own: &Programs) {
        for (original, own) in originals.0.iter().zip(&own.0) {
            self.0.entry(Arc::as_ptr(original)).or_insert_with(|| Arc::clone(own));
        }
    }

    fn of(&mut self, originals: &Programs) -> Programs {
        let copy = |original: &Arc<Regex>| {
            let own = self.0.entry(Arc::as_ptr(original));
            Arc::clone(own.or_insert_with(|| Arc::new(Regex::clone(original))))
        };
        Programs(originals.0.iter().map(copy).collect())
    }
}

/// All expressions of a router, by their texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Originals(HashMap<Box<str>, Arc<Regex>>);

impl Originals {
    fn get(&mut self, regex: &value::Regex) -> Arc<Regex> {
        let make = || Arc::new(regex.compile());
        Arc::clone(self.0.entry(regex.as_str().into()).or_insert_with(make))
    }

    /// Forgets those that no part has any more.
    pub(super) fn tidy(&mut self) {
        self.0.retain(|_, regex| Arc::strong_count(regex) > 1);
    }
}

/// Collects the expressions of one part; equal ones get one place.
pub(super) struct RegexTable<'a> {
    originals: &'a mut Originals,
    regexes: Vec<Arc<Regex>>,
    by_text: HashMap<&'a str, RegexId>,
}

impl<'a> RegexTable<'a> {
    pub(super) fn new(originals: &'a mut Originals) -> Self {
        Self { originals, regexes: Vec::new(), by_text: HashMap::new() }
    }

    pub(super) fn add(&mut self, regex: &'a value::Regex) -> RegexId {
        *self.by_text.entry(regex.as_str()).or_insert_with(|| {
            self.regexes.push(self.originals.get(regex));
            RegexId(super::build::index(self.regexes.len() - 1))
        })
    }

    pub(super) fn get(&self, id: RegexId) -> &Regex {
        &self.regexes[id.0 as usize]
    }

    pub(super) fn finish(self) -> Programs {
        Programs(self.regexes.into())
    }
}
