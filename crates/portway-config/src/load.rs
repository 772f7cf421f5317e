//! From text to a configuration.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use portway_plugin::Problem;
use serde::de::DeserializeOwned;

use crate::{
    Catalog,
    check::{self, Checked, Known},
    document::{Mark, Node, Value},
    expand::{Lookup, SecretId, Secrets, Use},
    import::restgate,
    merge::{self, SETTINGS, is_list},
    places::{Naming, Numbers, Places},
    resource::{Config, Kind, Service},
    revision::Origin,
    together::{Document, load_together},
    walk::walk,
};

/// A document that could be read, or several that were put together.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// Where it says so.
    pub places: Places,
    /// The files it refers to with `${file:…}`, which to watch along with it.
    pub files: BTreeSet<String>,
    /// The secrets it refers to with `${secret:…}`, each with where it does so first.
    pub used: BTreeMap<SecretId, Use>,
    /// What is worth saying about where it comes from.
    pub warnings: Vec<Problem>,
    /// Whose document it is.
    pub dialect: Dialect,
    /// The keys it has that are no lists of resources.
    pub(crate) settings: BTreeSet<String>,
    /// By which it was read.
    pub(crate) catalog: Catalog,
}

/// The settings that a process must know before it begins.
pub(crate) const START: [&str; 3] = ["admin", "store", "log"];

/// Whose document it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The gateway's own.
    #[default]
    Native,
    /// RESTGate's, recognised by `observed_services`.
    RestGate,
}

impl Loaded {
    /// What a program has made: its resources, and the settings of the process that are not what
    /// they are by default. Its references are not expanded.
    #[must_use]
    pub fn made(config: Config, catalog: &Catalog) -> Self {
        let (settings, catalog) = (merge::said(&config), catalog.clone());
        let places = Places::made(Origin::code(), config.clone());
        Self { config, places, settings, catalog, ..Self::default() }
    }

    /// The same as somebody else's, for a gateway that has what `catalog` says, by whatever it was
    /// read. What stands in a document stays its file's.
    #[must_use]
    pub fn of(self, origin: &Origin, catalog: &Catalog) -> Self {
        Self { places: self.places.of(origin), catalog: catalog.clone(), ..self }
    }

    /// Puts what it says of the store, the log and the admin API, which a process must know before
    /// it begins, in the place of what `config` has.
    pub fn start_onto(&self, config: &mut Config) {
        for key in START.iter().filter(|key| self.settings.contains(**key)) {
            merge::take(key, config, &mut self.config.clone());
        }
    }

    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.settings.is_empty() && Kind::ALL.iter().all(|kind| self.config.count(*kind) == 0)
    }

    /// [Checks](crate::check) it.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check(self) -> Result<Checked<Config>, Vec<Problem>> {
        self.check_knowing(&Known::default())
    }

    /// The same, where what did not change since an earlier check is not looked at again.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check_knowing(self, known: &Known) -> Result<Checked<Config>, Vec<Problem>> {
        let checked = check::check_knowing(self.config, &self.places, &self.catalog, known)?;
        Ok(checked.with_warnings(self.warnings))
    }

    /// The secrets it refers to and does not have, each as a problem where it does so. One that
    /// somebody else had when it was read may be gone.
    #[must_use]
    pub fn missing_secrets(&self) -> Vec<Problem> {
        let secrets = self.config.secrets.iter().map(|secret| &secret.meta);
        let has: HashSet<_> =
            secrets.map(|meta| (meta.namespace.as_str(), meta.name.as_str())).collect();
        let missing = self.used.iter().filter(|((ns, name), _)| !has.contains(&(ns, name)));
        missing.map(|(id, at)| at.of_nothing(id)).collect()
    }
}

/// Reads the document `text`, called `file` in messages. Its format is what the name's extension
/// says (`.yaml`, `.yml`, `.json`, `.toml`), else what the text looks like.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text. What could be read in spite of
/// that has been [checked](crate::check) too, so that one run shows all there is to mend.
pub fn load(
    text: &str,
    file: &str,
    lookup: &dyn Lookup,
    catalog: &Catalog,
) -> Result<Loaded, Vec<Problem>> {
    load_together(&[Document { file, text: Ok(text), lookup }], catalog)
}

/// The text of a file.
///
/// # Errors
/// It is not UTF-8; the problem says where.
pub fn decode<'a>(bytes: &'a [u8], file: &str) -> Result<&'a str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        let mark = Mark::counted(line, column);
        let problem = Problem::new("not_utf8", "the document is not UTF-8");
        Problem { place: Some(mark.place(file)), ..problem.hint("save it as UTF-8") }
    })
}

/// What could be read of a tree.
pub(crate) struct Read {
    pub(crate) config: Config,
    pub(crate) places: Places,
    pub(crate) dialect: Dialect,
    /// Names of services that are there but could not be read.
    pub(crate) unread_services: Vec<String>,
}

