//! The command line and a gateway that runs, with traffic.

use std::fs;

use portway_testkit::Echo;
use serde_json::Value;

use super::{bad, served::Gateway, stdout, with};

#[tokio::test]
async fn what_is_typed_is_served() {
    let (gateway, echo) = (Gateway::start().await.unwrap(), Echo::start().await.unwrap());
    let nobody = with(gateway.path(), &["status", "--admin", &gateway.admin], &[], "").await;
    bad(&nobody, 4);
    assert!(gateway.good(&["status"]).await.contains("ready"));

    let urls = format!("urls={}", echo.url());
    gateway.good(&["service", "create", "name=svc", &urls, "retries=3"]).await;
    let route =
        ["rt", "mk", "name=shop", "paths=/shop/*", "methods=GET", "service=svc", "stripPath=true"];
    let said = gateway.good(&route).await;
    assert!(said.starts_with("route shop saved, revision "), "{said}");
    assert_eq!(gateway.get("/shop/a").await, (200, Some("/a".to_owned())));

    let listed = gateway.good(&["list", "routes"]).await;
    assert!(listed.contains("/shop/{*rest}") && listed.contains("service svc"), "{listed}");
    let view = gateway.good(&["get", "rt", "shop"]).await;
    fs::write(gateway.path().join("shop.yaml"), &view).unwrap();
    let said = gateway.good(&["put", "route", "shop", "-f", "shop.yaml"]).await;
    assert_eq!(said, "route shop unchanged\n");
    gateway.good(&["patch", "route", "shop", "enabled=false"]).await;
    assert_eq!(gateway.get("/shop/a").await.0, 404);

    let said = gateway.bad(&["put", "route", "shop", "match.path=no"], 1).await;
    assert!(said.contains("match.path"), "{said}");
    let said = gateway.bad(&["put", "rt", "shop", "priority=1", "--if-match", "1"], 1).await;
    assert!(said.contains("precondition_failed"), "{said}");
    let said = gateway.bad(&["delete", "service", "svc"], 1).await;
    assert!(said.contains("in_use"), "{said}");
    let said = gateway.bad(&["get", "route", "nowhere"], 1).await;
    assert!(said.contains("not_found"), "{said}");
    gateway.good(&["delete", "route", "shop"]).await;
    gateway.good(&["delete", "service", "svc"]).await;
}

#[tokio::test]
async fn files_are_applied_compared_and_rolled_back() {
    let gateway = Gateway::start().await.unwrap();
    let file = gateway.path().join("all.yaml");
    let write = |status: &str| {
        let text = format!(
            "routes:\n- name: a\n  labels: {{team: a}}\n  match: {{path: /a}}\n  \
             target: {{reply: {{status: {status}}}}}\n"
        );
        fs::write(&file, text).unwrap();
    };
    write("201");
    bad(&gateway.run(&["diff", "-f", "all.yaml"]).await, 2);
    let said = gateway.good(&["apply", "-f", "all.yaml", "-m", "the first"]).await;
    assert!(said.contains("1 created, revision "), "{said}");
    assert_eq!(gateway.get("/a").await.0, 201);
    assert_eq!(gateway.good(&["diff", "-f", "all.yaml"]).await, "");

    write("202");
    let output = gateway.run(&["diff", "-f", "all.yaml"]).await;
    bad(&output, 2);
    let shown = stdout(&output);
    assert!(shown.contains("-    status: 201\n+    status: 202\n"), "{shown}");
    let said = gateway.good(&["apply", "-f", "all.yaml", "--dry-run"]).await;
    assert!(said.contains("dry run"), "{said}");
    assert_eq!(gateway.get("/a").await.0, 201);
    gateway.good(&["apply", "-f", "all.yaml"]).await;
    assert_eq!(gateway.get("/a").await.0, 202);

    write("nonsense");
    let said = gateway.bad(&["apply", "-f", "all.yaml"], 1).await;
    assert!(said.contains("all.yaml:5:28  routes[0].target.reply.status"), "{said}");

    let history = gateway.good(&["history", "-o", "json"]).await;
    let history: Value = serde_json::from_str(&history).unwrap();
    let first = history.as_array().unwrap().iter().find(|one| one["message"] == "the first");
    let first = first.unwrap()["revision"].to_string();
    assert!(gateway.good(&["show", &first]).await.contains("+    status: 201"));
    gateway.good(&["rollback", &first]).await;
    assert_eq!(gateway.get("/a").await.0, 201);
    let since = format!("{}", first.parse::<u64>().unwrap() - 1);
    let watched = gateway.good(&["watch", "--since", &since, "--count", "1"]).await;
    assert!(watched.contains(&format!("revision {first}  +1  route a")), "{watched}");

    let exported = gateway.good(&["export"]).await;
    fs::write(gateway.path().join("exported.yaml"), &exported).unwrap();
    assert_eq!(gateway.good(&["diff", "-f", "exported.yaml"]).await, "", "{exported}");
    fs::write(&file, "routes: []\n").unwrap();
    let said = gateway.good(&["sync", "-f", "all.yaml", "--selector", "team=a"]).await;
    assert!(said.contains("1 deleted"), "{said}");
    assert_eq!(gateway.get("/a").await.0, 404);
}

