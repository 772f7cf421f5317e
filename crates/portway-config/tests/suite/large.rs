//! Sizes that must not hurt. Times are asserted nowhere: a test that is slow is seen.

use std::fmt::Write;

use portway_config::{Catalog, Loaded, NoLookup, load};

fn document(services: usize, routes: usize) -> String {
    let mut text = "services:\n".to_owned();
    for service in 0..services {
        writeln!(text, "  - name: s{service}\n    url: http://10.0.0.1:8001\n    routes:").unwrap();
        for route in 0..routes {
            let path = format!("/s{service}/r{route}/{{id}}");
            writeln!(text, "      - name: s{service}-r{route}").unwrap();
            writeln!(text, "        match: {{methods: [GET], path: \"{path}\"}}").unwrap();
        }
    }
    text
}

#[test]
fn ten_thousand_routes() {
    let text = document(100, 100);
    let checked =
        load(&text, "large.yaml", &NoLookup, &Catalog::default()).and_then(Loaded::check).unwrap();
    assert_eq!((checked.services.len(), checked.routes.len()), (100, 10_000));
    assert_eq!(checked.warnings(), []);
}

#[test]
fn ten_thousand_problems() {
    let text = document(10, 1000).replace("match:", "mtach:");
    let problems = load(&text, "large.yaml", &NoLookup, &Catalog::default()).unwrap_err();
    assert_eq!(problems.iter().filter(|problem| problem.code == "unknown_key").count(), 10_000);

    let mut text = document(10, 1000);
    text += "routes:\n";
    for route in 0..10_000 {
        writeln!(text, "  - {{name: r{route}, match: {{path: /x}}, target: {{service: t}}}}")
            .unwrap();
    }
    let problems = load(&text, "large.yaml", &NoLookup, &Catalog::default())
        .and_then(Loaded::check)
        .unwrap_err();
    assert_eq!(problems.iter().filter(|p| p.code == "unknown_service").count(), 10_000);
    assert_eq!(problems.iter().filter(|p| p.code == "same_route").count(), 9_999);
}
