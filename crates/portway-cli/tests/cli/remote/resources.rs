//! Resources: one at a time and many at once, typed and from files.

use std::fs;

use serde_json::{Value, json};

use super::{bad, good, portway, stub::Stub, with};

const SAVED: &str = r#"{"data":{"kind":"route","namespace":"default","name":"shop"},
    "meta":{"revision":8,"changed":true,"dry_run":false,"warnings":[]}}"#;
const LISTED: &str = r#"{"data":[{"kind":"route","namespace":"default","name":"shop","owner":"store",
    "revision":7,"spec":{"match":{"path":"/a","methods":["GET"]},"target":{"service":"svc"}}}],
    "meta":{"count":1,"cursor":null}}"#;

#[tokio::test]
async fn a_resource_is_put_as_it_was_typed() {
    let home = tempfile::tempdir().unwrap();
    let stub = Stub::start(&[("PUT /api/v1/routes/shop", 200, SAVED)]).await.unwrap();
    let arguments = [
        "put",
        "rt",
        "shop",
        "match.path=/cart/{id}",
        "match.methods=GET,POST",
        "priority=3",
        "target.service=svc",
        "-n",
        "a b",
        "-m",
        "why & how",
        "--if-match",
        "7",
    ];
    let said = good(&portway(home.path(), &stub.url(), &arguments).await);
    assert_eq!(said, "route shop saved, revision 8\n");
    let asked = stub.asked();
    assert_eq!(
        asked[0].line,
        "PUT /api/v1/routes/shop?message=why%20%26%20how&namespace=a%20b HTTP/1.1"
    );
    assert_eq!(asked[0].headers.get("if-match"), Some("\"7\""));
    let spec: Value = serde_json::from_slice(&asked[0].body).unwrap();
    let expected = json!({
        "match": { "path": "/cart/{id}", "methods": ["GET", "POST"] },
        "priority": 3,
        "target": { "service": "svc" },
    });
    assert_eq!(spec, expected);
}

#[tokio::test]
async fn the_form_of_dgate_works_as_typed() {
    let home = tempfile::tempdir().unwrap();
    let answers = &[
        ("PUT /api/v1/routes/shop?namespace=ns1", 201, SAVED),
        ("DELETE /api/v1/routes/shop", 200, SAVED),
        ("GET /api/v1/routes?namespace=ns1&limit=1000", 200, LISTED),
    ];
    let stub = Stub::start(answers).await.unwrap();
    let url = stub.url();
    let create = [
        "--admin",
        &url,
        "-f",
        "route",
        "create",
        "name=shop",
        "namespace=ns1",
        "paths=/shop,/s/*",
        "methods=GET",
        "service=svc",
    ];
    good(&with(home.path(), &create, &[], "").await);
    let (_, spec) = stub.only();
    assert_eq!(spec["match"][1], json!({ "path": "/s/{*rest}", "methods": ["GET"] }));
    assert_eq!(spec["target"], json!({ "service": "svc" }));

    let table = good(&portway(home.path(), &url, &["rt", "ls", "namespace=ns1"]).await);
    let heading = "NAME  METHODS  PATH  TARGET       OWNER  REVISION  CHANGED\n";
    assert_eq!(table, format!("{heading}shop  GET      /a    service svc  store  7         -\n"));
    good(&portway(home.path(), &url, &["route", "rm", "name=shop"]).await);
    let said = bad(&portway(home.path(), &url, &["svc", "mk", "retires=3"]).await, 2);
    assert!(said.contains("did you mean retries?"), "{said}");
    let said = bad(&portway(home.path(), &url, &["svc", "mk"]).await, 2);
    assert!(said.contains("name=NAME") && said.contains("url (or urls, endpoints)"), "{said}");
    let said = bad(&portway(home.path(), &url, &["module", "list"]).await, 2);
    assert!(said.contains("no resources of kind \"module\""), "{said}");
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_shown_where_it_stands() {
    let home = tempfile::tempdir().unwrap();
    let wrong = r#"{"status":422,"code":"invalid","detail":"2 problems","problems":[
        {"code":"bad_value","path":"routes[1].match.path","message":"no path"},
        {"code":"bad_value","path":"services[0].url","message":"no URL","hint":"write one"}]}"#;
    let answers = Box::leak(Box::new([
        ("POST /api/v1/apply", 422, wrong),
        (
            "PUT /api/v1/routes/a",
            422,
            r#"{"code":"invalid","problems":[
            {"code":"bad_value","path":"priority","message":"too high"}]}"#,
        ),
    ]));
    let stub = Stub::start(answers).await.unwrap();
    let folder = home.path().join("conf");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.yaml"), "routes: [{name: a}]\nservices:\n- name: s\n  url: x\n")
        .unwrap();
    fs::write(folder.join("b.yaml"), "routes:\n- name: b\n  match: {path: y}\n").unwrap();
    let said = bad(&portway(home.path(), &stub.url(), &["apply", "-f", "conf"]).await, 1);
    assert!(said.contains("--> conf/b.yaml:3:17  routes[0].match.path"), "{said}");
    assert!(said.contains("--> conf/a.yaml:4:8  services[0].url"), "{said}");
    assert!(said.contains("nothing of 2 files was applied"), "{said}");
    let (_, sent) = stub.only();
    assert_eq!(sent["routes"].as_array().unwrap().len(), 2);

    let view = "kind: route\nname: a\nspec:\n  priority: 9\n";
    let arguments = ["put", "route", "a", "-f", "-"];
    let address = [("PORTWAY_ADMIN", &*stub.url())];
    let said = bad(&with(home.path(), &arguments, &address, view).await, 1);
    assert!(said.contains("stdin:4:13  spec.priority"), "{said}");
    fs::write(folder.join("c.yaml"), "routes: [").unwrap();
    bad(&portway(home.path(), &stub.url(), &["apply", "-f", "conf"]).await, 1);
    let left = stub.asked();
    assert_eq!(left.len(), 1, "a file that cannot be read is not sent: {left:?}");
}

