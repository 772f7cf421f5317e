//! Where each part of a configuration stands in the documents it came from, and whose it is.
//!
//! Positions never enter resources, for resources are compared: two that say the same are equal
//! wherever they are written. A check names a part by its path in the configuration, and this
//! table says where that is.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use portway_plugin::{Place, Problem};

use crate::{
    document::{Node, Outline},
    expand::Secrets,
    resource::{Config, Kind, ResourceId},
    revision::Origin,
    stored::Resources,
};

/// The places of a document, of stored resources, of several of those that were merged, or of none
/// for a configuration made in code.
#[derive(Clone, Debug, Default)]
pub struct Places(Inner);

#[derive(Clone, Debug, Default)]
enum Inner {
    #[default]
    Code,
    Made(Arc<Made>),
    Document(Arc<Document>),
    Stored(Arc<Stored>),
    Merged(Arc<Merged>),
}

#[derive(Debug)]
struct Document {
    file: String,
    outline: Outline,
    naming: Naming,
    secrets: Secrets,
}

/// Resources that a program has made: their names say where something is.
#[derive(Debug)]
struct Made {
    origin: Origin,
    config: Config,
}

/// Resources that each stand by themselves.
#[derive(Debug)]
struct Stored {
    resources: Resources,
    /// Their ids in the order of the lists, once somebody asks.
    ids: OnceLock<HashMap<&'static str, Vec<ResourceId>>>,
    secrets: Secrets,
}

/// Several that were merged: their lists stand one behind the other.
#[derive(Debug, Default)]
struct Merged {
    parts: Vec<Places>,
    /// For each list, where each part begins.
    lists: HashMap<&'static str, Vec<(usize, usize)>>,
    /// Whose the other keys are.
    keys: HashMap<String, usize>,
}

/// How a path in the configuration becomes a path in the document.
#[derive(Debug, Default)]
pub(crate) struct Naming {
    /// Counts what could not be read and was left out.
    pub(crate) numbers: Numbers,
    /// What the keys are called in a document of another gateway.
    pub(crate) translate: Option<fn(&str) -> String>,
}

/// Where the items of the configuration stand in the lists of the document.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    lists: HashMap<&'static str, Vec<usize>>,
    /// The routes of each service in `services`.
    nested: Vec<Vec<usize>>,
}

impl Places {
    pub(crate) fn new(file: &str, root: &Node, naming: Naming, secrets: Secrets) -> Self {
        let document =
            Document { file: file.to_owned(), outline: Outline::of(root), naming, secrets };
        Self(Inner::Document(Arc::new(document)))
    }

    /// Those of what a program has made.
    pub(crate) fn made(origin: Origin, config: Config) -> Self {
        Self(Inner::Made(Arc::new(Made { origin, config })))
    }

    /// The same of what somebody else has made.
    pub(crate) fn of(self, origin: &Origin) -> Self {
        match self.0 {
            Inner::Made(made) => Self::made(origin.clone(), made.config.clone()),
            other => Self(other),
        }
    }

    /// Those of resources that each stand by themselves, whose lists are in their order.
    pub(crate) fn stored(resources: Resources, secrets: Secrets) -> Self {
        Self(Inner::Stored(Arc::new(Stored { resources, ids: OnceLock::new(), secrets })))
    }

    /// Where `path` of the configuration (`services[0].routes[2].match.path`) stands. Of a part
    /// that was left out, where the part around it stands.
    #[must_use]
    pub fn place(&self, path: &str) -> Option<Place> {
        match &self.0 {
            Inner::Code | Inner::Made(_) | Inner::Stored(_) => None,
            Inner::Document(document) => Some(document.place(&document.naming.path(path))),
            Inner::Merged(merged) => {
                let (part, path) = merged.part(path)?;
                part.place(&path)
            }
        }
    }

