//! The example of each built-in plugin is a configuration that can be served.

use std::{fs, path::Path};

use portway::config::{Catalog, Loaded, Lookup, load};

/// References in examples find something everywhere.
struct Anything;

impl Lookup for Anything {
    fn env(&self, name: &str) -> Option<String> {
        Some(format!("{name}, a secret of more than 32 bytes"))
    }

    fn file(&self, path: &str) -> Result<String, String> {
        Err(format!("examples need no file, and this one wants {path}"))
    }
}

#[test]
fn every_plugin_has_an_example_that_can_be_served() {
    let catalog = Catalog::new(portway::plugins::registry());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../portway-plugins/src");
    let mut wrong = Vec::new();
    for entry in catalog.registry().iter() {
        let name = entry.name();
        let file = folder.join(name.replace('-', "_")).join("example.yaml");
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        match load(&text, "example.yaml", &Anything, &catalog).and_then(Loaded::check) {
            Ok(checked) => {
                let used = checked.plugs().iter().any(|(_, one)| one.instance.name() == name);
                assert!(used, "{name}: its example does not use it");
            }
            Err(problems) => {
                wrong.extend(problems.iter().map(|problem| format!("{name}: {problem}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_setting_is_told_about() {
    for plugin in Catalog::new(portway::plugins::registry()).plugins() {
        assert!(plugin.summary.len() > 10, "{}: what is it for?", plugin.name);
        let silent = plugin.keys.iter().filter(|key| key.description.is_empty());
        let silent: Vec<_> = silent.map(|key| &key.path).collect();
        assert!(silent.is_empty(), "{}: nothing is told about {silent:?}", plugin.name);
    }
}