#[tokio::test]
async fn a_difference_has_an_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let changed = r#"{"data":[{"kind":"route","namespace":"default","name":"a","action":"update",
        "before":{"priority":1},"after":{"priority":2}}],"meta":{}}"#;
    let answers = Box::leak(Box::new([
        ("POST /api/v1/apply?prune=team%3Da&dry_run=true", 200, changed),
        ("POST /api/v1/apply?dry_run=true", 200, r#"{"data":[],"meta":{}}"#),
        ("POST /api/v1/apply?prune=team%3Da", 200, changed),
    ]));
    let stub = Stub::start(answers).await.unwrap();
    let run = async |arguments: &[&str]| {
        let address = [("PORTWAY_ADMIN", &*stub.url())];
        with(home.path(), arguments, &address, "routes: [{name: a}]").await
    };
    assert_eq!(good(&run(&["diff", "-f", "-"]).await), "");
    let output = run(&["diff", "-f", "-", "--selector", "team=a"]).await;
    assert!(bad(&output, 2).contains("1 difference"));
    assert_eq!(
        super::stdout(&output),
        "--- route a\n+++ route a\n@@ -1 +1 @@\n-priority: 1\n+priority: 2\n"
    );
    let said = good(&run(&["sync", "-f", "-", "-s", "team=a"]).await);
    assert!(said.ends_with("\n1 updated\n"), "{said}");
    bad(&run(&["sync", "-f", "-", "-s", ""]).await, 2);
}

#[tokio::test]
async fn all_pages_of_a_list_are_read() {
    let home = tempfile::tempdir().unwrap();
    let answers = &[
        (
            "GET /api/v1/routes?limit=1000&cursor=next",
            200,
            r#"{"data":[{"name":"b","spec":{}}],"meta":{"cursor":null}}"#,
        ),
        (
            "GET /api/v1/routes?limit=1000",
            200,
            r#"{"data":[{"name":"a","spec":{}}],"meta":{"cursor":"next"}}"#,
        ),
        ("GET /api/v1/routes?limit=1 ", 200, r#"{"data":[{"name":"a"}],"meta":{"cursor":"next"}}"#),
    ];
    let stub = Stub::start(answers).await.unwrap();
    let run = async |arguments: &[&str]| good(&portway(home.path(), &stub.url(), arguments).await);
    let all: Value = serde_json::from_str(&run(&["list", "routes", "-o", "json"]).await).unwrap();
    assert_eq!(all[1]["name"], "b");
    let yaml = run(&["list", "routes", "-o", "yaml", "--limit", "1"]).await;
    assert_eq!(yaml, "- name: a\n");
}

#[tokio::test]
async fn a_watch_goes_on_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    let answers = &[(
        "GET /api/v1/watch",
        200,
        "id: 7\nevent: revision\ndata: {\"revision\":7,\"author\":\"me\"}\n\n",
    )];
    let stub = Stub::start(answers).await.unwrap();
    let arguments = ["watch", "--count", "2", "-o", "json", "--since", "6"];
    let said = good(&portway(home.path(), &stub.url(), &arguments).await);
    assert_eq!(said.lines().count(), 2, "{said}");
    let asked = stub.asked();
    let last: Vec<_> = asked.iter().map(|one| one.headers.get("last-event-id")).collect();
    assert_eq!(last, [Some("6"), Some("7")]);
}