    /// Who owns what stands at `path`.
    #[must_use]
    pub fn owner(&self, path: &str) -> Origin {
        match &self.0 {
            Inner::Code => Origin::code(),
            Inner::Made(made) => made.origin.clone(),
            Inner::Document(document) => Origin::file(&document.file),
            Inner::Stored(_) => Origin::store(),
            Inner::Merged(merged) => {
                merged.part(path).map_or_else(Origin::code, |(part, path)| part.owner(&path))
            }
        }
    }

    /// The path in the document, and the line, for people: `services[0].routes[2], line 7`.
    pub(crate) fn named(&self, path: &str) -> String {
        match &self.0 {
            Inner::Code => path.to_owned(),
            Inner::Made(made) => made.config.named_path(path).unwrap_or_else(|| path.to_owned()),
            Inner::Document(document) => {
                let path = document.naming.path(path);
                format!("{path}, line {}", document.place(&path).line)
            }
            Inner::Stored(stored) => stored.path(path),
            Inner::Merged(merged) => match merged.part(path) {
                None => path.to_owned(),
                Some((part, path)) => match &part.0 {
                    Inner::Document(document) => {
                        format!("{}: {}", document.file, part.named(&path))
                    }
                    _ => part.named(&path),
                },
            },
        }
    }

    /// Gives a problem with a path in the configuration its path and its place in the document,
    /// and takes secrets out of its text.
    pub fn locate(&self, problem: &mut Problem) {
        match &self.0 {
            Inner::Code => {}
            Inner::Made(_) => problem.path = self.named(&problem.path),
            Inner::Document(document) => {
                problem.path = document.naming.path(&problem.path);
                problem.place = Some(document.place(&problem.path));
                document.secrets.hide(problem);
            }
            Inner::Stored(stored) => {
                problem.path = stored.path(&problem.path);
                stored.secrets.hide(problem);
            }
            Inner::Merged(merged) => {
                if let Some((part, path)) = merged.part(&problem.path) {
                    problem.path = path;
                    part.locate(problem);
                }
                // A problem may speak of what another part brought in.
                self.hide_secrets(problem);
            }
        }
    }

    /// Takes what references brought in out of a problem's text.
    pub(crate) fn hide_secrets(&self, problem: &mut Problem) {
        match &self.0 {
            Inner::Code | Inner::Made(_) => {}
            Inner::Document(document) => document.secrets.hide(problem),
            Inner::Stored(stored) => stored.secrets.hide(problem),
            Inner::Merged(merged) => {
                merged.parts.iter().for_each(|part| part.hide_secrets(problem));
            }
        }
    }

    /// Whether the document is RESTGate's, where the first of several equal routes wins.
    pub(crate) fn is_translated(&self) -> bool {
        match &self.0 {
            Inner::Code | Inner::Made(_) | Inner::Stored(_) => false,
            Inner::Document(document) => document.naming.translate.is_some(),
            Inner::Merged(merged) => merged.parts.iter().any(Self::is_translated),
        }
    }
}

/// Puts the places of several together, in the order in which their lists are.
#[derive(Default)]
pub(crate) struct Merging {
    merged: Merged,
    lengths: HashMap<&'static str, usize>,
}

impl Merging {
    /// Adds one, whose lists are so long.
    pub(crate) fn add(&mut self, places: Places, length: impl Fn(Kind) -> usize) {
        let part = self.merged.parts.len();
        for kind in Kind::ALL {
            let length = length(*kind);
            if length > 0 {
                let sum = self.lengths.entry(kind.plural()).or_default();
                self.merged.lists.entry(kind.plural()).or_default().push((*sum, part));
                *sum += length;
            }
        }
        self.merged.parts.push(places);
    }

    /// Says that the part added last has `key`, which is no list. Returns the part that has it
    /// already.
    pub(crate) fn key(&mut self, key: &str) -> Option<&Places> {
        let part = self.merged.parts.len() - 1;
        let owner = *self.merged.keys.entry(key.to_owned()).or_insert(part);
        (owner != part).then(|| &self.merged.parts[owner])
    }

    pub(crate) fn done(mut self) -> Places {
        match self.merged.parts.len() {
            1 => self.merged.parts.remove(0),
            _ => Places(Inner::Merged(Arc::new(self.merged))),
        }
    }
}

