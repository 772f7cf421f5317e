//! Resources: one at a time and many at once, typed and from files.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::json;

use super::{bad, good, served::Gateway, stdout, with};

#[tokio::test]
async fn a_resource_is_put_as_it_was_typed() {
    let gateway = Gateway::start().await.unwrap();
    gateway.good(&["put", "namespace", "shop-a"]).await;
    gateway.good(&["put", "svc", "svc", "url=http://127.0.0.1:1", "-n", "shop-a"]).await;
    let put = [
        "put",
        "rt",
        "shop",
        "match.path=/cart/{id}",
        "match.methods=GET,POST",
        "priority=3",
        "target.service=svc",
        "-n",
        "shop-a",
        "-m",
        "why & how",
    ];
    assert_eq!(gateway.good(&put).await, "route shop-a/shop saved, revision 3\n");
    let view = gateway.json(&["get", "route", "shop", "-n", "shop-a"]).await;
    let spec = json!({
        "match": { "path": "/cart/{id}", "methods": ["GET", "POST"] },
        "priority": 3,
        "target": { "service": "svc" },
    });
    assert_eq!((&view["revision"], &view["spec"]), (&json!(3), &spec));
    let history = gateway.json(&["history", "--limit", "1"]).await;
    assert_eq!(history[0]["message"], "why & how");
    let guarded = [&put[..], &["--if-match", "2"]].concat();
    assert!(gateway.bad(&guarded, 1).await.contains("precondition_failed"));
    gateway.good(&[&put[..], &["--if-match", "3"]].concat()).await;
}

