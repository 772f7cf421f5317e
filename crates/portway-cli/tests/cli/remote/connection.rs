//! Which gateway is asked, as whom, and what becomes of it when that does not work.

use std::{fs, os::unix::fs::PermissionsExt};

use portway_testkit::{
    raw::refused_addr,
    tls::{Authority, ServerTls},
};

use super::{bad, good, portway, stderr, stdout, stub::Stub, with};

const READY: &str = r#"{"data":{"version":"1","ready":true,"revision":3},"meta":{}}"#;

#[tokio::test]
async fn a_gateway_that_is_not_there_has_an_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let nobody = refused_addr().unwrap();
    let said = bad(&portway(home.path(), &nobody.url(), &["status"]).await, 3);
    assert!(said.starts_with(&format!("error: cannot ask {}: ", nobody.url())), "{said}");
    assert!(said.contains("--admin"), "{said}");
}

#[tokio::test]
async fn something_else_that_answers_is_told() {
    let home = tempfile::tempdir().unwrap();
    let stub = Stub::start(&[("GET /api/v1/status", 500, "<html>\n")]).await.unwrap();
    let said = bad(&portway(home.path(), &stub.url(), &["status"]).await, 1);
    assert!(said.contains("500") && said.contains("\"<html>\""), "{said}");
}

#[tokio::test]
async fn who_may_not_is_told_with_an_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let answers = &[(
        "GET /api/v1/status",
        401,
        r#"{"title":"Unauthorized","code":"unauthenticated","detail":"no token"}"#,
    )];
    let stub = Stub::start(answers).await.unwrap();
    let said = bad(&portway(home.path(), &stub.url(), &["status"]).await, 4);
    assert!(said.contains("no token") && said.contains("PORTWAY_TOKEN"), "{said}");
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    let home = tempfile::tempdir().unwrap();
    let stub = Stub::start(&[("GET /api/v1/status", 200, READY)]).await.unwrap();
    let url = stub.url();
    let file = home.path().join("token");
    fs::write(&file, "pwt_file\n").unwrap();
    let basic = "Basic bWU6c2VjcmV0";
    for (arguments, variables, expected) in [
        (&["status"][..], &[("PORTWAY_TOKEN", "pwt_env")][..], "Bearer pwt_env"),
        (&["--token-file", "token", "status"], &[("PORTWAY_TOKEN", "pwt_env")], "Bearer pwt_file"),
        (&["--auth", "me:secret", "status"], &[], basic),
        (&["-a", "me:secret", "-Vf", "status"], &[], basic),
        (&["status"], &[("DGATE_ADMIN_AUTH", "me:secret")], basic),
    ] {
        let address = [("DGATE_ADMIN_API", url.as_str())];
        let variables = [&address[..], variables].concat();
        let output = with(home.path(), arguments, &variables, "").await;
        good(&output);
        let asked = stub.asked();
        assert_eq!(asked[0].headers.get("authorization"), Some(expected), "{arguments:?}");
        let said = stdout(&output) + &stderr(&output);
        assert!(!said.contains("secret") && !said.contains("pwt_"), "{said}");
        assert_eq!(arguments.contains(&"-Vf"), said.contains("/api/v1/status: 200"), "{said}");
    }
}

#[tokio::test]
async fn a_profile_is_made_used_and_kept_private() {
    let home = tempfile::tempdir().unwrap();
    let stub = Stub::start(&[("GET /api/v1/status", 200, READY)]).await.unwrap();
    let (admin, path) = (format!("admin={}", stub.url()), home.path());
    good(&with(path, &["profile", "set", "prod", &admin, "token=pwt_1"], &[], "").await);
    good(&with(path, &["status"], &[], "").await);
    assert_eq!(stub.asked()[0].headers.get("authorization"), Some("Bearer pwt_1"));
    // Another gateway does not get to see the token.
    let other = Stub::start(&[("GET /api/v1/status", 200, READY)]).await.unwrap();
    good(&with(path, &["status", "--admin", &other.url()], &[], "").await);
    assert_eq!(other.asked()[0].headers.get("authorization"), None);

    let listed = good(&with(path, &["profile", "list"], &[], "").await);
    assert!(listed.contains("prod") && listed.contains("token"), "{listed}");
    assert!(!listed.contains("pwt_1"), "{listed}");
    let file = path.join(".config/portway/config.yaml");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let said = bad(&with(path, &["status"], &[], "").await, 1);
    assert!(said.contains("chmod 600") && !said.contains("pwt_1"), "{said}");
}

#[tokio::test]
async fn a_certificate_is_verified_unless_that_is_waived() {
    let home = tempfile::tempdir().unwrap();
    let (authority, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let identity = authority.issue(&["localhost"]).unwrap();
    let tls = ServerTls::new(&identity);
    let stub = Stub::start_tls(&tls, &[("GET /api/v1/status", 200, READY)]).await.unwrap();
    let url = format!("https://localhost:{}", stub.port());
    fs::write(home.path().join("ca.pem"), authority.cert_pem()).unwrap();
    fs::write(home.path().join("other.pem"), other.cert_pem()).unwrap();
    let run =
        async |options: &[&str]| portway(home.path(), &url, &[&["status"], options].concat()).await;
    good(&run(&["--cacert", "ca.pem"]).await);
    good(&run(&["--insecure"]).await);
    let said = bad(&run(&["--cacert", "other.pem"]).await, 3);
    assert!(said.contains("certificate"), "{said}");
    bad(&run(&[]).await, 3);
    assert_eq!(stub.asked().len(), 2);
}

#[tokio::test]
async fn a_redirect_is_followed_when_that_is_said() {
    let home = tempfile::tempdir().unwrap();
    let stub = Stub::start(&[("GET /api/v1/status", 307, "")]).await.unwrap();
    let said = bad(&portway(home.path(), &stub.url(), &["status"]).await, 3);
    assert!(said.contains("--follow"), "{said}");
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
