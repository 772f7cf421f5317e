//! Workspaces that do not exist, for tests of the rules: each call adds what a `Cargo.toml` would
//! say, and the whole is handed over as the metadata that cargo would print.

use cargo_metadata::Metadata;
use serde_json::{Value, json};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A workspace in the making.
#[derive(Debug, Default)]
pub(crate) struct Synthetic {
    entries: Vec<Entry>,
}

/// One package of it.
#[derive(Debug)]
pub(crate) struct Entry {
    name: String,
    version: String,
    licence: Option<String>,
    source: Option<String>,
    member: bool,
    needs: Vec<Need>,
    features: Vec<(String, Vec<String>)>,
    on: Vec<String>,
}

#[derive(Debug)]
struct Need {
    name: String,
    kind: Option<&'static str>,
    optional: bool,
}

impl Synthetic {
    /// A crate of the workspace.
    pub(crate) fn member(&mut self, name: &str) -> &mut Entry {
        self.add(name, "0.1.0", true)
    }

    /// A crate from crates.io, under MIT unless told.
    pub(crate) fn foreign(&mut self, name: &str, version: &str) -> &mut Entry {
        self.add(name, version, false)
    }

    /// What cargo would say of it.
    pub(crate) fn metadata(&self) -> Metadata {
        let members: Vec<String> =
            self.entries.iter().filter(|entry| entry.member).map(Entry::id).collect();
        let packages: Vec<Value> = self.entries.iter().map(|entry| self.package(entry)).collect();
        let nodes: Vec<Value> = self.entries.iter().map(|entry| self.node(entry)).collect();
        let whole = json!({
            "packages": packages,
            "workspace_members": members,
            "workspace_default_members": members,
            "resolve": {"nodes": nodes, "root": null},
            "target_directory": "/nowhere/target",
            "workspace_root": "/nowhere",
            "version": 1,
        });
        serde_json::from_value(whole).unwrap()
    }

    fn add(&mut self, name: &str, version: &str, member: bool) -> &mut Entry {
        self.entries.push(Entry {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: Some("MIT".to_owned()),
            source: (!member).then(|| CRATES_IO.to_owned()),
            member,
            needs: Vec::new(),
            features: Vec::new(),
            on: Vec::new(),
        });
        self.entries.last_mut().unwrap()
    }

    fn find(&self, name: &str) -> &Entry {
        self.entries.iter().find(|entry| entry.name == name).unwrap()
    }

    fn package(&self, entry: &Entry) -> Value {
        let dependencies: Vec<Value> = entry
            .needs
            .iter()
            .map(|need| {
                let to = self.find(&need.name);
                json!({
                    "name": need.name,
                    "source": to.source,
                    "req": "*",
                    "kind": need.kind,
                    "optional": need.optional,
                    "uses_default_features": true,
                    "features": [],
                    "target": null,
                    "rename": null,
                    "registry": null,
                    "path": to.member.then(|| format!("/nowhere/{}", need.name)),
                })
            })
            .collect();
        let features: serde_json::Map<String, Value> =
            entry.features.iter().map(|(name, values)| (name.clone(), json!(values))).collect();
        json!({
            "name": entry.name,
            "version": entry.version,
            "id": entry.id(),
            "license": entry.licence,
            "source": entry.source,
            "dependencies": dependencies,
            "targets": [],
            "features": features,
            "manifest_path": format!("/nowhere/{}/Cargo.toml", entry.name),
        })
    }

    fn node(&self, entry: &Entry) -> Value {
        let ids: Vec<String> = entry.needs.iter().map(|need| self.find(&need.name).id()).collect();
        let deps: Vec<Value> = entry
            .needs
            .iter()
            .map(|need| {
                json!({
                    "name": need.name.replace('-', "_"),
                    "pkg": self.find(&need.name).id(),
                    "dep_kinds": [{"kind": need.kind, "target": null}],
                })
            })
            .collect();
        json!({"id": entry.id(), "dependencies": ids, "deps": deps, "features": entry.on})
    }
}

impl Entry {
    /// An ordinary dependency.
    pub(crate) fn needs(&mut self, name: &str) -> &mut Self {
        self.need(name, None, false)
    }

    /// A dependency of its tests.
    pub(crate) fn tests_with(&mut self, name: &str) -> &mut Self {
        self.need(name, Some("dev"), false)
    }

    /// A dependency of its build script.
    pub(crate) fn builds_with(&mut self, name: &str) -> &mut Self {
        self.need(name, Some("build"), false)
    }

    /// A dependency that a feature must switch on.
    pub(crate) fn needs_optional(&mut self, name: &str) -> &mut Self {
        self.need(name, None, true)
    }

    /// A feature, and whether it is on.
    pub(crate) fn feature(&mut self, name: &str, values: &[&str], on: bool) -> &mut Self {
        self.features.push((name.to_owned(), values.iter().map(|&v| v.to_owned()).collect()));
        if on {
            self.on.push(name.to_owned());
        }
        self
    }

    /// Its licence expression, or none.
    pub(crate) fn licence(&mut self, expression: Option<&str>) -> &mut Self {
        self.licence = expression.map(str::to_owned);
        self
    }

    /// Where it comes from.
    pub(crate) fn source(&mut self, source: &str) -> &mut Self {
        self.source = Some(source.to_owned());
        self
    }

    fn need(&mut self, name: &str, kind: Option<&'static str>, optional: bool) -> &mut Self {
        self.needs.push(Need { name: name.to_owned(), kind, optional });
        self
    }

    fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}
