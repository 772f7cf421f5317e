//! Resources that each stand by themselves: what the admin API takes, and what a store keeps.
//!
//! A resource is kept as it was written, with its references; what it means is made from that
//! again whenever a secret it refers to changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use portway_plugin::{
    Problem,
    value::{Name, Quoted},
};
use serde_json::{Map, Value as Json};

use crate::{
    Catalog, Loaded,
    document::{Entry, Node, Span, Value, parse},
    expand::{Expanded, Lookup, SecretId, Secrets, Use, expand_resource},
    load::Reader,
    merge::SETTINGS,
    places::Places,
    resource::{Config, Kind, Resource, ResourceId},
    walk::walk,
};

/// A resource, and how it was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// Which one it is.
    pub id: ResourceId,
    /// What it means.
    pub resource: Resource,
    /// What was written, but for the name and the namespace.
    pub spec: Spec,
    /// The secrets it refers to, by namespace and name.
    pub used: BTreeSet<SecretId>,
    secrets: Secrets,
}

/// What was written of a resource. It is kept as text: there may be ten thousand, and a tree of
/// values takes ten times the room.
#[derive(Clone, Debug)]
pub struct Spec(Box<str>);

impl Spec {
    fn new(spec: &Json) -> Self {
        Self(spec.to_string().into())
    }

    /// As a value.
    #[must_use]
    pub fn value(&self) -> Json {
        // It was one before it was text.
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

/// The order of keys means nothing.
impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.value() == other.value()
    }
}

/// As JSON.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads the resource `id` from `text`, called `file` in messages; its format is what the name's
/// extension says. Name and namespace may be left out.
///
/// # Errors
/// Everything that is wrong with it, by itself.
pub fn resource(
    text: &str,
    file: &str,
    id: &ResourceId,
    lookup: &dyn Lookup,
    catalog: &Catalog,
) -> Result<Written, Vec<Problem>> {
    let (tree, mut problems) = parse(text, file);
    let Some(tree) = tree else { return Err(problems) };
    let read = Reading { file, lookup, catalog }.one(tree, id, "", &mut problems);
    finished(read, problems)
}

/// Reads a document that has nothing but resources: a configuration file without settings of the
/// process. What names no namespace belongs to `namespace`.
///
/// # Errors
/// Everything that is wrong with each of them, by itself.
pub fn resources(
    text: &str,
    file: &str,
    namespace: &Name,
    lookup: &dyn Lookup,
    catalog: &Catalog,
) -> Result<Vec<Written>, Vec<Problem>> {
    let (tree, mut problems) = parse(text, file);
    let Some(tree) = tree else { return Err(problems) };
    let lookup = Declared { own: own_secrets(&tree, namespace), lookup };
    let reading = Reading { file, lookup: &lookup, catalog };
    let mut read = Vec::new();
    let Value::Map(entries) = tree.value else {
        let message = format!("expected lists of resources, found {}", tree.value.noun());
        let place = Some(tree.span.start.place(file));
        problems.push(Problem { place, ..Problem::new("wrong_type", message) });
        return Err(problems);
    };
    for entry in entries {
        let known = Kind::ALL.iter().find(|kind| *entry.key == *kind.plural());
        match (known, entry.node.value) {
            (Some(kind), Value::List(items)) => {
                for (number, item) in items.into_iter().enumerate() {
                    let path = format!("{}[{number}]", entry.key);
                    if let Some(id) = reading.named(&item, *kind, namespace, &path, &mut problems) {
                        read.extend(reading.one(item, &id, &path, &mut problems));
                    }
                }
            }
            (Some(_), Value::Null) => {}
            (Some(_), value) => {
                let message = format!("expected a list, found {}", value.noun());
                problems.push(reading.problem("wrong_type", message, entry.node.span, &entry.key));
            }
            (None, _) if entry.key.starts_with("x-") || &*entry.key == "$schema" => {}
            (None, _) => problems.push(reading.foreign(&entry.key, entry.key_span)),
        }
    }
    let mut seen = BTreeSet::new();
    for one in &read {
        if !seen.insert(&one.id) {
            let message = format!("{} is written here twice", one.id);
            problems.push(Problem::new("duplicate_name", message).at(one.id.kind.plural()));
        }
    }
    finished(Some(read), problems)
}

