//! A wrong start opens nothing and says everything.

use std::{fs, io, net::TcpListener};

use portway_testkit::{DEADLINE, process::Process};

#[tokio::test]
async fn a_wrong_file_ends_the_process_with_all_its_problems_and_no_port() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("gateway.yaml");
    fs::write(
        &file,
        "listeners: [{name: web, bind: \"127.0.0.1:0\", limts: {}}]\n\
         services: [{name: up, url: \"htp://127.0.0.1:1\"}]\n\
         routes: [{name: all, target: {service: upp}}]\n",
    )?;
    let (code, text) = failed_start(&file.display().to_string()).await?;
    assert_eq!(code, Some(1), "{text}");
    for expected in ["unknown_key", "unsupported_scheme", "unknown_service", ":1:", ":2:", ":3:"] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains("listening"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_line() -> io::Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port();
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("gateway.yaml");
    fs::write(
        &file,
        format!("# one line\nlisteners: [{{name: web, bind: \"127.0.0.1:{port}\"}}]\n"),
    )?;
    let (code, text) = failed_start(&file.display().to_string()).await?;
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cannot_listen") && text.contains(&port.to_string()), "{text}");
    assert!(text.contains("gateway.yaml:2:"), "{text}");
    Ok(())
}

/// The exit code and what was said of a start that has to fail.
async fn failed_start(file: &str) -> io::Result<(Option<i32>, String)> {
    let mut process = Process::start(env!("CARGO_BIN_EXE_portway"), &["run", file], &[])?;
    let status = process.wait_exit(DEADLINE).await?;
    Ok((status.code(), process.stderr().join("\n")))
}
