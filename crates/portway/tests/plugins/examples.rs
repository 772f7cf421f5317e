//! The example of each built-in plugin is a configuration that can be served.

use std::{fs, path::Path};

use portway::config::{Catalog, Loaded, Lookup, load};

/// References in examples find something everywhere.
struct Anything;

impl Lookup for Anything {
    fn env(&self, name: &str) -> Option<String> {
        Some(format!("the value of {name}"))
    }

    fn file(&self, path: &str) -> Result<String, String> {
        Err(format!("examples need no file, and this one wants {path}"))
    }
}

#[test]
fn every_plugin_has_an_example_that_can_be_served() {
    let catalog = Catalog::new(portway::plugins::registry());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../portway-plugins/src");
    for entry in catalog.registry().iter() {
        let name = entry.name();
        let file = folder.join(name.replace('-', "_")).join("example.yaml");
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let checked = load(&text, &file.to_string_lossy(), &Anything, &catalog)
            .and_then(Loaded::check)
            .unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        let plugs: Vec<_> = checked.plugs().iter().map(|(_, one)| one.instance.name()).collect();
        assert!(plugs.contains(&name), "{name}: its example does not use it");
    }
}

#[test]
fn every_setting_is_told_about() {
    for plugin in Catalog::new(portway::plugins::registry()).plugins() {
        assert!(plugin.summary.len() > 10, "{}: what is it for?", plugin.name);
        for key in &plugin.keys {
            assert!(!key.description.is_empty(), "{}: {} is not told about", plugin.name, key.path);
        }
    }
}