/// Secrets that a document declares itself, before all others.
struct Declared<'a> {
    own: BTreeMap<(String, String), String>,
    lookup: &'a dyn Lookup,
}

impl Lookup for Declared<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.lookup.env(name)
    }

    fn file(&self, path: &str) -> Result<String, String> {
        self.lookup.file(path)
    }

    fn secret(&self, namespace: &str, name: &str) -> Option<String> {
        let own = self.own.get(&(namespace.to_owned(), name.to_owned()));
        own.cloned().or_else(|| self.lookup.secret(namespace, name))
    }

    fn has_surroundings(&self) -> bool {
        self.lookup.has_surroundings()
    }
}

/// The secrets in the list of a document.
fn own_secrets(tree: &Node, namespace: &Name) -> BTreeMap<(String, String), String> {
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let secret = |node: &Node| {
        let own = text(node, "namespace").unwrap_or_else(|| namespace.to_string());
        Some(((own, text(node, "name")?), text(node, "value")?))
    };
    let list = tree.get(Kind::Secret.plural()).map_or(&[][..], Node::items);
    list.iter().filter_map(secret).collect()
}

/// The value, unless there are problems.
fn finished<T>(read: Option<T>, mut problems: Vec<Problem>) -> Result<T, Vec<Problem>> {
    match read {
        Some(read) if problems.is_empty() => Ok(read),
        _ => {
            problems.sort_by(|a, b| a.place.cmp(&b.place));
            Err(problems)
        }
    }
}

struct Reading<'a> {
    file: &'a str,
    lookup: &'a dyn Lookup,
    catalog: &'a Catalog,
}

