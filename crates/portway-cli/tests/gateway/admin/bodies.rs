//! Bodies and files that make no sense: each is refused with a reason, and none changes anything.

use std::{fs, io, path::PathBuf};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use portway_testkit::{Client, DEADLINE, process::Command, within};
use serde_json::Value;

use super::Administered;
use crate::fixture::PORTWAY;

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const TOML: &str = "application/toml";

/// What no reader of JSON should take, or no configuration.
fn bad_json() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        "",
        " ",
        "null",
        "1",
        "\"text\"",
        "[]",
        "[{}]",
        "true",
        "{",
        "}",
        "{}}",
        "{}{}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "{'a': 1}",
        "{a: 1",
        "{\"a\": NaN}",
        "{\"a\": 1e999}",
        "{\"priority\": 99999999999999999999}",
        "{\"priority\": -1.5}",
        "{\"priority\": 01}",
        "{\"enabled\": \"yes\"}",
        "{\"labels\": {\"a\": 1}}",
        "{\"labels\": []}",
        "{\"match\": {\"path\": 1}}",
        "{\"match\": {\"path\": \"no-slash\"}}",
        "{\"match\": {\"path\": \"/a\", \"path\": \"/b\"}}",
        "{\"priority\": 1, \"priority\": 2}",
        "{\"target\": {\"service\": \"a\", \"reply\": {}}}",
        "{\"target\": {\"reply\": 1}}",
        "{\"name\": \"other\"}",
        "{\"namespace\": \"elsewhere\"}",
        "{\"__proto__\": {}}",
        "{\"constructor\": {\"prototype\": {}}}",
        "{\"\": {}}",
        "{\"\\u0000\": 1}",
        "{\"description\": \"\\ud800\"}",
        "{\"description\": \"\\x41\"}",
        "{\"description\": \"\u{0}\"}",
        "{\"description\": \"a\nb\"}",
        "{/* */}",
        "{\"a\": +1}",
        "{\"a\": Infinity}",
        "{\"a\": 0x10}",
        "{\"a\": \"unterminated",
        "\u{feff}",
        "{\u{a0}}",
        "{\"target\": {\"reply\": {\"status\": 99999}}}",
        "{\"timeouts\": {\"request\": \"-1s\"}}",
        "{\"match\": {\"path\": {\"regex\": \"(a+\"}}, \"target\": {\"reply\": {}}}",
        "{\"target\": {\"service\": \"nobody\"}}",
        "{\"plugins\": [{\"no-such\": {}}]}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    all.push(b"{\"description\": \"\xff\xfe\"}".to_vec());
    all.push(b"\xff\xfe{\0}\0".to_vec());
    all.push("[".repeat(100_000).into_bytes());
    all.push(format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000)).into_bytes());
    all.push(format!("{{\"{}\": 1}}", "k".repeat(100_000)).into_bytes());
    all
}

/// The same of YAML.
fn bad_yaml() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        "---\n---\n",
        "a: b: c",
        "a:\n\t- b",
        "- a\n- b",
        "text",
        "~",
        "? [a]\n: b",
        "{a: 1",
        "[a",
        "\"open",
        "'open",
        "&a [*a]",
        "a: *nobody",
        "priority: !!int x",
        "a: !!python/object:os {}",
        "priority: !!binary aGk=",
        "priority: 0x",
        "enabled: yes please",
        "<<: {priority: x}",
        "priority: 1\npriority: 2",
        "labels: {a: 1, a: 2}",
        "%YAML 9.9\n---\na: 1",
        "@a",
        "`a`",
        "a: |\n b\n  c\n d: e\nf",
        "\u{feff}\u{feff}a: 1",
        "priority: .inf",
        "priority: 1_000.5",
        "{}\n---\n{}",
        "a: \u{7}",
        "match: {path: no-slash}",
        "name: other",
        "target: {service: x}",
        "x: !include /etc/passwd",
        "description: ${secret:nobody}\ntarget: {reply: {}}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let before = format!("*a{}", n - 1);
        bomb += &format!("a{n}: &a{n} [{}]\n", [before.as_str(); 10].join(", "));
    }
    all.push(bomb.into_bytes());
    all.push("[".repeat(50_000).into_bytes());
    all.push("- ".repeat(20_000).into_bytes());
    all.push(b"description: \"\xc3\x28\"\n".to_vec());
    all
}

/// The documents of the configuration's own tests in which something is wrong.
fn bad_documents() -> io::Result<Vec<(PathBuf, &'static str)>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../portway-config/tests/golden/problems");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let media = match path.extension().and_then(|ending| ending.to_str()) {
            Some("json") => JSON,
            Some("yaml") => YAML,
            Some("toml") => TOML,
            _ => continue,
        };
        found.push((path, media));
    }
    found.sort();
    assert!(found.len() > 30, "the documents have moved");
    Ok(found)
}

