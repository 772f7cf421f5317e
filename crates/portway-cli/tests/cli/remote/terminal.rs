//! People at a terminal: what is asked for is not shown, and long work shows how far it is. The
//! terminal is that of `script`, which every Debian has.

use std::{fs, path::Path, process::Stdio};

use portway_testkit::{DEADLINE, process::Command, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{PORTWAY, stub::Stub};

const READY: &str = r#"{"data":{"version":"1","ready":true,"revision":3},"meta":{}}"#;

const APPLIED: &str = r#"{"data":[],"meta":{"revision":4,"changed":false,"warnings":[]}}"#;

/// Runs `portway` at a terminal; as soon as `prompt` is there, `answer` is typed. Returns what was
/// on the screen, and whether it ended well.
async fn typed(
    home: &Path,
    admin: &str,
    arguments: &str,
    (prompt, answer): (&str, &str),
) -> (String, bool) {
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &format!("{PORTWAY} {arguments}")]);
    command.arg("/dev/null").env_clear().env("HOME", home).env("PORTWAY_ADMIN", admin);
    command.env("TERM", "xterm").env("PATH", "/usr/bin:/bin").current_dir(home);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("script starts");
    let mut keyboard = child.stdin.take().expect("it is piped");
    let mut output = child.stdout.take().expect("it is piped");
    let mut screen = Vec::new();
    let reading = async {
        let mut is_answered = prompt.is_empty();
        while output.read_buf(&mut screen).await.expect("it can be read") > 0 {
            if !is_answered && String::from_utf8_lossy(&screen).contains(prompt) {
                keyboard.write_all(answer.as_bytes()).await.expect("it can be typed");
                is_answered = true;
            }
        }
        assert!(is_answered, "nothing was asked");
        child.wait().await
    };
    let ended = within(DEADLINE, "a command at a terminal", reading).await.expect("it ends");
    (String::from_utf8_lossy(&screen).into_owned(), ended.success())
}

#[tokio::test]
async fn a_password_that_is_typed_is_not_shown() {
    let home = tempfile::tempdir().unwrap();
    let stub = Stub::start(&[("GET /api/v1/status", 200, READY)]).await.unwrap();
    let prompt = ("Password of me:", "s3cret\n");
    let (screen, well) = typed(home.path(), &stub.url(), "--auth me status", prompt).await;
    assert!(well, "{screen}");
    assert!(!screen.contains("s3cret"), "{screen}");
    let sent = stub.asked();
    assert_eq!(sent[0].headers.get("authorization"), Some("Basic bWU6czNjcmV0"));
}

#[tokio::test]
async fn a_restore_asks_before_it_replaces_everything() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("store.bak"), "BYTES").unwrap();
    let answers = &[("POST /api/v1/restore", 200, r#"{"data":null,"meta":{"revision":9}}"#)];
    let stub = Stub::start(answers).await.unwrap();
    let (screen, well) =
        typed(home.path(), &stub.url(), "restore store.bak", ("[y/N]", "n\n")).await;
    assert!(!well && stub.asked().is_empty(), "{screen}");
    let (screen, well) =
        typed(home.path(), &stub.url(), "restore store.bak", ("[y/N]", "y\n")).await;
    assert!(well && stub.asked().len() == 1, "{screen}");
}

#[tokio::test]
async fn many_files_show_how_far_they_are() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("many");
    fs::create_dir(&folder).unwrap();
    for number in 0..80 {
        let text = format!(
            "routes: [{{name: r{number}, match: {{path: /{number}}}, target: {{reply: {{}}}}}}]\n"
        );
        fs::write(folder.join(format!("{number}.yaml")), text).unwrap();
    }
    let stub = Stub::start(&[("POST /api/v1/apply", 200, APPLIED)]).await.unwrap();
    let (screen, well) = typed(home.path(), &stub.url(), "apply -f many", ("", "")).await;
    assert!(well, "{screen}");
    assert!(screen.contains("reading files") && screen.contains("/80"), "{screen}");
    // All of them in one request.
    let (line, body) = stub.only();
    assert!(line.starts_with("POST /api/v1/apply"), "{line}");
    assert_eq!(body["routes"].as_array().map(Vec::len), Some(80), "{body}");
}