impl Reading<'_> {
    /// `path` leads to the resource in its document; empty when it is the document.
    fn one(
        &self,
        mut tree: Node,
        id: &ResourceId,
        path: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Written> {
        let before = problems.len();
        let spec = tree.to_json_without(&["name", "namespace"]);
        if !spec.is_object() {
            let message = format!("expected a map, found {}", tree.value.noun());
            problems.push(self.problem("wrong_type", message, tree.span, path));
            return None;
        }
        self.name(&mut tree, id, problems);
        let below = id.kind == Kind::Certificate;
        let at = (id.namespace.as_str(), below);
        let Expanded { problems: found, secrets, used, .. } =
            expand_resource(&mut tree, self.file, self.lookup, at);
        problems.extend(found);
        problems.extend(walk(&mut tree, self.catalog.shapes_of(id.kind), self.file));
        let mut reader = Reader { file: self.file, problems };
        let resource = reader.made(&tree, &[], String::new, |json| id.kind.read(json));
        for problem in &mut problems[before..] {
            secrets.hide(problem);
            problem.path = joined(path, &problem.path);
        }
        let resource = resource.filter(|_| problems.len() == before)?;
        let used = used.into_keys().collect();
        // The names are those of the resource, which it shares.
        Some(Written { id: resource.id(), resource, spec: Spec::new(&spec), used, secrets })
    }

    /// Sees to it that the resource says how it is called.
    fn name(&self, tree: &mut Node, id: &ResourceId, problems: &mut Vec<Problem>) {
        let span = Span { start: tree.span.start, end: tree.span.start };
        let Value::Map(entries) = &mut tree.value else { return };
        for (key, wanted) in [("name", &id.name), ("namespace", &id.namespace)] {
            let given = entries.iter().position(|entry| &*entry.key == key);
            if let Some(given) = given.map(|at| &entries[at].node)
                && given.as_str().is_none_or(|text| text != wanted.as_str())
            {
                let message = format!(
                    "the {key} is not {}, under which it is written",
                    Quoted(wanted.as_str())
                );
                problems.push(self.problem("name_mismatch", message, given.span, key));
            }
            if given.is_none() {
                let node = Node::new(Value::text(wanted.as_str()), span);
                entries.push(Entry { key: key.into(), key_span: span, node });
            }
        }
    }

    /// Which resource an item of a document is.
    fn named(
        &self,
        item: &Node,
        kind: Kind,
        namespace: &Name,
        path: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<ResourceId> {
        let mut read = |key: &str| {
            let node = item.get(key)?;
            let text = match &node.value {
                Value::Text(text) => text.text.clone(),
                Value::Integer(number) => number.to_string(),
                other => {
                    let message = format!("expected a name, found {}", other.noun());
                    problems.push(self.problem(
                        "wrong_type",
                        message,
                        node.span,
                        &joined(path, key),
                    ));
                    return Some(None);
                }
            };
            let name = text.parse::<Name>().map_err(|invalid| {
                let mut problem = self.problem(invalid.code, "", node.span, &joined(path, key));
                (problem.message, problem.hint) = (invalid.message, invalid.hint);
                problems.push(problem);
            });
            Some(name.ok())
        };
        let (name, own) = (read("name"), read("namespace"));
        let Some(name) = name else {
            let problem = self.problem("missing_key", "the key name is missing", item.span, path);
            problems.push(problem);
            return None;
        };
        let namespace = match own {
            None => namespace.clone(),
            Some(own) => own?,
        };
        let namespace = if kind.is_namespaced() { namespace } else { Name::default() };
        Some(ResourceId { kind, namespace, name: name? })
    }

    fn foreign(&self, key: &str, span: Span) -> Problem {
        let problem = self.problem(
            "foreign_key",
            format!("{} is no kind of resource", Quoted(key)),
            span,
            key,
        );
        let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.plural()).collect();
        if SETTINGS.contains(&key) {
            problem.hint("settings of the process stand in a file: give it to `portway run`")
        } else {
            problem.hint(format!("there are {}", kinds.join(", ")))
        }
    }

    fn problem(
        &self,
        code: &'static str,
        message: impl Into<std::borrow::Cow<'static, str>>,
        span: Span,
        path: &str,
    ) -> Problem {
        let place = Some(span.start.place(self.file));
        Problem { place, ..Problem::new(code, message).at(path) }
    }
}

/// `routes[0]` and `match.path` → `routes[0].match.path`.
fn joined(path: &str, below: &str) -> String {
    match (path, below) {
        ("", below) => below.to_owned(),
        (path, "") => path.to_owned(),
        (path, below) if below.starts_with('[') => format!("{path}{below}"),
        (path, below) => format!("{path}.{below}"),
    }
}

/// Resources by their ids, as a part of a configuration. A copy shares them.
#[derive(Clone, Debug, Default)]
pub struct Resources(Arc<BTreeMap<ResourceId, Arc<Written>>>);

impl Resources {
    /// Adds one, or puts it in the place of the one of its id.
    pub fn insert(&mut self, written: Written) -> Option<Arc<Written>> {
        Arc::make_mut(&mut self.0).insert(written.id.clone(), Arc::new(written))
    }

    /// Takes one out.
    pub fn remove(&mut self, id: &ResourceId) -> Option<Arc<Written>> {
        Arc::make_mut(&mut self.0).remove(id)
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: &ResourceId) -> Option<&Written> {
        self.0.get(id).map(|written| &**written)
    }

