//! Commands that go on until they are told to stop.

use std::{fs, io, net::SocketAddr, path::Path, process::ExitStatus};

use portway_testkit::{Client, DEADLINE, Echo, Process, Signal, eventually, free_port};
use serde_json::Value;
use tokio::time::{Duration, Instant, sleep};

const PORTWAY: &str = env!("CARGO_BIN_EXE_portway");

/// A gateway that serves.
struct Gateway(Process);

impl Gateway {
    async fn start(arguments: &[&str], environment: &[(&str, &str)]) -> io::Result<Self> {
        let process = Process::start(PORTWAY, arguments, environment)?;
        process.wait_for_line(|line| line.contains(" serving ")).await?;
        Ok(Self(process))
    }

    /// The address in the log line with this word.
    async fn address(&self, word: &str) -> io::Result<SocketAddr> {
        let line = self.0.wait_for_line(|line| line.contains(word)).await?;
        let address = line.split("address=").nth(1).and_then(|rest| rest.split(' ').next());
        address.and_then(|text| text.parse().ok()).ok_or_else(|| io::Error::other(line.clone()))
    }

    async fn status(&self, path: &str) -> io::Result<u16> {
        let client = Client::h1(self.address(" listening ").await?);
        Ok(client.get(path).await?.status.as_u16())
    }

    async fn status_becomes(&self, path: &str, wanted: u16) -> io::Result<()> {
        let deadline = Instant::now() + DEADLINE;
        while self.status(path).await? != wanted {
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("{path} was never answered {wanted}")));
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    async fn stop(mut self, signal: Signal) -> io::Result<ExitStatus> {
        self.0.signal(signal)?;
        self.0.wait_exit(DEADLINE).await
    }
}

/// Puts a file with one route in place, in one step.
fn write(folder: &Path, path: &str, upstream: &str) -> io::Result<String> {
    let text = format!(
        "listeners: [{{name: web, bind: '127.0.0.1:0'}}]\n\
         probes: {{bind: '127.0.0.1:0'}}\n\
         services:\n\
         - {{name: echo, url: '{upstream}', routes: [{{name: all, match: {{path: '{path}'}}}}]}}\n"
    );
    let (new, file) = (folder.join("new"), folder.join("gateway.yaml"));
    fs::write(&new, text)?;
    fs::rename(new, &file)?;
    Ok(file.display().to_string())
}

#[tokio::test]
async fn run_serves_a_file_and_follows_it() {
    let (echo, folder) = (Echo::start().await.unwrap(), tempfile::tempdir().unwrap());
    let file = write(folder.path(), "/one", &echo.url()).unwrap();
    let gateway = Gateway::start(&["run", &file, "--cores", "1"], &[]).await.unwrap();
    assert_eq!(gateway.status("/one").await.unwrap(), 200);
    assert_eq!(gateway.status("/two").await.unwrap(), 404);

    write(folder.path(), "/two", &echo.url()).unwrap();
    gateway.status_becomes("/two", 200).await.unwrap();
    fs::write(&file, "routes: nonsense\n").unwrap();
    let rejections = || {
        let lines = gateway.0.stderr();
        lines.iter().filter(|line| line.contains("configuration rejected")).count()
    };
    eventually("a wrong file is rejected", || rejections() == 1).await.unwrap();
    assert_eq!(gateway.status("/two").await.unwrap(), 200);

    gateway.0.signal(Signal::HUP).unwrap();
    eventually("SIGHUP reads the file again", || rejections() == 2).await.unwrap();
    assert!(gateway.stop(Signal::TERM).await.unwrap().success());
}

#[tokio::test]
async fn the_build_is_told_by_the_probes() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "/", "http://127.0.0.1:1").unwrap();
    let gateway = Gateway::start(&["run", "-c", &file], &[]).await.unwrap();
    let probes = gateway.address(" probes ").await.unwrap();
    let told: Value = Client::h1(probes).get("/version").await.unwrap().json().unwrap();
    let printed = std::process::Command::new(PORTWAY).args(["version", "-o", "json"]).output();
    let printed: Value = serde_json::from_slice(&printed.unwrap().stdout).unwrap();
    for key in ["version", "commit", "build_time", "rust"] {
        assert!(told[key].is_string(), "{told}");
        assert_eq!(told[key], printed[key], "{key}");
    }
    assert!(gateway.stop(Signal::INT).await.unwrap().success());
}

/// What a container of RESTGate does: no arguments, one variable.
#[tokio::test]
async fn a_file_of_restgate_is_served_as_it_is() {
    let (echo, folder) = (Echo::start().await.unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("restgate.yaml");
    let (port, admin_port) = (free_port().unwrap(), free_port().unwrap());
    let text = format!(
        "port: {port}\nadmin_port: {admin_port}\nobserved_services:\n- name: echo\n  \
         service_url: {}\n  routes:\n  - {{name: get, methods: 'GET, PUT', pattern: '/a/{{id}}'}}\n",
        echo.url()
    );
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let client = Client::h1(([127, 0, 0, 1], port).into());
    for (arguments, variable) in [
        (&[][..], "RESTGATE_CONFIG_PATH"),
        (&[], "RESTATE_CONFIG_PATH"),
        (&["-config", file], "UNRELATED"),
    ] {
        let gateway = Gateway::start(arguments, &[(variable, file)]).await.unwrap();
        assert_eq!(client.get("/a/1").await.unwrap().status, 200, "{variable}");
        assert_eq!(client.get("/b").await.unwrap().status, 404, "{variable}");
        let misspelt = gateway.0.stderr().iter().any(|line| line.contains("misspelling"));
        assert_eq!(misspelt, variable == "RESTATE_CONFIG_PATH");
        assert!(gateway.stop(Signal::TERM).await.unwrap().success());
    }
}

#[tokio::test]
async fn a_port_in_use_is_a_problem() {
    let (folder, taken) =
        (tempfile::tempdir().unwrap(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let address = taken.local_addr().unwrap();
    let file = write(folder.path(), "/", "http://127.0.0.1:1").unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("127.0.0.1:0", &address.to_string(), 1)).unwrap();
    let mut gateway = Process::start(PORTWAY, &["run", &file], &[]).unwrap();
    assert_eq!(gateway.wait_exit(DEADLINE).await.unwrap().code(), Some(1));
    let said = gateway.stderr().join("\n");
    assert!(said.contains("error[cannot_listen]"), "{said}");
    assert!(said.contains(&address.to_string()), "{said}");
}

#[tokio::test]
async fn echo_answers_until_it_is_stopped() {
    let mut echo = Process::start(PORTWAY, &["echo", "0", "127.0.0.1:0"], &[]).unwrap();
    eventually("both listen", || echo.stdout().len() == 2).await.unwrap();
    for line in echo.stdout() {
        let address = line.strip_prefix("listening on http://").unwrap();
        let answer = Client::h1(address.parse().unwrap()).get("/hello?status=201").await.unwrap();
        assert_eq!(answer.status, 201);
        let told = answer.answer().unwrap();
        assert_eq!((told.path.as_str(), told.name.as_deref()), ("/hello", Some(address)));
    }
    echo.signal(Signal::TERM).unwrap();
    assert!(echo.wait_exit(DEADLINE).await.unwrap().success());
}

#[tokio::test]
async fn echo_says_that_a_port_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut echo = Process::start(PORTWAY, &["echo", &address], &[]).unwrap();
    assert_eq!(echo.wait_exit(DEADLINE).await.unwrap().code(), Some(1));
    let said = echo.stderr().join("\n");
    assert!(said.starts_with(&format!("error: cannot listen on {address}: ")), "{said}");
}