#[tokio::test]
async fn a_token_may_do_what_it_is_for() {
    let mut gateway = Gateway::start().await.unwrap();
    let made = gateway.good(&["token", "create", "looker", "--expires", "1d"]).await;
    let listed = gateway.good(&["token", "list"]).await;
    assert!(listed.contains("looker") && !listed.contains(made.trim()), "{listed}");
    let admin = std::mem::replace(&mut gateway.token, made.trim().to_owned());
    gateway.good(&["list", "routes"]).await;
    gateway.bad(&["put", "service", "s", "url=http://127.0.0.1:1"], 4).await;
    gateway.token = admin;
    gateway.good(&["token", "delete", "looker"]).await;
    gateway.token = made.trim().to_owned();
    gateway.bad(&["list", "routes"], 4).await;
}

#[tokio::test]
async fn who_asked_why_and_with_which_key_is_told() {
    let gateway = Gateway::start().await.unwrap();
    let reply = ["put", "route", "a", "match.path=/a", "target.reply.status=204"];
    gateway.good(&reply).await;
    gateway.bad(&["get", "route", "nowhere"], 1).await;
    let audit = gateway.good(&["audit", "--limit", "1"]).await;
    assert!(audit.contains("/api/v1/routes/a") && audit.contains("admin"), "{audit}");

    let field = gateway.good(&["token", "debug", "--route", "a", "--expires", "1m"]).await;
    let (name, token) = field.trim().split_once(": ").expect("a header field");
    let request = http::Request::get("/a").header("host", "x.test").header(name, token);
    let request = request.body(http_body_util::Full::new(bytes::Bytes::new())).unwrap();
    let answer = gateway.client().await.unwrap().request(request).await.unwrap();
    let id = answer.header("x-portway-debug-id").expect("an id");
    let told = gateway.good(&["explain", "--live", id]).await;
    assert!(told.contains("route      a\n") && told.contains("status     204\n"), "{told}");
    assert!(told.contains("took       ") && told.contains(" ms\n"), "{told}");
    let said = gateway.bad(&["explain", "--live", "nothing"], 1).await;
    assert!(said.contains("not_found"), "{said}");
    gateway.bad(&["explain", "GET"], 2).await;

    gateway.good(&["put", "secret", "s", "value=hidden"]).await;
    let said = gateway.good(&["rotate-key"]).await;
    assert!(said.contains(" 2 secrets were sealed anew"), "{said}");

    gateway.good(&["put", "collection", "c", "visibility=public"]).await;
    gateway.good(&["document", "put", "d", "--collection", "c", "data:=1"]).await;
    let said = gateway.bad(&["rollback", "1"], 1).await;
    assert!(said.contains("in_use"), "{said}");
    gateway.good(&["rollback", "1", "--force"]).await;
    gateway.bad(&["get", "collection", "c"], 1).await;
}