/// Reads a tree whose references are expanded.
pub(crate) fn read(
    tree: Node,
    file: &str,
    secrets: Secrets,
    catalog: &Catalog,
    problems: &mut Vec<Problem>,
) -> Read {
    if restgate::is_one(&tree) {
        restgate::read(tree, file, secrets, problems)
    } else {
        native(tree, file, secrets, catalog, problems)
    }
}

fn native(
    mut tree: Node,
    file: &str,
    secrets: Secrets,
    catalog: &Catalog,
    problems: &mut Vec<Problem>,
) -> Read {
    let names = service_names(&tree);
    problems.extend(walk(&mut tree, catalog.shapes(), file));
    let mut reader = Reader { file, problems };
    let (mut numbers, mut unread_services) = (Numbers::default(), Vec::new());
    let lists: Vec<_> = Kind::ALL.iter().map(|kind| kind.plural()).collect();
    let mut config: Config = reader.typed(&tree, &lists, "").unwrap_or_default();
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Service) {
        numbers.set(kind.plural(), reader.resources(&tree, *kind, &mut config));
    }
    for (number, item) in tree.get("services").map_or(&[][..], Node::items).iter().enumerate() {
        let path = format!("services[{number}]");
        let Some(mut service) = reader.typed::<Service>(item, &["routes"], &path) else {
            unread_services.extend(names.get(number).cloned().flatten());
            continue;
        };
        let mut nested = Vec::new();
        service.routes = reader.list(item, &format!("{path}.routes"), &mut nested);
        config.services.push(service);
        numbers.push_service(number, nested);
    }
    let naming = Naming { numbers, translate: None };
    let places = Places::new(file, &tree, naming, secrets);
    Read { config, places, dialect: Dialect::Native, unread_services }
}

/// The keys with a value that are no lists of resources. A document of another gateway says all
/// there is to say.
pub(crate) fn settings(tree: &Node) -> BTreeSet<String> {
    if restgate::is_one(tree) {
        return SETTINGS.iter().map(|key| (*key).to_owned()).collect();
    }
    let Value::Map(entries) = &tree.value else { return BTreeSet::new() };
    let given = entries.iter().filter(|entry| entry.node.value != Value::Null);
    let keys = given.map(|entry| String::from(&*entry.key));
    keys.filter(|key| !is_list(key) && SETTINGS.contains(&key.as_str())).collect()
}

/// What each service is called, also where that is no name.
fn service_names(tree: &Node) -> Vec<Option<String>> {
    let name = |service: &Node| match &service.get("name")?.value {
        Value::Text(text) => Some(text.text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    };
    tree.get("services").map_or(&[][..], Node::items).iter().map(name).collect()
}

/// Makes typed values of a tree that has been walked. Items that are wrong are left out.
pub(crate) struct Reader<'a> {
    pub(crate) file: &'a str,
    pub(crate) problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    /// The items of the list that `path` ends with, and their numbers in the document.
    pub(crate) fn list<T: DeserializeOwned>(
        &mut self,
        node: &Node,
        path: &str,
        numbers: &mut Vec<usize>,
    ) -> Vec<T> {
        let key = path.rsplit('.').next().unwrap_or(path);
        let items = node.get(key).map_or(&[][..], Node::items);
        let mut read = Vec::with_capacity(items.len());
        for (number, item) in items.iter().enumerate() {
            if let Some(item) = self.typed(item, &[], &format!("{path}[{number}]")) {
                read.push(item);
                numbers.push(number);
            }
        }
        read
    }

    /// The resources of a kind, which are added to `config`; returns their numbers in the document.
    fn resources(&mut self, tree: &Node, kind: Kind, config: &mut Config) -> Vec<usize> {
        let list = kind.plural();
        let items = tree.get(list).map_or(&[][..], Node::items);
        let mut numbers = Vec::with_capacity(items.len());
        for (number, item) in items.iter().enumerate() {
            let path = || format!("{list}[{number}]");
            if let Some(one) = self.made(item, &[], path, |json| kind.read(json)) {
                config.push(one);
                numbers.push(number);
            }
        }
        numbers
    }

    /// One value, without some of its keys.
    pub(crate) fn typed<T: DeserializeOwned>(
        &mut self,
        node: &Node,
        without: &[&str],
        path: &str,
    ) -> Option<T> {
        self.made(node, without, || path.to_owned(), serde_json::from_value)
    }

    /// What `make` makes of a value, without some of its keys.
    pub(crate) fn made<T>(
        &mut self,
        node: &Node,
        without: &[&str],
        path: impl Fn() -> String,
        make: impl FnOnce(serde_json::Value) -> Result<T, serde_json::Error>,
    ) -> Option<T> {
        if node.value == Value::Unknown {
            return None;
        }
        match make(node.to_json_without(without)) {
            Ok(value) => Some(value),
            Err(error) => {
                // The walk said why, unless the types are stricter than their schema.
                if !node.has_unknown() {
                    let place = Some(node.span.start.place(self.file));
                    let problem = Problem::new("bad_value", error.to_string()).at(path());
                    self.problems.push(Problem { place, ..problem });
                }
                None
            }
        }
    }
}