    /// All of them, by kind, namespace and name.
    pub fn iter(&self) -> impl Iterator<Item = &Written> {
        self.0.values().map(|written| &**written)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What they say together. A problem's path begins with the resource it is in:
    /// `route/default/shop.match.path`.
    #[must_use]
    pub fn loaded(&self, catalog: &Catalog) -> Loaded {
        let (mut config, mut secrets, mut used) =
            (Config::default(), Secrets::default(), BTreeMap::new());
        for one in self.0.values() {
            config.push(one.resource.clone());
            secrets.extend(&one.secrets);
            for id in &one.used {
                let at = || Use { path: one.id.to_string(), place: None };
                used.entry(id.clone()).or_insert_with(at);
            }
        }
        let places = Places::stored(self.clone(), secrets);
        Loaded { config, places, used, catalog: catalog.clone(), ..Loaded::default() }
    }
}

/// Of several with one id, the last one counts. A tree that is made at once has no room to spare.
impl FromIterator<Written> for Resources {
    fn from_iter<I: IntoIterator<Item = Written>>(written: I) -> Self {
        let by_id = |one: Written| (one.id.clone(), Arc::new(one));
        Self(Arc::new(written.into_iter().map(by_id).collect()))
    }
}

/// A spec with its name in front, as it would stand in a document.
#[must_use]
pub fn named(id: &ResourceId, spec: &Json) -> Json {
    let mut whole = Map::new();
    whole.insert("name".into(), id.name.as_str().into());
    if id.kind.is_namespaced() && !id.namespace.is_default_namespace() {
        whole.insert("namespace".into(), id.namespace.as_str().into());
    }
    if let Json::Object(spec) = spec {
        whole.extend(spec.clone());
    }
    Json::Object(whole)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{NoLookup, merge};

    struct OneSecret;

    impl Lookup for OneSecret {
        fn env(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, _: &str) -> Result<String, String> {
            Err("there are no files".into())
        }

        fn secret(&self, namespace: &str, name: &str) -> Option<String> {
            (namespace == "default" && name == "host").then(|| "a.internal".into())
        }

        fn has_surroundings(&self) -> bool {
            false
        }
    }

    fn read(kind: Kind, text: &str) -> Result<Written, Vec<Problem>> {
        let id = ResourceId { kind, namespace: Name::default(), name: "a".parse().unwrap() };
        resource(text, "body.json", &id, &OneSecret, &Catalog::default())
    }

    #[test]
    fn a_resource_is_kept_as_it_was_written() {
        let text = r#"{"name": "a", "url": "http://${secret:host}:80"}"#;
        let written = read(Kind::Service, text).unwrap();
        assert_eq!(written.spec.value(), json!({"url": "http://${secret:host}:80"}));
        assert_eq!(written.used.len(), 1);
        let Resource::Service(service) = &written.resource else { panic!("a service") };
        assert_eq!(service.url.as_ref().unwrap().to_string(), "http://a.internal");
    }

    #[test]
    fn what_is_wrong_with_it_is_all_told() {
        let text = "{\n\"name\": \"b\", \"url\": \"http://${HOME}\",\n\"hots\": []}";
        let problems = read(Kind::Service, text).unwrap_err();
        let found: Vec<_> = problems.iter().map(|p| (p.code, p.path.as_str())).collect();
        assert_eq!(
            found,
            [("name_mismatch", "name"), ("bad_reference", "url"), ("unknown_key", "hots")]
        );
        assert_eq!(problems[2].place.as_ref().unwrap().line, 3);
    }

    #[test]
    fn a_document_gives_its_resources() {
        let namespace = "shop".parse().unwrap();
        let text = "services: [{name: a, url: 'http://a'}]\nroutes: [{name: r, namespace: x, target: {reply: {}}}]";
        let read = resources(text, "f.yaml", &namespace, &NoLookup, &Catalog::default()).unwrap();
        let ids: Vec<_> = read.iter().map(|one| one.id.to_string()).collect();
        assert_eq!(ids, ["service/shop/a", "route/x/r"]);
        let text = "log: {}\nservices: [{url: 'http://a'}]\nthings: []";
        let problems =
            resources(text, "f.yaml", &namespace, &NoLookup, &Catalog::default()).unwrap_err();
        let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["foreign_key", "missing_key", "foreign_key"]);
    }

    #[test]
    fn problems_name_the_resource_they_are_in() {
        let mut stored = Resources::default();
        stored.insert(read(Kind::Route, r#"{"target": {"service": "none"}}"#).unwrap());
        let part = stored.loaded(&Catalog::default());
        let problems = merge(&[&part]).unwrap().check().unwrap_err();
        assert_eq!(problems[0].path, "route/default/a.target.service");
    }
}