#[tokio::test]
async fn a_token_alone_is_on_standard_output() {
    let home = tempfile::tempdir().unwrap();
    let made = r#"{"data":{"name":"ci","role":"editor","token":"pwt_x"},"meta":{}}"#;
    let stub =
        Stub::start(Box::leak(Box::new([("POST /api/v1/tokens", 201, made)]))).await.unwrap();
    let arguments = ["token", "create", "ci", "--role", "editor", "-n", "a,b", "--expires", "30d"];
    assert_eq!(good(&portway(home.path(), &stub.url(), &arguments).await), "pwt_x\n");
    let expected =
        json!({ "name": "ci", "role": "editor", "namespaces": ["a", "b"], "expires": "30d" });
    assert_eq!(stub.only().1, expected);
}

#[tokio::test]
async fn a_backup_is_a_file_of_its_users_and_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let answers = &[
        ("GET /api/v1/backup", 200, "BYTES"),
        ("POST /api/v1/restore", 200, r#"{"data":null,"meta":{"revision":9,"changed":true}}"#),
    ];
    let stub = Stub::start(answers).await.unwrap();
    let run = async |arguments: &[&str]| portway(home.path(), &stub.url(), arguments).await;
    assert_eq!(good(&run(&["backup", "store.bak"]).await), "store.bak: 5 B\n");
    assert_eq!(good(&run(&["backup", "-"]).await), "BYTES");
    assert_eq!(fs::read(home.path().join("store.bak")).unwrap(), b"BYTES");
    stub.asked();
    let said = bad(&run(&["restore", "store.bak"]).await, 2);
    assert!(said.contains("say --yes"), "{said}");
    assert!(stub.asked().is_empty());
    let said = good(&run(&["restore", "store.bak", "--yes"]).await);
    assert_eq!(said, "store.bak restored, revision 9\n");
    assert_eq!(stub.asked()[0].body, "BYTES");
}

#[tokio::test]
async fn documents_are_addressed_in_both_ways() {
    let home = tempfile::tempdir().unwrap();
    let saved = r#"{"data":{"id":"4/2"},"meta":{"revision":9,"changed":true}}"#;
    let answers = Box::leak(Box::new([
        ("PUT /api/v1/documents/4%2F2?collection=carts", 201, saved),
        ("DELETE /api/v1/documents?collection=carts&force=true", 200, saved),
    ]));
    let stub = Stub::start(answers).await.unwrap();
    let run = async |arguments: &[&str]| portway(home.path(), &stub.url(), arguments).await;
    let typed = ["doc", "create", "id=4/2", "collection=carts", "data:={\"a\": [1]}"];
    assert_eq!(good(&run(&typed).await), "document carts/4/2 saved, revision 9\n");
    assert_eq!(stub.only().1, json!({ "a": [1] }));
    fs::write(home.path().join("cart.yaml"), "a: 2\n").unwrap();
    let file = ["document", "put", "4/2", "-c", "carts", "-f", "cart.yaml"];
    good(&run(&file).await);
    assert_eq!(stub.only().1, json!({ "a": 2 }));
    let said = bad(&run(&["doc", "create"]).await, 2);
    assert!(said.contains("id, collection, data are missing"), "{said}");
    good(&run(&["doc", "rm", "--all", "-c", "carts"]).await);
}

#[tokio::test]
async fn traffic_is_told_once_for_a_pipe() {
    let home = tempfile::tempdir().unwrap();
    let traffic = r#"{"data":{"routes":[{"route":"a","service":"svc","requests":5,"errors":0,
        "latency":{"p50":0.001,"p99":0.02}}],"connections":1},"meta":{}}"#;
    let answers = Box::leak(Box::new([("GET /api/v1/traffic", 200, traffic)]));
    let stub = Stub::start(answers).await.unwrap();
    let arguments = ["top", "--once", "--interval", "0.05"];
    let said = good(&portway(home.path(), &stub.url(), &arguments).await);
    assert!(said.contains("a      svc      0.0    0.0    0          1.0ms  20.0ms  5"), "{said}");
    assert_eq!(stub.asked().len(), 2);
}

#[tokio::test]
async fn pages_for_man_are_written() {
    let home = tempfile::tempdir().unwrap();
    good(&with(home.path(), &["man", "pages"], &[], "").await);
    for name in ["portway.1", "portway-apply.1", "portway-route-create.1"] {
        let page = fs::read_to_string(home.path().join("pages").join(name)).unwrap();
        assert!(page.contains(".TH"), "{name}");
    }
}
