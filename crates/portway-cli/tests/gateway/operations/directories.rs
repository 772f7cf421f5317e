//! Several files and directories: what they say together is served, all of it or nothing, and each
//! file owns what stands in it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use http::Request;
use portway_testkit::{
    DEADLINE, eventually,
    process::{Command, Process},
    within,
};
use serde_json::Value;

use crate::fixture::{Gateway, PORTWAY, complete, directory};

/// A configuration that answers a path with a text.
fn answering(path: &str, text: &str) -> String {
    format!(
        "routes: [{{name: {text}, match: {{path: {path}}}, target: {{reply: {{body: {text}}}}}}}]"
    )
}

/// A directory `conf` with the settings of the process and two files with a route each.
fn three_files(dir: &Path) -> io::Result<PathBuf> {
    let conf = dir.join("conf");
    fs::create_dir(&conf)?;
    fs::write(conf.join("process.yaml"), complete("", dir))?;
    fs::write(conf.join("a.yaml"), answering("/a", "one"))?;
    fs::write(conf.join("b.yaml"), answering("/b", "two"))?;
    Ok(conf)
}

async fn run(dir: tempfile::TempDir, arguments: &[&Path]) -> io::Result<Gateway> {
    let mut command = Command::new(PORTWAY);
    command.arg("run").args(arguments);
    Gateway::spawn(dir, &mut command).await
}

/// What paths are answered, or their status where that is not 200.
async fn answers(gateway: &Gateway, paths: &[&str]) -> io::Result<String> {
    let (client, mut answers) = (gateway.client(), Vec::new());
    for path in paths {
        let response = client.get(path).await?;
        let status = response.status.as_u16();
        let text = response.text().into_owned();
        answers.push(if status == 200 { text } else { status.to_string() });
    }
    Ok(answers.join(" "))
}

#[tokio::test]
async fn a_directory_is_served_whole_or_not_at_all() -> io::Result<()> {
    let dir = directory()?;
    let conf = three_files(dir.path())?;
    let gateway = run(dir, &[&conf]).await?;
    let paths = ["/a", "/b", "/c"];
    assert_eq!(answers(&gateway, &paths).await?, "one two 404");

    // One is changed, the other is broken: neither is served.
    let broken = gateway.after(|| fs::write(conf.join("b.yaml"), "routes: [{nam: two}]")).await;
    let said = broken.unwrap_err().to_string();
    assert!(said.contains("b.yaml:1:11: routes[0].nam: unknown key"), "{said}");
    let refused = gateway.after(|| fs::write(conf.join("a.yaml"), answering("/a", "first"))).await;
    assert!(refused.is_err());
    assert_eq!(answers(&gateway, &paths).await?, "one two 404");
    gateway.after(|| fs::write(conf.join("b.yaml"), answering("/b", "second"))).await?;
    assert_eq!(answers(&gateway, &paths).await?, "first second 404");

    gateway.after(|| fs::write(conf.join("c.yaml"), answering("/c", "third"))).await?;
    assert_eq!(answers(&gateway, &paths).await?, "first second third");
    gateway.after(|| fs::remove_file(conf.join("a.yaml"))).await?;
    assert_eq!(answers(&gateway, &paths).await?, "404 second third");

    // What only moves is served all the time.
    gateway.after(|| fs::rename(conf.join("c.yaml"), conf.join("0.yaml"))).await?;
    assert_eq!(answers(&gateway, &paths).await?, "404 second third");
    let same = gateway.after(|| fs::write(conf.join("z.yaml"), answering("/z", "second"))).await;
    let said = same.unwrap_err().to_string();
    assert!(said.contains("z.yaml:1:17") && said.contains("b.yaml: routes[0], line 1"), "{said}");
    assert!(gateway.stop().await?.success());
    Ok(())
}

#[tokio::test]
async fn all_problems_of_a_directory_are_told_at_the_start() -> io::Result<()> {
    let dir = directory()?;
    let conf = three_files(dir.path())?;
    fs::write(conf.join("a.yaml"), "routes: [{nam: one}]")?;
    fs::write(conf.join("b.yaml"), "\nservces: []")?;
    let mut command = Command::new(PORTWAY);
    let mut process = Process::spawn(command.arg("run").arg(&conf))?;
    assert_eq!(process.wait_exit(DEADLINE).await?.code(), Some(1));
    let said = process.stderr().join("\n");
    for part in ["a.yaml:1:11", "1 | routes: [{nam: one}]", "b.yaml:2:1", "2 | servces: []"] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    Ok(())
}

/// A route that moves from one file to another is never refused for being there twice, or lost.
#[tokio::test]
async fn two_files_are_served_as_one() -> io::Result<()> {
    let dir = directory()?;
    let (process, routes) = (dir.path().join("process.yaml"), dir.path().join("routes.yaml"));
    fs::write(&process, complete("", dir.path()))?;
    fs::write(&routes, answering("/a", "one"))?;
    let gateway = run(dir, &["--config".as_ref(), &process, "--config".as_ref(), &routes]).await?;
    assert_eq!(answers(&gateway, &["/a"]).await?, "one");
    gateway.after(|| fs::write(&routes, answering("/a", "two"))).await?;
    assert_eq!(answers(&gateway, &["/a"]).await?, "two");
    let moved = gateway.complete(&answering("/a", "two"));
    gateway
        .after(|| {
            fs::write(&process, moved)?;
            fs::write(&routes, "routes: []")
        })
        .await?;
    assert_eq!(answers(&gateway, &["/a"]).await?, "two");
    assert!(gateway.stop().await?.success());
    Ok(())
}

