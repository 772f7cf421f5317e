//! However the file is replaced, what stands there in the end is served; what is not whole or not
//! right changes nothing and is told.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::symlink,
};

use portway_testkit::{
    Client,
    load::Load,
    process::{Command, Signal},
};

use crate::fixture::{FILE, Gateway, PORTWAY, complete, directory};

/// A configuration that answers every request with a number.
fn answering(number: u32) -> String {
    format!("routes: [{{name: all, target: {{reply: {{body: \"{number}\"}}}}}}]")
}

async fn answer(gateway: &Gateway) -> io::Result<String> {
    Ok(gateway.client().get("/").await?.text().into_owned())
}

#[tokio::test]
async fn a_file_that_is_written_in_place_is_served() -> io::Result<()> {
    let gateway = Gateway::start(&answering(1)).await?;
    for number in 2..5 {
        let text = gateway.complete(&answering(number));
        gateway.after(|| fs::write(gateway.file(), text)).await?;
        assert_eq!(answer(&gateway).await?, number.to_string());
    }
    Ok(())
}

/// As the kubelet does: the file is a link through a link that is swapped for another folder.
#[tokio::test]
async fn a_mounted_config_map_is_followed() -> io::Result<()> {
    let dir = directory()?;
    let path = |name: &str| dir.path().join(name);
    fs::create_dir(path("..one"))?;
    fs::write(path("..one/gateway.yaml"), complete(&answering(1), dir.path()))?;
    symlink("..one", path("..data"))?;
    symlink("..data/gateway.yaml", path(FILE))?;
    let mut command = Command::new(PORTWAY);
    command.arg("run").arg(path(FILE));
    let gateway = Gateway::spawn(dir, &mut command).await?;
    assert_eq!(answer(&gateway).await?, "1");
    for (number, (old, new)) in (2..).zip([("..one", "..two"), ("..two", "..three")]) {
        gateway
            .after(|| {
                fs::create_dir(gateway.path(new))?;
                let text = gateway.complete(&answering(number));
                fs::write(gateway.path(new).join(FILE), text)?;
                symlink(new, gateway.path("..data_tmp"))?;
                fs::rename(gateway.path("..data_tmp"), gateway.path("..data"))?;
                fs::remove_dir_all(gateway.path(old))
            })
            .await?;
        assert_eq!(answer(&gateway).await?, number.to_string());
    }
    Ok(())
}

#[tokio::test]
async fn half_a_file_is_never_served() -> io::Result<()> {
    let gateway = Gateway::start(&answering(1)).await?;
    // Each half is a configuration of its own: the first one has no route.
    let whole = gateway.complete(&answering(2));
    let (first, second) = whole.split_once("routes:").expect("there are routes");
    let load = Load::on(gateway.addr()).connections(2).start();
    let mut file = OpenOptions::new().write(true).truncate(true).open(gateway.file())?;
    file.write_all(first.as_bytes())?;
    file.sync_all()?;
    load.wait_for(400).await?;
    gateway
        .after(move || {
            file.write_all(b"routes:")?;
            file.write_all(second.as_bytes())
        })
        .await?;
    assert_eq!(answer(&gateway).await?, "2");
    let tally = load.stop().await?;
    assert_eq!(tally.failed(), 0, "{tally}");
    assert_eq!(gateway.metric("portway_config_revision", &[]).await?, 2.0);
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_served_is_told_everywhere_until_the_file_is_mended() -> io::Result<()> {
    let gateway = Gateway::start(&answering(1)).await?;
    let good = fs::read(gateway.file())?;
    let probes = Client::h1(gateway.probes());
    for (wrong, code) in [
        (Some("routes: [{nam: all}]"), "unknown_key"),
        (Some("routes: ["), "syntax"),
        (Some(""), "empty_document"),
        (None, "unreadable_file"),
    ] {
        let rejected = gateway
            .after(|| {
                match wrong {
                    Some("") => fs::write(gateway.file(), "")?,
                    Some(text) => fs::write(gateway.file(), gateway.complete(text))?,
                    None => fs::remove_file(gateway.file())?,
                }
                // A file that is gone may be about to come back: only who asks is told.
                gateway.process.signal(Signal::HUP)
            })
            .await;
        let log = rejected.expect_err("it cannot be served").to_string();
        assert!(log.contains(code), "{code} is not in\n{log}");
        assert_eq!(answer(&gateway).await?, "1");
        assert_eq!(gateway.metric("portway_config_last_reload_successful", &[]).await?, 0.0);
        let ready = probes.get("/readyz").await?;
        let body = ready.text();
        assert_eq!(ready.status, 200);
        assert!(body.contains("\"rejected\"") && body.contains(code), "{body}");
        // The same text as before is news again.
        gateway.after(|| fs::write(gateway.file(), &good)).await?;
        assert_eq!(gateway.metric("portway_config_last_reload_successful", &[]).await?, 1.0);
        assert!(probes.get("/readyz").await?.text().contains("\"applied\""));
    }
    Ok(())
}