async fn send(
    api: &Administered,
    method: &Method,
    path: &str,
    media: &str,
    body: Vec<u8>,
) -> io::Result<(u16, Value)> {
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header("host", "localhost")
        .header("authorization", format!("Bearer {}", api.token))
        .header("content-type", media)
        .body(Full::new(Bytes::from(body)))
        .map_err(io::Error::other)?;
    let response = Client::h1(api.address()).request(request).await?;
    let is_problem = response.header("content-type") == Some("application/problem+json");
    let value = if is_problem { response.json()? } else { Value::Null };
    Ok((response.status.as_u16(), value))
}

/// A refusal that says why: a code, and for what is wrong in a body, where.
fn refused(what: &str, (status, answer): &(u16, Value)) {
    assert!(matches!(status, 400 | 413 | 415 | 422), "{what}: {status} {answer}");
    assert!(answer["code"].is_string() && answer["detail"].is_string(), "{what}: {answer}");
    let problems = answer["problems"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(*status != 422 || !problems.is_empty(), "{what}: {answer}");
    for problem in problems {
        assert!(problem["code"].is_string() && problem["message"].is_string(), "{what}: {problem}");
        let is_told_where =
            problem["place"]["line"].is_u64() || problem["path"].as_str() != Some("");
        assert!(is_told_where, "{what}: {problem}");
    }
}

/// A gateway with one route, which must outlive everything.
async fn with_a_route() -> io::Result<Administered> {
    let api = Administered::start("").await?;
    api.reply("kept", "/kept", "as it was").await?;
    Ok(api)
}

async fn is_untouched(api: &Administered) -> io::Result<()> {
    let revisions = api.get("/revisions").await?;
    assert_eq!(revisions["data"].as_array().map(Vec::len), Some(1), "{revisions}");
    assert_eq!(api.seen("/kept").await?, (200, "as it was".to_owned()));
    let said = api.gateway.process.stderr();
    assert!(!said.iter().any(|line| line.contains("panicked")), "{said:#?}");
    Ok(())
}

#[tokio::test]
async fn bad_bodies_are_refused_and_change_nothing() -> io::Result<()> {
    let api = with_a_route().await?;
    let routes = ["/routes/kept", "/routes/new"];
    for (media, bodies) in [(JSON, bad_json()), (YAML, bad_yaml())] {
        for body in bodies {
            let start = &body[..body.len().min(80)];
            let what = format!("{media} {:?}", String::from_utf8_lossy(start));
            for path in routes {
                refused(&what, &send(&api, &Method::PUT, path, media, body.clone()).await?);
            }
            // A document of nothing changes nothing, and that is no fault of it.
            let applied = send(&api, &Method::POST, "/apply", media, body.clone()).await?;
            if applied.0 != 200 {
                refused(&what, &applied);
            }
        }
    }
    // What is no patch of a route: a patch may name parts only.
    for body in bad_json() {
        let what = format!("patch {:?}", String::from_utf8_lossy(&body[..body.len().min(80)]));
        let media = "application/merge-patch+json";
        let patched = send(&api, &Method::PATCH, "/routes/kept", media, body).await?;
        refused(&what, &patched);
    }
    is_untouched(&api).await
}

#[tokio::test]
async fn bad_documents_are_refused_and_change_nothing() -> io::Result<()> {
    let api = with_a_route().await?;
    for (path, media) in bad_documents()? {
        let what = path.display().to_string();
        let answer = send(&api, &Method::POST, "/apply", media, fs::read(&path)?).await?;
        refused(&what, &answer);
    }
    for media in ["text/plain", "application/xml", "multipart/form-data; boundary=x", "x"] {
        let answer = send(&api, &Method::POST, "/apply", media, b"{}".to_vec()).await?;
        assert_eq!((answer.0, answer.1["code"].as_str()), (415, Some("unsupported_media_type")));
    }
    is_untouched(&api).await
}

#[tokio::test]
async fn bad_files_are_not_applied() -> io::Result<()> {
    let api = with_a_route().await?;
    for (path, _) in bad_documents()? {
        let mut command = Command::new(PORTWAY);
        command.args(["apply", "-f"]).arg(&path).env_clear().kill_on_drop(true);
        command.env("HOME", api.gateway.path("")).env("PORTWAY_TOKEN", &api.token);
        command.env("PORTWAY_ADMIN", format!("http://{}", api.address()));
        let output = within(DEADLINE, "portway apply", command.output()).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{}: {said}", path.display());
        assert!(said.contains("error"), "{}: {said}", path.display());
        assert!(!said.contains("panicked"), "{}: {said}", path.display());
    }
    is_untouched(&api).await
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_off() -> io::Result<()> {
    let api = with_a_route().await?;
    let long = format!("{{\"description\": \"{}\"}}", "x".repeat(80 << 20));
    let request = Request::put("/api/v1/routes/kept")
        .header("host", "localhost")
        .header("authorization", format!("Bearer {}", api.token))
        .body(Full::new(Bytes::from(long)))
        .map_err(io::Error::other)?;
    // It may be answered before it was sent, and the connection be gone by then.
    if let Ok(response) = Client::h1(api.address()).request(request).await {
        assert_eq!(response.status, 413, "{}", response.text());
    }
    is_untouched(&api).await
}