#[tokio::test]
async fn files_are_found_where_they_usually_are_and_by_the_environment() -> io::Result<()> {
    let dir = directory()?;
    fs::write(dir.path().join("portway.yaml"), complete(&answering("/a", "one"), dir.path()))?;
    let mut command = Command::new(PORTWAY);
    command.arg("run").current_dir(dir.path());
    let gateway = Gateway::spawn(dir, &mut command).await?;
    assert_eq!(answers(&gateway, &["/a"]).await?, "one");
    assert!(gateway.stop().await?.success());

    let dir = directory()?;
    let conf = three_files(dir.path())?;
    fs::rename(conf.join("process.yaml"), dir.path().join("process.yaml"))?;
    let mut command = Command::new(PORTWAY);
    command.arg("run").current_dir(dir.path()).env("PORTWAY_CONFIG", "process.yaml:conf");
    let gateway = Gateway::spawn(dir, &mut command).await?;
    assert_eq!(answers(&gateway, &["/a", "/b"]).await?, "one two");
    assert!(gateway.stop().await?.success());
    Ok(())
}

#[tokio::test]
async fn a_secret_of_one_file_is_what_the_routes_of_another_send() -> io::Result<()> {
    let dir = directory()?;
    let conf = three_files(dir.path())?;
    let secret = |value| format!("secrets: [{{name: word, value: {value}}}]");
    fs::write(conf.join("a.yaml"), answering("/a", "one").replace("body: one", SECRET))?;
    fs::write(conf.join("secrets.yaml"), secret("first"))?;
    let gateway = run(dir, &[&conf]).await?;
    assert_eq!(answers(&gateway, &["/a"]).await?, "first");
    gateway.after(|| fs::write(conf.join("secrets.yaml"), secret("second"))).await?;
    assert_eq!(answers(&gateway, &["/a"]).await?, "second");
    let gone = gateway.after(|| fs::remove_file(conf.join("secrets.yaml"))).await;
    let said = gone.unwrap_err().to_string();
    assert!(said.contains("the namespace default has no secret \"word\""), "{said}");
    assert!(said.contains("a.yaml:1:"), "{said}");
    assert_eq!(answers(&gateway, &["/a"]).await?, "second");
    assert!(gateway.stop().await?.success());
    Ok(())
}

const SECRET: &str = "body: '${secret:word}'";

/// Sends a resource to the admin API, or takes it away. Returns the status and what it says.
async fn admin(
    gateway: &Gateway,
    method: &str,
    path: &str,
    body: &str,
) -> io::Result<(u16, String)> {
    let client = portway_testkit::Client::h1(gateway.listener("admin"));
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1/{path}"))
        .header("content-type", "application/json")
        .body(http_body_util::Full::from(body.to_owned()))
        .map_err(io::Error::other)?;
    let response = client.request(request).await?;
    Ok((response.status.as_u16(), response.text().into_owned()))
}

/// Waits until `/a` is answered so. A change through the API is logged as one of the files is, so
/// the log does not tell them apart.
async fn becomes(gateway: &Gateway, text: &str) -> io::Result<()> {
    let client = gateway.client();
    let answered = async {
        while client.get("/a").await?.text() != text {
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    within(DEADLINE, "the answer that was waited for", answered).await
}

#[tokio::test]
async fn a_secret_of_the_store_is_what_the_routes_of_a_file_send() -> io::Result<()> {
    let dir = directory()?;
    let conf = three_files(dir.path())?;
    let open = "admin: {bind: '127.0.0.1:0', access: {authentication: none}}";
    let store = format!("{open}\nstore: {{directory: {}}}", dir.path().join("data").display());
    fs::write(conf.join("process.yaml"), complete(&store, dir.path()))?;
    let gateway = run(dir, &[&conf]).await?;
    let put = async |value: &str| {
        let body = format!(r#"{{"value": "{value}"}}"#);
        let (status, said) = admin(&gateway, "PUT", "secrets/word", &body).await?;
        assert!(status < 300, "{said}");
        io::Result::Ok(())
    };
    put("first").await?;
    let refers = answering("/a", "one").replace("body: one", SECRET);
    fs::write(conf.join("a.yaml"), &refers)?;
    becomes(&gateway, "first").await?;

    // Without a restart, and without anybody touching the file.
    put("second").await?;
    becomes(&gateway, "second").await?;

    // Nobody takes it away while it is used.
    let (status, said) = admin(&gateway, "DELETE", "secrets/word", "").await?;
    assert_eq!(status, 409, "{said}");
    let problem: Value = serde_json::from_str(&said).unwrap();
    assert!(problem.to_string().contains("no secret"), "{problem}");
    assert!(problem.to_string().contains("a.yaml"), "{problem}");
    assert_eq!(answers(&gateway, &["/a"]).await?, "second");

    // It is there at the start too, though the files are read before the store is open.
    let dir = gateway.stop_keeping().await?;
    let gateway = run(dir, &[&conf]).await?;
    assert_eq!(answers(&gateway, &["/a", "/b"]).await?, "second two");
    fs::write(conf.join("a.yaml"), answering("/a", "one"))?;
    eventually("the file no longer needs it", || {
        gateway.process.stderr().iter().any(|line| line.contains("configuration applied"))
    })
    .await?;
    let (status, said) = admin(&gateway, "DELETE", "secrets/word", "").await?;
    assert!(status < 300, "{said}");
    assert!(gateway.stop().await?.success());
    Ok(())
}
