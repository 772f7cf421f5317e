//! Several documents are read together: what one has, the others may refer to.

use portway_plugin::Problem;

use crate::{
    Catalog, Loaded, check,
    document::{Node, Value, parse},
    expand::{Expandable, Lookup, expand},
    load::{Read, START, read, settings},
    merge::join,
    resource::Config,
};

/// One of several documents.
pub struct Document<'a> {
    /// What it is called in messages.
    pub file: &'a str,
    /// What it says, or why that cannot be told.
    pub text: Result<&'a str, Problem>,
    /// Where its references lead.
    pub lookup: &'a dyn Lookup,
}

impl std::fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Reads documents as [`load`](crate::load) reads one, and puts together what they say. Each may
/// refer to the secrets of the others.
///
/// # Errors
/// Everything that is wrong with any of them. Where each could be read in part, what they say
/// together has been checked too.
pub fn load_together(
    documents: &[Document<'_>],
    catalog: &Catalog,
) -> Result<Loaded, Vec<Problem>> {
    let Reading { loaded, mut problems, unread } = reading(documents, catalog, |_| true);
    if problems.is_empty() {
        return Ok(loaded);
    }
    // A document of which nothing is known may have everything that seems to be missing.
    if let Some(unread_services) = unread {
        let Loaded { config, places, dialect, .. } = loaded;
        let read = Read { config, places, dialect, unread_services };
        check::salvaged(read, catalog, &mut problems);
    }
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    Err(problems)
}

/// What documents say that a process must know before it has secrets of others: where its store
/// is, how it logs, and the admin API. The rest is as always.
///
/// # Errors
/// Everything that is wrong with that.
pub fn load_start(documents: &[Document<'_>], catalog: &Catalog) -> Result<Config, Vec<Problem>> {
    let first = |key: &str| START.contains(&key);
    let Reading { loaded, problems, .. } = reading(documents, catalog, first);
    if problems.is_empty() { Ok(loaded.config) } else { Err(problems) }
}

/// What became of documents.
struct Reading {
    loaded: Loaded,
    problems: Vec<Problem>,
    /// The names of services that are there but could not be read. `None` if nothing could be
    /// read of some document.
    unread: Option<Vec<String>>,
}

/// Reads what stands under the keys that are wanted.
fn reading(
    documents: &[Document<'_>],
    catalog: &Catalog,
    wanted: impl Fn(&str) -> bool,
) -> Reading {
    let (mut problems, mut trees) = (Vec::new(), Vec::new());
    for document in documents {
        let (tree, found) = match &document.text {
            Ok(text) => parse(text, document.file),
            Err(problem) => (None, vec![problem.clone()]),
        };
        problems.extend(found);
        trees.extend(tree.map(|tree| (document, only(tree, &wanted))));
    }
    let mut unread = (trees.len() == documents.len()).then(Vec::new);
    let expandable = trees.iter_mut().map(|(document, root)| {
        let Document { file, lookup, .. } = *document;
        Expandable { root, file, lookup: *lookup }
    });
    let expanded = expand(expandable.collect());
    let mut parts = Vec::with_capacity(trees.len());
    for ((document, tree), expanded) in trees.into_iter().zip(expanded) {
        problems.extend(expanded.problems);
        let settings = settings(&tree);
        let read = read(tree, document.file, expanded.secrets, catalog, &mut problems);
        let Read { config, places, dialect, unread_services } = read;
        if let Some(unread) = &mut unread {
            unread.extend(unread_services);
        }
        let (files, used, catalog) = (expanded.files, expanded.used, catalog.clone());
        let warnings = Vec::new();
        parts.push(Loaded { config, places, files, used, warnings, dialect, settings, catalog });
    }
    let (mut loaded, conflicts) = join(parts);
    loaded.catalog = catalog.clone();
    problems.extend(conflicts);
    problems.iter_mut().for_each(|problem| loaded.places.hide_secrets(problem));
    Reading { loaded, problems, unread }
}

/// A document with nothing but the keys that are wanted.
fn only(mut tree: Node, wanted: impl Fn(&str) -> bool) -> Node {
    if let Value::Map(entries) = &mut tree.value {
        entries.retain(|entry| wanted(&entry.key));
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoLookup;

    fn document<'a>(file: &'a str, text: &'a str) -> Document<'a> {
        Document { file, text: Ok(text), lookup: &NoLookup }
    }

    /// The code, the file and the path of each problem.
    fn wrong(documents: &[Document<'_>]) -> Vec<String> {
        let read = load_together(documents, &Catalog::default());
        let problems = read.and_then(|loaded| loaded.check().map(drop)).unwrap_err();
        let told = problems.iter().map(|problem| {
            let file = problem.place.as_ref().map_or("", |place| &place.file);
            format!("{} {file} {}", problem.code, problem.path)
        });
        told.collect()
    }

    #[test]
    fn one_document_may_refer_to_what_another_has() {
        let documents = [
            document("a.yaml", "routes: [{name: r, target: {service: s}}]"),
            document("b.json", r#"{"services": [{"name": "s", "url": "http://${secret:host}"}]}"#),
            document("c.toml", "[[secrets]]\nname = \"host\"\nvalue = \"a.internal\"\n"),
        ];
        let loaded = load_together(&documents, &Catalog::default()).unwrap();
        assert!(loaded.missing_secrets().is_empty());
        let owner = |path| loaded.places.owner(path).to_string();
        assert_eq!([owner("routes[0]"), owner("services[0]")], ["file:a.yaml", "file:b.json"]);
        let config = loaded.check().unwrap();
        assert_eq!(config.services[0].url.as_ref().unwrap().to_string(), "http://a.internal");
    }

    #[test]
    fn a_secret_of_another_namespace_is_out_of_reach() {
        let secret = "namespaces: [{name: shop}]\n\
                      secrets: [{name: host, namespace: shop, value: a.internal}]";
        let services = "services: [{name: s, namespace: shop, url: 'http://${secret:host}'},\n\
                        {name: s, url: 'http://${secret:host}'}]";
        let documents = [document("a.yaml", secret), document("b.yaml", services)];
        assert_eq!(wrong(&documents), ["unknown_secret b.yaml services[1].url"]);
    }

    #[test]
    fn all_problems_of_all_are_told_each_in_its_document() {
        let documents = [
            document("a.yaml", "services: [{name: s, url: nonsense}]\nlog: {level: info}"),
            document("b.yaml", "routes: [{name: r, target: {service: s}, matsch: 1}]\nlog: {}"),
            document("c.yaml", "routes: [{name: q, match: {path: /}, target: {service: none}}]"),
        ];
        let expected = [
            "bad_url a.yaml services[0].url",
            "unknown_key b.yaml routes[0].matsch",
            "owned_elsewhere b.yaml log",
            "unknown_service c.yaml routes[0].target.service",
        ];
        assert_eq!(wrong(&documents), expected);
    }

    /// It might have the service.
    #[test]
    fn nothing_is_missing_while_a_document_cannot_be_read() {
        let route = "routes: [{name: r, target: {service: s}}]";
        let torn = document("b.yaml", "services: [");
        assert_eq!(wrong(&[document("a.yaml", route), torn]), ["syntax b.yaml "]);
        let text = Err(Problem::new("unreadable_file", "gone"));
        let gone = Document { file: "b.yaml", text, lookup: &NoLookup };
        assert_eq!(wrong(&[document("a.yaml", route), gone]), ["unreadable_file  "]);
    }

    #[test]
    fn the_start_needs_no_secrets() {
        let text = "services: [{name: s, url: 'http://${secret:host}'}]\nstore: {kind: memory}";
        let documents = [document("a.yaml", text), document("b.yaml", "admin: {}")];
        let config = load_start(&documents, &Catalog::default()).unwrap();
        assert_eq!(config.store.kind, crate::StorageKind::Memory);
        assert!(config.services.is_empty());
        let documents = [document("a.yaml", text), document("b.yaml", "store: {}")];
        assert!(load_start(&documents, &Catalog::default()).is_err());
    }
}
