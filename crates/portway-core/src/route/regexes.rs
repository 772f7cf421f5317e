//! The regular expressions of a router, in a table of their own.

use hashbrown::HashMap;
use portway_plugin::value;
use regex::Regex;

/// The expressions a router refers to. A clone shares the programs but has scratch spaces of its
/// own: give each core one, so that cores never write to the same memory when they match.
#[derive(Clone, Debug, Default)]
pub struct Regexes(Box<[Regex]>);

/// The place of an expression in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RegexId(u32);

impl Regexes {
    pub(super) fn get(&self, id: RegexId) -> &Regex {
        &self.0[id.0 as usize]
    }
}

/// Collects expressions; equal ones get one place.
#[derive(Default)]
pub(super) struct RegexTable<'a> {
    regexes: Vec<Regex>,
    by_text: HashMap<&'a str, RegexId>,
}

impl<'a> RegexTable<'a> {
    pub(super) fn add(&mut self, regex: &'a value::Regex) -> RegexId {
        *self.by_text.entry(regex.as_str()).or_insert_with(|| {
            self.regexes.push(regex.compile());
            RegexId(super::build::index(self.regexes.len() - 1))
        })
    }

    pub(super) fn get(&self, id: RegexId) -> &Regex {
        &self.regexes[id.0 as usize]
    }

    pub(super) fn finish(self) -> Regexes {
        Regexes(self.regexes.into())
    }
}
