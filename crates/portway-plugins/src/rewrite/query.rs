//! Another query.

use portway_plugin::{Problem, Result, value::TextTemplate};

use super::QueryEditSpec;
use crate::asked::{Asked, decode, pairs, push_encoded};

/// What is done to a query.
#[derive(Debug)]
pub(super) struct QueryEdit {
    /// The names that go, those that are set among them.
    gone: Box<[Box<str>]>,
    /// Names as they are written, and values.
    set: Box<[(Box<str>, TextTemplate)]>,
}

impl QueryEdit {
    pub(super) fn new(spec: QueryEditSpec) -> Result<Self, Problem> {
        for (at, name) in spec.remove.iter().enumerate() {
            if name.is_empty() {
                let problem = Problem::new("bad_value", "a parameter has no name");
                return Err(problem.at(format!("query.remove[{at}]")));
            }
        }
        if spec.set.contains_key("") {
            return Err(Problem::new("bad_value", "a parameter has no name").at("query.set"));
        }
        let gone = spec.remove.iter().chain(spec.set.keys()).map(|name| name.as_str().into());
        let gone = gone.collect();
        let set = spec.set.into_iter().map(|(name, value)| {
            let mut written = String::with_capacity(name.len());
            push_encoded(name.as_bytes(), &mut written);
            (written.into(), value.get().clone())
        });
        Ok(Self { gone, set: set.collect() })
    }

    /// The query in place of `query`. `None` where nothing is left of it.
    pub(super) fn apply(&self, query: Option<&str>, asked: &Asked<'_>) -> Option<String> {
        let mut made = String::with_capacity(query.map_or(0, str::len) + 32);
        let stays = |name: &str| {
            let name = decode(name);
            !self.gone.iter().any(|gone| gone.as_bytes() == &*name)
        };
        let pieces = query.unwrap_or_default().split('&').filter(|piece| !piece.is_empty());
        for piece in pieces {
            if pairs(Some(piece)).all(|(name, _)| stays(name)) {
                next(&mut made).push_str(piece);
            }
        }
        for (name, value) in &self.set {
            let made = next(&mut made);
            made.push_str(name);
            made.push('=');
            for part in value.parts() {
                push_encoded(&asked.value(part), made);
            }
        }
        Some(made).filter(|made| !made.is_empty())
    }
}

fn next(made: &mut String) -> &mut String {
    if !made.is_empty() {
        made.push('&');
    }
    made
}
