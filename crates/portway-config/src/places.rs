//! Where each part of a configuration stands in the document it came from.
//!
//! Positions never enter resources, for resources are compared: two that say the same are equal
//! wherever they are written. A check names a part by its path in the configuration, and this
//! table says where that is.

use std::sync::Arc;

use portway_plugin::{Place, Problem};

use crate::{
    document::{Node, resolve},
    expand::Secrets,
};

/// The places of one document, or of none for a configuration made in code.
#[derive(Clone, Debug, Default)]
pub struct Places(Option<Arc<Document>>);

#[derive(Debug)]
struct Document {
    file: String,
    /// Without what the scalars said.
    root: Node,
    naming: Naming,
    secrets: Secrets,
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
    pub(crate) listeners: Vec<usize>,
    pub(crate) services: Vec<usize>,
    /// The routes of each service in `services`.
    pub(crate) nested: Vec<Vec<usize>>,
    pub(crate) routes: Vec<usize>,
    pub(crate) plugins: Vec<usize>,
    pub(crate) consumers: Vec<usize>,
}

impl Places {
    pub(crate) fn new(file: &str, mut root: Node, naming: Naming, secrets: Secrets) -> Self {
        root.forget_values();
        Self(Some(Arc::new(Document { file: file.to_owned(), root, naming, secrets })))
    }

    /// Where `path` of the configuration (`services[0].routes[2].match.path`) stands. Of a part
    /// that was left out, where the part around it stands.
    #[must_use]
    pub fn place(&self, path: &str) -> Option<Place> {
        let document = self.0.as_ref()?;
        Some(document.place(&document.naming.path(path)))
    }

    /// The path in the document, and the line, for people: `services[0].routes[2], line 7`.
    pub(crate) fn named(&self, path: &str) -> String {
        match &self.0 {
            None => path.to_owned(),
            Some(document) => {
                let path = document.naming.path(path);
                format!("{path}, line {}", document.place(&path).line)
            }
        }
    }

    /// Gives a problem with a path in the configuration its path and its place in the document,
    /// and takes secrets out of its text.
    pub fn locate(&self, problem: &mut Problem) {
        let Some(document) = &self.0 else { return };
        problem.path = document.naming.path(&problem.path);
        problem.place = Some(document.place(&problem.path));
        document.secrets.hide(problem);
    }

    /// Takes what references brought in out of a problem's text.
    pub(crate) fn hide_secrets(&self, problem: &mut Problem) {
        if let Some(document) = &self.0 {
            document.secrets.hide(problem);
        }
    }

    /// Whether the document is RESTGate's, where the first of several equal routes wins.
    pub(crate) fn is_translated(&self) -> bool {
        self.0.as_ref().is_some_and(|document| document.naming.translate.is_some())
    }
}

impl Document {
    fn place(&self, path: &str) -> Place {
        resolve(&self.root, path).start.place(&self.file)
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
    /// `services[0].routes[1].name` → `services[2].routes[1].name`, when two were left out.
    fn path(&self, path: &str) -> String {
        let Some((list, index, rest)) = item(path) else { return path.to_owned() };
        let numbers = match list {
            "listeners" => &self.listeners,
            "services" => &self.services,
            "routes" => &self.routes,
            "plugins" => &self.plugins,
            "consumers" => &self.consumers,
            _ => return path.to_owned(),
        };
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
        let numbers = Numbers {
            listeners: vec![0],
            services: vec![0, 2],
            nested: vec![vec![], vec![1, 3]],
            routes: vec![1],
            ..Numbers::default()
        };
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
