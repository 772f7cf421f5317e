//! Routes in code whose services stand in files, and what a process does that has not the code.

use std::{fs, io, path::Path};

use portway::{
    Builder, Gateway, Head, HookResult,
    config::{Catalog, Loaded, NoLookup, load},
};
use portway_testkit::{Client, DEADLINE, Echo, within};
use serde_json::json;

use crate::served::Served;

#[portway::hook]
async fn mark(head: &mut Head) -> HookResult {
    head.set_header("x-marked", "yes")
}

#[portway::service(prefix = "/shop")]
mod shop {
    #[portway::get("/items/{id}", before = [super::mark], to = "/v2/items/{id}")]
    async fn item() {}

    #[portway::get("/plain")]
    async fn plain() {}
}

fn write(path: &Path, url: &str) -> io::Result<()> {
    // In one step, so that nobody reads half of it.
    let new = path.with_extension("new");
    fs::write(&new, format!("services: [{{name: shop, url: '{url}'}}]\n"))?;
    fs::rename(new, path)
}

#[tokio::test]
async fn the_address_of_a_service_changes_with_its_file() -> io::Result<()> {
    let one = Echo::anywhere().await?.named("one").spawn();
    let two = Echo::anywhere().await?.named("two").spawn();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("addresses.yaml");
    write(&file, &one.url())?;
    let builder = Gateway::builder().mount(shop::routes()).file(&file);
    let gateway = Served::start(builder).await?;
    let client = Client::h1(gateway.addr);
    let answer = client.get("/shop/items/7").await?.answer()?;
    assert_eq!((answer.name.as_deref(), answer.path.as_str()), (Some("one"), "/v2/items/7"));
    assert_eq!(answer.header("x-marked"), Some("yes"));

    write(&file, &two.url())?;
    let changed = async {
        while client.get("/shop/plain").await?.answer()?.name.as_deref() != Some("two") {
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    within(DEADLINE, "change of the file", changed).await?;
    let answer = client.get("/shop/items/8").await?.answer()?;
    assert_eq!((answer.name.as_deref(), answer.header("x-marked")), (Some("two"), Some("yes")));
    Ok(())
}

/// What the program declares, as others would read it. JSON is YAML, too.
fn exported() -> String {
    let gateway = Gateway::builder().mount_service(shop::routes(), ["http://127.0.0.1:9"]);
    let gateway = gateway.build().expect("it is right");
    let whole = serde_json::to_value(gateway.declared()).expect("it can be written");
    // The settings of the process are another's.
    let resources = json!({ "services": whole["services"], "routes": whole["routes"] });
    serde_json::to_string_pretty(&resources).expect("it can be written")
}

#[test]
fn code_is_exported_by_its_name() {
    let exported = exported();
    assert!(exported.contains(r#""code": "shop.item""#), "{exported}");
    // Without code there is nothing to name.
    assert!(!exported.contains("shop.plain\"\n"), "{exported}");
}

#[test]
fn a_process_without_the_code_refuses_it() {
    let catalog = Catalog::new(portway::plugins::registry());
    let checked = load(&exported(), "exported.json", &NoLookup, &catalog);
    let problems = checked.and_then(Loaded::check).expect_err("it has no such code");
    assert_eq!(problems.len(), 1, "{problems:?}");
    let problem = &problems[0];
    assert_eq!(problem.code, "unknown_key");
    let hint = problem.hint.as_deref().unwrap_or_default();
    assert!(hint.contains("the program that has it"), "{problem} {hint}");
}

#[portway::service(name = "other")]
mod other {
    #[portway::get("/other", before = [super::mark])]
    async fn one() {}
}

#[tokio::test]
async fn a_process_with_other_code_says_which_it_has() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("exported.yaml");
    fs::write(&file, exported())?;
    let builder: Builder =
        Gateway::builder().mount_service(other::routes(), ["http://127.0.0.1:9"]);
    let Err(error) = Served::start(builder.file(&file)).await else {
        panic!("it has no code called shop.item");
    };
    let text = error.to_string();
    assert!(text.contains("no code called \"shop.item\"") && text.contains("other.one"), "{text}");
    assert!(text.contains("exported.yaml"), "{text}");
    Ok(())
}