#[tokio::test]
async fn the_form_of_dgate_works_as_typed() {
    let gateway = Gateway::start().await.unwrap();
    gateway.good(&["ns", "mk", "name=ns1"]).await;
    gateway.good(&["svc", "mk", "name=svc", "url=http://127.0.0.1:1", "namespace=ns1"]).await;
    let create = [
        "--admin",
        &gateway.admin,
        "-f",
        "route",
        "create",
        "name=shop",
        "namespace=ns1",
        "paths=/shop,/s/*",
        "methods=GET",
        "service=svc",
    ];
    good(&with(gateway.path(), &create, &[("PORTWAY_TOKEN", &gateway.token)], "").await);
    let view = gateway.json(&["get", "route", "shop", "-n", "ns1"]).await;
    assert_eq!(view["spec"]["match"][1], json!({ "path": "/s/{*rest}", "methods": ["GET"] }));
    assert_eq!(view["spec"]["target"], json!({ "service": "svc" }));

    let table = gateway.good(&["rt", "ls", "namespace=ns1"]).await;
    let (heading, row) = table.split_once('\n').expect("a heading");
    assert_eq!(
        heading.split_whitespace().collect::<Vec<_>>(),
        ["NAMESPACE", "NAME", "METHODS", "PATH", "TARGET", "OWNER", "REVISION", "CHANGED"]
    );
    assert!(row.starts_with("ns1        shop  GET "), "{table}");
    assert!(row.contains("service svc  store  3 "), "{table}");
    gateway.good(&["route", "rm", "name=shop", "namespace=ns1"]).await;
    let said = gateway.bad(&["svc", "mk", "retires=3"], 2).await;
    assert!(said.contains("did you mean retries?"), "{said}");
    let said = gateway.bad(&["svc", "mk"], 2).await;
    assert!(said.contains("name=NAME") && said.contains("url (or urls, endpoints)"), "{said}");
    let said = gateway.bad(&["module", "list"], 2).await;
    assert!(said.contains("no resources of kind \"module\""), "{said}");
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_shown_where_it_stands() {
    let gateway = Gateway::start().await.unwrap();
    let folder = gateway.path().join("conf");
    fs::create_dir(&folder).unwrap();
    let service = "routes: []\nservices:\n- name: s\n  url: x\n";
    fs::write(folder.join("a.yaml"), service).unwrap();
    let route = "routes:\n- name: b\n  match: {path: y}\n  target: {service: s}\n";
    fs::write(folder.join("b.yaml"), route).unwrap();
    let said = gateway.bad(&["apply", "-f", "conf"], 1).await;
    assert!(said.contains("--> conf/b.yaml:3:17  routes[0].match.path"), "{said}");
    assert!(said.contains("--> conf/a.yaml:4:8  services[0].url"), "{said}");
    assert!(said.contains("nothing of 2 files was applied"), "{said}");

    let view = "kind: route\nname: a\nspec:\n  priority: much\n  target: {reply: {}}\n";
    let said = bad(&gateway.with_input(&["put", "route", "a", "-f", "-"], view).await, 1);
    assert!(said.contains("stdin:4:13  spec.priority"), "{said}");
    fs::write(folder.join("a.yaml"), service.replace(": x", ": http://127.0.0.1:1")).unwrap();
    fs::write(folder.join("b.yaml"), route.replace("path: y", "path: /y")).unwrap();
    fs::write(folder.join("c.yaml"), "routes: [").unwrap();
    gateway.bad(&["apply", "-f", "conf"], 1).await;
    assert_eq!(gateway.json(&["list", "services"]).await, json!([]), "nothing of it was applied");
    fs::remove_file(folder.join("c.yaml")).unwrap();
    gateway.good(&["apply", "-f", "conf"]).await;
}

#[tokio::test]
async fn a_difference_has_an_exit_code() {
    let gateway = Gateway::start().await.unwrap();
    let run = async |arguments: &[&str], priority: u8| {
        let file = format!(
            "routes: [{{name: a, labels: {{team: a}}, priority: {priority}, \
             match: {{path: /a}}, target: {{reply: {{}}}}}}]"
        );
        gateway.with_input(arguments, &file).await
    };
    good(&run(&["apply", "-f", "-"], 1).await);
    assert_eq!(good(&run(&["diff", "-f", "-"], 1).await), "");
    let output = run(&["diff", "-f", "-", "--selector", "team=a"], 2).await;
    assert!(bad(&output, 2).contains("1 difference"));
    let shown = stdout(&output);
    assert!(shown.starts_with("--- route a\n+++ route a\n@@ "), "{shown}");
    assert!(shown.contains("\n-priority: 1\n+priority: 2\n"), "{shown}");
    let said = good(&run(&["sync", "-f", "-", "-s", "team=a"], 2).await);
    assert!(said.contains("1 updated"), "{said}");
    bad(&run(&["sync", "-f", "-", "-s", ""], 2).await, 2);
}

#[tokio::test]
async fn a_sync_deletes_in_other_namespaces_when_it_is_told_so() {
    let gateway = Gateway::start().await.unwrap();
    gateway.good(&["put", "namespace", "shop"]).await;
    let route = ["put", "route", "a", "match.path=/a", "target.reply.body=a", "labels.team=web"];
    gateway.good(&route).await;
    let sync = ["sync", "-f", "-", "-s", "team=web", "-n", "shop"];
    good(&gateway.with_input(&sync, "routes: []").await);
    gateway.good(&["get", "route", "a"]).await;
    let all = [&sync[..], &["--all-namespaces"]].concat();
    let diff = ["diff", "-f", "-", "--selector", "team=web", "-n", "shop", "--all-namespaces"];
    bad(&gateway.with_input(&diff, "routes: []").await, 2);
    assert!(good(&gateway.with_input(&all, "routes: []").await).contains("1 deleted"));
}

#[tokio::test]
async fn all_pages_of_a_list_are_read() {
    let gateway = Gateway::start().await.unwrap();
    let route = |number| {
        format!("- {{name: r{number}, match: {{path: /{number}}}, target: {{reply: {{}}}}}}\n")
    };
    let routes: String = (0..1001).map(route).collect();
    let output = gateway.with_input(&["apply", "-f", "-"], &format!("routes:\n{routes}")).await;
    assert!(good(&output).contains("1001 created"));
    let all = gateway.json(&["list", "routes"]).await;
    assert_eq!(all.as_array().map(Vec::len), Some(1001));
    let yaml = gateway.good(&["list", "routes", "-o", "yaml", "--limit", "1"]).await;
    assert_eq!(yaml.matches("name: r").count(), 1, "{yaml}");
}

#[tokio::test]
async fn a_token_alone_is_on_standard_output() {
    let gateway = Gateway::start().await.unwrap();
    for namespace in ["a", "b"] {
        gateway.good(&["put", "namespace", namespace]).await;
    }
    let arguments = ["token", "create", "ci", "--role", "editor", "-n", "a,b", "--expires", "30d"];
    let said = gateway.good(&arguments).await;
    assert!(said.starts_with("pwt_") && said.lines().count() == 1, "{said}");
    let tokens = gateway.json(&["token", "list"]).await;
    let token = tokens.as_array().unwrap().iter().find(|token| token["name"] == "ci").unwrap();
    assert_eq!((&token["role"], &token["namespaces"]), (&json!("editor"), &json!(["a", "b"])));
    assert!(token["expires_at"].is_string(), "{token}");
}

#[tokio::test]
async fn a_backup_is_a_file_of_its_users_and_comes_back() {
    let gateway = Gateway::start().await.unwrap();
    gateway.good(&["put", "route", "a", "match.path=/a", "target.reply.status=204"]).await;
    let said = gateway.good(&["backup", "store.bak"]).await;
    assert!(said.starts_with("store.bak: ") && said.ends_with("B\n"), "{said}");
    let file = gateway.path().join("store.bak");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let piped = gateway.run(&["backup", "-"]).await.stdout;
    assert_eq!(piped.len(), fs::read(&file).unwrap().len());

    gateway.good(&["delete", "route", "a"]).await;
    assert_eq!(gateway.get("/a").await.0, 404);
    let said = gateway.bad(&["restore", "store.bak"], 2).await;
    assert!(said.contains("say --yes"), "{said}");
    assert_eq!(gateway.get("/a").await.0, 404);
    let said = gateway.good(&["restore", "store.bak", "--yes"]).await;
    assert!(said.starts_with("store.bak restored, revision "), "{said}");
    assert_eq!(gateway.get("/a").await.0, 204);
    fs::write(&file, "BYTES").unwrap();
    gateway.bad(&["restore", "store.bak", "--yes"], 1).await;
    assert_eq!(gateway.get("/a").await.0, 204);
}

#[tokio::test]
async fn documents_are_addressed_in_both_ways() {
    let gateway = Gateway::start().await.unwrap();
    gateway.good(&["put", "collection", "carts"]).await;
    let typed = ["doc", "create", "id=4-2", "collection=carts", "data:={\"a\": [1]}"];
    let said = gateway.good(&typed).await;
    assert!(said.starts_with("document carts/4-2 saved, revision "), "{said}");
    let shown = ["document", "get", "4-2", "-c", "carts"];
    assert_eq!(gateway.json(&shown).await["data"], json!({ "a": [1] }));
    fs::write(gateway.path().join("cart.yaml"), "a: 2\n").unwrap();
    gateway.good(&["document", "put", "4-2", "-c", "carts", "-f", "cart.yaml"]).await;
    assert_eq!(gateway.json(&shown).await["data"], json!({ "a": 2 }));
    let said = gateway.bad(&["doc", "create"], 2).await;
    assert!(said.contains("id, collection, data are missing"), "{said}");
    gateway.good(&["doc", "rm", "--all", "-c", "carts"]).await;
    assert!(gateway.bad(&shown, 1).await.contains("not_found"));
}

#[tokio::test]
async fn what_would_become_of_a_document_is_told() {
    let gateway = Gateway::start().await.unwrap();
    gateway.good(&["put", "collection", "carts", "schema:={\"type\": \"number\"}"]).await;
    let said = async |arguments: &[&str]| {
        gateway.good(&[&["doc"], arguments, &["-c", "carts", "--dry-run"]].concat()).await
    };
    let shown = ["doc", "get", "a", "-c", "carts"];
    assert_eq!(said(&["put", "a", "data:=1"]).await, "document carts/a would be changed\n");
    assert!(gateway.bad(&shown, 1).await.contains("not_found"));
    let wrong = ["doc", "put", "a", "data=text", "-c", "carts", "--dry-run"];
    assert!(gateway.bad(&wrong, 1).await.contains("number"));
    gateway.good(&["doc", "put", "a", "data:=1", "-c", "carts"]).await;
    said(&["put", "a", "data:=2"]).await;
    assert_eq!(said(&["rm", "a"]).await, "document carts/a would be deleted\n");
    assert_eq!(said(&["rm", "--all"]).await, "document carts/* would be deleted\n");
    assert_eq!(gateway.json(&shown).await["data"], 1);
    gateway.bad(&["doc", "rm", "a", "-c", "carts", "-m", "no history"], 2).await;
}

#[tokio::test]
async fn traffic_is_told_once_for_a_pipe() {
    let gateway = Gateway::start().await.unwrap();
    gateway.good(&["put", "route", "a", "match.path=/a", "target.reply.status=204"]).await;
    for _ in 0..5 {
        assert_eq!(gateway.get("/a").await.0, 204);
    }
    let said = gateway.good(&["top", "--once", "--interval", "0.05"]).await;
    let row = said.lines().find(|line| line.starts_with("a ")).unwrap_or_else(|| panic!("{said}"));
    let row: Vec<_> = row.split_whitespace().collect();
    assert_eq!((row.first(), row.last()), (Some(&"a"), Some(&"5")), "{said}");
}

#[tokio::test]
async fn how_the_gateway_is_told() {
    let gateway = Gateway::start().await.unwrap();
    gateway.good(&["put", "route", "a", "match.path=/a", "target.reply.status=204"]).await;
    let said = gateway.good(&["status"]).await;
    for line in [
        "cores      1\n",
        "store      memory, 1 resource, revision 1\n",
        "holds      2 listeners, 1 route\n",
        "origin     store: in force\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
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
