//! A wrong start opens nothing and says everything.

use std::{fs, io};

use portway_testkit::{DEADLINE, process::Process};
use tokio::net::TcpSocket;

use crate::fixture::{FILE, PORTWAY, directory};

#[tokio::test]
async fn a_wrong_file_ends_the_process_with_all_its_problems_and_no_port() -> io::Result<()> {
    let (code, text) = failed_start(
        "listeners: [{name: web, bind: \"127.0.0.1:0\", limts: {}}]\n\
         services: [{name: up, url: \"htp://127.0.0.1:1\"}]\n\
         routes: [{name: all, target: {service: upp}}]\n",
    )
    .await?;
    assert_eq!(code, Some(1), "{text}");
    for expected in ["unknown_key", "unsupported_scheme", "unknown_service", ":1:", ":2:", ":3:"] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains("listening"), "{text}");
    Ok(())
}

/// Also one whose owner would share it with us.
#[tokio::test]
async fn a_port_in_use_is_refused_and_named_with_its_line() -> io::Result<()> {
    for shares in [false, true] {
        let taken = TcpSocket::new_v4()?;
        taken.set_reuseaddr(true)?;
        taken.set_reuseport(shares)?;
        taken.bind(([127, 0, 0, 1], 0).into())?;
        let taken = taken.listen(1)?;
        let address = taken.local_addr()?;
        let listeners = format!("listeners: [{{name: web, bind: \"{address}\"}}]");
        let (code, text) = failed_start(&format!("# one line\n{listeners}\n")).await?;
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("cannot_listen") && text.contains(&address.to_string()), "{text}");
        assert!(text.contains("gateway.yaml:2:"), "{text}");
    }
    Ok(())
}

/// The exit code and what was said of a start that has to fail.
async fn failed_start(config: &str) -> io::Result<(Option<i32>, String)> {
    let dir = directory()?;
    let file = dir.path().join(FILE);
    fs::write(&file, config)?;
    let mut process = Process::start(PORTWAY, &["run", &file.display().to_string()], &[])?;
    let status = process.wait_exit(DEADLINE).await?;
    Ok((status.code(), process.stderr().join("\n")))
}
