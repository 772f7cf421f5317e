//! People at a terminal: what is asked for is not shown, and long work shows how far it is. The
//! terminal is that of `script`, which every Debian has.

use std::{fs, process::Stdio};

use portway_testkit::{DEADLINE, process::Command, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{PORTWAY, good, served::Gateway, with};

/// Runs `portway` at a terminal; as soon as `prompt` is there, `answer` is typed. Returns what was
/// on the screen, and whether it ended well.
async fn typed(
    gateway: &Gateway,
    token: &str,
    arguments: &str,
    (prompt, answer): (&str, &str),
) -> (String, bool) {
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &format!("{PORTWAY} {arguments}")]);
    let home = gateway.path();
    command.arg("/dev/null").env_clear().env("HOME", home).env("PORTWAY_ADMIN", &gateway.admin);
    command.env("TERM", "xterm").env("PATH", "/usr/bin:/bin").current_dir(home);
    command.env("PORTWAY_TOKEN", token);
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
    let hash = good(&with(home.path(), &["hash"], &[], "s3cret\n").await);
    let hash = hash.trim();
    let access = format!("access: {{basic: [{{username: me, role: viewer, hash: '{hash}'}}]}}");
    let gateway = Gateway::with_access(&access).await.unwrap();
    for (password, is_right) in [("s3cret\n", true), ("s3crets\n", false)] {
        let prompt = ("Password of me:", password);
        let (screen, well) = typed(&gateway, "", "--auth me status", prompt).await;
        assert_eq!((well, screen.contains("ready")), (is_right, is_right), "{screen}");
        assert!(!screen.contains("s3cret"), "{screen}");
    }
}

#[tokio::test]
async fn a_restore_asks_before_it_replaces_everything() {
    let gateway = Gateway::start().await.unwrap();
    gateway.good(&["backup", "store.bak"]).await;
    gateway.good(&["put", "route", "a", "match.path=/a", "target.reply.status=204"]).await;
    for (answer, is_restored) in [("n\n", false), ("y\n", true)] {
        let prompt = ("[y/N]", answer);
        let (screen, well) = typed(&gateway, &gateway.token, "restore store.bak", prompt).await;
        assert_eq!(well, is_restored, "{screen}");
        assert_eq!(gateway.get("/a").await.0, if is_restored { 404 } else { 204 });
    }
}

#[tokio::test]
async fn many_files_show_how_far_they_are() {
    let gateway = Gateway::start().await.unwrap();
    let folder = gateway.path().join("many");
    fs::create_dir(&folder).unwrap();
    for number in 0..80 {
        let text = format!(
            "routes: [{{name: r{number}, match: {{path: /{number}}}, target: {{reply: {{}}}}}}]\n"
        );
        fs::write(folder.join(format!("{number}.yaml")), text).unwrap();
    }
    let (screen, well) = typed(&gateway, &gateway.token, "apply -f many", ("", "")).await;
    assert!(well, "{screen}");
    assert!(screen.contains("reading files") && screen.contains("/80"), "{screen}");
    // All of them at once.
    let history = gateway.json(&["history"]).await;
    assert_eq!(history.as_array().map(Vec::len), Some(1), "{history}");
    assert_eq!(gateway.get("/79").await.0, 200);
}
