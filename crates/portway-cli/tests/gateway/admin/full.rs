//! A store that has no room left.

use std::{fs, io, path::PathBuf};

use http::Method;
use portway_testkit::process::Command;
use serde_json::json;

use super::{Administered, administrator, configured};
use crate::fixture::{Gateway, PORTWAY, directory};

/// Much of it fills a store soon.
const PIECE: usize = 32 * 1024;

/// A command that runs the rest of a script with the executable and the file as `$1` and `$2`.
fn shell(program: &[&str], script: &str, more: &[String]) -> Command {
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).args(["sh", "-c", script, "sh"]).args(more);
    command
}

async fn write(api: &Administered, number: usize) -> io::Result<(u16, serde_json::Value)> {
    let reply = json!({ "body": format!("{number:0PIECE$}") });
    let body = json!({ "match": { "path": format!("/{number}") }, "target": { "reply": reply } });
    api.ask(Method::PUT, &format!("/routes/r{number}"), Some(body)).await
}

/// Writes until there is no room, lets `make_room`, and writes on.
async fn fills_up_and_recovers(
    api: &Administered,
    make_room: impl AsyncFnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let mut number = 0;
    let (refused, why) = loop {
        let (status, answer) = write(api, number).await?;
        if status != 201 {
            break (status, answer);
        }
        number += 1;
        assert!(number < 500, "the store was to be full by now");
    };
    assert_eq!((refused, why["code"].as_str()), (507, Some("store_full")), "{why}");
    assert!(number > 0, "not one was written");
    // Again, and to something that is there.
    for wanted in [number, 0] {
        let (status, answer) = write(api, wanted).await?;
        // What changes nothing needs no room.
        assert!(status == 507 || (wanted == 0 && status == 200), "{status} {answer}");
    }
    // Traffic goes on, reading goes on, and what was refused is not there.
    assert_eq!(api.seen("/0").await?.0, 200);
    assert_eq!(api.seen(&format!("/{}", number - 1)).await?.0, 200);
    assert_eq!(api.seen(&format!("/{number}")).await?.0, 404);
    assert_eq!(api.get("/routes?limit=1").await?["meta"]["count"], number);
    let newest = api.get("/revisions?limit=1").await?["data"][0]["revision"].as_u64();
    assert_eq!(newest, Some(number as u64));

    make_room().await?;
    let (status, answer) = write(api, number).await?;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(api.seen(&format!("/{number}")).await?.0, 200);
    Ok(())
}

/// A file system of its own takes root; elsewhere the limit on file sizes stands for it.
#[tokio::test]
async fn a_full_disk_stops_writes_and_nothing_else() -> io::Result<()> {
    let unshare = ["unshare", "--mount"];
    let may = Command::new("unshare").args(["--mount", "true"]).output().await;
    if !may.is_ok_and(|output| output.status.success()) {
        eprintln!("no mount namespaces here: a limit on file sizes is tried instead");
        return Ok(());
    }
    let dir = directory()?;
    let file = configured(&dir, "")?;
    let disk = dir.path().join("data");
    fs::create_dir_all(&disk)?;
    let script = "mount -t tmpfs -o size=4m,mode=700 tmpfs \"$3\" && exec \"$1\" run \"$2\"";
    let words = [PORTWAY.into(), file.display().to_string(), disk.display().to_string()];
    let gateway = Gateway::spawn(dir, &mut shell(&unshare, script, &words)).await?;
    let api = administrator(gateway).await?;
    // The disk as the gateway sees it.
    let inside = format!("/proc/{}/root{}", api.gateway.process.id(), disk.display());
    let filler = PathBuf::from(inside).join("filler");
    fs::write(&filler, vec![0; 1 << 20])?;
    fills_up_and_recovers(&api, async || fs::remove_file(&filler)).await
}

#[tokio::test]
async fn a_limit_on_file_sizes_stops_writes_and_nothing_else() -> io::Result<()> {
    let dir = directory()?;
    let file = configured(&dir, "")?;
    // In units of 512 bytes; it is answered with an error where the signal is ignored.
    let script = "trap '' XFSZ; ulimit -S -f 4096; exec \"$1\" run \"$2\"";
    let words = [PORTWAY.into(), file.display().to_string()];
    let gateway = Gateway::spawn(dir, &mut shell(&["env"], script, &words)).await?;
    let api = administrator(gateway).await?;
    let process = api.gateway.process.id().to_string();
    let unlimited = async || {
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &process, "--fsize=unlimited"]);
        assert!(prlimit.status().await?.success());
        Ok(())
    };
    fills_up_and_recovers(&api, unlimited).await
}
