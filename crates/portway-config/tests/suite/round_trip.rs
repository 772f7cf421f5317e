//! A checked configuration that is written and read again is the same configuration.

use portway_config::{Checked, Config, ListenerProtocol, Loaded, NoLookup, load};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{
    documents::{documents, read, serve},
    stamp::catalog,
};

fn again(config: &Config) -> Checked<Config> {
    // The listener of the admin API is declared apart, and made again.
    let mut config = config.clone();
    config.listeners.retain(|listener| listener.protocol != ListenerProtocol::Admin);
    // What looks like a reference in a value was written as none.
    let text = serde_json::to_string(&config).unwrap().replace("${", "$${");
    let loaded = load(&text, "again.json", &NoLookup, &catalog()).and_then(Loaded::check);
    loaded.unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

#[test]
fn golden_documents_survive() {
    for path in ["ok", "restgate"].iter().flat_map(|kind| documents(kind)) {
        let (name, bytes) = read(&path);
        // RESTGate's equal routes are a problem in a document of our own.
        let Some(first) = serve(&bytes, &name).ok().filter(|_| name != "first-wins.yaml") else {
            continue;
        };
        assert_eq!(*first, *again(&first), "{name}");
    }
}

fn duration() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(0)),
        (1..5000_u32).prop_map(|n| json!(format!("{n}ms"))),
        (1..500_u32).prop_map(|n| json!(format!("{n}s"))),
        (1..60_u32, 1..60_u32).prop_map(|(m, s)| json!(format!("{m}m{s}s"))),
    ]
}

fn path() -> impl Strategy<Value = Value> {
    let word = "[a-z0-9._~-]{1,8}x";
    let placeholder = select(vec!["{id}", "{id:[0-9]{2,4}}", "{a}-{b}", "v{n}"]);
    prop_oneof![
        (word, placeholder).prop_map(|(word, hole)| json!(format!("/{word}/{hole}"))),
        word.prop_map(|word| json!(format!("/{word}/{{*rest}}"))),
        word.prop_map(|word| json!({ "exact": format!("/{word}") })),
        word.prop_map(|word| json!({ "prefix": format!("/{word}") })),
        word.prop_map(|word| json!({ "regex": format!("/{word}/[a-z]+") })),
    ]
}

prop_compose! {
    fn one_match()(
        path in path(),
        methods in prop::collection::vec(select(vec!["GET", "POST", "PURGE"]), 0..3),
        hosts in prop::collection::vec(select(vec!["a.example", "*.b.example", "10.0.0.1"]), 0..3),
        header in prop::option::of(select(vec![json!({"name": "X-A"}),
            json!({"name": "x-b", "exact": "c d"}), json!({"name": "x-c", "regex": "a|b"})])),
    ) -> Value {
        json!({ "path": path, "methods": methods, "hosts": hosts,
                "headers": header.into_iter().collect::<Vec<_>>() })
    }
}

prop_compose! {
    fn service()(
        port in 1..65535_u16,
        endpoints in 1..4_u16,
        prefix in prop::option::of("/[a-z]{1,5}"),
        connect in duration(),
        size in select(vec![json!("64KiB"), json!(1000), json!("3MB"), json!(0)]),
        host in select(vec![json!("upstream"), json!("preserve"), json!({"fixed": "h.example"})]),
        matches in prop::collection::vec(one_match(), 1..4),
    ) -> Value {
        let endpoints: Vec<_> = (0..endpoints)
            .map(|n| json!({ "url": format!("http://10.0.0.{n}:{port}/p/?q=1"), "weight": n + 1 }))
            .collect();
        let mut service = json!({
            "endpoints": endpoints, "timeouts": { "connect": connect }, "host": host,
            "max_response_head": size, "routes": [{ "match": matches }],
        });
        if let Some(prefix) = prefix {
            service["prefix"] = json!(prefix);
        }
        service
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_configuration_survives(services in prop::collection::vec(service(), 1..6)) {
        let mut services = services;
        for (at, service) in services.iter_mut().enumerate() {
            service["name"] = json!(format!("s{at}"));
            service["routes"][0]["name"] = json!(format!("r{at}"));
            // Routes differ in this, whatever else they have in common.
            service["routes"][0]["priority"] = json!(at);
        }
        let text = json!({ "services": services }).to_string();
        let first = load(&text, "first.json", &NoLookup, &catalog()).and_then(Loaded::check);
        let first = first.unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
        prop_assert_eq!(&*first, &*again(&first));
    }

    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,60}", name in select(vec!["x.yaml", "x.json", "x.toml", "x"])) {
        // Whatever comes of it, nothing panics.
        let _ = load(&text, name, &NoLookup, &catalog()).and_then(Loaded::check);
    }

    #[test]
    fn no_document_is_too_torn(cut in 0..2000_usize, kind in select(vec!["ok", "restgate"])) {
        for path in documents(kind) {
            let (name, bytes) = read(&path);
            let _ = serve(&bytes[..cut.min(bytes.len())], &name);
        }
    }
}