impl Document {
    fn place(&self, path: &str) -> Place {
        self.outline.start(path).place(&self.file)
    }
}

impl Stored {
    fn ids(&self) -> &HashMap<&'static str, Vec<ResourceId>> {
        self.ids.get_or_init(|| {
            let mut lists: HashMap<_, Vec<_>> = HashMap::new();
            for one in self.resources.iter() {
                lists.entry(one.id.kind.plural()).or_default().push(one.id.clone());
            }
            lists
        })
    }

    /// `routes[7].match.path` → `route/default/shop.match.path`.
    fn path(&self, path: &str) -> String {
        let found = item(path).and_then(|(list, index, rest)| {
            let id = self.ids().get(list)?.get(index)?;
            Some(format!("{id}{rest}"))
        });
        found.unwrap_or_else(|| path.to_owned())
    }
}

impl Merged {
    /// Which part `path` is about, and its path there.
    fn part(&self, path: &str) -> Option<(&Places, String)> {
        if let Some((list, index, rest)) = item(path)
            && let Some(begins) = self.lists.get(list)
        {
            let at = begins.partition_point(|(start, _)| *start <= index).checked_sub(1)?;
            let (start, part) = begins[at];
            return Some((&self.parts[part], format!("{list}[{}]{rest}", index - start)));
        }
        let key = path.split(['.', '[']).next().unwrap_or(path);
        let part = self.keys.get(key)?;
        Some((&self.parts[*part], path.to_owned()))
    }
}

impl Naming {
    fn path(&self, path: &str) -> String {
        let path = self.numbers.path(path);
        match self.translate {
            Some(translate) => translate(&path),
            None => path,
        }
    }
}

impl Numbers {
    /// Says where the items that could be read stand in `list`.
    pub(crate) fn set(&mut self, list: &'static str, numbers: Vec<usize>) {
        self.lists.insert(list, numbers);
    }

    /// The next service, and those of its routes that could be read.
    pub(crate) fn push_service(&mut self, number: usize, routes: Vec<usize>) {
        self.lists.entry(Kind::Service.plural()).or_default().push(number);
        self.nested.push(routes);
    }

    /// `services[0].routes[1].name` → `services[2].routes[1].name`, when two were left out.
    fn path(&self, path: &str) -> String {
        let Some((list, index, rest)) = item(path) else { return path.to_owned() };
        let Some(numbers) = self.lists.get(list) else { return path.to_owned() };
        let number = numbers.get(index).copied().unwrap_or(index);
        match (list, rest.strip_prefix('.').and_then(item)) {
            ("services", Some(("routes", inner, rest))) => {
                let nested = self.nested.get(index).and_then(|routes| routes.get(inner));
                let inner = nested.copied().unwrap_or(inner);
                format!("services[{number}].routes[{inner}]{rest}")
            }
            _ => format!("{list}[{number}]{rest}"),
        }
    }
}

/// `services[0].name` → `("services", 0, ".name")`.
pub(crate) fn item(path: &str) -> Option<(&str, usize, &str)> {
    let (list, rest) = path.split_once('[')?;
    let (index, rest) = rest.split_once(']')?;
    if list.contains('.') {
        return None;
    }
    Some((list, index.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_that_were_left_out_shift_the_numbers() {
        let mut numbers = Numbers::default();
        numbers.set("listeners", vec![0]);
        numbers.push_service(0, vec![]);
        numbers.push_service(2, vec![1, 3]);
        numbers.set("routes", vec![1]);
        for (path, document) in [
            ("services[1].routes[1].match.path", "services[2].routes[3].match.path"),
            ("services[1].url", "services[2].url"),
            ("services[1]", "services[2]"),
            ("routes[0].target.services[0].service", "routes[1].target.services[0].service"),
            ("probes.bind", "probes.bind"),
            ("", ""),
        ] {
            assert_eq!(numbers.path(path), document);
        }
    }
}
