//! The examples of the built-in plugins are configurations that can be served.

use std::{fs, path::Path};

use portway::config::{Catalog, NoLookup, load};

#[test]
fn every_plugin_has_an_example_that_is_taken() {
    let catalog = Catalog::new(portway::plugins::registry());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../portway-plugins/src");
    for entry in portway::plugins::registry().iter() {
        let path = folder.join(entry.name().replace('-', "_")).join("example.yaml");
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(text.contains(&format!("- {}:", entry.name())), "{}", path.display());
        let checked = load(&text, "example.yaml", &NoLookup, &catalog)
            .and_then(portway::config::Loaded::check);
        if let Err(problems) = checked {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            panic!("{}:\n{}", path.display(), problems.join("\n"));
        }
    }
}
